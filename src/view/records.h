/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of the JSON API (doc/api.md), made from a snapshot and its tally.
 * What is not known is left out. Nothing is written that changes by itself with
 * time, an age for example: a record that says the same is not sent again.
 */
#pragma once

#include "model/metric.h"
#include "model/snapshot.h"
#include "view/collection.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known at the moment; parts that are not fresh enough have no rows. */
struct record_source {
    const struct snapshot *snapshot;
    const struct metric_rows *rows; /* of the tally */
    uint32_t parts;                 /* to be shown, 1 << snapshot_part_kind */
};

bool record_source_has(const struct record_source *source,
                       enum snapshot_part_kind kind);

/* A whole collection each, between collection_begin() and collection_end(). */
void records_add_nodes(struct collection *nodes,
                       const struct record_source *source);
void records_add_jobs(struct collection *jobs,
                      const struct record_source *source);
void records_add_partitions(struct collection *partitions,
                            const struct record_source *source);
void records_add_users(struct collection *users,
                       const struct record_source *source);

/* One job with all that is known of it, as one object. */
void record_print_job_whole(struct json *json,
                            const struct record_source *source,
                            const struct job_record *job);

/* What the overview shows beside the counts. */
struct record_cluster {
    bool up;
    const char *reason; /* why Slurm does not answer; "": it does */
    int64_t now_s;
};

/* The members of the cluster's object that come from Slurm. */
void record_print_cluster(struct json *json,
                          const struct record_source *source,
                          const struct record_cluster *cluster);

/* ---- jobs: what the list of them is chosen and ordered by ---- */

/* As users write it: "17", "17_3", "17+1". BUFFER has RECORD_JOB_SIZE bytes;
 * returns BUFFER. */
enum {
    RECORD_JOB_SIZE = 32
};
char *record_job_text(const struct job_record *job, char *buffer);

/* The word for its state, "pending". */
const char *record_job_state(const struct job_record *job);

/* GPUs that it has, or asks for; all its tasks' together. RET_TYPE: of the
 * first, "" when untyped or none. */
uint64_t record_job_gpus(const struct record_source *source,
                         const struct job_record *job,
                         const char **ret_type);

/* A pending reason in words; "" for what we have none for. */
const char *reason_words(const char *reason);
