/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GPUs of all nodes, as their exporters last told: the model behind the
 * dashboard's GPUs and the figures of a job's GPUs. What a node said stays when
 * it falls silent, and is marked; only Slurm decides that a node is gone.
 *
 * Memory: 250 bytes a node, 220 a GPU, 70 for each job on each GPU.
 */
#pragma once

#include "model/measured.h"
#include "model/rows.h"
#include "model/snapshot.h"

enum {
    /* A GPU that is held and does nothing for so long counts as idle, even
     * when its job has a process there. */
    FLEET_STILL_S = 300
};

enum fleet_answer {
    FLEET_NONE, /* not asked yet, or there is nothing to ask for */
    FLEET_UP,
    FLEET_SILENT
};

struct fleet_node {
    char *name, *address; /* owned; Slurm's */
    bool known;           /* Slurm has it; one that it has not is kept */
    bool has_gpus;        /* Slurm says so */
    bool old;             /* its last answer is too old to be shown */
    uint32_t place;       /* its record's in the snapshot, when known */
    enum fleet_answer answer;
    int64_t answered_s;            /* real time of the last answer; 0: never */
    char trouble[160];             /* while SILENT: why */
    struct measured_node measured; /* of the last answer */
    /* What Slurm gave of it, for an exporter that does not tell whose a GPU is
     * (fleet_set_given()). */
    struct fleet_given *given; /* owned */
    size_t given_count, given_room;
    bool given_known;
};

/* Who wants to know what changed: the first two are called before it does. */
struct fleet_observer {
    void (*takes)(void *context,
                  const struct fleet_node *node,
                  const struct measured_node *measured);
    void (*fails)(void *context,
                  const struct fleet_node *node,
                  const char *trouble);
    /* Since when GPU of NODE, which is held by JOB and idle and was not seen so
     * before, may have been idle: of a time before this process. NOW_S where
     * nothing is known. */
    int64_t (*recalls)(void *context,
                       const struct fleet_node *node,
                       const struct measured_gpu *gpu,
                       const char *job,
                       int64_t now_s);
    void *context;
};

struct fleet {
    struct fleet_observer observer; /* may be empty */
    struct fleet_node **nodes;      /* owned; in the order of their names */
    size_t count;
    uint64_t generation; /* rises with each change */
};

void fleet_deinit(struct fleet *fleet);

/* Take over which nodes there are from a snapshot's nodes. Nodes that Slurm no
 * longer has are kept, and no longer known: pointers to nodes stay good. */
int fleet_set_nodes(struct fleet *fleet, const struct snapshot *snapshot);

/*
 * Whether the exporter of some node does not tell whose its GPUs are, as
 * NVIDIA's does not without its HPC job mapping. Then it takes a snapshot with
 * job_gpu_records, and this, to know: it holds from each node's next answer on.
 * Nodes whose exporter tells by itself, and MIG instances, are left alone.
 */
bool fleet_wants_given(const struct fleet *fleet);
int fleet_set_given(struct fleet *fleet, const struct snapshot *snapshot);

/* NULL when there is none of that name. */
struct fleet_node *fleet_find(const struct fleet *fleet, const char *name);

/* NODE answered; MEASURED is taken over. Since when a GPU is held and idle is
 * worked out here. */
void fleet_take(struct fleet *fleet,
                struct fleet_node *node,
                struct measured_node *measured,
                int64_t now_s);

/* NODE did not answer. TROUBLE is a phrase. What was too old becomes OLD. */
void fleet_fail(struct fleet *fleet,
                struct fleet_node *node,
                const char *trouble,
                bool old);

/* ---- judgements ---- */

enum gpu_use {
    GPU_USE_UNKNOWN,
    GPU_USE_FREE,    /* of no job, and nothing runs there */
    GPU_USE_BUSY,    /* held by a job that uses it */
    GPU_USE_IDLE,    /* held, and not used */
    GPU_USE_FOREIGN, /* used by who does not hold it */
    GPU_USE_COUNT
};

extern const char *const gpu_use_names[GPU_USE_COUNT];

enum gpu_use fleet_gpu_use(const struct fleet_node *node, size_t gpu);

/* What is measured of a job: of all GPUs that it holds, and of its processes.
 */
struct fleet_job {
    char job[24]; /* as users write it */
    uint32_t gpus, gpus_used, gpus_idle;
    uint32_t readings;      /* behind the mean */
    double utilization_sum; /* percent */
    double memory_used_mib, power_watts;
    uint32_t power_readings, memory_readings;
    int64_t idle_since_s; /* of the idle ones, the earliest; 0: none */
    char user[32];        /* "" when no exporter tells */
    /* Of its processes, on all its nodes; of a job without GPUs, too. */
    double cpu_cores, memory_bytes;
    uint32_t cpu_readings, host_readings; /* nodes behind them */
};

struct fleet_jobs {
    struct fleet_job *jobs; /* owned; ordered by JOB */
    size_t count;
};

/* -ENOMEM. Silent nodes whose answer is old are left out. */
int fleet_jobs_init(struct fleet_jobs *jobs, const struct fleet *fleet);
void fleet_jobs_deinit(struct fleet_jobs *jobs);

/* One job's GPUs as metrics. */
struct fleet_job_row {
    struct row_head head; /* job, user: of the jobs */
    uint64_t gpus, gpus_used, gpus_idle;
    double utilization_ratio; /* NaN: not measured, as below */
    double memory_used_bytes;
    double power_watts;
};

/* Rows of at most MOST jobs, which live as long as JOBS; -ENOMEM. */
int fleet_jobs_rows(const struct fleet_jobs *jobs,
                    size_t most,
                    struct rows *ret_rows);

/* NULL when nothing is measured of JOB. */
const struct fleet_job *fleet_jobs_find(const struct fleet_jobs *jobs,
                                        const char *job);
