/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the cluster at this moment, in the process that serves it:
 * the last snapshot, its tally, the counters across snapshots, and which parts
 * are too old to be shown. Views read it; only a snapshot's arrival and the
 * clock change it.
 */
#pragma once

#include "base/loop.h"
#include "model/fleet.h"
#include "model/self.h"
#include "model/tally.h"
#include "source/mapped-snapshot.h"

#include <stdbool.h>

struct watch;

struct watch_settings {
    int64_t stale_after_ns; /* age at which a part is withdrawn */
    size_t job_series_max;
    bool never_stale; /* a recording does not age */
};

int watch_new(struct loop *loop,
              const struct watch_settings *settings,
              struct watch **ret_watch,
              struct error *err);

/* Accepts NULL; returns NULL. */
struct watch *watch_free(struct watch *watch);

void watch_reconfigure(struct watch *watch,
                       const struct watch_settings *settings);

/* What is measured of GPUs, for the series of jobs; NULL: nothing. */
void watch_set_fleet(struct watch *watch, const struct fleet *fleet);

/* Take the next snapshot; a reference is kept. */
void watch_publish(struct watch *watch, struct mapped_snapshot *snapshot);

/* The source is gone until the next snapshot: nobody is there to ask. What is
 * known is shown until it is stale. */
void watch_lose(struct watch *watch);

/* Rises whenever what views print may have changed: a snapshot came, a part
 * became stale. Pages made for one generation serve until the next. */
uint64_t watch_generation(const struct watch *watch);

/* NULL before the first. */
struct mapped_snapshot *watch_snapshot(const struct watch *watch);

/* Parts that are fresh enough to be shown, as 1 << enum snapshot_part_kind. */
uint32_t watch_fresh_parts(const struct watch *watch);

/* Seconds since what is known of a part was known to hold; NaN: never. */
double watch_part_age(const struct watch *watch, enum snapshot_part_kind kind);

/* Seconds that the last request for a part took; NaN: none was made. */
double watch_part_duration(const struct watch *watch,
                           enum snapshot_part_kind kind);

/* As slurm_up means it. */
bool watch_up(const struct watch *watch);

/* The tables of the cluster, counted now if they were not yet for this
 * generation. -ENOMEM leaves ROWS untouched. */
int watch_fill(struct watch *watch, struct metric_rows *rows);
