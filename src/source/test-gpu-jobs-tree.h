/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for the tests of attribution: a /proc and folders of prologs in a
 * temporary directory, and two GPUs unless a test says otherwise. A test makes
 * its processes, takes a snapshot and looks at the records.
 */
#pragma once

#include "source/gpu-jobs.h"
#include "source/mapped-snapshot.h"

extern char root[64], proc[80], hooks[80], mapping[80];
extern struct gpu_scan scan;
extern struct gpu_jobs *jobs;
extern struct mapped_snapshot *taken;

int tree_set_up(void **state);
int tree_tear_down(void **state);

/* Write the file ROOT/...; its folder is made. */
void put(const char *content, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define PUT(text, ...) put((text), strlen(text), __VA_ARGS__)

void put_process(int pid, int parent, const char *command, int uid);

/* TEXT has '|' where the block has zeros. */
void put_environment(int pid, const char *text);

void put_daemon(int pid, const char *title);

/* A job with one batch script: slurmstepd PID, its script PID + 1. */
void put_job(int pid, int job, int uid, const char *gpus);

void add_gpu(uint32_t index, uint32_t minor, const char *uuid, const char *pci);
void add_use(uint32_t device, uint32_t pid);

/* The snapshot is in "taken" until the next one. */
void take(void);

/* The record of JOB_ID on GPU; fails when there is none. */
const struct gpu_job_record *record_of(uint32_t job_id, uint32_t gpu);
uint32_t flags_of(uint32_t job_id, uint32_t gpu);
size_t record_count(unsigned int array);
const char *text_of(snapshot_string string);

enum {
    HOLDS = GPU_JOB_HOLDS,
    USES = GPU_JOB_USES,
    ENVIRONMENT = GPU_JOB_FROM_ENVIRONMENT,
    PARENT = GPU_JOB_FROM_PARENT,
    CGROUP = GPU_JOB_FROM_CGROUP,
    HOOK = GPU_JOB_FROM_HOOK,
    IDLE = GPU_JOB_IDLE
};
