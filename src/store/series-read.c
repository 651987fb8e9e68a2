/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading series: the chunks of a resolution that reaches back far enough, the
 * one under way from memory, the others from the disk, joined into as many
 * steps as were asked for.
 */
#include "store/store-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The finest tier that is kept for as long as from FROM_S until now; the
 * coarsest when none is. */
static unsigned int
choose_tier(const struct store *store, int64_t from_s, int64_t to_s)
{
    const struct store_settings *settings = &store->settings;
    int64_t now_s = store->flushed_s > to_s ? store->flushed_s : to_s;
    unsigned int last = 0;
    for (unsigned int tier = 0; tier < STORE_TIERS; tier++) {
        if (settings->keep_s[tier] == 0)
            continue;
        last = tier;
        if (now_s - from_s <= settings->keep_s[tier])
            return tier;
    }
    return last;
}

/* Gathers points into the steps that were asked for. */
struct gather {
    struct store_series *series;
    int64_t step_s; /* of the points */
    int64_t to_s;
    uint32_t *counts; /* points in each of the series' steps */
};

static void
gather_chunk(struct gather *gather, int64_t start_s, const float *values)
{
    struct store_series *series = gather->series;
    for (int64_t i = 0; i < CHUNK_POINTS; i++) {
        int64_t time_s = start_s + i * gather->step_s;
        if (isnan(values[i]) || time_s < series->from_s ||
            time_s > gather->to_s)
            continue;
        size_t at = (size_t)((time_s - series->from_s) / series->step_s);
        if (at >= series->count)
            continue;
        uint32_t n = gather->counts[at]++;
        series->values[at] =
            n == 0 ? values[i]
                   : series->values[at] +
                         (values[i] - series->values[at]) / (float)(n + 1);
    }
}

/* The part of FROM_S to TO_S for which the tier has anything at all: a question
 * that begins in 1970 looks for no more chunks than there are. False: none. */
static bool
narrow(struct store *store, unsigned int tier, int64_t *from_s, int64_t *to_s)
{
    sqlite3_stmt *range = store_statement(store, SQL_CHUNK_RANGE);
    sqlite3_bind_int(range, 1, (int)tier);
    bool found = sqlite3_step(range) == SQLITE_ROW &&
                 sqlite3_column_type(range, 0) == SQLITE_INTEGER;
    int64_t first_s = found ? sqlite3_column_int64(range, 0) : 0;
    int64_t last_s = found ? sqlite3_column_int64(range, 1) : 0;
    sqlite3_reset(range);
    if (*from_s < first_s)
        *from_s = first_s;
    if (*to_s > last_s)
        *to_s = last_s;
    return found;
}

static int gather_one(struct store *store,
                      struct gather *gather,
                      int64_t row,
                      unsigned int tier,
                      int64_t start_s,
                      struct error *err)
{
    sqlite3_stmt *get = store_statement(store, SQL_CHUNK_GET);
    sqlite3_bind_int(get, 1, (int)tier);
    sqlite3_bind_int64(get, 2, row);
    sqlite3_bind_int64(get, 3, start_s);
    int code = sqlite3_step(get);
    if (code == SQLITE_ROW && store_blob_is_chunk(get, 0)) {
        float values[CHUNK_POINTS];
        memcpy(values, sqlite3_column_blob(get, 0), sizeof(values));
        gather_chunk(gather, start_s, values);
    }
    int r = code == SQLITE_ROW || code == SQLITE_DONE
                ? 0
                : store_failed(store, "reading", err);
    sqlite3_reset(get);
    return r;
}

static int gather_disk(struct store *store,
                       struct gather *gather,
                       int64_t row,
                       unsigned int tier,
                       const struct chunk *newer,
                       struct error *err)
{
    int64_t span_s = store_span(store, tier);
    int64_t start_s = gather->series->from_s - gather->series->from_s % span_s;
    int64_t end_s = gather->to_s;
    int r = 0;
    if (row == 0 || !store->database || !narrow(store, tier, &start_s, &end_s))
        return 0;
    for (; r == 0 && start_s <= end_s; start_s += span_s)
        if (!newer || newer->start_s != start_s)
            r = gather_one(store, gather, row, tier, start_s, err);
    return r;
}

static int series_allocate(struct store_series *series,
                           uint32_t **ret_counts,
                           struct error *err)
{
    series->values = malloc(series->count * sizeof(*series->values));
    *ret_counts = calloc(series->count, sizeof(**ret_counts));
    if (!series->values || !*ret_counts) {
        free(*ret_counts);
        store_series_deinit(series);
        return error_set(err, ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < series->count; i++)
        series->values[i] = NAN;
    return 0;
}

int store_read(struct store *store,
               const struct store_key *key,
               int64_t from_s,
               int64_t to_s,
               size_t points,
               struct store_series *ret_series,
               struct error *err)
{
    *ret_series = (struct store_series){.count = 0};
    if (points == 0 || to_s < from_s || from_s < 0)
        return error_set(err, EINVAL, "there is no time between the two times");
    const struct series *series = store_series_find(store, key);
    int64_t row =
        series && series->row ? series->row : store_series_row(store, key);
    if (!series && row == 0)
        return 0;
    unsigned int tier = choose_tier(store, from_s, to_s);
    int64_t step_s = store->settings.step_s[tier];
    int64_t first_s = from_s - from_s % step_s;
    int64_t steps = (to_s - first_s) / step_s + 1;
    int64_t joined = (steps + (int64_t)points - 1) / (int64_t)points;
    struct store_series found = {
        .from_s = first_s,
        .step_s = step_s * joined,
        .count = (size_t)((steps + joined - 1) / joined),
    };
    struct gather gather = {.series = &found, .step_s = step_s, .to_s = to_s};
    int r = series_allocate(&found, &gather.counts, err);
    if (r < 0)
        return r;
    const struct chunk *newest =
        series && series->chunks[tier].start_s ? &series->chunks[tier] : NULL;
    r = gather_disk(store, &gather, row, tier, newest, err);
    if (newest)
        gather_chunk(&gather, newest->start_s, newest->values);
    free(gather.counts);
    if (r < 0)
        store_series_deinit(&found);
    else
        *ret_series = found;
    return r;
}

void store_series_deinit(struct store_series *series)
{
    free(series->values);
    *series = (struct store_series){.count = 0};
}
