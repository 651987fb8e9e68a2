/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of 32-bit numbers. A slot is one 64-bit word with the value in its
 * lower half, so that a look-up touches one cache line.
 */
#include "base/map32.h"

#include <assert.h>
#include <stdlib.h>

enum {
    FIRST_SLOTS = 256 /* a power of two, as every later size */
};

static uint64_t *find_slot(uint64_t *slots, size_t slot_count, uint32_t key)
{
    size_t at = map32_slot(key, slot_count);
    while (slots[at] && (uint32_t)(slots[at] >> 32) != key)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static bool grow(struct map32 *map)
{
    size_t count = map->slot_count ? map->slot_count * 2 : FIRST_SLOTS;
    uint64_t *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < map->slot_count; i++)
        if (map->slots[i])
            *find_slot(slots, count, (uint32_t)(map->slots[i] >> 32)) =
                map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    return true;
}

void map32_deinit(struct map32 *map)
{
    free(map->slots);
    *map = (struct map32){.slots = NULL};
}

bool map32_add(struct map32 *map, uint32_t key, uint32_t value)
{
    assert(key != 0);

    if (map->used * 2 >= map->slot_count && !grow(map))
        return false;
    uint64_t *slot = find_slot(map->slots, map->slot_count, key);
    assert(!*slot);
    *slot = (uint64_t)key << 32 | value;
    map->used++;
    return true;
}
