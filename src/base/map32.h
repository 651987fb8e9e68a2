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

/* True and KEY's value when it is there. */
bool map32_find(const struct map32 *map, uint32_t key, uint32_t *ret_value);

/* Add KEY, which must not be there; false when memory ran out. */
bool map32_add(struct map32 *map, uint32_t key, uint32_t value);
