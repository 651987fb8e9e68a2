/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters that only rise. slurmctld's own counter is followed: what it gained
 * since the last look is added; when it fell, or when the statistics were reset
 * in between, it started again from zero and all it shows is gain.
 *
 * Waiting and running times are counted when a start or an end falls between
 * the last look at the jobs and this one. slurmctld keeps ended jobs for
 * MinJobAge (300 s unless configured otherwise), so that a gap shorter than
 * that loses none. Nothing is remembered per job.
 */
#include "model/totals.h"

#include "base/cleanup.h"
#include "model/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RPC_ROWS_MAX = 10000, /* users that talk to slurmctld; further are "…" */
    HISTORY_ROWS_MAX = 1000,
    COUNTERS_MAX = 40,
    /* A step back of the controller's clock after which its time is waited for,
     * so that nothing is counted twice; jobs of that time are lost. After a
     * longer one, more would be lost than can be counted twice: slurmctld
     * forgets jobs that ended five minutes ago (MinJobAge). */
    CLOCK_STEP_MAX_S = 600
};

const struct histogram_bounds job_wait_bounds = {
    .count = 12,
    .upper = {1, 10, 60, 300, 900, 3600, 14400, 43200, 86400, 259200, 604800,
              2592000},
};

const struct histogram_bounds job_run_bounds = {
    .count = 12,
    .upper = {10, 60, 300, 900, 1800, 3600, 14400, 43200, 86400, 172800, 604800,
              2592000},
};

struct monotone {
    uint64_t total;
    uint64_t last;
    bool known;
};

struct rpc_total {
    uint32_t id;
    char *name;
    struct monotone requests, time_us;
};

struct totals {
    struct rows counters;                /* one row once statistics came */
    struct rows rpcs, users;             /* struct rpc_row, as shown */
    struct rows rpc_totals, user_totals; /* struct rpc_total, same order */
    struct rows history;                 /* struct history_row */
    struct monotone monotones[COUNTERS_MAX];
    int64_t reset_time_s;
    int64_t jobs_seen_s; /* starts and ends up to here are counted */
};

int totals_new(struct totals **ret_totals)
{
    struct totals *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->counters.stride = sizeof(struct counters_row);
    t->rpcs.stride = sizeof(struct rpc_row);
    t->users.stride = sizeof(struct rpc_row);
    t->rpc_totals.stride = sizeof(struct rpc_total);
    t->user_totals.stride = sizeof(struct rpc_total);
    t->history.stride = sizeof(struct history_row);
    *ret_totals = t;
    return 0;
}

static void free_names(struct rows *totals)
{
    for (size_t i = 0; i < totals->count; i++) {
        struct rpc_total *total = rows_at(totals, i);
        free(total->name);
    }
    rows_deinit(totals);
}

struct totals *totals_free(struct totals *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->history.count; i++) {
        struct history_row *row = rows_at(&t->history, i);
        free_ptr(&row->head.labels[0]);
    }
    free_names(&t->rpc_totals);
    free_names(&t->user_totals);
    rows_deinit(&t->counters);
    rows_deinit(&t->rpcs);
    rows_deinit(&t->users);
    rows_deinit(&t->history);
    free(t);
    return NULL;
}

/* Follow slurmctld's counter to VALUE; RESET: it was set to zero since. */
static uint64_t monotone_follow(struct monotone *m, uint64_t value, bool reset)
{
    bool restarted = !m->known || reset || value < m->last;
    m->total += restarted ? value : value - m->last;
    m->last = value;
    m->known = true;
    return m->total;
}

/* ---- statistics -----------------------------------------------------------
 */

static int update_counters(struct totals *t,
                           const struct statistics_record *raw)
{
    if (t->counters.count == 0 && !rows_add(&t->counters))
        return -ENOMEM;
    struct counters_row *row = t->counters.data;
    bool reset = t->reset_time_s != raw->reset_time_s;
    t->reset_time_s = raw->reset_time_s;
    size_t next = 0;
#define FOLLOW(value) monotone_follow(&t->monotones[next++], (value), reset)
    row->jobs_submitted = FOLLOW(raw->jobs_submitted);
    row->jobs_started = FOLLOW(raw->jobs_started);
    row->jobs_completed = FOLLOW(raw->jobs_completed);
    row->jobs_canceled = FOLLOW(raw->jobs_canceled);
    row->jobs_failed = FOLLOW(raw->jobs_failed);
    row->schedule_cycles = FOLLOW(raw->schedule_cycles);
    row->schedule_seconds = (double)FOLLOW(raw->schedule_cycle_sum_us) / 1e6;
    row->schedule_depth = FOLLOW(raw->schedule_depth);
    row->backfilled_het_jobs = FOLLOW(raw->backfilled_het_jobs);
    row->backfill_cycles = FOLLOW(raw->backfill_cycles);
    row->backfill_seconds = (double)FOLLOW(raw->backfill_cycle_sum_us) / 1e6;
    row->backfill_depth = FOLLOW(raw->backfill_depth_sum);
    row->backfill_depth_try = FOLLOW(raw->backfill_depth_try_sum);
    row->backfill_queue_length = FOLLOW(raw->backfill_queue_length_sum);
    row->backfill_table_size = FOLLOW(raw->backfill_table_size_sum);
    bool exits = raw->has & STATISTICS_HAS_EXITS;
    for (int i = 0; i < SCHEDULE_EXIT_COUNT; i++) {
        uint64_t total = FOLLOW(raw->schedule_exits[i]);
        row->schedule_exits[i] = exits ? total : ROW_ABSENT;
    }
    for (int i = 0; i < BACKFILL_EXIT_COUNT; i++) {
        uint64_t total = FOLLOW(raw->backfill_exits[i]);
        row->backfill_exits[i] = exits ? total : ROW_ABSENT;
    }
#undef FOLLOW
    /* This one alone counts since slurmctld started, not since midnight. */
    row->backfilled_jobs =
        monotone_follow(&t->monotones[next++], raw->backfilled_jobs, false);
    return 0;
}

static struct rpc_total *find_total(struct rows *totals,
                                    struct rows *rows,
                                    size_t expected,
                                    uint32_t id,
                                    const char *name)
{
    /* slurmctld keeps the order; then the first look finds it. */
    if (expected < totals->count) {
        struct rpc_total *total = rows_at(totals, expected);
        if (total->id == id)
            return total;
    }
    for (size_t i = 0; i < totals->count; i++) {
        struct rpc_total *total = rows_at(totals, i);
        if (total->id == id)
            return total;
    }
    if (totals->count == RPC_ROWS_MAX)
        return NULL;
    char *copy = strdup(name);
    struct rpc_row *row = copy ? rows_add(rows) : NULL;
    struct rpc_total *total = row ? rows_add(totals) : NULL;
    if (!total) {
        free(copy);
        return NULL;
    }
    *total = (struct rpc_total){.id = id, .name = copy};
    row->head.labels[0] = copy;
    return total;
}

static void update_rpcs(const struct snapshot *snapshot,
                        unsigned int array,
                        struct rows *totals,
                        struct rows *rows)
{
    size_t count;
    const struct rpc_record *all =
        snapshot_array(snapshot, SNAPSHOT_STATISTICS, array, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name =
            snapshot_text(snapshot, SNAPSHOT_STATISTICS, all[i].name);
        struct rpc_total *total = find_total(totals, rows, i, all[i].id, name);
        if (!total)
            continue;
        size_t at = (size_t)(total - (const struct rpc_total *)totals->data);
        struct rpc_row *row = rows_at(rows, at);
        /* Both fall together, though the time may pass its old value sooner. */
        bool reset = all[i].count < total->requests.last;
        row->requests = monotone_follow(&total->requests, all[i].count, reset);
        row->seconds =
            (double)monotone_follow(&total->time_us, all[i].time_us, reset) /
            1e6;
    }
}

/* ---- jobs -----------------------------------------------------------------
 */

static struct history_row *find_history(struct totals *t, const char *partition)
{
    for (size_t i = 0; i < t->history.count; i++) {
        struct history_row *row = rows_at(&t->history, i);
        if (strcmp(row->head.labels[0], partition) == 0)
            return row;
    }
    if (t->history.count == HISTORY_ROWS_MAX)
        return NULL;
    char *copy = strdup(partition);
    struct history_row *row = copy ? rows_add(&t->history) : NULL;
    if (!row) {
        free(copy);
        return NULL;
    }
    row->head.labels[0] = copy;
    return row;
}

/* Everything up to the second before the controller's answer is complete. */
static void update_history(struct totals *t, const struct snapshot *snapshot)
{
    size_t count;
    const struct job_record *jobs =
        snapshot_array(snapshot, SNAPSHOT_JOBS, 0, &count);
    int64_t seen_s = snapshot_part(snapshot, SNAPSHOT_JOBS)->updated_s - 1;
    int64_t since_s = t->jobs_seen_s;
    bool fell = seen_s + CLOCK_STEP_MAX_S < since_s;
    if (seen_s <= since_s && !fell)
        return;
    t->jobs_seen_s = seen_s;
    if (since_s == 0 || fell)
        return; /* the first look: what was before is not ours to count */

    for (size_t i = 0; i < count; i++) {
        const struct job_record *job = &jobs[i];
        enum job_base base = job_state_base(job->state);
        /* A job cancelled while it waited has a start, but never had nodes. */
        if (base == JOB_BASE_PENDING || !job->nodes)
            continue;
        bool started =
            job->start_time_s > since_s && job->start_time_s <= seen_s;
        bool ended = base > JOB_BASE_SUSPENDED && job->end_time_s > since_s &&
                     job->end_time_s <= seen_s;
        if (!started && !ended)
            continue;
        struct history_row *row = find_history(
            t, snapshot_text(snapshot, SNAPSHOT_JOBS, job->partition));
        if (!row)
            continue;
        int64_t ready_s =
            job->eligible_time_s ? job->eligible_time_s : job->submit_time_s;
        if (started && ready_s <= job->start_time_s)
            histogram_add(&row->wait, &job_wait_bounds,
                          (double)(job->start_time_s - ready_s));
        if (ended && job->start_time_s <= job->end_time_s)
            histogram_add(&row->run, &job_run_bounds,
                          (double)(job->end_time_s - job->start_time_s));
    }
}

int totals_update(struct totals *t, const struct snapshot *snapshot)
{
    int r = 0;
    if (snapshot_part(snapshot, SNAPSHOT_STATISTICS)->outcome ==
        SNAPSHOT_FRESH) {
        size_t count;
        const struct statistics_record *raw =
            snapshot_array(snapshot, SNAPSHOT_STATISTICS, 0, &count);
        if (count)
            r = update_counters(t, raw);
        update_rpcs(snapshot, 1, &t->rpc_totals, &t->rpcs);
        update_rpcs(snapshot, 2, &t->user_totals, &t->users);
    }
    if (snapshot_part(snapshot, SNAPSHOT_JOBS)->outcome == SNAPSHOT_FRESH)
        update_history(t, snapshot);
    return r;
}

void totals_fill(const struct totals *t,
                 uint32_t parts,
                 struct metric_rows *rows)
{
    bool statistics = parts >> SNAPSHOT_STATISTICS & 1;
    rows->tables[TABLE_COUNTERS] = statistics ? &t->counters : NULL;
    rows->tables[TABLE_RPC] = statistics ? &t->rpcs : NULL;
    rows->tables[TABLE_RPC_USER] = statistics ? &t->users : NULL;
    rows->tables[TABLE_HISTORY] = &t->history;
}
