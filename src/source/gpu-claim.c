/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looked through from front to end: a node has a few dozen claims.
 */
#include "source/gpu-claim.h"

#include <stdlib.h>

void claim_book_clear(struct claim_book *book)
{
    book->job_count = book->claim_count = book->process_count = 0;
    book->failed = false;
}

void claim_book_deinit(struct claim_book *book)
{
    free(book->jobs);
    free(book->claims);
    free(book->processes);
    *book = (struct claim_book){0};
}

static void *add(struct claim_book *book,
                 void **array,
                 size_t *count,
                 size_t *room,
                 size_t size)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 16;
        void *grown = reallocarray(*array, more, size);
        if (!grown) {
            book->failed = true;
            return NULL;
        }
        *array = grown;
        *room = more;
    }
    return (char *)*array + (*count)++ * size;
}

#define ADD(book, array, count, room)                                          \
    add(book, (void **)&(book)->array, &(book)->count, &(book)->room,          \
        sizeof(*(book)->array))

struct claim_job *claim_job_find(struct claim_book *book, uint32_t id)
{
    for (size_t i = 0; i < book->job_count; i++)
        if (book->jobs[i].id == id)
            return &book->jobs[i];
    return NULL;
}

struct claim_job *claim_job_get(struct claim_book *book, uint32_t id)
{
    struct claim_job *job = claim_job_find(book, id);
    if (job)
        return job;
    job = ADD(book, jobs, job_count, job_room);
    if (job) {
        *job = (struct claim_job){.id = id, .user_id = JOB_UID_UNKNOWN};
        job_environment_parse("", 0, '\0', &job->environment);
    }
    return job;
}

struct claim *
claim_get(struct claim_book *book, uint32_t job_id, uint32_t device)
{
    struct claim_job *job = claim_job_get(book, job_id);
    if (!job)
        return NULL;
    uint32_t index = (uint32_t)(job - book->jobs);
    for (size_t i = 0; i < book->claim_count; i++)
        if (book->claims[i].job == index && book->claims[i].device == device)
            return &book->claims[i];
    struct claim *claim = ADD(book, claims, claim_count, claim_room);
    if (claim)
        *claim = (struct claim){.job = index, .device = device};
    return claim;
}

struct claim_process *claim_process_add(struct claim_book *book)
{
    return ADD(book, processes, process_count, process_room);
}

void claim_hold(struct claim_book *book,
                uint32_t job_id,
                uint32_t device,
                uint32_t source)
{
    struct claim *claim = claim_get(book, job_id, device);
    if (claim)
        claim->flags |= GPU_JOB_HOLDS | source;
}

void claim_hold_list(struct claim_book *book,
                     const struct gpu_scan *scan,
                     const struct gpu_numbering *numbering,
                     uint32_t job_id,
                     const char *list,
                     uint32_t source)
{
    struct job_gpu_list reader = {.at = list};
    uint32_t number;
    char word[GPU_TEXT_SIZE];
    while (job_gpu_list_next(&reader, &number, word, sizeof(word))) {
        uint32_t device = GPU_NONE;
        if (word[0])
            device = gpu_find_uuid(scan, word);
        else if (number < numbering->count)
            device = numbering->devices[number];
        if (device != GPU_NONE)
            claim_hold(book, job_id, device, source);
    }
}

/* ---- judging ---- */

enum {
    FROM_FILES =
        GPU_JOB_FROM_HOOK | GPU_JOB_FROM_MAPPING_DIR | GPU_JOB_FROM_GPUSTAT
};

static bool is_stale(const struct claim_book *book, const struct claim *claim)
{
    const struct claim_job *job = &book->jobs[claim->job];
    return claim->flags & FROM_FILES && !job->runs && !job->fresh &&
           claim->processes == 0;
}

/* A GPU and an instance of it overlap; two instances do not. */
static bool
overlap(const struct gpu_scan *scan, uint32_t device, uint32_t other)
{
    return device == other || scan->devices[device].record.parent == other ||
           scan->devices[other].record.parent == device;
}

/* Whether OWN's job, or with OTHERS another one, has FLAG there. */
static bool somebody_has(const struct claim_book *book,
                         const struct gpu_scan *scan,
                         const struct claim *own,
                         bool others,
                         uint32_t flag)
{
    for (size_t i = 0; i < book->claim_count; i++) {
        const struct claim *claim = &book->claims[i];
        if ((claim->job != own->job) == others && claim->flags & flag &&
            overlap(scan, claim->device, own->device))
            return true;
    }
    return false;
}

void claim_book_judge(struct claim_book *book,
                      const struct gpu_scan *scan,
                      bool sees_daemons)
{
    for (size_t i = 0; sees_daemons && i < book->claim_count; i++)
        if (is_stale(book, &book->claims[i])) {
            book->claims[i].flags |= GPU_JOB_STALE;
            book->claims[i].flags &= ~(uint32_t)GPU_JOB_HOLDS;
        }
    for (size_t i = 0; i < book->claim_count; i++) {
        struct claim *claim = &book->claims[i];
        if (claim->flags & GPU_JOB_HOLDS &&
            !somebody_has(book, scan, claim, false, GPU_JOB_USES))
            claim->flags |= GPU_JOB_IDLE;
        if (claim->flags & GPU_JOB_USES &&
            !somebody_has(book, scan, claim, false, GPU_JOB_HOLDS) &&
            somebody_has(book, scan, claim, true, GPU_JOB_HOLDS))
            claim->flags |= GPU_JOB_FOREIGN;
    }
}
