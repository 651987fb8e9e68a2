/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of the JSON API (doc/api.md), made from a snapshot and its tally.
 * What is not known is left out. Nothing is written that changes by itself with
 * time, an age for example: a record that says the same is not sent again.
 */
#pragma once

#include "model/fleet.h"
#include "model/job-name.h"
#include "model/metric.h"
#include "model/snapshot.h"
#include "view/collection.h"

#include <stdbool.h>
#include <stdint.h>

/* Whom records are written for, where Slurm keeps things from others: of what
 * is HIDDEN he sees his own only. All zero: one who may see everything. */
struct record_audience {
    uint32_t hidden;  /* PRIVATE_* */
    const char *user; /* "" or NULL: nobody in particular, who owns nothing */
};

/* What is known at the moment; parts that are not fresh enough have no rows. */
struct record_source {
    const struct snapshot *snapshot;
    const struct metric_rows *rows; /* of the tally */
    uint32_t parts;                 /* to be shown, 1 << snapshot_part_kind */
    const struct fleet *fleet;      /* NULL: no GPU is measured */
    const struct fleet_jobs *fleet_jobs; /* with it */
    struct record_audience audience;
};

bool record_source_has(const struct record_source *source,
                       enum snapshot_part_kind kind);

/* Whether what is hidden when any of KINDS is private, and is OWNER's (NULL:
 * nobody's), is kept from AUDIENCE. */
bool record_is_hidden(const struct record_audience *audience,
                      uint32_t kinds,
                      const char *owner);

/* A whole collection each, between collection_begin() and collection_end(). */
void records_add_nodes(struct collection *nodes,
                       const struct record_source *source);
void records_add_jobs(struct collection *jobs,
                      const struct record_source *source);
void records_add_partitions(struct collection *partitions,
                            const struct record_source *source);
void records_add_users(struct collection *users,
                       const struct record_source *source);
void records_add_gpus(struct collection *gpus,
                      const struct record_source *source);
void records_add_reservations(struct collection *reservations,
                              const struct record_source *source);
void records_add_qos(struct collection *qos,
                     const struct record_source *source);

/* The type that Slurm gives to a GPU of NODE, a record of the snapshot; MODEL
 * helps where the node has several. "" when it has none. */
const char *record_gpu_type(const struct record_source *source,
                            const struct node_record *node,
                            const char *model);

/* What stands in the way of using a GPU: "is lost"; NULL: nothing. */
const char *record_gpu_trouble(const struct measured_gpu *gpu);

/* How the GPUs of one type are used, as far as it is measured. */
struct record_gpu_uses {
    uint64_t by_use[GPU_USE_COUNT];
    uint64_t measured;
};
struct record_gpu_uses record_count_uses(const struct record_source *source,
                                         const char *type);

/* One job with all that is known of it, as one object. */
void record_print_job_whole(struct json *json,
                            const struct record_source *source,
                            const struct job_record *job);

/* "advice": what a person might change about a running job, in words. */
void record_print_advice(struct json *json,
                         const struct record_source *source,
                         const struct job_record *job);

/* How well a finished job used what it had; NaN for what nobody measured. */
struct record_gpu_use {
    char id[96];                /* "node7/3" */
    double utilization_percent; /* NaN: not measured */
};

struct record_efficiency {
    double utilization_percent; /* of all its GPUs, over its time */
    double gpus_used;           /* mean number */
    double memory_most_mib;
    double energy_wh;
    double cpu_cores; /* kept busy, on average */
    double host_memory_most_mib;
    const struct record_gpu_use *gpus; /* that it had, as far as is known */
    size_t gpu_count;
};

void record_print_advice_finished(struct json *json,
                                  const struct record_source *source,
                                  const struct job_record *job,
                                  const struct record_efficiency *efficiency);

/* A job that is over, as the store keeps it. */
void record_print_finished(struct json *json,
                           const struct record_source *source,
                           const struct job_record *job,
                           const char *state,
                           const struct record_efficiency *efficiency);

/* What the overview shows beside the counts. */
struct record_cluster {
    bool up;
    bool recording;     /* what is shown is not of now */
    const char *reason; /* why Slurm does not answer; "": it does */
    int64_t now_s;
};

/* The members of the cluster's object that come from Slurm. */
void record_print_cluster(struct json *json,
                          const struct record_source *source,
                          const struct record_cluster *cluster);

/* The members that come from the nodes' exporters: power, who wastes GPUs,
 * whether any is simulated. And what is wrong with GPUs, in an array. */
void record_print_fleet(struct json *json, const struct record_source *source);
void record_print_gpu_problems(struct json *json,
                               const struct record_source *source,
                               size_t most);

/* ---- jobs: what the list of them is chosen and ordered by ---- */

/* The word for its state, "pending". */
const char *record_job_state(const struct job_record *job);

/* It has ended, and nothing of it is to come. */
bool record_job_is_over(const struct job_record *job);

/* GPUs that it has, or asks for; all its tasks' together. RET_TYPE: of the
 * first, "" when untyped or none. */
uint64_t record_job_gpus(const struct record_source *source,
                         const struct job_record *job,
                         const char **ret_type);

/* A pending reason in words; "" for what we have none for. */
const char *reason_words(const char *reason);
