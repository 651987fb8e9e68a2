/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting jobs: a walk over perhaps a hundred thousand records, so groups are
 * found by the numbers of the strings that name them, and a group that is the
 * same as the last record's is not looked up at all.
 *
 * A record of a pending array stands for its tasks and counts as many; a
 * pending job that names several partitions counts in each of them, once in
 * everything else.
 */
#include "model/tally-private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB UINT64_C(1048576)

enum {
    JOB_ID_SIZE = 12
};

/* One way of grouping jobs: by account, user or QOS. */
struct grouping {
    struct rows *rows;
    struct map32 index; /* string + 1 -> row */
    const char *nameless;
    snapshot_string last; /* of the record before, */
    uint32_t last_row;    /* when last_known */
    bool last_known;
};

/* Partitions of a job: a run of numbers in walk.members. */
struct partition_list {
    uint32_t first;
    uint32_t count;
};

struct walk {
    struct tally *t;
    const struct gres_record *gres;
    struct grouping accounts, users, qos;
    struct map32 list_index;       /* partition string -> list */
    struct rows lists;             /* struct partition_list */
    struct rows members;           /* uint32_t: rows of the partition table */
    struct map32 reason_index;     /* string + 1 -> small number */
    struct map32 reason_row_index; /* partition and reason -> row */
    uint32_t reason_count;
    struct map32 account_gpu_index, user_gpu_index; /* owner and type -> row */
};

/* What one record weighs. */
struct weight {
    uint64_t tasks;
    uint64_t gpus; /* of all tasks together */
    enum job_base base;
    enum job_shown shown;
    bool held;
};

/* ---- groups ---------------------------------------------------------------
 */

static struct owner_row *
find_owner(struct walk *w, struct grouping *group, snapshot_string string)
{
    if (group->last_known && group->last == string)
        return rows_at(group->rows, group->last_row);
    uint32_t index;
    if (!map32_find(&group->index, string + 1, &index)) {
        index = (uint32_t)group->rows->count;
        struct owner_row *row = rows_add(group->rows);
        if (!row || !map32_add(&group->index, string + 1, index))
            return NULL;
        row->head.labels[0] =
            string ? snapshot_text(w->t->snapshot, SNAPSHOT_JOBS, string)
                   : group->nameless;
        row->fairshare = NAN;
    }
    group->last = string;
    group->last_row = index;
    group->last_known = true;
    return rows_at(group->rows, index);
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
    const char *name = snapshot_text(w->t->snapshot, SNAPSHOT_JOBS, string);
    while (*name) {
        size_t size = strcspn(name, ",");
        if (size && !add_list_member(w, name, size))
            return NULL;
        name += size + (name[size] == ',');
    }
    list->count = (uint32_t)w->members.count - list->first;
    return list;
}

/* ---- one record -----------------------------------------------------------
 */

static void native_jobs_add(struct native_jobs *counts,
                            const struct job_record *job,
                            const struct weight *weight)
{
    counts->jobs += weight->tasks;
    if (weight->base < JOB_BASE_COUNT)
        counts->base[weight->base] += weight->tasks;
    for (uint32_t bits = job->state >> JOB_FLAG_BIT_FIRST; bits;
         bits &= bits - 1) {
        int bit = __builtin_ctz(bits);
        if (bit < JOB_FLAG_COUNT)
            counts->flag[bit] += weight->tasks;
    }
    counts->hold += weight->held ? weight->tasks : 0;
    counts->started += weight->base > JOB_BASE_PENDING ? weight->tasks : 0;
    counts->finished += weight->base > JOB_BASE_SUSPENDED ? weight->tasks : 0;
    if (weight->base == JOB_BASE_RUNNING) {
        counts->cpus_allocated += job->cpus;
        counts->gpus_allocated += weight->gpus;
        counts->memory_allocated_bytes += job->memory_mib * MIB;
        counts->nodes_allocated += job->nodes_count;
    }
}

static void owner_add(struct owner_row *owner,
                      const struct job_record *job,
                      const struct weight *weight)
{
    if (weight->shown == JOB_SHOWN_PENDING) {
        owner->pending += weight->tasks;
        owner->cpus_pending += weight->tasks * job->cpus;
    } else if (weight->shown == JOB_SHOWN_RUNNING) {
        owner->running += weight->tasks;
        owner->cpus_running += weight->tasks * job->cpus;
    } else if (weight->shown == JOB_SHOWN_SUSPENDED) {
        owner->suspended += weight->tasks;
    }
    native_jobs_add(&owner->jobs, job, weight);
}

/* The smallest and largest number of nodes that a waiting job asks for. */
static void widen_node_span(struct partition_row *row,
                            const struct job_record *job,
                            bool held)
{
    uint64_t nodes = job->nodes_count;
    uint64_t *spans[2][2] = {
        {&row->job_nodes_min, &row->job_nodes_max},
        {&row->job_nodes_min_nohold, &row->job_nodes_max_nohold}};
    for (int i = 0; i < (held ? 1 : 2); i++) {
        if (*spans[i][0] == 0 || nodes < *spans[i][0])
            *spans[i][0] = nodes;
        if (nodes > *spans[i][1])
            *spans[i][1] = nodes;
    }
}

static bool add_reason(struct walk *w,
                       uint32_t partition,
                       const struct job_record *job,
                       uint64_t tasks)
{
    uint32_t reason, index;
    if (!map32_find(&w->reason_index, job->reason + 1, &reason)) {
        reason =
            w->reason_count < REASONS_MAX ? w->reason_count++ : REASONS_MAX - 1;
        if (!map32_add(&w->reason_index, job->reason + 1, reason))
            return false;
    }
    uint32_t key = partition * REASONS_MAX + reason + 1;
    if (!map32_find(&w->reason_row_index, key, &index)) {
        index = (uint32_t)w->t->reason.count;
        struct reason_row *row = rows_add(&w->t->reason);
        if (!row || !map32_add(&w->reason_row_index, key, index))
            return false;
        const struct partition_row *in = rows_at(&w->t->partition, partition);
        row->head.labels[0] = in->head.labels[0];
        row->head.labels[1] =
            snapshot_text(w->t->snapshot, SNAPSHOT_JOBS, job->reason);
    }
    struct reason_row *row = rows_at(&w->t->reason, index);
    row->tasks += tasks;
    return true;
}

static bool partition_add(struct walk *w,
                          uint32_t index,
                          const struct job_record *job,
                          const struct weight *weight)
{
    struct partition_row *row = rows_at(&w->t->partition, index);
    native_jobs_add(&row->jobs, job, weight);
    if (weight->base != JOB_BASE_PENDING)
        return true;
    if (weight->shown == JOB_SHOWN_PENDING)
        row->jobs_pending += weight->tasks;
    widen_node_span(row, job, weight->held);
    if (strcmp(snapshot_text(w->t->snapshot, SNAPSHOT_JOBS, job->reason),
               "PartitionNodeLimit") == 0)
        row->wait_node_limit += weight->tasks;
    if (!weight->held && job->submit_time_s > 0 &&
        (uint64_t)job->submit_time_s < row->oldest_pending_s)
        row->oldest_pending_s = (uint64_t)job->submit_time_s;
    return add_reason(w, index, job, weight->tasks);
}

/* ---- GPUs of jobs ---------------------------------------------------------
 */

static struct gpu_owner_row *find_gpu_owner(struct rows *rows,
                                            struct map32 *map,
                                            uint32_t owner,
                                            uint32_t type)
{
    uint32_t key = owner * GPU_TYPES_MAX + type + 1;
    uint32_t index;
    if (!map32_find(map, key, &index)) {
        index = (uint32_t)rows->count;
        if (!rows_add(rows) || !map32_add(map, key, index))
            return NULL;
    }
    return rows_at(rows, index);
}

static bool add_job_gpus(struct walk *w,
                         const struct gres_record *gres,
                         const struct weight *weight)
{
    struct tally *t = w->t;
    bool waits = weight->base == JOB_BASE_PENDING;
    if (!waits && weight->base != JOB_BASE_RUNNING)
        return true;
    uint32_t type;
    if (!gpu_type_index(t, SNAPSHOT_JOBS, gres->type, &type))
        return false;
    const struct {
        struct rows *rows;
        struct map32 *map;
        const struct grouping *group;
    } owners[] = {
        {&t->gpu_account, &w->account_gpu_index, &w->accounts},
        {&t->gpu_user, &w->user_gpu_index, &w->users},
    };
    for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
        struct gpu_owner_row *row = find_gpu_owner(
            owners[i].rows, owners[i].map, owners[i].group->last_row, type);
        if (!row)
            return false;
        const struct row_head *owner =
            rows_at(owners[i].group->rows, owners[i].group->last_row);
        row->head.labels[0] = owner->labels[0];
        row->head.labels[1] = t->gpu_types.names[type];
        if (waits)
            row->pending += gres->total * weight->tasks;
        else
            row->allocated += gres->used;
    }
    return true;
}

/* Adds up WEIGHT->gpus too; the record's owners have been found just before. */
static bool count_job_gpus(struct walk *w,
                           const struct job_record *job,
                           struct weight *weight)
{
    if (w->t->settings.without_gpus)
        return true;
    for (uint32_t i = 0; i < job->gres_count; i++) {
        const struct gres_record *gres = &w->gres[job->gres_first + i];
        if (!gres_is(w->t, SNAPSHOT_JOBS, gres, "gpu"))
            continue;
        weight->gpus += weight->base == JOB_BASE_PENDING
                            ? gres->total * weight->tasks
                            : gres->used;
        if (!add_job_gpus(w, gres, weight))
            return false;
    }
    return true;
}

/* ---- the walk -------------------------------------------------------------
 */

static bool add_job_row(struct tally *t,
                        const struct job_record *job,
                        const struct weight *weight)
{
    if (weight->base != JOB_BASE_RUNNING ||
        t->job.count >= t->settings.job_series_max)
        return true;
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
    row->gpus = weight->gpus;
    row->nodes = job->nodes_count;
    row->memory_bytes = job->memory_mib * MIB;
    row->start_s =
        job->start_time_s > 0 ? (uint64_t)job->start_time_s : ROW_ABSENT;
    return true;
}

static bool count_job(struct walk *w, const struct job_record *job)
{
    struct tally *t = w->t;
    struct weight weight = {
        .tasks = job->task_count ? job->task_count : 1,
        .base = job_state_base(job->state),
        .shown = job_state_shown(job->state),
    };
    weight.held = weight.base == JOB_BASE_PENDING &&
                  (job->has & JOB_HAS_PRIORITY) && job->priority == 0;

    struct owner_row *account = find_owner(w, &w->accounts, job->account);
    struct owner_row *user = find_owner(w, &w->users, job->user);
    struct owner_row *qos = find_owner(w, &w->qos, job->qos);
    if (!account || !user || !qos || !count_job_gpus(w, job, &weight))
        return false;
    owner_add(account, job, &weight);
    owner_add(user, job, &weight);
    owner_add(qos, job, &weight);

    struct cluster_row *all = tally_cluster(t);
    all->queue[weight.shown] += weight.tasks;
    if (weight.shown == JOB_SHOWN_PENDING &&
        strcmp(snapshot_text(t->snapshot, SNAPSHOT_JOBS, job->reason),
               "Dependency") == 0)
        all->queue_pending_dependency += weight.tasks;
    native_jobs_add(&all->jobs, job, &weight);

    const struct partition_list *list = find_list(w, job->partition);
    if (!list)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        const uint32_t *member = rows_at(&w->members, list->first + i);
        if (!partition_add(w, *member, job, &weight))
            return false;
    }
    return add_job_row(t, job, &weight);
}

static void walk_deinit(struct walk *w)
{
    map32_deinit(&w->accounts.index);
    map32_deinit(&w->users.index);
    map32_deinit(&w->qos.index);
    map32_deinit(&w->list_index);
    map32_deinit(&w->reason_index);
    map32_deinit(&w->reason_row_index);
    map32_deinit(&w->account_gpu_index);
    map32_deinit(&w->user_gpu_index);
    rows_deinit(&w->lists);
    rows_deinit(&w->members);
}

bool tally_jobs(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_JOBS))
        return true;
    size_t count, gres_count;
    const struct job_record *jobs =
        snapshot_array(t->snapshot, SNAPSHOT_JOBS, 0, &count);
    struct walk w = {
        .t = t,
        .gres = snapshot_array(t->snapshot, SNAPSHOT_JOBS, 1, &gres_count),
        /* squeue prints "(null)" for a job without an account. */
        .accounts = {.rows = &t->account, .nameless = "(null)"},
        .users = {.rows = &t->user, .nameless = "(null)"},
        .qos = {.rows = &t->qos, .nameless = ""},
        .lists = ROWS_OF(struct partition_list),
        .members = ROWS_OF(uint32_t),
    };
    size_t series =
        t->settings.job_series_max < count ? t->settings.job_series_max : count;
    t->job_ids = series ? malloc(series * JOB_ID_SIZE) : NULL;
    bool done = !series || t->job_ids;
    for (size_t i = 0; done && i < count; i++)
        done = count_job(&w, &jobs[i]);
    walk_deinit(&w);
    return done;
}
