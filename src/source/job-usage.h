/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the jobs on this machine use of its processors and its memory, from the
 * processes below their slurmstepds. Needs neither cgroups, which a pod may
 * not have, nor Slurm's accounting.
 *
 * Time of a process that ended between two looks is its parent's to tell, once
 * that has waited for it (proc(5), cutime); what was counted of it before is
 * taken off again. What nobody waits for is lost: the sum is never too much.
 *
 * Memory is the sum of what is resident, as Slurm's own accounting counts it
 * (jobacct_gather/linux): what processes share counts for each of them.
 */
#pragma once

#include "source/job-process.h"

struct job_usage_entry {
    uint32_t job_id;
    uint32_t processes; /* of it now; 0: they have all ended */
    double cpu_seconds; /* since we first saw it; never falls */
    uint64_t memory_bytes;
};

struct job_usage;

struct job_usage *job_usage_new(void);
void job_usage_free(struct job_usage *usage);

/* Look at the processes of the last walk. Of many only a part is read, in
 * turn, so that a look takes no longer. -ENOMEM; what was counted stays. */
int job_usage_update(struct job_usage *usage, struct job_processes *processes);

/* In the order of their numbers; good until the next update. Jobs that have
 * ended are not there. */
const struct job_usage_entry *job_usage_all(const struct job_usage *usage,
                                            size_t *ret_count);
