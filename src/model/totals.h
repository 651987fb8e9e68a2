/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted across snapshots: slurmctld's statistics as counters that
 * only rise, though slurmctld sets most of them to zero each midnight (UTC) and
 * all of them when it restarts; and how long jobs waited and ran.
 *
 * Owned by the process that serves, so that a collector may die at any time.
 * When that process itself restarts, counters start from slurmctld's present
 * values, which Prometheus takes as a reset.
 */
#pragma once

#include "model/metric.h"
#include "model/snapshot.h"

struct counters_row {
    struct row_head head;
    uint64_t jobs_submitted;
    uint64_t jobs_started;
    uint64_t jobs_completed;
    uint64_t jobs_canceled;
    uint64_t jobs_failed;
    uint64_t schedule_cycles;
    double schedule_seconds;
    uint64_t schedule_depth;
    uint64_t backfilled_jobs;
    uint64_t backfilled_het_jobs;
    uint64_t backfill_cycles;
    double backfill_seconds;
    uint64_t backfill_depth;
    uint64_t backfill_depth_try;
    uint64_t backfill_queue_length;
    uint64_t backfill_table_size;
    uint64_t schedule_exits[SCHEDULE_EXIT_COUNT]; /* absent before 24.11 */
    uint64_t backfill_exits[BACKFILL_EXIT_COUNT];
};

struct rpc_row {
    struct row_head head; /* rpc or user */
    uint64_t requests;
    double seconds;
};

struct history_row {
    struct row_head head; /* partition */
    struct histogram wait;
    struct histogram run;
};

extern const struct histogram_bounds job_wait_bounds;
extern const struct histogram_bounds job_run_bounds;

struct totals;

int totals_new(struct totals **ret_totals);

/* Accepts NULL; returns NULL. */
struct totals *totals_free(struct totals *totals);

/* Take the next snapshot into account. -ENOMEM leaves some of it out. */
int totals_update(struct totals *totals, const struct snapshot *snapshot);

/* Put the tables into ROWS: those that PARTS (1 << part) allow. Histograms
 * stay however old the jobs are: what was counted remains true. */
void totals_fill(const struct totals *totals,
                 uint32_t parts,
                 struct metric_rows *rows);
