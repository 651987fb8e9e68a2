/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings, each kept once, in one block of bytes: how a part of a snapshot
 * gathers its names. A string is known by its offset in the block, which stays
 * true while the block moves; 0 is no string.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct string_slot;

struct string_table {
    char *bytes; /* starts and ends with a zero byte; NULL before the first */
    size_t size;
    /* The rest is the table's own. */
    size_t capacity;
    struct string_slot *slots;
    size_t slot_count; /* a power of two */
    size_t used;
    uint64_t seed; /* so that nobody can choose names that collide */
};

/* T gets an empty table, which owns nothing yet. */
void string_table_init(struct string_table *t);
void string_table_deinit(struct string_table *t);

/* Forget the strings, keep the memory. */
void string_table_clear(struct string_table *t);

/* The offset of STRING (not empty), which is added when it is new. 0 without
 * memory, or past the 4 GiB that an offset reaches; the table is then as it was
 * before. */
uint32_t string_table_add(struct string_table *t, const char *string);
