/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GRES reader: cut at commas outside parentheses, then at colons. A last
 * field that is a number is the count; "no_consume" is a remark; the field
 * between is the type.
 */
#include "model/gres.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    GRES_FIELDS_MAX = 4, /* name:type:no_consume:count */
    GRES_INDEX_MAX = 1023
};

static bool slice_is(struct slice slice, const char *string)
{
    return slice.size == strlen(string) &&
           memcmp(slice.data, string, slice.size) == 0;
}

char *slice_copy(struct slice slice, char *buffer, size_t size)
{
    size_t length = slice.size < size - 1 ? slice.size : size - 1;
    if (length)
        memcpy(buffer, slice.data, length);
    buffer[length] = '\0';
    return buffer;
}

/* The power of two behind a suffix character; -1: not a suffix. */
static int suffix_shift(char c)
{
    switch (tolower((unsigned char)c)) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    case 't':
        return 40;
    case 'p':
        return 50;
    default:
        return -1;
    }
}

/* Digits from *AT on as an integer; -ERANGE when they overflow. */
static int read_digits(struct slice slice, size_t *at, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t start = *at;
    for (; *at < slice.size && isdigit((unsigned char)slice.data[*at]); ++*at) {
        uint64_t digit = (uint64_t)(slice.data[*at] - '0');
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return -ERANGE;
    }
    *ret_value = value;
    return *at > start ? 0 : -EINVAL;
}

/* A decimal fraction from *AT on, which stands behind the dot. */
static double read_fraction(struct slice slice, size_t *at)
{
    double fraction = 0, place = 0.1;
    for (; *at < slice.size && isdigit((unsigned char)slice.data[*at]); ++*at) {
        fraction += (slice.data[*at] - '0') * place;
        place /= 10;
    }
    return fraction;
}

int slice_number(struct slice slice, uint64_t *ret_value)
{
    size_t at = 0;
    uint64_t whole;
    double fraction = 0;
    int shift = 0;

    int r = read_digits(slice, &at, &whole);
    if (r < 0)
        return r;
    if (at < slice.size && slice.data[at] == '.') {
        at++;
        fraction = read_fraction(slice, &at);
    }
    if (at < slice.size) {
        shift = suffix_shift(slice.data[at++]);
        if (shift < 0)
            return -EINVAL;
    }
    if (at != slice.size)
        return -EINVAL;
    uint64_t value;
    uint64_t rest = (uint64_t)(fraction * (double)(UINT64_C(1) << shift) + 0.5);
    if ((shift && whole >> (64 - shift)) ||
        __builtin_add_overflow(whole << shift, rest, &value))
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* The end of the item at P: a comma outside parentheses, or the string's end.
 * *RET_NOTE is where its last parenthesis opens, unless that is a field of its
 * own, as the type "(null)" is. NULL when unbalanced. */
static const char *item_end(const char *start, const char **ret_note)
{
    const char *p = start;
    size_t depth = 0;
    *ret_note = NULL;
    for (; *p && (depth > 0 || *p != ','); p++) {
        if (*p == '(') {
            if (depth++ == 0)
                *ret_note = p > start && p[-1] == ':' ? NULL : p;
        } else if (*p == ')') {
            if (depth-- == 0)
                return NULL;
        }
    }
    return depth == 0 ? p : NULL;
}

/* Split BODY at its colons (and the '=' before a count). */
static size_t split_fields(struct slice body, struct slice *fields)
{
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= body.size; i++) {
        if (i < body.size && body.data[i] != ':' && body.data[i] != '=')
            continue;
        if (count == GRES_FIELDS_MAX)
            return 0;
        fields[count++] =
            (struct slice){.data = body.data + start, .size = i - start};
        start = i + 1;
    }
    return count;
}

/* Take "gres:" and "gres/" off the front of BODY; whoever types the prefix to
 * a Slurm that adds it gets it twice. */
static struct slice skip_prefixes(struct slice body)
{
    while (body.size >= 5 && (memcmp(body.data, "gres:", 5) == 0 ||
                              memcmp(body.data, "gres/", 5) == 0)) {
        body.data += 5;
        body.size -= 5;
    }
    return body;
}

static int read_item(struct slice body, struct gres_item *item)
{
    struct slice fields[GRES_FIELDS_MAX];
    size_t count = split_fields(skip_prefixes(body), fields);
    if (count == 0 || fields[0].size == 0)
        return -EINVAL;
    item->name = fields[0];

    item->count = 1;
    if (count > 1) {
        int r = slice_number(fields[count - 1], &item->count);
        if (r == -ERANGE)
            return -EINVAL; /* a count too large is not a type */
        if (r == 0)
            count--;
    }
    for (size_t i = 1; i < count; i++) {
        if (slice_is(fields[i], "no_consume") || slice_is(fields[i], "(null)"))
            continue;
        if (item->type.size > 0 || fields[i].size == 0)
            return -EINVAL;
        item->type = fields[i];
    }
    return 0;
}

int gres_next(struct gres_reader *reader, struct gres_item *ret_item)
{
    const char *start = reader->at;
    if (!*start || strcmp(start, "(null)") == 0)
        return 0;

    const char *note;
    const char *end = item_end(start, &note);
    if (!end) {
        reader->at = "";
        return -EINVAL;
    }
    reader->at = *end == ',' ? end + 1 : end;

    struct gres_item item = {.name = {.data = start, .size = 0}};
    if (note && end[-1] == ')') {
        item.note =
            (struct slice){.data = note + 1, .size = (size_t)(end - note) - 2};
        end = note;
    }
    struct slice body = {.data = start, .size = (size_t)(end - start)};
    if (read_item(body, &item) < 0) {
        reader->at = "";
        return -EINVAL;
    }
    *ret_item = item;
    return 1;
}

/* The number at the reader's place; false when there is none. */
static bool read_index(struct gres_indices *indices, uint32_t *ret_index)
{
    struct slice rest = {.data = indices->at,
                         .size = (size_t)(indices->end - indices->at)};
    uint64_t value;
    size_t digits = 0;
    if (read_digits(rest, &digits, &value) < 0 || digits == 0 ||
        value > GRES_INDEX_MAX)
        return false;
    indices->at += digits;
    *ret_index = (uint32_t)value;
    return true;
}

static bool skip(struct gres_indices *indices, char c)
{
    if (indices->at == indices->end || *indices->at != c)
        return false;
    indices->at++;
    return true;
}

struct gres_indices gres_indices(struct slice note)
{
    static const char prefix[] = "IDX:";
    const size_t size = sizeof(prefix) - 1;
    struct gres_indices indices = {.next = 1};
    if (note.size > size && memcmp(note.data, prefix, size) == 0) {
        indices.at = note.data + size;
        indices.end = note.data + note.size;
    }
    return indices;
}

bool gres_indices_next(struct gres_indices *indices, uint32_t *ret_index)
{
    if (indices->next > indices->last) {
        if (indices->at == indices->end || !read_index(indices, &indices->next))
            return false;
        indices->last = indices->next;
        if ((skip(indices, '-') && !read_index(indices, &indices->last)) ||
            indices->last < indices->next ||
            !(skip(indices, ',') || indices->at == indices->end)) {
            *indices = (struct gres_indices){.next = 1};
            return false;
        }
    }
    *ret_index = indices->next++;
    return true;
}
