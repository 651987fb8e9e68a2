/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two headers share their grammar: a list, split at commas, of a token and
 * parameters split at semicolons, one of which may be the quality. A
 * parameter's value may be a quoted string, in which commas and semicolons mean
 * nothing.
 *
 * The header is walked in place; nothing is allocated.
 */
#include "http/negotiate.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A piece of the header; not terminated. */
struct span {
    const char *start;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span span_trim(struct span s)
{
    while (s.size > 0 && is_blank(s.start[0])) {
        s.start++;
        s.size--;
    }
    while (s.size > 0 && is_blank(s.start[s.size - 1]))
        s.size--;
    return s;
}

static bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && strncasecmp(a.start, b.start, a.size) == 0;
}

static bool span_is(struct span a, const char *string)
{
    return span_equal(a, (struct span){string, strlen(string)});
}

/* Cut the piece before the next SEPARATOR outside quotes off REST. False when
 * nothing is left. */
static bool span_cut(struct span *rest, char separator, struct span *ret_piece)
{
    if (!rest->start)
        return false;
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->size; at++) {
        char c = rest->start[at];
        if (quoted && c == '\\' && at + 1 < rest->size)
            at++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted)
            break;
    }
    *ret_piece = span_trim((struct span){rest->start, at});
    if (at < rest->size)
        *rest = (struct span){rest->start + at + 1, rest->size - at - 1};
    else
        *rest = (struct span){NULL, 0};
    return true;
}

/* "name=value" of a parameter; quotes around the value are taken off. */
static void split_parameter(struct span piece,
                            struct span *ret_name,
                            struct span *ret_value)
{
    const char *equals = memchr(piece.start, '=', piece.size);
    if (!equals) {
        *ret_name = piece;
        *ret_value = (struct span){piece.start + piece.size, 0};
        return;
    }
    size_t at = (size_t)(equals - piece.start);
    *ret_name = span_trim((struct span){piece.start, at});
    struct span value =
        span_trim((struct span){equals + 1, piece.size - at - 1});
    if (value.size >= 2 && value.start[0] == '"' &&
        value.start[value.size - 1] == '"')
        value = (struct span){value.start + 1, value.size - 2};
    *ret_value = value;
}

/* "1", "0.25", "1.000" in thousandths; -1 for anything else. */
static int parse_quality(struct span value)
{
    if (value.size < 1 || value.size > 5 ||
        (value.start[0] != '0' && value.start[0] != '1') ||
        (value.size > 1 && value.start[1] != '.'))
        return -1;
    int quality = (value.start[0] - '0') * HTTP_QUALITY_MAX;
    int weight = HTTP_QUALITY_MAX / 10;
    for (size_t i = 2; i < value.size; i++, weight /= 10) {
        if (!isdigit((unsigned char)value.start[i]))
            return -1;
        quality += (value.start[i] - '0') * weight;
    }
    return quality <= HTTP_QUALITY_MAX ? quality : -1;
}

/* Whether OFFER ("type/subtype;a=b") has parameter NAME with VALUE. */
static bool offer_has(struct span offer, struct span name, struct span value)
{
    struct span piece;
    span_cut(&offer, ';', &piece);
    while (span_cut(&offer, ';', &piece)) {
        struct span offered_name, offered_value;
        split_parameter(piece, &offered_name, &offered_value);
        if (span_equal(name, offered_name) && span_equal(value, offered_value))
            return true;
    }
    return false;
}

enum {
    MATCH_NONE = -1,
    MATCH_ANY = 0, /* * or type slash * come below an exact one */
    MATCH_TYPE = 1,
    MATCH_EXACT = 2 /* and one more for each parameter that is named */
};

/* How closely the range's type fits OFFER's. */
static int match_type(struct span range, struct span offer)
{
    struct span type;
    span_cut(&offer, ';', &type);
    if (span_is(range, "*/*") || span_is(range, "*"))
        return MATCH_ANY;
    if (span_equal(range, type))
        return MATCH_EXACT;
    if (range.size >= 2 && memcmp(range.start + range.size - 2, "/*", 2) == 0 &&
        type.size >= range.size - 1 &&
        strncasecmp(range.start, type.start, range.size - 1) == 0)
        return MATCH_TYPE;
    return MATCH_NONE;
}

/* How closely one element of the list fits OFFER, and its quality. */
static int
match_element(struct span element, struct span offer, int *ret_quality)
{
    struct span piece;
    span_cut(&element, ';', &piece);
    int match = match_type(piece, offer);
    *ret_quality = HTTP_QUALITY_MAX;
    while (match != MATCH_NONE && span_cut(&element, ';', &piece)) {
        struct span name, value;
        if (piece.size == 0)
            continue;
        split_parameter(piece, &name, &value);
        if (span_is(name, "q")) {
            *ret_quality = parse_quality(value);
            return *ret_quality < 0 ? MATCH_NONE : match;
        }
        /* Prometheus 3 names how metric names shall be escaped. Ours need no
         * escaping, so every scheme gives the same text. */
        if (span_is(name, "escaping"))
            continue;
        if (!offer_has(offer, name, value))
            return MATCH_NONE;
        match++;
    }
    return match;
}

/* The quality that the list HEADER gives OFFER: that of the closest element.
 * -1 when none fits. */
static int list_quality(const char *header, const char *offer)
{
    struct span rest = {header, strlen(header)};
    struct span wanted = {offer, strlen(offer)};
    struct span element;
    int best_match = MATCH_NONE;
    int best_quality = -1;
    while (span_cut(&rest, ',', &element)) {
        int quality;
        int match = match_element(element, wanted, &quality);
        if (match > best_match) {
            best_match = match;
            best_quality = quality;
        }
    }
    return best_quality;
}

int http_accept_quality(const char *accept, const char *offer)
{
    if (!accept || accept[strspn(accept, " \t")] == '\0')
        return HTTP_QUALITY_MAX;
    int quality = list_quality(accept, offer);
    return quality < 0 ? 0 : quality;
}

int http_accept_choose(const char *accept,
                       const char *const offers[],
                       size_t count)
{
    int best = -1;
    int best_quality = 0;
    for (size_t i = 0; i < count; i++) {
        int quality = http_accept_quality(accept, offers[i]);
        if (quality > best_quality) {
            best = (int)i;
            best_quality = quality;
        }
    }
    return best;
}

int http_encoding_quality(const char *accept_encoding, const char *coding)
{
    bool identity = strcasecmp(coding, "identity") == 0;
    if (!accept_encoding)
        return identity ? HTTP_QUALITY_MAX : 0;
    int quality = list_quality(accept_encoding, coding);
    if (quality >= 0)
        return quality;
    return identity ? 1 : 0;
}

bool http_accepts_gzip(const char *accept_encoding)
{
    int gzip = http_encoding_quality(accept_encoding, "gzip");
    return gzip > 0 &&
           gzip >= http_encoding_quality(accept_encoding, "identity");
}
