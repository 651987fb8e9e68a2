/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic between a snapshot and its views: one walk over nodes, one
 * over jobs, giving rows for the cluster and for each node, partition, account,
 * user, QOS and GPU type. Pure: the same snapshot gives the same tally.
 *
 * Three countings live side by side, because three contracts exist:
 * vpenso's words (what sinfo and squeue print), Slurm's own metrics (base
 * state and each flag), and ours (base state × flag, GPUs by type × state).
 */
#pragma once

#include "model/metric.h"
#include "model/snapshot.h"
#include "model/state.h"

/* vpenso's buckets: words of sinfo by their beginning, plus the words that he
 * loses, which get names of their own. */
enum node_bucket {
    NODE_BUCKET_ALLOC,
    NODE_BUCKET_COMP,
    NODE_BUCKET_DOWN,
    NODE_BUCKET_DRAIN,
    NODE_BUCKET_FAIL,
    NODE_BUCKET_ERR,
    NODE_BUCKET_IDLE,
    NODE_BUCKET_MAINT,
    NODE_BUCKET_MIX,
    NODE_BUCKET_RESV,
    NODE_BUCKET_PLANNED,
    NODE_BUCKET_BLOCKED,
    NODE_BUCKET_INVAL,
    NODE_BUCKET_REBOOT,
    NODE_BUCKET_FUTURE,
    NODE_BUCKET_UNKNOWN,
    NODE_BUCKET_COUNT
};

struct cpu_counts {
    uint64_t allocated;
    uint64_t idle;
    uint64_t other;
    uint64_t total;
};

/* States of generic resources; they sum up to what is configured. */
enum gres_state {
    GRES_ALLOCATED,
    GRES_IDLE,
    GRES_DRAINED, /* free, but on a draining or drained node */
    GRES_DOWN,    /* free, but on a node that is down or does not answer */
    GRES_STATE_COUNT
};

extern const char *const gres_state_names[GRES_STATE_COUNT];

/* Slurm's own counting of jobs, with the faults of exporters.md 2.3 mended:
 * 64 bits, bytes, array tasks and every partition of a pending job counted. */
struct native_jobs {
    uint64_t jobs;
    uint64_t base[JOB_BASE_COUNT];
    uint64_t flag[JOB_FLAG_COUNT];
    uint64_t started;
    uint64_t finished;
    uint64_t hold;
    uint64_t cpus_allocated;
    uint64_t gpus_allocated;
    uint64_t memory_allocated_bytes;
    uint64_t nodes_allocated;
};

/* Slurm's own counting of nodes: each base state, each flag. */
struct native_nodes {
    uint64_t nodes;
    uint64_t base[NODE_BASE_COUNT];
    uint64_t flag[NODE_FLAG_COUNT];
    uint64_t drained;
    uint64_t draining;
    uint64_t cpus_allocated;
    uint64_t cpus_effective;
    uint64_t cpus_idle;
    uint64_t memory_allocated_bytes;
    uint64_t memory_available_bytes;
    uint64_t memory_free_bytes;
    uint64_t memory_total_bytes;
    uint64_t cpus;
    uint64_t gpus;
};

struct cluster_row {
    struct row_head head;
    struct cpu_counts cpus;
    uint64_t node_buckets[NODE_BUCKET_COUNT];
    uint64_t queue[JOB_SHOWN_COUNT];
    uint64_t queue_pending_dependency;
    uint64_t gpus_allocated;
    uint64_t gpus_idle;
    uint64_t gpus_other;
    uint64_t gpus_total;
    double gpus_utilization; /* allocated / total; absent without GPUs */
    uint64_t partitions;
    struct native_nodes nodes;
    struct native_jobs jobs;
};

struct node_row {
    struct row_head head; /* node, status (sinfo's word), state (base) */
    struct cpu_counts cpus;
    uint64_t memory_allocated_mib;
    uint64_t memory_total_mib;
    uint64_t cpus_effective;
    uint64_t cpus_free; /* effective and not allocated, whatever the state */
    uint64_t memory_allocated_bytes;
    uint64_t memory_bytes;
    uint64_t memory_effective_bytes;
    uint64_t memory_free_bytes;
    double cpu_load;
    uint64_t power_watts;
    uint64_t boot_time_s;
    uint64_t gpus;
    uint64_t gpus_allocated;
};

struct node_flag_row {
    struct row_head head; /* node, flag */
};

struct node_reason_row {
    struct row_head head; /* node, reason, user, status */
    uint64_t since_s;
};

struct partition_row {
    struct row_head head; /* partition, state */
    struct cpu_counts cpus;
    uint64_t jobs_pending;     /* tasks; in each partition that they name */
    uint64_t oldest_pending_s; /* submit time; absent when none waits */
    struct native_nodes nodes;
    struct native_jobs jobs;
    uint64_t wait_node_limit;
    uint64_t job_nodes_max, job_nodes_max_nohold;
    uint64_t job_nodes_min, job_nodes_min_nohold;
};

/* An account, a user or a QOS. */
struct owner_row {
    struct row_head head;
    uint64_t pending, running, suspended; /* squeue's words, tasks */
    uint64_t cpus_pending, cpus_running;
    struct native_jobs jobs;
};

struct reason_row {
    struct row_head head; /* partition, reason */
    uint64_t tasks;
};

struct gpu_row {
    struct row_head head; /* [owner,] type */
    uint64_t states[GRES_STATE_COUNT];
    uint64_t total;
};

struct gpu_owner_row {
    struct row_head head; /* owner, type */
    uint64_t allocated;
    uint64_t pending; /* asked for by pending tasks */
};

struct gres_row {
    struct row_head head; /* gres, type */
    uint64_t states[GRES_STATE_COUNT];
};

/* sdiag's numbers, and the means that others derive from them. */
struct statistics_row {
    struct row_head head;
    struct statistics_record raw;
    double schedule_mean_us; /* means: 0 while nothing was counted */
    double schedule_depth_mean;
    double schedule_cycles_per_minute;
    double backfill_mean_us;
    double backfill_depth_mean;
    double backfill_try_depth_mean;
    double backfill_queue_mean;
    double backfill_table_mean;
};

struct share_row {
    struct row_head head; /* account, user, partition */
    uint64_t shares_raw;
    double shares_norm;
    double usage_raw;
    double usage_norm;
    double usage_effective;
    double level_fs;
    double factor;
};

struct limit_row {
    struct row_head head; /* owner…, kind, resource */
    double limit;
    double used;
};

struct reservation_row {
    struct row_head head; /* reservation, users, accounts, partition, flags */
    uint64_t start_s;
    uint64_t end_s;
    uint64_t nodes;
    uint64_t cores;
    uint64_t active; /* 1: now between start and end */
};

struct license_row {
    struct row_head head; /* license */
    uint64_t total;
    uint64_t used;
    uint64_t free;
    uint64_t reserved;
};

struct job_row {
    struct row_head head; /* job_id, user, account, partition, name */
    uint64_t cpus;
    uint64_t gpus;
    uint64_t nodes;
    uint64_t memory_bytes;
    uint64_t start_s;
};

struct tally_settings {
    size_t job_series_max; /* rows of running jobs; 0: none */
    int64_t now_s;         /* for what is active now */
    /* Parts older than this are withdrawn: 1 << enum snapshot_part_kind. */
    uint32_t parts;
};

struct tally;

/*
 * Count SNAPSHOT, which must outlive the tally: rows point into it. -ENOMEM is
 * the only failure. GRES strings were read by the source; what it could not
 * read is not here.
 */
int tally_new(const struct snapshot *snapshot,
              const struct tally_settings *settings,
              struct tally **ret_tally);

/* Accepts NULL; returns NULL. */
struct tally *tally_free(struct tally *tally);

/* Put the tally's tables into ROWS; those of withdrawn parts have no rows. */
void tally_fill(const struct tally *tally, struct metric_rows *rows);
