/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of this machine, as far as they tell whose job is whose: one
 * walk over /proc per cycle. Reading the file of each process would cost more
 * than all the rest together, so a process is read when it is new and from
 * then on now and then; that it is still the same one is seen from the number
 * of its folder's inode, which the walk brings for nothing.
 *
 * The jobs' own processes are those of slurmstepd: its title, which users
 * cannot write, names job and step, its children are the tasks.
 */
#pragma once

#include "base/error.h"
#include "source/job-text.h"

struct job_process {
    uint32_t pid, parent;
    uint64_t inode;            /* of its folder: another process has another */
    uint64_t start_ticks;      /* since boot */
    uint32_t age;              /* cycles since it was first seen */
    uint32_t job_id;           /* whose slurmstepd it descends from; 0: none */
    struct job_daemon *daemon; /* it is a slurmstepd, of this step */
};

/* A slurmstepd, and what the environment of its tasks says. */
struct job_daemon {
    struct job_step step;
    struct job_environment environment; /* job_id 0: not read yet */
    uint32_t user_id;                   /* of its tasks; JOB_UID_UNKNOWN */
};

struct job_processes;

int job_processes_new(const char *proc_root,
                      struct job_processes **ret_processes,
                      struct error *err);
void job_processes_free(struct job_processes *processes);

/* Walk. What is there then is valid until the next walk. */
int job_processes_walk(struct job_processes *processes, struct error *err);

const struct job_process *job_processes_all(const struct job_processes *all,
                                            size_t *ret_count);

/* NULL: no such process, or it is hidden from us. */
const struct job_process *job_processes_find(const struct job_processes *all,
                                             uint32_t pid);

/* The slurmstepd that PROCESS descends from, or is; NULL: none. */
const struct job_daemon *
job_processes_daemon(const struct job_processes *all,
                     const struct job_process *process);

/* Of one process, read now; false: it is gone, or we may not. */
bool job_processes_stat(struct job_processes *all,
                        const struct job_process *process,
                        struct job_stat *ret_stat);
bool job_processes_cgroup(struct job_processes *all,
                          uint32_t pid,
                          struct job_step *ret_step);
bool job_processes_environment(struct job_processes *all,
                               uint32_t pid,
                               struct job_environment *ret_environment);
bool job_processes_user(struct job_processes *all,
                        uint32_t pid,
                        uint32_t *ret_user_id);
void job_processes_command(struct job_processes *all,
                           uint32_t pid,
                           char *ret_command,
                           size_t size);

/* Real time of the start, in seconds; 0: not known. */
int64_t job_processes_start_s(const struct job_processes *all,
                              const struct job_process *process);

/* True when environments could not be read in the last walk or since. */
bool job_processes_denied(const struct job_processes *all);
