/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two rounds of records, the present one and the one before it or under way,
 * and a ring of what went. A round finds its records by an open-addressed table
 * of their ids.
 */
#include "view/collection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct round {
    struct text text, names;
    struct collection_record *records;
    size_t count, capacity;
    uint32_t *slots; /* index + 1; 0: free */
    size_t slot_count;
    bool failed; /* out of memory */
};

struct gone {
    uint64_t version; /* in which it was missing for the first time */
    uint64_t id;
    char *name; /* owned; NULL when numbered */
};

struct collection {
    bool numbered;
    struct round now, next;
    struct json json; /* writes into next */
    uint64_t writing; /* the version under way */
    uint64_t version;
    uint64_t begun; /* what came after this version is known */
    struct gone gone[COLLECTION_GONE_MAX];
    size_t gone_first, gone_count;
};

/* ---- rounds ---------------------------------------------------------------
 */

static void round_clear(struct round *round)
{
    text_clear(&round->text);
    text_clear(&round->names);
    round->text.failed = round->names.failed = false;
    round->count = 0;
    round->failed = false;
    free(round->slots);
    round->slots = NULL;
    round->slot_count = 0;
}

static void round_deinit(struct round *round)
{
    text_deinit(&round->text);
    text_deinit(&round->names);
    free(round->records);
    free(round->slots);
}

static struct collection_record *round_add(struct round *round)
{
    if (round->count == round->capacity) {
        size_t capacity = round->capacity ? round->capacity * 2 : 64;
        struct collection_record *records =
            realloc(round->records, capacity * sizeof(*records));
        if (!records) {
            round->failed = true;
            return NULL;
        }
        round->records = records;
        round->capacity = capacity;
    }
    struct collection_record *record = &round->records[round->count++];
    *record = (struct collection_record){.start = round->text.size};
    return record;
}

static uint64_t mix(uint64_t x)
{
    unsigned __int128 product =
        (unsigned __int128)x * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const char *data, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ size;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = mix(hash ^ word) + UINT64_C(0x632be59bd9b4e019);
    }
    uint64_t rest = 0;
    memcpy(&rest, data, size);
    return mix(hash ^ rest);
}

static size_t slot_of(const struct round *round, uint64_t id)
{
    size_t at = (size_t)mix(id) & (round->slot_count - 1);
    while (round->slots[at] && round->records[round->slots[at] - 1].id != id)
        at = (at + 1) & (round->slot_count - 1);
    return at;
}

static bool round_index(struct round *round)
{
    round->slot_count = 16;
    while (round->slot_count < round->count * 2)
        round->slot_count *= 2;
    round->slots = calloc(round->slot_count, sizeof(*round->slots));
    if (!round->slots)
        return false;
    for (size_t i = 0; i < round->count; i++)
        round->slots[slot_of(round, round->records[i].id)] = (uint32_t)i + 1;
    return true;
}

static const struct collection_record *round_find(const struct round *round,
                                                  uint64_t id)
{
    if (!round->slots)
        return NULL;
    uint32_t found = round->slots[slot_of(round, id)];
    return found ? &round->records[found - 1] : NULL;
}

/* ---- writing --------------------------------------------------------------
 */

struct collection *collection_new(bool numbered)
{
    struct collection *c = calloc(1, sizeof(*c));
    if (c)
        c->numbered = numbered;
    return c;
}

static void forget_gone(struct collection *c)
{
    for (size_t i = 0; i < COLLECTION_GONE_MAX; i++) {
        free(c->gone[i].name);
        c->gone[i].name = NULL;
    }
    c->gone_count = 0;
}

struct collection *collection_free(struct collection *c)
{
    if (!c)
        return NULL;
    round_deinit(&c->now);
    round_deinit(&c->next);
    forget_gone(c);
    free(c);
    return NULL;
}

/* The record written last has ended: take its length and fingerprint, and the
 * version that it had when it reads the same. */
static void finish_record(struct collection *c)
{
    struct round *next = &c->next;
    if (next->count == 0 || next->failed)
        return;
    struct collection_record *record = &next->records[next->count - 1];
    if (text_failed(&next->text)) {
        next->failed = true;
        return;
    }
    record->size = next->text.size - record->start;
    record->fingerprint =
        hash_bytes(next->text.data + record->start, record->size);
    const struct collection_record *before = round_find(&c->now, record->id);
    record->version = before && before->fingerprint == record->fingerprint
                          ? before->version
                          : c->writing;
}

void collection_begin(struct collection *c, uint64_t version)
{
    assert(version > c->version);

    c->writing = version;
    round_clear(&c->next);
    c->json = (struct json)JSON_INIT(&c->next.text);
}

struct json *collection_add(struct collection *c, uint64_t id)
{
    finish_record(c);
    if (c->json.comma)
        text_add_char(&c->next.text, ',');
    c->json.comma = false;
    struct collection_record *record = round_add(&c->next);
    if (record)
        record->id = id;
    return &c->json;
}

struct json *collection_add_named(struct collection *c, const char *name)
{
    size_t length = strlen(name);
    struct json *json = collection_add(c, hash_bytes(name, length));
    if (!c->next.failed) {
        c->next.records[c->next.count - 1].name = c->next.names.size;
        text_add_bytes(&c->next.names, name, length + 1);
    }
    return json;
}

static void remember_gone(struct collection *c,
                          const struct collection_record *record)
{
    size_t at = (c->gone_first + c->gone_count) % COLLECTION_GONE_MAX;
    if (c->gone_count == COLLECTION_GONE_MAX) {
        c->begun = c->gone[at].version;
        free(c->gone[at].name);
        c->gone_first = (at + 1) % COLLECTION_GONE_MAX;
    } else {
        c->gone_count++;
    }
    c->gone[at] = (struct gone){.version = c->writing, .id = record->id};
    if (!c->numbered)
        c->gone[at].name = strdup(c->now.names.data + record->name);
}

static int fail(struct collection *c)
{
    round_clear(&c->now);
    round_clear(&c->next);
    forget_gone(c);
    c->begun = c->version = c->writing;
    return -ENOMEM;
}

int collection_end(struct collection *c, bool *ret_changed)
{
    finish_record(c);
    if (c->next.failed || text_failed(&c->next.names) || !round_index(&c->next))
        return fail(c);
    bool changed = c->version == 0;
    for (size_t i = 0; !changed && i < c->next.count; i++)
        changed = c->next.records[i].version == c->writing;
    for (size_t i = 0; i < c->now.count; i++) {
        const struct collection_record *record = &c->now.records[i];
        if (round_find(&c->next, record->id))
            continue;
        remember_gone(c, record);
        changed = true;
    }
    struct round past = c->now;
    c->now = c->next;
    c->next = past;
    round_clear(&c->next);
    if (c->version == 0)
        c->begun = c->writing;
    if (changed)
        c->version = c->writing;
    *ret_changed = changed;
    return 0;
}

/* ---- reading --------------------------------------------------------------
 */

uint64_t collection_version(const struct collection *c)
{
    return c->version;
}

size_t collection_count(const struct collection *c)
{
    return c->now.count;
}

const struct collection_record *collection_record(const struct collection *c,
                                                  size_t index)
{
    assert(index < c->now.count);

    return &c->now.records[index];
}

const char *collection_name(const struct collection *c,
                            const struct collection_record *record)
{
    return c->now.names.data + record->name;
}

const char *collection_text(const struct collection *c, size_t *ret_size)
{
    *ret_size = c->now.text.size;
    return c->now.text.size ? c->now.text.data : "";
}

const struct collection_record *collection_find(const struct collection *c,
                                                uint64_t id)
{
    return round_find(&c->now, id);
}

const struct collection_record *
collection_find_named(const struct collection *c, const char *name)
{
    return round_find(&c->now, hash_bytes(name, strlen(name)));
}

bool collection_reaches(const struct collection *c, uint64_t since)
{
    return c->version && since >= c->begun && since <= c->writing;
}

void collection_print_changed(const struct collection *c,
                              uint64_t since,
                              struct text *out)
{
    bool comma = false;
    for (size_t i = 0; i < c->now.count; i++) {
        const struct collection_record *record = &c->now.records[i];
        if (record->version <= since)
            continue;
        if (comma)
            text_add_char(out, ',');
        comma = true;
        text_add_bytes(out, c->now.text.data + record->start, record->size);
    }
}

void collection_print_gone(const struct collection *c,
                           uint64_t since,
                           struct json *json)
{
    for (size_t i = 0; i < c->gone_count; i++) {
        const struct gone *gone =
            &c->gone[(c->gone_first + i) % COLLECTION_GONE_MAX];
        if (gone->version <= since || round_find(&c->now, gone->id))
            continue;
        if (c->numbered)
            json_u64(json, NULL, gone->id);
        else if (gone->name)
            json_text(json, NULL, gone->name);
    }
}
