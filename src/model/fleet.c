/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes are an ordered array of pointers. Slurm's list changes rarely, and
 * then a few nodes at a time: an insertion moves pointers only.
 */
#include "model/fleet-given.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const gpu_use_names[GPU_USE_COUNT] = {
    [GPU_USE_UNKNOWN] = "unknown", [GPU_USE_FREE] = "free",
    [GPU_USE_BUSY] = "busy",       [GPU_USE_IDLE] = "idle",
    [GPU_USE_FOREIGN] = "foreign",
};

static void node_free(struct fleet_node *node)
{
    measured_node_deinit(&node->measured);
    free(node->given);
    free(node->name);
    free(node->address);
    free(node);
}

void fleet_deinit(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        node_free(fleet->nodes[i]);
    free(fleet->nodes);
    *fleet = (struct fleet){.nodes = NULL};
}

/* ---- which nodes there are ----------------------------------------------- */

/* Where NAME is, or would have to be. */
static size_t find_place(const struct fleet *fleet, const char *name)
{
    size_t low = 0, high = fleet->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(fleet->nodes[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fleet_node *fleet_find(const struct fleet *fleet, const char *name)
{
    size_t at = find_place(fleet, name);
    return at < fleet->count && strcmp(fleet->nodes[at]->name, name) == 0
               ? fleet->nodes[at]
               : NULL;
}

static struct fleet_node *
add_node(struct fleet *fleet, const char *name, const char *address)
{
    struct fleet_node **nodes =
        realloc(fleet->nodes, (fleet->count + 1) * sizeof(struct fleet_node *));
    if (!nodes)
        return NULL;
    fleet->nodes = nodes;
    struct fleet_node *node = calloc(1, sizeof(*node));
    if (node) {
        node->name = strdup(name);
        node->address = strdup(address);
    }
    if (!node || !node->name || !node->address) {
        if (node)
            node_free(node);
        return NULL;
    }
    size_t at = find_place(fleet, name);
    memmove(nodes + at + 1, nodes + at,
            (fleet->count - at) * sizeof(struct fleet_node *));
    nodes[at] = node;
    fleet->count++;
    return node;
}

static bool set_address(struct fleet_node *node, const char *address)
{
    if (strcmp(node->address, address) == 0)
        return true;
    char *copy = strdup(address);
    if (!copy)
        return false;
    free(node->address);
    node->address = copy;
    return true;
}

static bool has_gpus(const struct snapshot *snapshot,
                     const struct node_record *node)
{
    size_t count;
    const struct gres_record *gres =
        snapshot_array(snapshot, SNAPSHOT_NODES, 1, &count);
    for (uint32_t i = 0; i < node->gres_count; i++)
        if (gres[node->gres_first + i].total > 0 &&
            strcmp(snapshot_text(snapshot, SNAPSHOT_NODES,
                                 gres[node->gres_first + i].name),
                   "gpu") == 0)
            return true;
    return false;
}

int fleet_set_nodes(struct fleet *fleet, const struct snapshot *snapshot)
{
    size_t count;
    const struct node_record *nodes =
        snapshot_array(snapshot, SNAPSHOT_NODES, 0, &count);
    for (size_t i = 0; i < fleet->count; i++)
        fleet->nodes[i]->known = false;
    fleet->generation++;
    for (size_t i = 0; i < count; i++) {
        const char *name =
            snapshot_text(snapshot, SNAPSHOT_NODES, nodes[i].name);
        const char *address =
            snapshot_text(snapshot, SNAPSHOT_NODES, nodes[i].address);
        struct fleet_node *node = fleet_find(fleet, name);
        if (!node)
            node = add_node(fleet, name, address);
        if (!node || !set_address(node, address))
            return -ENOMEM;
        node->known = true;
        node->place = (uint32_t)i;
        node->has_gpus = has_gpus(snapshot, &nodes[i]);
    }
    return 0;
}

/* ---- answers ------------------------------------------------------------- */

static const struct measured_gpu *find_gpu(const struct measured_node *node,
                                           const struct measured_gpu *like,
                                           size_t guess)
{
    for (size_t i = 0; i < node->gpu_count; i++) {
        const struct measured_gpu *gpu =
            &node->gpus[(guess + i) % node->gpu_count];
        if (gpu->index == like->index && gpu->instance == like->instance)
            return gpu;
    }
    return NULL;
}

/* The first job that holds the GPU, and whether none of those who do is there;
 * NULL when nobody holds it. */
static const struct measured_job *
find_holder(const struct measured_node *node, size_t gpu, bool *ret_idle)
{
    const struct measured_job *holder = NULL;
    *ret_idle = true;
    for (size_t i = 0; i < node->job_count; i++) {
        const struct measured_job *job = &node->jobs[i];
        if (job->gpu != gpu || !job->holds)
            continue;
        if (!holder)
            holder = job;
        *ret_idle &= job->idle;
    }
    return holder;
}

/* One who holds a GPU and has no process there is idle at once; one whose
 * process does nothing, after a while. One that is seen held for the first time
 * may have been idle before we looked. */
static void judge_idle(const struct fleet *fleet,
                       const struct fleet_node *from,
                       struct measured_node *node,
                       size_t at,
                       int64_t now_s)
{
    const struct measured_node *before = &from->measured;
    const struct fleet_observer *observer = &fleet->observer;
    struct measured_gpu *gpu = &node->gpus[at];
    bool absent, ignored;
    const struct measured_job *holder = find_holder(node, at, &absent);
    if (!holder || !(absent || gpu->utilization_percent == 0))
        return;
    const struct measured_gpu *last = find_gpu(before, gpu, at);
    bool was_held =
        last && find_holder(before, (size_t)(last - before->gpus), &ignored);
    if (last && last->idle_since_s)
        gpu->idle_since_s = last->idle_since_s;
    else if (!was_held && observer->recalls)
        gpu->idle_since_s =
            observer->recalls(observer->context, from, gpu, holder->job, now_s);
    else
        gpu->idle_since_s = now_s;
    if (absent || now_s - gpu->idle_since_s >= FLEET_STILL_S)
        gpu->flags |= MEASURED_IDLE;
}

/* How many processors each job kept busy since the last answer. */
static void rate_host_jobs(const struct fleet_node *node,
                           struct measured_node *measured,
                           int64_t now_s)
{
    const struct measured_node *before = &node->measured;
    double elapsed_s = (double)(now_s - node->answered_s);
    for (size_t i = 0; i < measured->host_job_count; i++) {
        struct measured_host_job *job = &measured->host_jobs[i];
        for (size_t k = 0; k < before->host_job_count; k++) {
            const struct measured_host_job *last =
                &before->host_jobs[(i + k) % before->host_job_count];
            if (strcmp(last->job, job->job) != 0)
                continue;
            double rise = job->cpu_seconds - last->cpu_seconds;
            if (elapsed_s > 0 && rise >= 0)
                job->cpu_cores = rise / elapsed_s;
            else if (elapsed_s <= 0)
                job->cpu_cores = last->cpu_cores;
            break;
        }
    }
}

void fleet_take(struct fleet *fleet,
                struct fleet_node *node,
                struct measured_node *measured,
                int64_t now_s)
{
    fleet_give(node, measured);
    for (size_t i = 0; i < measured->gpu_count; i++)
        judge_idle(fleet, node, measured, i, now_s);
    rate_host_jobs(node, measured, now_s);
    if (fleet->observer.takes)
        fleet->observer.takes(fleet->observer.context, node, measured);
    measured_node_deinit(&node->measured);
    node->measured = *measured;
    *measured = (struct measured_node){.gpus = NULL};
    node->answer = FLEET_UP;
    node->answered_s = now_s;
    node->old = false;
    node->trouble[0] = '\0';
    fleet->generation++;
}

void fleet_fail(struct fleet *fleet,
                struct fleet_node *node,
                const char *trouble,
                bool old)
{
    if (fleet->observer.fails)
        fleet->observer.fails(fleet->observer.context, node, trouble);
    node->answer = FLEET_SILENT;
    node->old = old;
    snprintf(node->trouble, sizeof(node->trouble), "%s", trouble);
    fleet->generation++;
}

/* ---- judgements ---------------------------------------------------------- */

enum gpu_use fleet_gpu_use(const struct fleet_node *node, size_t at)
{
    const struct measured_node *measured = &node->measured;
    const struct measured_gpu *gpu = &measured->gpus[at];
    bool held = false, foreign = false;
    if (node->old || (*gpu->state && strcmp(gpu->state, "up") != 0) ||
        !(gpu->flags & MEASURED_KNOWS_JOBS))
        return GPU_USE_UNKNOWN;
    for (size_t i = 0; i < measured->job_count; i++) {
        const struct measured_job *job = &measured->jobs[i];
        held |= job->gpu == at && job->holds;
        foreign |= job->gpu == at && job->uses && !job->holds;
    }
    if (foreign)
        return GPU_USE_FOREIGN;
    if (!held)
        return GPU_USE_FREE;
    return gpu->flags & MEASURED_IDLE ? GPU_USE_IDLE : GPU_USE_BUSY;
}

static void
add_gpu(struct fleet_job *job, const struct fleet_node *node, size_t at)
{
    const struct measured_gpu *gpu = &node->measured.gpus[at];
    enum gpu_use use = fleet_gpu_use(node, at);
    job->gpus++;
    job->gpus_used += use == GPU_USE_BUSY || use == GPU_USE_FOREIGN;
    job->gpus_idle += use == GPU_USE_IDLE;
    if (use == GPU_USE_IDLE)
        job->idle_since_s = gpu->idle_since_s;
    if (!isnan(gpu->utilization_percent)) {
        job->utilization_sum += gpu->utilization_percent;
        job->readings++;
    }
    if (!isnan(gpu->memory_used_mib)) {
        job->memory_used_mib += gpu->memory_used_mib;
        job->memory_readings++;
    }
    if (!isnan(gpu->power_watts)) {
        job->power_watts += gpu->power_watts;
        job->power_readings++;
    }
}

static void add_host(struct fleet_job *one, const struct measured_host_job *job)
{
    *one = (struct fleet_job){.gpus = 0};
    memcpy(one->job, job->job, sizeof(one->job));
    memcpy(one->user, job->user, sizeof(one->user));
    if (!isnan(job->cpu_cores)) {
        one->cpu_cores = job->cpu_cores;
        one->cpu_readings = 1;
    }
    if (!isnan(job->memory_bytes)) {
        one->memory_bytes = job->memory_bytes;
        one->host_readings = 1;
    }
}

static int compare_jobs(const void *a, const void *b)
{
    return strcmp(((const struct fleet_job *)a)->job,
                  ((const struct fleet_job *)b)->job);
}

/* One entry for each job on each GPU, then those of a job joined. */
static size_t gather(const struct fleet *fleet, struct fleet_job *jobs)
{
    size_t count = 0;
    for (size_t n = 0; n < fleet->count; n++) {
        const struct fleet_node *node = fleet->nodes[n];
        if (!node->known || node->old)
            continue;
        for (size_t i = 0; i < node->measured.job_count; i++) {
            const struct measured_job *job = &node->measured.jobs[i];
            if (!job->holds || !*job->job)
                continue;
            struct fleet_job *one = &jobs[count++];
            *one = (struct fleet_job){.gpus = 0};
            memcpy(one->job, job->job, sizeof(one->job));
            memcpy(one->user, job->user, sizeof(one->user));
            add_gpu(one, node, job->gpu);
        }
        for (size_t i = 0; i < node->measured.host_job_count; i++)
            add_host(&jobs[count++], &node->measured.host_jobs[i]);
    }
    return count;
}

static void join(struct fleet_job *to, const struct fleet_job *from)
{
    to->gpus += from->gpus;
    to->gpus_used += from->gpus_used;
    to->gpus_idle += from->gpus_idle;
    to->readings += from->readings;
    to->utilization_sum += from->utilization_sum;
    to->memory_used_mib += from->memory_used_mib;
    to->power_watts += from->power_watts;
    to->power_readings += from->power_readings;
    to->memory_readings += from->memory_readings;
    to->cpu_cores += from->cpu_cores;
    to->cpu_readings += from->cpu_readings;
    to->memory_bytes += from->memory_bytes;
    to->host_readings += from->host_readings;
    if (!*to->user)
        memcpy(to->user, from->user, sizeof(to->user));
    if (from->idle_since_s &&
        (!to->idle_since_s || from->idle_since_s < to->idle_since_s))
        to->idle_since_s = from->idle_since_s;
}

int fleet_jobs_init(struct fleet_jobs *jobs, const struct fleet *fleet)
{
    size_t room = 1, kept = 0;
    for (size_t n = 0; n < fleet->count; n++)
        room += fleet->nodes[n]->measured.job_count +
                fleet->nodes[n]->measured.host_job_count;
    struct fleet_job *all = calloc(room, sizeof(*all));
    if (!all)
        return -ENOMEM;
    size_t count = gather(fleet, all);
    qsort(all, count, sizeof(*all), compare_jobs);
    for (size_t i = 0; i < count; i++) {
        if (kept && strcmp(all[kept - 1].job, all[i].job) == 0)
            join(&all[kept - 1], &all[i]);
        else
            all[kept++] = all[i];
    }
    *jobs = (struct fleet_jobs){.jobs = all, .count = kept};
    return 0;
}

void fleet_jobs_deinit(struct fleet_jobs *jobs)
{
    free(jobs->jobs);
    *jobs = (struct fleet_jobs){.jobs = NULL};
}

const struct fleet_job *fleet_jobs_find(const struct fleet_jobs *jobs,
                                        const char *job)
{
    struct fleet_job key = {.gpus = 0};
    snprintf(key.job, sizeof(key.job), "%s", job);
    return jobs->count ? bsearch(&key, jobs->jobs, jobs->count, sizeof(key),
                                 compare_jobs)
                       : NULL;
}

int fleet_jobs_rows(const struct fleet_jobs *jobs,
                    size_t most,
                    struct rows *ret_rows)
{
    size_t count = 0;
    *ret_rows = (struct rows)ROWS_OF(struct fleet_job_row);
    for (size_t i = 0; i < jobs->count && count < most; i++)
        count += jobs->jobs[i].gpus > 0;
    if (count == 0)
        return 0;
    struct fleet_job_row *row = rows_add_many(ret_rows, count);
    if (!row)
        return -ENOMEM;
    for (const struct fleet_job *job = jobs->jobs; count > 0; job++) {
        if (job->gpus == 0)
            continue;
        count--;
        *row = (struct fleet_job_row){
            .head = {.labels = {job->job, job->user}},
            .gpus = job->gpus,
            .gpus_used = job->gpus_used,
            .gpus_idle = job->gpus_idle,
            .utilization_ratio = NAN,
            .memory_used_bytes =
                job->memory_readings ? job->memory_used_mib * 1024 * 1024 : NAN,
            .power_watts = job->power_readings ? job->power_watts : NAN,
        };
        if (job->readings)
            row->utilization_ratio = job->utilization_sum / job->readings / 100;
        row++;
    }
    return 0;
}
