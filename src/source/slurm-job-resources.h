/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a job has, or asks for: memory and GRES. Read out of Slurm's strings,
 * which is the costly part of a job; jobs are alike by the thousand, so what
 * was read is remembered.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/slurm-compat.h"

enum {
    JOB_RESOURCES_PLACES = 256
};

struct job_resources {
    uint64_t memory_mib;
    uint32_t gres_first; /* into array 1 of the jobs */
    uint32_t gres_count;
};

/* What was read from the strings of JOB, which lives as long as libslurm's
 * message. */
struct job_resources_place {
    const slurm_job_info_t *job; /* NULL: free */
    snapshot_string tres;
    bool allocated;
    struct job_resources resources;
};

struct job_resources_reader {
    struct snapshot_builder *builder;
    unsigned int name_field; /* of the strings; the next one is taken as well */
    struct job_resources_place places[JOB_RESOURCES_PLACES];
};

/* What tells a job's resources: allocated, else asked for. */
static inline const char *slurm_job_tres(const slurm_job_info_t *job)
{
    return job->tres_alloc_str && job->tres_alloc_str[0] ? job->tres_alloc_str
                                                         : job->tres_req_str;
}

/* TRES is the reference of slurm_job_tres(). ALLOCATED: the job holds what is
 * told. */
struct job_resources job_resources_read(struct job_resources_reader *reader,
                                        const slurm_job_info_t *job,
                                        snapshot_string tres,
                                        bool allocated);
