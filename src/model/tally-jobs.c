/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting jobs. They are first grouped into cells of jobs that are alike
 * (job-cells.h); what follows walks the cells.
 *
 * A record of a pending array stands for its tasks and counts as many; a
 * pending job that names several partitions counts in each of them, and once
 * in everything else.
 */
#include "model/job-cells.h"
#include "model/known-text.h"
#include "model/tally-private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB UINT64_C(1048576)

enum {
    JOB_ID_SIZE = 12
};

/* One way of grouping cells: by account, user or QOS. */
struct grouping {
    struct rows *rows;
    struct map32 index; /* string + 1 -> row */
    const char *nameless;
};

/* Partitions that jobs name: a run of numbers in walk.members. */
struct partition_list {
    uint32_t first;
    uint32_t count;
};

struct walk {
    struct tally *t;
    struct grouping accounts, users, qos;
    struct map32 list_index;       /* partition string -> list */
    struct rows lists;             /* struct partition_list */
    struct rows members;           /* uint32_t: rows of the partition table */
    struct map32 reason_index;     /* string + 1 -> small number */
    struct map32 reason_row_index; /* partition and reason -> row */
    uint32_t reason_count;
    struct map32 account_gpu_index, user_gpu_index; /* owner and type -> row */
    struct known_text dependency, node_limit;
};

static const char *job_text(const struct walk *w, snapshot_string string)
{
    return snapshot_text(w->t->snapshot, SNAPSHOT_JOBS, string);
}

/* ---- groups ---------------------------------------------------------------
 */

static bool find_owner(struct walk *w,
                       struct grouping *group,
                       snapshot_string string,
                       uint32_t *ret_index)
{
    if (map32_find(&group->index, string + 1, ret_index))
        return true;
    *ret_index = (uint32_t)group->rows->count;
    struct owner_row *row = rows_add(group->rows);
    if (!row || !map32_add(&group->index, string + 1, *ret_index))
        return false;
    row->head.labels[0] = string ? job_text(w, string) : group->nameless;
    return true;
}

/* Append the row number of the partition called NAME, when there is one. */
static bool add_list_member(struct walk *w, const char *name, size_t size)
{
    const struct rows *partitions = &w->t->partition;
    for (uint32_t i = 0; i < partitions->count; i++) {
        const struct partition_row *row = rows_at(partitions, i);
        const char *known = row->head.labels[0];
        if (strncmp(known, name, size) != 0 || known[size] != '\0')
            continue;
        uint32_t *member = rows_add(&w->members);
        if (!member)
            return false;
        *member = i;
        return true;
    }
    return true; /* deleted since, or hidden from us */
}

static const struct partition_list *find_list(struct walk *w,
                                              snapshot_string string)
{
    static const struct partition_list none = {0, 0};
    uint32_t index;
    if (string == 0)
        return &none;
    if (map32_find(&w->list_index, string, &index))
        return rows_at(&w->lists, index);

    index = (uint32_t)w->lists.count;
    struct partition_list *list = rows_add(&w->lists);
    if (!list || !map32_add(&w->list_index, string, index))
        return NULL;
    list->first = (uint32_t)w->members.count;
    const char *name = job_text(w, string);
    while (*name) {
        size_t size = strcspn(name, ",");
        if (size && !add_list_member(w, name, size))
            return NULL;
        name += size + (name[size] == ',');
    }
    list->count = (uint32_t)w->members.count - list->first;
    return list;
}

/* ---- one cell -------------------------------------------------------------
 */

static void native_jobs_add(struct native_jobs *counts,
                            const struct job_cell *cell)
{
    enum job_base base = job_state_base(cell->key.state);
    counts->jobs += cell->tasks;
    if (base < JOB_BASE_COUNT)
        counts->base[base] += cell->tasks;
    for (uint32_t bits = cell->key.state >> JOB_FLAG_BIT_FIRST; bits;
         bits &= bits - 1) {
        int bit = __builtin_ctz(bits);
        if (bit < JOB_FLAG_COUNT)
            counts->flag[bit] += cell->tasks;
    }
    counts->hold += cell->key.held ? cell->tasks : 0;
    counts->started += base > JOB_BASE_PENDING ? cell->tasks : 0;
    counts->finished += base > JOB_BASE_SUSPENDED ? cell->tasks : 0;
    if (base == JOB_BASE_RUNNING) {
        counts->cpus_allocated += cell->cpus;
        counts->gpus_allocated += cell->gpus;
        counts->memory_allocated_bytes += cell->memory_mib * MIB;
        counts->nodes_allocated += cell->nodes;
    }
}

static void owner_add(struct owner_row *owner, const struct job_cell *cell)
{
    switch (job_state_shown(cell->key.state)) {
    case JOB_SHOWN_PENDING:
        owner->pending += cell->tasks;
        owner->cpus_pending += cell->cpus;
        break;
    case JOB_SHOWN_RUNNING:
        owner->running += cell->tasks;
        owner->cpus_running += cell->cpus;
        break;
    case JOB_SHOWN_SUSPENDED:
        owner->suspended += cell->tasks;
        break;
    default:
        break;
    }
    native_jobs_add(&owner->jobs, cell);
}

static void widen(uint64_t *least, uint64_t *most, const struct job_cell *cell)
{
    if (*least == 0 || cell->nodes_least < *least)
        *least = cell->nodes_least;
    if (cell->nodes_most > *most)
        *most = cell->nodes_most;
}

static struct reason_row *
find_reason(struct walk *w, uint32_t partition, snapshot_string string)
{
    uint32_t reason, index;
    if (!map32_find(&w->reason_index, string + 1, &reason)) {
        reason =
            w->reason_count < REASONS_MAX ? w->reason_count++ : REASONS_MAX - 1;
        if (!map32_add(&w->reason_index, string + 1, reason))
            return NULL;
    }
    uint32_t key = partition * REASONS_MAX + reason + 1;
    if (map32_find(&w->reason_row_index, key, &index))
        return rows_at(&w->t->reason, index);

    index = (uint32_t)w->t->reason.count;
    struct reason_row *row = rows_add(&w->t->reason);
    if (!row || !map32_add(&w->reason_row_index, key, index))
        return NULL;
    const struct partition_row *in = rows_at(&w->t->partition, partition);
    row->head.labels[0] = in->head.labels[0];
    row->head.labels[1] = job_text(w, string);
    return row;
}

static bool
partition_add(struct walk *w, uint32_t index, const struct job_cell *cell)
{
    struct partition_row *row = rows_at(&w->t->partition, index);
    native_jobs_add(&row->jobs, cell);
    if (job_state_base(cell->key.state) != JOB_BASE_PENDING || !cell->tasks)
        return true;
    if (job_state_shown(cell->key.state) == JOB_SHOWN_PENDING)
        row->jobs_pending += cell->tasks;
    widen(&row->job_nodes_min, &row->job_nodes_max, cell);
    if (!cell->key.held) {
        widen(&row->job_nodes_min_nohold, &row->job_nodes_max_nohold, cell);
        uint64_t oldest = (uint64_t)cell->oldest_submit_s;
        if (oldest && oldest < row->oldest_pending_s)
            row->oldest_pending_s = oldest;
    }
    if (known_text_is(&w->node_limit, w->t->snapshot, SNAPSHOT_JOBS,
                      cell->key.reason))
        row->wait_node_limit += cell->tasks;
    struct reason_row *reason = find_reason(w, index, cell->key.reason);
    if (reason)
        reason->tasks += cell->tasks;
    return reason != NULL;
}

static bool partitions_add(struct walk *w, const struct job_cell *cell)
{
    const struct partition_list *list = find_list(w, cell->key.partition);
    if (!list)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        const uint32_t *member = rows_at(&w->members, list->first + i);
        if (!partition_add(w, *member, cell))
            return false;
    }
    return true;
}

/* Count the GPUs of CELL for row OWNER of GROUP. */
static bool gpu_owner_add(struct walk *w,
                          const struct grouping *group,
                          uint32_t owner,
                          struct rows *rows,
                          struct map32 *map,
                          const struct job_cell *cell)
{
    enum job_base base = job_state_base(cell->key.state);
    if (!cell->key.has_gpus ||
        (base != JOB_BASE_PENDING && base != JOB_BASE_RUNNING))
        return true;
    uint32_t type, index;
    if (!gpu_type_index(w->t, SNAPSHOT_JOBS, cell->key.gpu_type, &type))
        return false;
    uint32_t key = owner * GPU_TYPES_MAX + type + 1;
    if (!map32_find(map, key, &index)) {
        index = (uint32_t)rows->count;
        if (!rows_add(rows) || !map32_add(map, key, index))
            return false;
    }
    struct gpu_owner_row *row = rows_at(rows, index);
    const struct row_head *named = rows_at(group->rows, owner);
    row->head.labels[0] = named->labels[0];
    row->head.labels[1] = w->t->gpu_types.names[type];
    if (base == JOB_BASE_PENDING)
        row->pending += cell->gpus;
    else
        row->allocated += cell->gpus;
    return true;
}

static bool owners_add(struct walk *w, const struct job_cell *cell)
{
    struct tally *t = w->t;
    uint32_t account, user, qos;
    if (!find_owner(w, &w->accounts, cell->key.account, &account) ||
        !find_owner(w, &w->users, cell->key.user, &user) ||
        !find_owner(w, &w->qos, cell->key.qos, &qos))
        return false;
    owner_add(rows_at(&t->account, account), cell);
    owner_add(rows_at(&t->user, user), cell);
    owner_add(rows_at(&t->qos, qos), cell);
    return gpu_owner_add(w, &w->accounts, account, &t->gpu_account,
                         &w->account_gpu_index, cell) &&
           gpu_owner_add(w, &w->users, user, &t->gpu_user, &w->user_gpu_index,
                         cell);
}

static bool count_cell(struct walk *w, const struct job_cell *cell)
{
    struct cluster_row *all = tally_cluster(w->t);
    enum job_shown shown = job_state_shown(cell->key.state);
    all->queue[shown] += cell->tasks;
    if (shown == JOB_SHOWN_PENDING &&
        known_text_is(&w->dependency, w->t->snapshot, SNAPSHOT_JOBS,
                      cell->key.reason))
        all->queue_pending_dependency += cell->tasks;
    native_jobs_add(&all->jobs, cell);
    return owners_add(w, cell) && partitions_add(w, cell);
}

static bool count_cells(struct tally *t, const struct job_cells *cells)
{
    struct walk w = {
        .t = t,
        /* squeue prints "(null)" for a job without an account. */
        .accounts = {.rows = &t->account, .nameless = "(null)"},
        .users = {.rows = &t->user, .nameless = "(null)"},
        .qos = {.rows = &t->qos, .nameless = ""},
        .lists = ROWS_OF(struct partition_list),
        .members = ROWS_OF(uint32_t),
        .dependency = {.text = "Dependency"},
        .node_limit = {.text = "PartitionNodeLimit"},
    };
    bool done = true;
    for (size_t i = 0; done && i < cells->cells.count; i++)
        done = count_cell(&w, rows_at(&cells->cells, i));
    map32_deinit(&w.accounts.index);
    map32_deinit(&w.users.index);
    map32_deinit(&w.qos.index);
    map32_deinit(&w.list_index);
    map32_deinit(&w.reason_index);
    map32_deinit(&w.reason_row_index);
    map32_deinit(&w.account_gpu_index);
    map32_deinit(&w.user_gpu_index);
    rows_deinit(&w.lists);
    rows_deinit(&w.members);
    return done;
}

/* ---- rows of single jobs --------------------------------------------------
 */

static uint64_t gpus_of(struct tally *t,
                        const struct job_record *job,
                        const struct gres_record *gres)
{
    struct known_text gpu = {.text = "gpu"};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < job->gres_count; i++) {
        const struct gres_record *one = &gres[job->gres_first + i];
        if (known_text_is(&gpu, t->snapshot, SNAPSHOT_JOBS, one->name))
            sum += one->used;
    }
    return sum;
}

static bool add_job_row(struct tally *t,
                        const struct job_record *job,
                        const struct gres_record *gres)
{
    struct job_row *row = rows_add(&t->job);
    if (!row)
        return false;
    char *id = t->job_ids + (t->job.count - 1) * JOB_ID_SIZE;
    snprintf(id, JOB_ID_SIZE, "%" PRIu32, job->job_id);
    row->head.labels[0] = id;
    const snapshot_string labels[] = {job->user, job->account, job->partition,
                                      job->name};
    for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++)
        row->head.labels[i + 1] =
            snapshot_text(t->snapshot, SNAPSHOT_JOBS, labels[i]);
    row->cpus = job->cpus;
    row->gpus = gpus_of(t, job, gres);
    row->nodes = job->nodes_count;
    row->memory_bytes = job->memory_mib * MIB;
    row->start_s =
        job->start_time_s > 0 ? (uint64_t)job->start_time_s : ROW_ABSENT;
    return true;
}

/* The first running jobs up to the cap; nothing while the cap is 0. */
static bool add_job_rows(struct tally *t,
                         const struct job_record *jobs,
                         size_t count,
                         const struct gres_record *gres)
{
    size_t most = t->settings.job_series_max;
    if (most > count)
        most = count;
    if (most == 0)
        return true;
    t->job_ids = malloc(most * JOB_ID_SIZE);
    if (!t->job_ids)
        return false;
    for (size_t i = 0; i < count && t->job.count < most; i++)
        if (job_state_base(jobs[i].state) == JOB_BASE_RUNNING &&
            !add_job_row(t, &jobs[i], gres))
            return false;
    return true;
}

bool tally_jobs(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_JOBS))
        return true;
    size_t count, gres_count;
    const struct job_record *jobs =
        snapshot_array(t->snapshot, SNAPSHOT_JOBS, 0, &count);
    const struct gres_record *gres =
        snapshot_array(t->snapshot, SNAPSHOT_JOBS, 1, &gres_count);
    struct job_cells cells = JOB_CELLS_INIT;
    bool done = job_cells_add(&cells, t->snapshot, jobs, count, gres) &&
                count_cells(t, &cells) && add_job_rows(t, jobs, count, gres);
    job_cells_deinit(&cells);
    return done;
}
