/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing of numbers with units.
 */
#include "base/unit.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Take the digits at *TEXT; false if there are none or too many. */
static bool take_digits(const char **text, uint64_t *ret_number)
{
    const char *at = *text;
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return false;
    if (at == *text)
        return false;
    *text = at;
    *ret_number = number;
    return true;
}

bool number_parse(const char *text, uint64_t *ret_number)
{
    uint64_t number;
    if (!take_digits(&text, &number) || *text)
        return false;
    *ret_number = number;
    return true;
}

/* Units of time, the longest first; a duration names them in this order. */
static const struct {
    const char *name;
    int64_t ns;
} time_units[] = {
    {"d", INT64_C(24) * 60 * 60 * NS_PER_S},
    {"h", INT64_C(60) * 60 * NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},
    {"ms", NS_PER_MS},
    {"us", NS_PER_US},
    {"ns", 1},
};

/* Take the letters at *TEXT as a unit; array_size(time_units) if it is none. */
static size_t take_time_unit(const char **text)
{
    size_t length = strcspn(*text, "0123456789");
    size_t i;
    for (i = 0; i < array_size(time_units); i++)
        if (strlen(time_units[i].name) == length &&
            memcmp(time_units[i].name, *text, length) == 0)
            break;
    *text += length;
    return i;
}

static int refuse_duration(const char *text, struct error *err)
{
    if (*text && text[strspn(text, "0123456789")] == '\0')
        return error_set(err, EINVAL,
                         "\"%.80s\" has no unit; write for example %.20ss or "
                         "%.20sm",
                         text, text, text);
    return error_set(err, EINVAL,
                     "\"%.80s\" is no duration; write for example 15s, 1m30s "
                     "or 500ms",
                     text);
}

int duration_parse(const char *text, int64_t *ret_ns, struct error *err)
{
    int64_t ns = 0;
    size_t next = 0; /* the first unit that may still come */
    const char *at = text;
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    do {
        uint64_t number;
        int64_t part;
        if (!take_digits(&at, &number))
            return refuse_duration(text, err);
        size_t unit = take_time_unit(&at);
        if (unit < next || unit == array_size(time_units))
            return refuse_duration(text, err);
        next = unit + 1;
        if (__builtin_mul_overflow(number, time_units[unit].ns, &part) ||
            __builtin_add_overflow(ns, part, &ns))
            return error_set(err, EINVAL, "\"%.80s\" is too long a time", text);
    } while (*at);
    *ret_ns = ns;
    return 0;
}

void duration_format(int64_t ns, struct text *out)
{
    assert(ns >= 0);

    if (ns == 0)
        text_add(out, "0s");
    for (size_t i = 0; i < array_size(time_units) && ns > 0; i++) {
        if (ns < time_units[i].ns)
            continue;
        text_add_i64(out, ns / time_units[i].ns);
        text_add(out, time_units[i].name);
        ns %= time_units[i].ns;
    }
}

static const char size_units[] = "kMGTPE"; /* each 1024 times the last */

/* The binary exponent of UNIT ("", "k", "KiB", "MB"), or -1. */
static int size_unit_shift(const char *unit)
{
    if (!*unit || strcasecmp(unit, "B") == 0)
        return 0;
    for (int i = 0; size_units[i]; i++)
        if (strncasecmp(unit, size_units + i, 1) == 0 &&
            (!unit[1] || strcasecmp(unit + 1, "B") == 0 ||
             strcasecmp(unit + 1, "iB") == 0))
            return 10 * (i + 1);
    return -1;
}

int size_parse(const char *text, uint64_t *ret_bytes, struct error *err)
{
    uint64_t number;
    const char *at = text;
    int shift = take_digits(&at, &number) ? size_unit_shift(at) : -1;
    if (shift < 0)
        return error_set(err, EINVAL,
                         "\"%.80s\" is no size; write for example 512k, 10M or "
                         "2G",
                         text);
    if (number > UINT64_MAX >> shift)
        return error_set(err, EINVAL, "\"%.80s\" is too large a size", text);
    *ret_bytes = number << shift;
    return 0;
}

void size_format(uint64_t bytes, struct text *out)
{
    int unit = -1;
    while (bytes && bytes % 1024 == 0 && size_units[unit + 1]) {
        bytes /= 1024;
        unit++;
    }
    text_add_u64(out, bytes);
    if (unit >= 0)
        text_add_char(out, size_units[unit]);
}
