/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table with linear probing, at most half full. A slot holds the hash
 * beside the offset, so that growing never looks at the strings again and a
 * probe looks only at the one that it is going to find: for 100,000 jobs the
 * strings lie far outside the caches, and every look is a miss.
 *
 * Users choose the names of jobs. The hash therefore starts from a number that
 * differs from process to process, and folds the whole product of each step,
 * so that names that differ in one place only still spread.
 */
#include "model/string-table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    FIRST_SLOTS = 1024,
    FIRST_BYTES = 16 * 1024
};

struct string_slot {
    uint32_t offset; /* 0: free */
    uint32_t hash;
};

void string_table_init(struct string_table *t)
{
    *t = (struct string_table){.bytes = NULL};
    /* Sixteen random bytes that the kernel gives every process. */
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    if (random)
        memcpy(&t->seed, random, sizeof(t->seed));
}

void string_table_deinit(struct string_table *t)
{
    free(t->bytes);
    free(t->slots);
    string_table_init(t);
}

void string_table_clear(struct string_table *t)
{
    t->size = 0;
    t->used = 0;
    if (t->slots)
        memset(t->slots, 0, t->slot_count * sizeof(*t->slots));
}

static uint64_t u64_at(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint32_t u32_at(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* SIZE bytes, 1 to 8, as a number; bytes may be read twice. */
static uint64_t last_bytes(const char *bytes, size_t size)
{
    if (size == 8)
        return u64_at(bytes);
    if (size >= 4)
        return (uint64_t)u32_at(bytes) << 32 | u32_at(bytes + size - 4);
    return (uint64_t)(unsigned char)bytes[0] << 16 |
           (uint64_t)(unsigned char)bytes[size / 2] << 8 |
           (unsigned char)bytes[size - 1];
}

static uint32_t hash_bytes(uint64_t seed, const char *bytes, size_t size)
{
    const uint64_t factor = UINT64_C(0xff51afd7ed558ccd);
    uint64_t h = seed ^ size;
    for (; size > 8; bytes += 8, size -= 8)
        h = fold(h ^ u64_at(bytes), factor);
    return (uint32_t)fold(h ^ last_bytes(bytes, size), factor);
}

/* Double the slots and put each at its new place. */
static bool grow_slots(struct string_table *t)
{
    size_t count = t->slot_count ? t->slot_count * 2 : FIRST_SLOTS;
    struct string_slot *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < t->slot_count; i++) {
        if (!t->slots[i].offset)
            continue;
        size_t at = t->slots[i].hash & (count - 1);
        while (slots[at].offset)
            at = (at + 1) & (count - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->slot_count = count;
    return true;
}

/* Room for SIZE more bytes, behind the zero byte at the start. */
static bool reserve_bytes(struct string_table *t, size_t size)
{
    size_t wanted = t->size + size + 1;
    if (wanted > UINT32_MAX)
        return false;
    if (wanted > t->capacity) {
        size_t capacity = t->capacity ? t->capacity : FIRST_BYTES;
        while (capacity < wanted)
            capacity *= 2;
        char *bytes = realloc(t->bytes, capacity);
        if (!bytes)
            return false;
        t->bytes = bytes;
        t->capacity = capacity;
    }
    if (t->size == 0)
        t->bytes[t->size++] = '\0';
    return true;
}

uint32_t string_table_add(struct string_table *t, const char *string)
{
    size_t length = strlen(string);
    uint32_t hash = hash_bytes(t->seed, string, length);
    if (t->used * 2 >= t->slot_count && !grow_slots(t))
        return 0;
    size_t at = hash & (t->slot_count - 1);
    for (; t->slots[at].offset; at = (at + 1) & (t->slot_count - 1))
        if (t->slots[at].hash == hash &&
            strcmp(t->bytes + t->slots[at].offset, string) == 0)
            return t->slots[at].offset;
    if (!reserve_bytes(t, length + 1))
        return 0;
    uint32_t offset = (uint32_t)t->size;
    memcpy(t->bytes + offset, string, length + 1);
    t->size += length + 1;
    t->slots[at] = (struct string_slot){.offset = offset, .hash = hash};
    t->used++;
    return offset;
}
