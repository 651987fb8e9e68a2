/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: GRES strings. Whatever the bytes are, reading ends, every slice
 * lies inside the string, and what was read reads the same when it is written
 * in the plainest form.
 */
#include "fuzz.h"

#include "model/gres.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_inside(struct slice slice, const char *string, size_t size)
{
    return slice.size == 0 || (slice.data >= string && slice.size <= size &&
                               slice.data + slice.size <= string + size);
}

static bool same(struct slice a, struct slice b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* "name:type:count(note)" of ITEM reads as ITEM. */
static void check_written(const struct gres_item *item)
{
    size_t size = item->name.size + item->type.size + item->note.size + 32;
    char *text = malloc(size);
    fuzz_check(text);
    int used = snprintf(text, size, "%.*s%s%.*s:%" PRIu64, (int)item->name.size,
                        item->name.data, item->type.size ? ":" : "",
                        (int)item->type.size,
                        item->type.size ? item->type.data : "", item->count);
    if (item->note.size)
        snprintf(text + used, size - (size_t)used, "(%.*s)",
                 (int)item->note.size, item->note.data);
    struct gres_reader reader = gres_read(text);
    struct gres_item again;
    fuzz_check(gres_next(&reader, &again) == 1);
    fuzz_check(same(again.name, item->name) && same(again.type, item->type) &&
               same(again.note, item->note) && again.count == item->count);
    fuzz_check(gres_next(&reader, &again) == 0);
    free(text);
}

static void
check_item(const struct gres_item *item, const char *string, size_t size)
{
    char small[8];
    fuzz_check(item->name.size > 0);
    fuzz_check(is_inside(item->name, string, size));
    fuzz_check(is_inside(item->type, string, size));
    fuzz_check(is_inside(item->note, string, size));
    uint32_t index;
    size_t count = 0;
    struct gres_indices indices = gres_indices(item->note);
    while (gres_indices_next(&indices, &index))
        fuzz_check(index < 1024 && ++count <= 1024 * size);
    fuzz_check(strlen(slice_copy(item->type, small, sizeof(small))) <
               sizeof(small));
    /* A resource named as the prefix cannot be told from it. */
    if (!same(item->name, (struct slice){.data = "gres", .size = 4}))
        check_written(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *string = fuzz_string(data, size);
    size_t length = strlen(string);

    struct gres_reader reader = gres_read(string);
    struct gres_item item;
    int r;
    for (size_t items = 0; (r = gres_next(&reader, &item)) > 0; items++) {
        fuzz_check(items <= length);
        check_item(&item, string, length);
    }
    fuzz_check(r == 0 || r == -EINVAL);
    fuzz_check(gres_next(&reader, &item) == 0 || r == 0);

    uint64_t number = 42;
    r = slice_number((struct slice){.data = (const char *)data, .size = size},
                     &number);
    fuzz_check(r == 0 || ((r == -EINVAL || r == -ERANGE) && number == 42));
    free(string);
    return 0;
}
