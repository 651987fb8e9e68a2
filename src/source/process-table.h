/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of this machine as far as jobs are concerned: who is whose
 * child, and which of them are Slurm's slurmstepd, one of which is the ancestor
 * of each process of a job.
 *
 * Read anew in each cycle; processes that vanish meanwhile are left out.
 */
#pragma once

#include "base/error.h"
#include "source/job-text.h"

#include <stddef.h>
#include <sys/types.h>

struct process_entry {
    uint32_t pid, parent, user_id;
    uint64_t start_ticks;
    char command[16];
    uint32_t step; /* 1 + number in steps, of itself or its ancestor; 0: none */
};

struct process_step {
    struct job_step step;
    uint32_t pid; /* of slurmstepd */
};

struct process_list {
    struct process_entry *entries; /* by rising pid */
    size_t count, room;
    struct process_step *steps;
    size_t step_count;
};

/* ROOT is "/proc". -errno when it cannot be listed at all. */
int process_list_read(struct process_list *list,
                      const char *root,
                      struct error *err);
void process_list_deinit(struct process_list *list);

/* NULL: there is none. */
const struct process_entry *process_list_find(const struct process_list *list,
                                              uint32_t pid);

/* The step to which PID belongs by descent; NULL: none. */
const struct process_step *process_list_step(const struct process_list *list,
                                             uint32_t pid);

/* Up to SIZE - 1 bytes of ROOT/PID/NAME with a zero byte behind; how many, or
 * -errno. */
ssize_t process_file_read(const char *root,
                          uint32_t pid,
                          const char *name,
                          char *ret_bytes,
                          size_t size);
