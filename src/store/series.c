/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Series at falling resolution. Each resolution ("tier") of a series is a row
 * of chunks of CHUNK_POINTS means; the chunk under way lies in memory and is
 * written whole at each flush, so that memory and disk are never added up: a
 * reader takes the chunk in memory where there is one, and the disk's else.
 *
 * Every reading goes into each tier at once, as a part of the mean of its step.
 * Nothing is thinned out later, so a crash cannot come in the middle of that.
 */
#include "store/store-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS_FIRST = 1024,
    KEY_PARTS = 3
};

int64_t store_span(const struct store *store, unsigned int tier)
{
    return store->settings.step_s[tier] * CHUNK_POINTS;
}

/* ---- the table of series in memory --------------------------------------- */

static uint64_t hash_key(const struct store_key *key)
{
    const char *const parts[KEY_PARTS] = {key->kind, key->id, key->metric};
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < KEY_PARTS; i++)
        for (const char *p = parts[i];; p++) {
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
            if (!*p)
                break;
        }
    return hash ^ hash >> 32;
}

static const char *key_part(const struct series *series, int part)
{
    const char *text = series->key;
    while (part-- > 0)
        text += strlen(text) + 1;
    return text;
}

static bool key_matches(const struct series *series,
                        const struct store_key *key)
{
    return strcmp(key_part(series, 0), key->kind) == 0 &&
           strcmp(key_part(series, 1), key->id) == 0 &&
           strcmp(key_part(series, 2), key->metric) == 0;
}

struct series *store_series_find(const struct store *store,
                                 const struct store_key *key)
{
    if (store->bucket_count == 0)
        return NULL;
    uint64_t hash = hash_key(key);
    struct series *series = store->buckets[hash & (store->bucket_count - 1)];
    while (series && (series->hash != hash || !key_matches(series, key)))
        series = series->next;
    return series;
}

static bool buckets_grow(struct store *store)
{
    size_t count =
        store->bucket_count ? store->bucket_count * 2 : BUCKETS_FIRST;
    struct series **buckets = calloc(count, sizeof(*buckets));
    if (!buckets)
        return store->bucket_count > 0; /* crowded is not full */
    for (size_t i = 0; i < store->bucket_count; i++)
        while (store->buckets[i]) {
            struct series *series = store->buckets[i];
            store->buckets[i] = series->next;
            series->next = buckets[series->hash & (count - 1)];
            buckets[series->hash & (count - 1)] = series;
        }
    free(store->buckets);
    store->buckets = buckets;
    store->bucket_count = count;
    return true;
}

static void chunk_clear(struct chunk *chunk, int64_t start_s)
{
    *chunk = (struct chunk){.start_s = start_s};
    for (size_t i = 0; i < CHUNK_POINTS; i++)
        chunk->values[i] = NAN;
}

static struct series *series_add(struct store *store,
                                 const struct store_key *key)
{
    size_t kind = strlen(key->kind) + 1, id = strlen(key->id) + 1;
    size_t metric = strlen(key->metric) + 1;
    if (kind > STORE_TEXT_SIZE || id > STORE_TEXT_SIZE ||
        metric > STORE_TEXT_SIZE)
        return NULL;
    if (store->series_count >= store->bucket_count && !buckets_grow(store))
        return NULL;
    struct series *series = calloc(1, sizeof(*series) + kind + id + metric);
    if (!series)
        return NULL;
    memcpy(series->key, key->kind, kind);
    memcpy(series->key + kind, key->id, id);
    memcpy(series->key + kind + id, key->metric, metric);
    series->hash = hash_key(key);
    struct series **bucket =
        &store->buckets[series->hash & (store->bucket_count - 1)];
    series->next = *bucket;
    *bucket = series;
    store->series_count++;
    return series;
}

void store_series_free(struct store *store)
{
    for (size_t i = 0; i < store->bucket_count; i++)
        while (store->buckets[i]) {
            struct series *series = store->buckets[i];
            store->buckets[i] = series->next;
            free(series);
        }
    free(store->buckets);
    store->buckets = NULL;
    store->bucket_count = store->series_count = 0;
}

/* ---- chunks on disk ------------------------------------------------------ */

/* The row of the series in the table; 0: it has none, or it cannot be told. */
int64_t store_series_row(struct store *store, const struct store_key *key)
{
    if (!store->database)
        return 0;
    sqlite3_stmt *find = store_statement(store, SQL_SERIES_FIND);
    store_bind_text(find, 1, key->kind);
    store_bind_text(find, 2, key->id);
    store_bind_text(find, 3, key->metric);
    int64_t row =
        sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    return row;
}

bool store_blob_is_chunk(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_bytes(statement, place) ==
           CHUNK_POINTS * (int)sizeof(float);
}

/* Go on with what an earlier start wrote, if it did. */
static void chunk_load(struct store *store,
                       const struct series *series,
                       unsigned int tier,
                       struct chunk *chunk)
{
    if (series->row == 0 || !store->database)
        return;
    sqlite3_stmt *get = store_statement(store, SQL_CHUNK_GET);
    sqlite3_bind_int(get, 1, (int)tier);
    sqlite3_bind_int64(get, 2, series->row);
    sqlite3_bind_int64(get, 3, chunk->start_s);
    if (sqlite3_step(get) == SQLITE_ROW && store_blob_is_chunk(get, 0))
        memcpy(chunk->values, sqlite3_column_blob(get, 0),
               sizeof(chunk->values));
    sqlite3_reset(get);
}

static int chunk_write(struct store *store,
                       const struct series *series,
                       unsigned int tier,
                       struct error *err)
{
    const struct chunk *chunk = &series->chunks[tier];
    sqlite3_stmt *put = store_statement(store, SQL_CHUNK_PUT);
    sqlite3_bind_int(put, 1, (int)tier);
    sqlite3_bind_int64(put, 2, series->row);
    sqlite3_bind_int64(put, 3, chunk->start_s);
    sqlite3_bind_blob(put, 4, chunk->values, sizeof(chunk->values),
                      SQLITE_STATIC);
    return store_run(store, put, "writing", err);
}

/* The coarsest chunks are kept longest: when the last of them began tells how
 * long the series is needed. */
static bool is_coarsest(const struct store *store, unsigned int tier)
{
    for (tier++; tier < STORE_TIERS; tier++)
        if (store->settings.keep_s[tier])
            return false;
    return true;
}

static int tell_last(struct store *store,
                     struct series *series,
                     unsigned int tier,
                     struct error *err)
{
    struct chunk *chunk = &series->chunks[tier];
    if (chunk->told_s == chunk->start_s || !is_coarsest(store, tier))
        return 0;
    sqlite3_stmt *last = store_statement(store, SQL_SERIES_LAST);
    sqlite3_bind_int64(last, 1, chunk->start_s);
    sqlite3_bind_int64(last, 2, series->row);
    int r = store_run(store, last, "writing", err);
    if (r == 0)
        chunk->told_s = chunk->start_s;
    return r;
}

static int
series_add_row(struct store *store, struct series *series, struct error *err)
{
    const struct store_key key = {key_part(series, 0), key_part(series, 1),
                                  key_part(series, 2)};
    series->row = store_series_row(store, &key);
    if (series->row)
        return 0;
    sqlite3_stmt *add = store_statement(store, SQL_SERIES_ADD);
    store_bind_text(add, 1, key.kind);
    store_bind_text(add, 2, key.id);
    store_bind_text(add, 3, key.metric);
    int r = store_run(store, add, "writing", err);
    if (r == 0)
        series->row = sqlite3_last_insert_rowid(store->database);
    series->row_is_new = r == 0;
    return r;
}

static int
series_write(struct store *store, struct series *series, struct error *err)
{
    int r = 0;
    for (unsigned int tier = 0; r == 0 && tier < STORE_TIERS; tier++) {
        if (!series->chunks[tier].changed)
            continue;
        if (series->row == 0)
            r = series_add_row(store, series, err);
        if (r == 0)
            r = chunk_write(store, series, tier, err);
        if (r == 0)
            r = tell_last(store, series, tier, err);
    }
    return r;
}

/* ---- putting ------------------------------------------------------------- */

/* Slots of one that was begun by an earlier start hold means of which the
 * number of readings is not known: about one for each of the finest steps that
 * have passed. */
static void chunk_resume(const struct store *store,
                         struct chunk *chunk,
                         unsigned int tier,
                         uint32_t slot,
                         int64_t time_s)
{
    int64_t passed_s = (time_s - chunk->start_s) % store->settings.step_s[tier];
    chunk->slot = slot;
    chunk->readings = 0;
    chunk->sum = 0;
    if (isnan(chunk->values[slot]))
        return;
    chunk->readings = (uint32_t)(passed_s / store->settings.step_s[0]);
    if (chunk->readings == 0)
        chunk->readings = 1;
    chunk->sum = (double)chunk->values[slot] * chunk->readings;
}

static void chunk_put(struct store *store,
                      struct series *series,
                      unsigned int tier,
                      int64_t time_s,
                      double value)
{
    struct chunk *chunk = &series->chunks[tier];
    int64_t start_s = time_s - time_s % store_span(store, tier);
    uint32_t slot =
        (uint32_t)((time_s - start_s) / store->settings.step_s[tier]);
    bool other = chunk->start_s != start_s;
    if (other) {
        /* The flush before wrote it, or its last points are lost: what makes
         * sure is store_put(). */
        chunk_clear(chunk, start_s);
        chunk_load(store, series, tier, chunk);
    }
    if (other || chunk->slot != slot)
        chunk_resume(store, chunk, tier, slot, time_s);
    chunk->sum += value;
    chunk->readings++;
    chunk->values[slot] = (float)(chunk->sum / chunk->readings);
    chunk->changed = true;
}

/* A full chunk is written when its successor begins, in one transaction with
 * those of all other series that end at the same time. */
static void write_full(struct store *store,
                       struct series *series,
                       unsigned int tier,
                       int64_t time_s)
{
    struct chunk *chunk = &series->chunks[tier];
    if (!chunk->changed || time_s < chunk->start_s + store_span(store, tier) ||
        !store->database)
        return;
    if (store_begin(store, NULL) < 0)
        return;
    if (series->row == 0 && series_add_row(store, series, NULL) < 0)
        return;
    chunk_write(store, series, tier, NULL);
}

bool store_put(struct store *store,
               const struct store_key *key,
               int64_t time_s,
               double value)
{
    if (isnan(value))
        return true;
    struct series *series = store_series_find(store, key);
    if (!series) {
        series = series_add(store, key);
        if (!series)
            return false;
        series->row = store_series_row(store, key);
    }
    if (time_s < series->put_s)
        return true; /* the clock was set back: what is there stays */
    series->put_s = time_s;
    for (unsigned int tier = 0; tier < STORE_TIERS; tier++) {
        if (store->settings.keep_s[tier] == 0)
            continue;
        write_full(store, series, tier, time_s);
        chunk_put(store, series, tier, time_s, value);
    }
    return true;
}

/* ---- flush --------------------------------------------------------------- */

static int drop_old(struct store *store, int64_t now_s, struct error *err)
{
    int r = 0;
    for (unsigned int tier = 0; r == 0 && tier < STORE_TIERS; tier++) {
        sqlite3_stmt *drop = store_statement(store, SQL_CHUNK_DROP);
        sqlite3_bind_int(drop, 1, (int)tier);
        sqlite3_bind_int64(drop, 2,
                           now_s - store->settings.keep_s[tier] -
                               store_span(store, tier));
        r = store_run(store, drop, "dropping what is old", err);
    }
    int64_t longest_s = 0;
    for (unsigned int tier = 0; tier < STORE_TIERS; tier++)
        if (store->settings.keep_s[tier] + store_span(store, tier) > longest_s)
            longest_s = store->settings.keep_s[tier] + store_span(store, tier);
    if (r == 0) {
        sqlite3_stmt *drop = store_statement(store, SQL_SERIES_DROP);
        sqlite3_bind_int64(drop, 1, now_s - longest_s);
        r = store_run(store, drop, "dropping what is old", err);
    }
    return r;
}

/* Rows that lie side by side are of one part: a part is few pages. */
static bool is_of_part(const struct series *series, int part)
{
    uint64_t place = series->row ? (uint64_t)series->row / 64 : series->hash;
    return part == STORE_PARTS || place % STORE_PARTS == (uint64_t)part;
}

int store_series_flush(struct store *store,
                       int part,
                       int64_t now_s,
                       struct error *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < store->bucket_count; i++)
        for (struct series *s = store->buckets[i]; r == 0 && s; s = s->next) {
            s->writing = is_of_part(s, part);
            if (s->writing)
                r = series_write(store, s, err);
        }
    return r == 0 && store->dropping ? drop_old(store, now_s, err) : r;
}

/* Rows of the transaction that failed are gone. */
void store_series_rolled_back(struct store *store)
{
    for (size_t i = 0; i < store->bucket_count; i++)
        for (struct series *s = store->buckets[i]; s; s = s->next) {
            if (s->row_is_new)
                s->row = 0;
            s->row_is_new = false;
            for (unsigned int tier = 0; tier < STORE_TIERS; tier++)
                s->chunks[tier].told_s = 0;
        }
}

/* After a commit: what is on disk needs no second copy once nobody puts. */
void store_series_written(struct store *store, int64_t now_s)
{
    for (size_t i = 0; i < store->bucket_count; i++) {
        struct series **place = &store->buckets[i];
        while (*place) {
            struct series *series = *place;
            series->row_is_new = false;
            for (unsigned int tier = 0; series->writing && tier < STORE_TIERS;
                 tier++)
                series->chunks[tier].changed = false;
            if (!series->writing ||
                now_s - series->put_s <= store_span(store, 0)) {
                place = &series->next;
                continue;
            }
            *place = series->next;
            free(series);
            store->series_count--;
        }
    }
}
