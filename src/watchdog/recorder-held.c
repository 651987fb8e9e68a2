/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/recorder-held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_place(const struct held_gpu *a, const struct held_gpu *b)
{
    int jobs = strcmp(a->job, b->job);
    int nodes = jobs ? jobs : strcmp(a->node->name, b->node->name);
    if (nodes)
        return nodes;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    if (a->instance != b->instance)
        return a->instance < b->instance ? -1 : 1;
    return 0;
}

/* Of the same GPU of the same job what was seen last stands first. */
static int compare(const void *a, const void *b)
{
    const struct held_gpu *x = a, *y = b;
    int place = compare_place(x, y);
    if (place)
        return place;
    return x->seen_s > y->seen_s ? -1 : x->seen_s < y->seen_s;
}

static size_t count_jobs(const struct fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->count; i++)
        count += fleet->nodes[i]->measured.job_count;
    return count;
}

static size_t
add_node(const struct fleet_node *node, int64_t now_s, struct held_gpu *gpus)
{
    size_t count = 0;
    for (size_t i = 0; i < node->measured.job_count; i++) {
        const struct measured_job *job = &node->measured.jobs[i];
        const struct measured_gpu *gpu = &node->measured.gpus[job->gpu];
        if (!job->holds || !*job->job)
            continue;
        struct held_gpu *held = &gpus[count++];
        *held = (struct held_gpu){
            .node = node,
            .index = gpu->index,
            .instance = gpu->instance,
            .seen_s = now_s,
        };
        memcpy(held->job, job->job, sizeof(held->job));
    }
    return count;
}

void held_gpus_update(struct held_gpus *held,
                      const struct fleet *fleet,
                      int64_t now_s)
{
    size_t count = 0, kept = 0;
    struct held_gpu *gpus =
        calloc(held->count + count_jobs(fleet) + 1, sizeof(*gpus));
    if (!gpus)
        return;
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->nodes[i]->known && fleet->nodes[i]->answer == FLEET_UP)
            count += add_node(fleet->nodes[i], now_s, gpus + count);
    for (size_t i = 0; i < held->count; i++)
        if (now_s - held->gpus[i].seen_s <= HELD_KEPT_S)
            gpus[count++] = held->gpus[i];
    if (count > 0)
        qsort(gpus, count, sizeof(*gpus), compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_place(&gpus[kept - 1], &gpus[i]) != 0)
            gpus[kept++] = gpus[i];
    free(held->gpus);
    *held = (struct held_gpus){.gpus = gpus, .count = kept};
}

void held_gpus_deinit(struct held_gpus *held)
{
    free(held->gpus);
    *held = (struct held_gpus){.gpus = NULL};
}

size_t held_gpus_find(const struct held_gpus *held,
                      const char *job,
                      const struct held_gpu **ret_first)
{
    size_t low = 0, high = held->count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(held->gpus[middle].job, job) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < held->count &&
           strcmp(held->gpus[low + count].job, job) == 0)
        count++;
    *ret_first = count ? &held->gpus[low] : NULL;
    return count;
}
