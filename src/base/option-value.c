/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of options by type. A value is judged in full before its field is
 * touched.
 */
#include "base/option-value.h"

#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/unit.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

void *option_value_field(const struct option_row *row, const void *values)
{
    return (char *)(uintptr_t)values + row->offset;
}

void option_number_format(const struct option_row *row,
                          int64_t number,
                          struct text *out)
{
    if (row->type == OPTION_TYPE_DURATION)
        duration_format(number, out);
    else if (row->type == OPTION_TYPE_SIZE)
        size_format((uint64_t)number, out);
    else
        text_add_i64(out, number);
}

static int refuse_range(const struct option_row *row,
                        const char *text,
                        bool small,
                        struct error *err)
{
    _cleanup_(text_deinit) struct text bound = TEXT_INIT;
    option_number_format(row, small ? row->min : row->max, &bound);
    const char *shown = text_str(&bound);
    return error_set(err, EINVAL, "\"%.80s\" is too %s; the %s is %s", text,
                     small ? "small" : "large", small ? "least" : "most",
                     shown ? shown : "?");
}

static int check_range(const struct option_row *row,
                       const char *text,
                       uint64_t number,
                       struct error *err)
{
    if (number < (uint64_t)row->min)
        return refuse_range(row, text, true, err);
    if (row->max && number > (uint64_t)row->max)
        return refuse_range(row, text, false, err);
    return 0;
}

static int parse_bool(const char *text, bool *ret_value, struct error *err)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "t"};
    static const char *const no[] = {"false", "no", "off", "0", "f"};
    for (size_t i = 0; i < array_size(yes); i++) {
        bool is_yes = strcasecmp(text, yes[i]) == 0;
        if (is_yes || strcasecmp(text, no[i]) == 0) {
            *ret_value = is_yes;
            return 0;
        }
    }
    return error_set(err, EINVAL,
                     "\"%.80s\" is neither true nor false; write one of them",
                     text);
}

static int
refuse_word(const struct option_row *row, const char *text, struct error *err)
{
    _cleanup_(text_deinit) struct text all = TEXT_INIT;
    struct nearest nearest = {.word = text};
    for (int i = 0; row->words[i]; i++) {
        nearest_offer(&nearest, row->words[i]);
        text_addf(&all, "%s%s",
                  i == 0              ? ""
                  : row->words[i + 1] ? ", "
                                      : " or ",
                  row->words[i]);
    }
    if (nearest.best[0])
        return error_set(err, EINVAL,
                         "\"%.80s\" is not among the choices; did you mean "
                         "\"%s\"?",
                         text, nearest.best);
    const char *words = text_str(&all);
    return error_set(err, EINVAL,
                     "\"%.80s\" is not among the choices; write %s", text,
                     words ? words : "another");
}

static int parse_choice(const struct option_row *row,
                        const char *text,
                        int *ret_value,
                        struct error *err)
{
    for (int i = 0; row->words[i]; i++)
        if (strcmp(text, row->words[i]) == 0) {
            *ret_value = i;
            return 0;
        }
    return refuse_word(row, text, err);
}

static int parse_u32(const struct option_row *row,
                     const char *text,
                     uint32_t *ret_value,
                     struct error *err)
{
    uint64_t number;
    if (!number_parse(text, &number))
        return error_set(err, EINVAL,
                         "\"%.80s\" is no whole number; write for example %u",
                         text, row->min > 0 ? (unsigned int)row->min : 10);
    if (number > UINT32_MAX)
        return error_set(err, EINVAL, "\"%.80s\" is too large a number", text);
    int r = check_range(row, text, number, err);
    if (r == 0)
        *ret_value = (uint32_t)number;
    return r;
}

/* Judge a string or an item of a list. */
static int
check_text(const struct option_row *row, const char *text, struct error *err)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(err, EINVAL, "\"%.80s\" holds a control character",
                             text);
    return row->check && *text ? row->check(text, err) : 0;
}

static int parse_string(const struct option_row *row,
                        const char *text,
                        char **value,
                        struct error *err)
{
    int r = check_text(row, text, err);
    if (r < 0)
        return r;
    char *copy = strdup(text);
    if (!copy)
        return error_errno(err, ENOMEM, "options");
    free(*value);
    *value = copy;
    return 0;
}

static int add_item(const struct option_row *row,
                    struct option_list *list,
                    const char *text,
                    size_t size,
                    struct error *err)
{
    if (size == 0)
        return error_set(err, EINVAL, "there is an empty item in the list");
    _cleanup_(free_ptr) char *item = strndup(text, size);
    if (!item)
        return error_errno(err, ENOMEM, "options");
    int word, r = check_text(row, item, err);
    if (r == 0 && row->words)
        r = parse_choice(row, item, &word, err);
    if (r < 0)
        return r;
    char **items =
        reallocarray(list->items, list->count + 1, sizeof(*list->items));
    if (!items)
        return error_errno(err, ENOMEM, "options");
    list->items = items;
    list->items[list->count++] = take_ptr(item);
    return 0;
}

static int parse_list(const struct option_row *row,
                      const char *text,
                      struct option_list *list,
                      struct error *err)
{
    int r = 0;
    while (*text && r == 0) {
        size_t size = strcspn(text, ",");
        r = add_item(row, list, text, size, err);
        text += size;
        if (r == 0 && *text == ',' && !*++text)
            r = add_item(row, list, text, 0, err); /* "a," is refused */
    }
    return r;
}

static int parse_duration(const struct option_row *row,
                          const char *text,
                          int64_t *value,
                          struct error *err)
{
    int64_t ns;
    int r = duration_parse(text, &ns, err);
    if (r == 0)
        r = check_range(row, text, (uint64_t)ns, err);
    if (r == 0)
        *value = ns;
    return r;
}

static int parse_size(const struct option_row *row,
                      const char *text,
                      uint64_t *value,
                      struct error *err)
{
    uint64_t bytes;
    int r = size_parse(text, &bytes, err);
    if (r == 0)
        r = check_range(row, text, bytes, err);
    if (r == 0)
        *value = bytes;
    return r;
}

int option_value_parse(const struct option_row *row,
                       void *values,
                       const char *text,
                       struct error *err)
{
    void *field = option_value_field(row, values);
    switch (row->type) {
    case OPTION_TYPE_STRING:
    case OPTION_TYPE_FILE:
        return parse_string(row, text, field, err);
    case OPTION_TYPE_BOOL:
        return parse_bool(text, field, err);
    case OPTION_TYPE_CHOICE:
        return parse_choice(row, text, field, err);
    case OPTION_TYPE_U32:
        return parse_u32(row, text, field, err);
    case OPTION_TYPE_SIZE:
        return parse_size(row, text, field, err);
    case OPTION_TYPE_DURATION:
        return parse_duration(row, text, field, err);
    case OPTION_TYPE_LIST:
        return parse_list(row, text, field, err);
    }
    assert(false);
    return -EINVAL;
}

void option_value_clear(const struct option_row *row, void *values)
{
    void *field = option_value_field(row, values);
    if (row->type == OPTION_TYPE_STRING || row->type == OPTION_TYPE_FILE) {
        char **string = field;
        free(take_ptr(*string));
    } else if (row->type == OPTION_TYPE_LIST) {
        struct option_list *list = field;
        for (size_t i = 0; i < list->count; i++)
            free(list->items[i]);
        free(list->items);
        *list = (struct option_list){.count = 0};
    }
}

static void format_list(const struct option_list *list, struct text *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add(out, list->items[i]);
    }
}

void option_value_format(const struct option_row *row,
                         const void *values,
                         struct text *out)
{
    const void *field = option_value_field(row, values);
    switch (row->type) {
    case OPTION_TYPE_STRING:
    case OPTION_TYPE_FILE:
        text_add(out, *(char *const *)field);
        break;
    case OPTION_TYPE_BOOL:
        text_add(out, *(const bool *)field ? "true" : "false");
        break;
    case OPTION_TYPE_CHOICE:
        text_add(out, row->words[*(const int *)field]);
        break;
    case OPTION_TYPE_U32:
        text_add_u64(out, *(const uint32_t *)field);
        break;
    case OPTION_TYPE_SIZE:
        size_format(*(const uint64_t *)field, out);
        break;
    case OPTION_TYPE_DURATION:
        duration_format(*(const int64_t *)field, out);
        break;
    case OPTION_TYPE_LIST:
        format_list(field, out);
        break;
    }
}

bool option_value_equal(const struct option_row *row,
                        const void *values,
                        const void *other_values)
{
    _cleanup_(text_deinit) struct text one = TEXT_INIT;
    _cleanup_(text_deinit) struct text other = TEXT_INIT;
    option_value_format(row, values, &one);
    option_value_format(row, other_values, &other);
    const char *a = text_str(&one), *b = text_str(&other);
    return a && b && strcmp(a, b) == 0;
}
