/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grouping jobs. The table is open-addressed. With the cells it is larger than
 * the fast caches when users are many, and jobs of one cell are anywhere in the
 * queue: so jobs are taken in batches, and what all of a batch will need is
 * fetched before any of it is used.
 */
#include "model/job-cells.h"

#include "model/known-text.h"
#include "model/state.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 1024, /* a power of two, as every later size */
    BATCH = 32
};

/* What is known of a job before its cell is looked for. */
struct candidate {
    struct job_cell_key key; /* of the first GPU type, if any */
    uint32_t hash;
};

_Static_assert(sizeof(struct job_cell_key) == 32, "no padding");

void job_cells_deinit(struct job_cells *cells)
{
    rows_deinit(&cells->cells);
    free(cells->slots);
    *cells = (struct job_cells)JOB_CELLS_INIT;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

/* From the members, not from the memory: the key has been written a moment ago
 * in pieces of four bytes, and to read it in larger ones would stall. */
static uint32_t hash_key(const struct job_cell_key *key)
{
    uint64_t h =
        fold(pair(key->user, key->account) ^ UINT64_C(0x9e3779b97f4a7c15),
             pair(key->qos, key->partition) ^ UINT64_C(0xff51afd7ed558ccd)) ^
        fold(pair(key->reason, key->gpu_type) ^ UINT64_C(0xc4ceb9fe1a85ec53),
             pair(key->state, (uint32_t)key->held << 16 | key->has_gpus) ^
                 UINT64_C(0xbf58476d1ce4e5b9));
    return (uint32_t)(h ^ h >> 32);
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

static struct job_cell_slot *slot_at(const struct job_cells *cells,
                                     uint32_t hash)
{
    return &cells->slots[hash & (cells->slot_count - 1)];
}

/* The slot that holds KEY's cell, or the free one where it belongs. */
static struct job_cell_slot *find_slot(const struct job_cells *cells,
                                       const struct job_cell_key *key,
                                       uint32_t hash)
{
    struct job_cell_slot *slot = slot_at(cells, hash);
    while (slot->cell && (slot->hash != hash ||
                          !same_key(cell_at(cells, slot->cell - 1), key)))
        slot = ++slot < cells->slots + cells->slot_count ? slot : cells->slots;
    return slot;
}

static bool grow(struct job_cells *cells)
{
    size_t count = cells->slot_count ? cells->slot_count * 2 : FIRST_SLOTS;
    struct job_cell_slot *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    free(cells->slots);
    cells->slots = slots;
    cells->slot_count = count;
    for (uint32_t i = 0; i < cells->cells.count; i++) {
        const struct job_cell_key *key = &cell_at(cells, i)->key;
        uint32_t hash = hash_key(key);
        *find_slot(cells, key, hash) =
            (struct job_cell_slot){.cell = i + 1, .hash = hash};
    }
    return true;
}

static struct job_cell *find_cell(struct job_cells *cells,
                                  const struct job_cell_key *key,
                                  uint32_t hash)
{
    if (cells->cells.count * 2 >= cells->slot_count && !grow(cells))
        return NULL;
    struct job_cell_slot *slot = find_slot(cells, key, hash);
    if (!slot->cell) {
        struct job_cell *cell = rows_add(&cells->cells);
        if (!cell)
            return NULL;
        cell->key = *key;
        *slot = (struct job_cell_slot){.cell = (uint32_t)cells->cells.count,
                                       .hash = hash};
    }
    return cell_at(cells, slot->cell - 1);
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

/* The next of JOB's resources from number G on that are GPUs; its gres_count
 * when there are none. */
static uint32_t next_gpu(const struct snapshot *snapshot,
                         const struct job_record *job,
                         const struct gres_record *gres,
                         struct known_text *gpu,
                         uint32_t g)
{
    while (g < job->gres_count &&
           !known_text_is(gpu, snapshot, SNAPSHOT_JOBS,
                          gres[job->gres_first + g].name))
        g++;
    return g;
}

/* Add a job to CELL, the cell of its first GPU type, and the GPUs of further
 * types to theirs. */
static bool add_candidate(struct job_cells *cells,
                          const struct snapshot *snapshot,
                          const struct job_record *job,
                          const struct gres_record *gres,
                          struct known_text *gpu,
                          struct candidate *candidate)
{
    struct job_cell_key *key = &candidate->key;
    bool waits = job_state_base(job->state) == JOB_BASE_PENDING;
    uint64_t tasks = job->task_count ? job->task_count : 1;
    uint32_t hash = candidate->hash;
    struct job_cell *cell = find_cell(cells, key, hash);
    if (!cell)
        return false;
    add_job(cell, job);
    for (uint32_t g = 0; key->has_gpus; g++) {
        g = next_gpu(snapshot, job, gres, gpu, g);
        if (g >= job->gres_count)
            break;
        const struct gres_record *one = &gres[job->gres_first + g];
        if (one->type != key->gpu_type) {
            key->gpu_type = one->type;
            cell = find_cell(cells, key, hash_key(key));
            if (!cell)
                return false;
        }
        cell->gpus += waits ? one->total * tasks : one->used;
    }
    return true;
}

/* Make the keys of a batch, and have the processor fetch their slots and then
 * their cells. */
static void look_ahead(const struct job_cells *cells,
                       const struct snapshot *snapshot,
                       const struct job_record *jobs,
                       size_t count,
                       const struct gres_record *gres,
                       struct known_text *gpu,
                       struct candidate *ret_candidates)
{
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = &ret_candidates[i];
        candidate->key = key_of(&jobs[i]);
        uint32_t g = next_gpu(snapshot, &jobs[i], gres, gpu, 0);
        if (g < jobs[i].gres_count) {
            candidate->key.has_gpus = 1;
            candidate->key.gpu_type = gres[jobs[i].gres_first + g].type;
        }
        candidate->hash = hash_key(&candidate->key);
        __builtin_prefetch(slot_at(cells, candidate->hash));
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t cell = slot_at(cells, ret_candidates[i].hash)->cell;
        if (cell == 0)
            continue;
        const char *bytes = (const char *)cell_at(cells, cell - 1);
        __builtin_prefetch(bytes);
        __builtin_prefetch(bytes + sizeof(struct job_cell) - 1);
    }
}

bool job_cells_add(struct job_cells *cells,
                   const struct snapshot *snapshot,
                   const struct job_record *jobs,
                   size_t count,
                   const struct gres_record *gres)
{
    struct known_text gpu = {.text = "gpu"};
    struct candidate candidates[BATCH];
    if (!cells->slots && !grow(cells))
        return false;
    for (size_t first = 0; first < count; first += BATCH) {
        size_t n = count - first < BATCH ? count - first : BATCH;
        look_ahead(cells, snapshot, &jobs[first], n, gres, &gpu, candidates);
        for (size_t i = 0; i < n; i++)
            if (!add_candidate(cells, snapshot, &jobs[first + i], gres, &gpu,
                               &candidates[i]))
                return false;
    }
    return true;
}
