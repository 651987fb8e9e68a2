/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Since when a GPU is idle, after a start of ours: the fleet knows only what it
 * has seen, the store has what was seen before. A gap in which nobody looked
 * counts as idle when both of its ends are.
 */
#include "watchdog/recorder-private.h"

#include <math.h>
#include <stdio.h>

enum {
    READINGS_MAX = 2000
};

static bool read_since(const struct recorder *r,
                       const struct store_key *key,
                       int64_t from_s,
                       int64_t now_s,
                       struct store_series *ret_series)
{
    return store_read(r->store, key, from_s, now_s, READINGS_MAX, ret_series,
                      NULL) == 0;
}

/* When the first reading is; 0: there is none. */
static int64_t first_reading(const struct store_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (!isnan(series->values[i]))
            return series->from_s + (int64_t)i * series->step_s;
    return 0;
}

/* The end of the last step in which it did something; 0: in none. */
static int64_t last_busy(const struct store_series *series)
{
    for (size_t i = series->count; i-- > 0;)
        if (series->values[i] > 0)
            return series->from_s + (int64_t)(i + 1) * series->step_s;
    return 0;
}

/* Since when, as far as FROM_S; true when it is not longer than that. */
static bool look_back(const struct recorder *r,
                      const struct store_key *gpu,
                      const struct store_key *job,
                      int64_t from_s,
                      int64_t now_s,
                      int64_t *since_s)
{
    struct store_series held, used;
    if (!read_since(r, job, from_s, now_s, &held))
        return true;
    int64_t held_s = first_reading(&held), step_s = held.step_s;
    store_series_deinit(&held);
    if (held_s == 0 || !read_since(r, gpu, from_s, now_s, &used))
        return true;
    /* Of an instance nothing is known but that it is there. */
    bool measured = first_reading(&used) != 0;
    int64_t busy_s = last_busy(&used);
    store_series_deinit(&used);
    if (!measured)
        return true;
    *since_s = busy_s > held_s ? busy_s : held_s;
    return busy_s > 0 || held_s > from_s + step_s;
}

int64_t recorder_recall_idle(void *context,
                             const struct fleet_node *node,
                             const struct measured_gpu *gpu,
                             const char *job,
                             int64_t now_s)
{
    const struct recorder *r = context;
    const struct store_key held = {"job", job, "gpus_used"};
    char id[STORE_TEXT_SIZE];
    const struct store_key used = {"gpu", id, "utilization_percent"};
    int64_t since_s = now_s;
    if (!r->store || gpu->instance != MEASURED_NONE ||
        snprintf(id, sizeof(id), "%s/%u", node->name, gpu->index) >=
            (int)sizeof(id))
        return now_s;
    /* The finest that there is first: of the coarser ones only the age. */
    for (size_t tier = 0; tier < STORE_TIERS; tier++)
        if (r->settings.keep_s[tier] > 0 &&
            look_back(r, &used, &held, now_s - r->settings.keep_s[tier], now_s,
                      &since_s))
            break;
    return since_s < now_s ? since_s : now_s;
}
