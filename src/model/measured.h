/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node's GPU exporter says of its GPUs and of the jobs on them, as far
 * as a dashboard shows it. Plain records of fixed size: 80,000 GPUs take 30 MB.
 * Texts that are longer are cut.
 *
 * A reading that there is not is NaN; a number that there is not is
 * MEASURED_NONE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURED_NONE UINT32_MAX

enum {
    MEASURED_GPUS_MAX = 512, /* of one node, instances among them */
    MEASURED_JOBS_MAX = 1024 /* of one node; more are not shown */
};

enum {
    MEASURED_SIMULATED = 1 << 0,  /* says so in its model's name */
    MEASURED_KNOWS_JOBS = 1 << 1, /* its exporter tells of jobs on it */
    MEASURED_IDLE = 1 << 2        /* held and not used; the fleet's judgement */
};

struct measured_gpu {
    uint32_t index;    /* of the GPU; an instance has its GPU's */
    uint32_t place;    /* among the node's devices, by its device file */
    uint32_t instance; /* GPU_I_ID; MEASURED_NONE: a whole GPU */
    char uuid[48];
    char model[64];
    char profile[16]; /* of an instance, "1g.10gb" */
    char state[12];   /* "up", "lost", …; "": not told, but it has readings */
    uint32_t flags;   /* MEASURED_* */
    uint32_t last_xid;
    uint32_t xid_count; /* reported so far, of all codes; our exporter's */
    float utilization_percent;
    float memory_used_mib, memory_free_mib;
    float temperature_c;
    float power_watts, power_limit_watts;
    int64_t idle_since_s; /* held and still; 0: not so. The fleet's */
};

/* A job on a GPU of the same node. */
struct measured_job {
    uint32_t gpu;  /* which of the node's */
    char job[24];  /* as users write it; "": processes of no job */
    char user[32]; /* "": not told */
    bool holds;    /* Slurm gave it the GPU */
    bool uses;     /* it has a process there, or the GPU works for it */
    bool idle;     /* told: holds, and has no process */
};

/* What a job uses of the node beside GPUs, whether it has any or not; only our
 * exporter tells. */
struct measured_host_job {
    char job[24];
    char user[32];
    double cpu_seconds, memory_bytes; /* NaN: not told */
    double cpu_cores; /* since the answer before; NaN: not known. The fleet's */
};

struct measured_node {
    struct measured_gpu *gpus;           /* owned */
    struct measured_job *jobs;           /* owned */
    struct measured_host_job *host_jobs; /* owned */
    size_t gpu_count, job_count, host_job_count;
    bool own; /* our exporter's, which tells of jobs and their processes */
};

/* Slurm gave JOB of USER the whole GPU at PLACE: for exporters that do not tell
 * so. False without memory. */
bool measured_node_give(struct measured_node *node,
                        uint32_t place,
                        const char *job,
                        const char *user);

/* Of all GPUs it is known now who holds them, and that nobody does. */
void measured_node_given(struct measured_node *node);

/* Frees what it owns. */
void measured_node_deinit(struct measured_node *node);

/*
 * Read TEXT, a page in Prometheus' text format or in OpenMetrics', of our
 * gpu-exporter or of NVIDIA's dcgm-exporter, under its names of before and
 * after 2025. What is not about GPUs is passed over, as are lines that cannot
 * be read. -ENOMEM; -ENODATA when the page says nothing of GPUs at all.
 */
int measured_node_parse(const char *text,
                        size_t size,
                        struct measured_node *ret_node);
