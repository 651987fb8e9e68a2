/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grouping jobs. The table is open-addressed; neighbours in the queue are
 * often alike, so the last cell is tried first.
 */
#include "model/job-cells.h"

#include "model/known-text.h"
#include "model/state.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 1024 /* a power of two, as every later size */
};

_Static_assert(sizeof(struct job_cell_key) == 32, "no padding");

void job_cells_deinit(struct job_cells *cells)
{
    rows_deinit(&cells->cells);
    free(cells->slots);
    *cells = (struct job_cells)JOB_CELLS_INIT;
}

static size_t hash_key(const struct job_cell_key *key)
{
    uint64_t words[4];
    memcpy(words, key, sizeof(words));
    uint64_t h = 0;
    for (int i = 0; i < 4; i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (size_t)(h ^ (h >> 32));
}

static struct job_cell *cell_at(const struct job_cells *cells, uint32_t index)
{
    return (struct job_cell *)cells->cells.data + index;
}

static bool same_key(const struct job_cell *cell,
                     const struct job_cell_key *key)
{
    return memcmp(&cell->key, key, sizeof(*key)) == 0;
}

/* The slot that holds KEY's cell, or the free one where it belongs. */
static uint32_t *find_slot(const struct job_cells *cells,
                           const struct job_cell_key *key)
{
    size_t at = hash_key(key) & (cells->slot_count - 1);
    while (cells->slots[at] &&
           !same_key(cell_at(cells, cells->slots[at] - 1), key))
        at = (at + 1) & (cells->slot_count - 1);
    return &cells->slots[at];
}

static bool grow(struct job_cells *cells)
{
    size_t count = cells->slot_count ? cells->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    free(cells->slots);
    cells->slots = slots;
    cells->slot_count = count;
    for (uint32_t i = 0; i < cells->cells.count; i++)
        *find_slot(cells, &cell_at(cells, i)->key) = i + 1;
    return true;
}

static struct job_cell *find_cell(struct job_cells *cells,
                                  const struct job_cell_key *key)
{
    if (cells->last && same_key(cell_at(cells, cells->last - 1), key))
        return cell_at(cells, cells->last - 1);
    if (cells->cells.count * 2 >= cells->slot_count && !grow(cells))
        return NULL;
    uint32_t *slot = find_slot(cells, key);
    if (!*slot) {
        struct job_cell *cell = rows_add(&cells->cells);
        if (!cell)
            return NULL;
        cell->key = *key;
        *slot = (uint32_t)cells->cells.count;
    }
    cells->last = *slot;
    return cell_at(cells, *slot - 1);
}

static void add_job(struct job_cell *cell, const struct job_record *job)
{
    uint64_t tasks = job->task_count ? job->task_count : 1;
    if (cell->tasks == 0 || job->nodes_count < cell->nodes_least)
        cell->nodes_least = job->nodes_count;
    if (job->nodes_count > cell->nodes_most)
        cell->nodes_most = job->nodes_count;
    if (job->submit_time_s > 0 && (cell->oldest_submit_s == 0 ||
                                   job->submit_time_s < cell->oldest_submit_s))
        cell->oldest_submit_s = job->submit_time_s;
    cell->tasks += tasks;
    cell->cpus += tasks * job->cpus;
    cell->nodes += tasks * job->nodes_count;
    cell->memory_mib += tasks * job->memory_mib;
}

static struct job_cell_key key_of(const struct job_record *job)
{
    struct job_cell_key key = {.user = job->user,
                               .account = job->account,
                               .qos = job->qos,
                               .partition = job->partition,
                               .state = job->state};
    if (job_state_base(job->state) == JOB_BASE_PENDING) {
        key.reason = job->reason;
        key.held = (job->has & JOB_HAS_PRIORITY) && job->priority == 0;
    }
    return key;
}

bool job_cells_add(struct job_cells *cells,
                   const struct snapshot *snapshot,
                   const struct job_record *jobs,
                   size_t count,
                   const struct gres_record *gres)
{
    struct known_text gpu = {.text = "gpu"};
    for (size_t i = 0; i < count; i++) {
        const struct job_record *job = &jobs[i];
        struct job_cell_key key = key_of(job);
        bool waits = job_state_base(job->state) == JOB_BASE_PENDING;
        uint64_t tasks = job->task_count ? job->task_count : 1;
        bool counted = false;
        for (uint32_t g = 0; g < job->gres_count; g++) {
            const struct gres_record *one = &gres[job->gres_first + g];
            if (!known_text_is(&gpu, snapshot, SNAPSHOT_JOBS, one->name))
                continue;
            key.has_gpus = 1;
            key.gpu_type = one->type;
            struct job_cell *cell = find_cell(cells, &key);
            if (!cell)
                return false;
            cell->gpus += waits ? one->total * tasks : one->used;
            if (!counted)
                add_job(cell, job);
            counted = true;
        }
        if (counted)
            continue;
        struct job_cell *cell = find_cell(cells, &key);
        if (!cell)
            return false;
        add_job(cell, job);
    }
    return true;
}
