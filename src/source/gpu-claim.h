/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The book that a cycle of attribution keeps: the jobs of this machine, and for
 * each pair of a job and a device what is claimed of it and by whom.
 */
#pragma once

#include "source/gpu-order.h"
#include "source/job-text.h"

struct claim_job {
    uint32_t id; /* 0: stands for processes of no job */
    uint32_t user_id;
    bool runs;   /* a slurmstepd of it is here */
    bool hooked; /* a file of our prolog tells its GPUs */
    bool fresh;  /* a file is so new that the job may not have begun */
    struct job_environment environment; /* job_id 0: not known */
};

struct claim {
    uint32_t job; /* index into jobs */
    uint32_t device;
    uint32_t flags; /* GPU_JOB_* */
    uint32_t processes;
    uint64_t memory_bytes; /* of the processes that told */
    bool memory_known;
    int64_t oldest_s, newest_s;
    char step[JOB_STEP_SIZE]; /* of the newest process */
};

struct claim_process {
    uint32_t claim;
    uint32_t scanned; /* index into the scan's processes */
    uint32_t user_id;
};

struct claim_book {
    struct claim_job *jobs;
    size_t job_count, job_room;
    struct claim *claims;
    size_t claim_count, claim_room;
    struct claim_process *processes;
    size_t process_count, process_room;
    bool failed; /* out of memory: something is missing */
};

void claim_book_clear(struct claim_book *book);
void claim_book_deinit(struct claim_book *book);

/* Find or add; NULL: no memory. Valid until the next add. */
struct claim_job *claim_job_get(struct claim_book *book, uint32_t id);
struct claim_job *claim_job_find(struct claim_book *book, uint32_t id);
struct claim *
claim_get(struct claim_book *book, uint32_t job_id, uint32_t device);
struct claim_process *claim_process_add(struct claim_book *book);

/* Let JOB_ID hold DEVICE, for what the flag SOURCE tells. */
void claim_hold(struct claim_book *book,
                uint32_t job_id,
                uint32_t device,
                uint32_t source);

/* Let it hold what LIST names: Slurm's numbers, or UUIDs. */
void claim_hold_list(struct claim_book *book,
                     const struct gpu_scan *scan,
                     const struct gpu_numbering *numbering,
                     uint32_t job_id,
                     const char *list,
                     uint32_t source);

/* When all is in: what does not fit (STALE, IDLE, FOREIGN). */
void claim_book_judge(struct claim_book *book,
                      const struct gpu_scan *scan,
                      bool sees_daemons);
