/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: TRES strings. Whatever the bytes are, reading ends, names lie
 * inside the string, and a resource reads the same when its value is written
 * without a suffix.
 */
#include "fuzz.h"

#include "model/tres.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static void check_written(const struct tres_item *item)
{
    size_t size = item->name.size + 32;
    char *text = malloc(size);
    fuzz_check(text);
    snprintf(text, size, "%.*s=%" PRIu64, (int)item->name.size, item->name.data,
             item->value);
    struct tres_reader reader = tres_read(text);
    struct tres_item again;
    fuzz_check(tres_next(&reader, &again) == 1);
    fuzz_check(again.value == item->value &&
               again.name.size == item->name.size &&
               memcmp(again.name.data, item->name.data, item->name.size) == 0);
    fuzz_check(tres_next(&reader, &again) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *string = fuzz_string(data, size);
    size_t length = strlen(string);

    struct tres_reader reader = tres_read(string);
    struct tres_item item;
    int r;
    for (size_t items = 0; (r = tres_next(&reader, &item)) > 0; items++) {
        fuzz_check(items <= length && item.name.size > 0);
        fuzz_check(item.name.data >= string &&
                   item.name.data + item.name.size < string + length);
        check_written(&item);
    }
    fuzz_check(r == 0 || r == -EINVAL);
    fuzz_check(tres_next(&reader, &item) == 0);
    free(string);
    return 0;
}
