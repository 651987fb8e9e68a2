/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matching a name against a host list, from left to right. Numbers in brackets
 * have the width that they are written with: node[08-10] has node08 and node10
 * and no node8.
 */
#include "model/host-list.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DIGITS_MAX = 18, /* fit a number of 64 bits */
    BRACKETS_MAX = 8 /* Slurm's lists have at most a few dimensions */
};

struct number {
    uint64_t value;
    size_t digits; /* 0: none stands there */
};

static struct number read_number(const char *text)
{
    struct number number = {0, 0};
    while (text[number.digits] >= '0' && text[number.digits] <= '9' &&
           number.digits < DIGITS_MAX)
        number.value =
            number.value * 10 + (uint64_t)(text[number.digits++] - '0');
    return number;
}

/* Whether TEXT, a NUMBER as it is written, is one of those of the RANGE, "8" or
 * "08-10". With zeros in front every number has the width of the first, without
 * them none has zeros in front. */
static bool in_range(const char *range, const char *text, struct number number)
{
    struct number first = read_number(range);
    struct number last = first;
    if (first.digits == 0)
        return false;
    if (range[first.digits] == '-')
        last = read_number(range + first.digits + 1);
    bool padded = first.digits > 1 && range[0] == '0';
    bool width_fits = number.digits == first.digits ||
                      (number.digits > first.digits && text[0] != '0') ||
                      (!padded && text[0] != '0');
    return width_fits && number.value >= first.value &&
           number.value <= last.value;
}

static bool in_ranges(const char *ranges, const char *end, const char *text)
{
    struct number number = read_number(text);
    while (ranges < end) {
        if (in_range(ranges, text, number))
            return true;
        ranges += strcspn(ranges, ",]") + 1;
    }
    return false;
}

static bool matches(const char *item, const char *end, const char *node, int n)
{
    while (item < end && *item != '[') {
        if (*item++ != *node++)
            return false;
    }
    if (item == end)
        return *node == '\0';
    const char *close = memchr(item, ']', (size_t)(end - item));
    struct number number = read_number(node);
    if (!close || number.digits == 0 || n == 0)
        return false;
    /* "1[2-3]" next to digits: try every length that the name offers. */
    for (size_t digits = number.digits; digits > 0; digits--) {
        char text[DIGITS_MAX + 1] = "";
        memcpy(text, node, digits);
        if (in_ranges(item + 1, close, text) &&
            matches(close + 1, end, node + digits, n - 1))
            return true;
    }
    return false;
}

/* Commas inside brackets separate ranges, not items. */
static const char *item_end(const char *item)
{
    bool inside = false;
    for (; *item && (inside || *item != ','); item++) {
        if (*item == '[')
            inside = true;
        else if (*item == ']')
            inside = false;
    }
    return item;
}

bool host_list_contains(const char *list, const char *node)
{
    while (*list) {
        const char *end = item_end(list);
        if (end > list && matches(list, end, node, BRACKETS_MAX))
            return true;
        list = end + (*end == ',');
    }
    return false;
}
