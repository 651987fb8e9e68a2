/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people submit to a GPU cluster, as job descriptions for libslurm.
 *
 * A workload is a sequence: the same seed gives the same jobs. Partitions, GPU
 * types and users are those that bench/big-cluster-conf writes.
 */
#pragma once

#include <slurm/slurm.h>
#include <stdbool.h>
#include <stdint.h>

struct workload {
    uint64_t random;
    uint32_t users;
    uint32_t accounts;
    uint32_t first_uid;
    uint32_t gid;
    /* A pending job begins this many seconds from now at the earliest. */
    uint32_t begin_after_s;
    /* Of the jobs submitted so far: something to depend on, or 0. */
    uint32_t last_job_id;
};

enum {
    JOB_COMPONENTS_MAX = 2,
    JOB_TEXT_SIZE = 96
};

/* One description and the texts it points to; it must not be moved. */
struct job {
    job_desc_msg_t desc;
    char account[JOB_TEXT_SIZE];
    char name[JOB_TEXT_SIZE];
    char comment[JOB_TEXT_SIZE];
    char directory[JOB_TEXT_SIZE];
    char output[JOB_TEXT_SIZE];
    char error[JOB_TEXT_SIZE];
    char command[JOB_TEXT_SIZE];
    char gpus[JOB_TEXT_SIZE];
    char array[JOB_TEXT_SIZE];
    char dependency[JOB_TEXT_SIZE];
    char home[JOB_TEXT_SIZE];
    char *argv[1];
    char *environment[3];
};

/* A submission: one job, or the components of a heterogeneous one. */
struct submission {
    struct job components[JOB_COMPONENTS_MAX];
    uint32_t count;
};

/* A job that can start at once while the cluster has room. */
void workload_next_running(struct workload *workload, struct submission *ret);

/* A job that waits: for its time, and some for more than that. */
void workload_next_pending(struct workload *workload, struct submission *ret);

/* One job in ABOUT. */
bool workload_chance(struct workload *workload, uint32_t about);
