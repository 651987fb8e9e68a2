/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two files of attribution share: gpu-jobs.c, which knows the jobs and
 * counts processes to them, and gpu-jobs-holders.c, which finds out what each
 * was given.
 */
#pragma once

#include "source/gpu-jobs.h"
#include "source/process-table.h"

enum {
    GPU_JOBS_FILE_SIZE = 4096
};

/* A job that has processes here, remembered from cycle to cycle. */
struct job {
    uint32_t job_id;
    bool here;    /* in this cycle */
    bool settled; /* its environment has told which GPUs */
    struct job_environment environment;
};

/* A job on a device: a record under way. */
struct use {
    uint32_t device, job_id, user_id, flags, processes;
    uint64_t memory_bytes;
    int64_t since_s;
    char step[JOB_STEP_SIZE];
};

struct gpu_jobs {
    const struct gpu_collector_settings *settings;
    struct process_list list;
    struct job *jobs;
    size_t job_count;
    struct use *uses;
    size_t use_count;
    char *bytes; /* ENVIRONMENT_SIZE, for reading */
    double ticks_per_s;
};

/* The job, if it is known; made known. NULL: not, or no memory. */
struct job *gpu_jobs_find(const struct gpu_jobs *g, uint32_t job_id);
struct job *gpu_jobs_keep(struct gpu_jobs *g, uint32_t job_id);

/* The record of the job on the device, made when it is new; NULL: no memory. */
struct use *gpu_jobs_use(struct gpu_jobs *g, uint32_t device, uint32_t job_id);

/* Note what each job was given, as far as is known here. */
void gpu_jobs_hold(struct gpu_jobs *g, const struct gpu_scan *scan);
