/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A map from non-zero 32-bit numbers to 32-bit numbers, for grouping a hundred
 * thousand records by small keys. Open addressing, no deletion.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map32 {
    uint64_t *slots; /* key << 32 | value; 0: free */
    size_t slot_count;
    size_t used;
};

void map32_deinit(struct map32 *map);

/* Where the search for KEY begins: the upper bits of a product, which depend on
 * all bits of the key. */
static inline size_t map32_slot(uint32_t key, size_t slot_count)
{
    uint64_t product = key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(product >> 32) & (slot_count - 1);
}

/* True and KEY's value when it is there. */
static inline bool
map32_find(const struct map32 *map, uint32_t key, uint32_t *ret_value)
{
    if (map->used == 0)
        return false;
    size_t at = map32_slot(key, map->slot_count);
    while (map->slots[at] && (uint32_t)(map->slots[at] >> 32) != key)
        at = (at + 1) & (map->slot_count - 1);
    *ret_value = (uint32_t)map->slots[at];
    return map->slots[at] != 0;
}

/* Add KEY, which must not be there; false when memory ran out. */
bool map32_add(struct map32 *map, uint32_t key, uint32_t value);
