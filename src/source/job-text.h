/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tells a job from text that others wrote: files of /proc, and files that
 * prologs leave. Pure functions over bytes, since users choose much of these
 * bytes: names of programs, whole environments. Whom to believe is decided in
 * gpu-jobs.c, not here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOB_STEP_SIZE = 24,
    JOB_SLUID_SIZE = 32,
    JOB_NAME_SIZE = 128, /* longer names lose their end */
    JOB_GPUS_SIZE = 512,
    JOB_COMPONENTS_MAX = 32, /* of a het job: those beyond are plain jobs */
    JOB_LINES_MAX = 64       /* of a mapping file: jobs that share one GPU */
};

#define JOB_UID_UNKNOWN UINT32_MAX

/* Of /proc/PID/stat. */
struct job_stat {
    uint32_t pid, parent;
    uint64_t start_ticks; /* since boot */
    uint64_t environment; /* address; another after exec; 0: hidden from us */
    uint64_t cpu_ticks;   /* of its own threads, user and system */
    uint64_t child_ticks; /* of its children that it has waited for */
    uint64_t memory_pages;
    char command[16];
};

bool job_stat_parse(const char *text, struct job_stat *ret_stat);

/* Which step of which job. JOB_ID 0: only the SLUID is known. */
struct job_step {
    uint32_t job_id;
    char sluid[JOB_SLUID_SIZE]; /* "": not known */
    char step[JOB_STEP_SIZE];   /* "batch", "0"; "": not known */
};

/* The title of slurmstepd: "slurmstepd: [17.batch]". */
bool job_title_parse(const char *text, struct job_step *ret_step);

/* A whole /proc/PID/cgroup, version 1 or 2: ".../job_17/step_0/..." or, from
 * Slurm 26.05 on, ".../SLUID/step_0/...". What lies below user.slice is the
 * user's own to name, and counts for nothing. */
bool job_cgroup_parse(const char *text, struct job_step *ret_step);

/* What the variables of Slurm say; of each the first counts, as in getenv(). */
struct job_environment {
    uint32_t job_id; /* 0: none */
    uint32_t user_id;
    uint32_t array_job_id, array_task_id;    /* UINT32_MAX: none */
    uint32_t het_job_id, het_offset;         /* UINT32_MAX: none */
    uint32_t components[JOB_COMPONENTS_MAX]; /* jobs of a het job; 0: none */
    char step[JOB_STEP_SIZE];
    char sluid[JOB_SLUID_SIZE];
    char user[JOB_NAME_SIZE];
    char account[JOB_NAME_SIZE];
    char partition[JOB_NAME_SIZE];
    char name[JOB_NAME_SIZE];
    char job_gpus[JOB_GPUS_SIZE];
    char step_gpus[JOB_GPUS_SIZE];
    char visible[JOB_GPUS_SIZE]; /* CUDA_VISIBLE_DEVICES where it has UUIDs */
};

/* BLOCK: "NAME=value" ended by SEPARATOR: '\0' in /proc/PID/environ, '\n' in
 * the files of our prolog. A value that does not fit is left out if cutting it
 * would change what it says. */
void job_environment_parse(const char *block,
                           size_t size,
                           char separator,
                           struct job_environment *ret_environment);

/* Whether it is an environment of JOB_ID: a step of a het job bears its
 * leader's number on the nodes of all components. */
bool job_environment_is_of(const struct job_environment *environment,
                           uint32_t job_id);

/* The same for one component: its number, and the partition that BLOCK, of
 * which ENVIRONMENT was parsed, names for it. Nothing for other jobs. */
void job_environment_be_component(const char *block,
                                  size_t size,
                                  char separator,
                                  uint32_t job_id,
                                  struct job_environment *environment);

/* How users write the job: "17", "18_3" of an array, "17+1" of a het job. */
void job_number_format(const struct job_environment *environment,
                       uint32_t job_id,
                       char *ret_text,
                       size_t size);

/* Next of "0,2-3,GPU-…": a number, or a word copied into RET_WORD ("" for a
 * number). False at the end. Ranges give one number after the other. */
struct job_gpu_list {
    const char *at;
    uint32_t next, last;
    bool in_range;
};

bool job_gpu_list_next(struct job_gpu_list *list,
                       uint32_t *ret_index,
                       char *ret_word,
                       size_t size);

/* The name of a mapping file: "3", or "3.7" for an instance. */
bool job_mapping_name_parse(const char *name,
                            uint32_t *ret_index,
                            uint32_t *ret_instance);

/* The lines of a mapping file that begin with a job number; how many. */
size_t job_mapping_parse(const char *text,
                         uint32_t ret_jobs[static JOB_LINES_MAX]);

/* A file of /run/gpustat: "17 1000". Without a user: JOB_UID_UNKNOWN. */
bool job_gpustat_parse(const char *text,
                       uint32_t *ret_job_id,
                       uint32_t *ret_user_id);
