/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TRES reader. Memory is the one resource with a unit: a bare number is
 * MiB, a suffix counts bytes ("16G", "500M", "1.50T").
 */
#include "model/tres.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_memory(struct slice name)
{
    return name.size == 3 && memcmp(name.data, "mem", 3) == 0;
}

static int read_value(struct slice name, struct slice text, uint64_t *ret_value)
{
    uint64_t value;
    if (text.size == 0 || slice_number(text, &value) < 0)
        return -EINVAL;
    if (is_memory(name) && isalpha((unsigned char)text.data[text.size - 1]))
        value >>= 20;
    *ret_value = value;
    return 0;
}

int tres_next(struct tres_reader *reader, struct tres_item *ret_item)
{
    const char *start = reader->at;
    if (!*start || strcmp(start, "(null)") == 0)
        return 0;

    const char *end = strchrnul(start, ',');
    const char *equals = memchr(start, '=', (size_t)(end - start));
    reader->at = *end ? end + 1 : end;
    if (!equals || equals == start) {
        reader->at = "";
        return -EINVAL;
    }
    struct tres_item item = {
        .name = {.data = start, .size = (size_t)(equals - start)}};
    struct slice text = {.data = equals + 1,
                         .size = (size_t)(end - equals) - 1};
    if (read_value(item.name, text, &item.value) < 0) {
        reader->at = "";
        return -EINVAL;
    }
    *ret_item = item;
    return 1;
}
