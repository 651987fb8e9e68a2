/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a recording of a large cluster that never was: for benchmarks of what
 * reads snapshots, where filling a real controller would take an hour
 * (big-cluster does that). Nodes n00000… with 8 GPUs each; the first running
 * jobs hold one node's GPUs each, the others wait.
 *
 * usage: bench-recording NODES JOBS FILE
 */
#include "base/clock.h"
#include "model/snapshot-build.h"
#include "model/state.h"
#include "source/mapped-snapshot.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GPUS = 8,
    CPUS = 128,
    USERS = 500,
    PARTITIONS = 4,
    FIRST_JOB = 1000
};

static bool is_busy(uint32_t node)
{
    return node % 10 != 9; /* one in ten is free */
}

static void
fill_node(struct snapshot_builder *b, struct node_record *node, uint32_t number)
{
    char text[32];
    struct gres_record *gres;
    uint32_t first;
    snprintf(text, sizeof(text), "n%05u", number);
    node->name = snapshot_builder_string(b, 0, text);
    node->address = snapshot_builder_string(b, 1, text);
    node->features = snapshot_builder_string(b, 2, "gpu,h100");
    node->slurmd_version = snapshot_builder_string(b, 3, "25.11.1");
    node->slot = number;
    node->state = is_busy(number) ? NODE_BASE_ALLOCATED : NODE_BASE_IDLE;
    if (number % 500 == 99) {
        node->state |= NODE_FLAG(DRAIN);
        node->state_reason = snapshot_builder_string(b, 4, "GPU 3: Xid 79");
        node->reason_user = snapshot_builder_string(b, 5, "root");
    }
    node->cpus = node->cpus_effective = CPUS;
    node->cpus_allocated = is_busy(number) ? CPUS : 0;
    node->memory_mib = node->memory_effective_mib = 2 << 20;
    node->memory_allocated_mib = is_busy(number) ? 1 << 20 : 0;
    gres = snapshot_builder_add(b, 1, &first);
    if (!gres)
        return;
    gres->name = snapshot_builder_string(b, 6, "gpu");
    gres->type = snapshot_builder_string(b, 7, "h100");
    gres->total = GPUS;
    gres->used = is_busy(number) ? GPUS : 0;
    node->gres_first = first;
    node->gres_count = 1;
}

static int
add_nodes(struct snapshot_builder *b, uint32_t count, struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_NODES, count, &records, err);
    for (uint32_t i = 0; r == 0 && i < count; i++)
        fill_node(b, (struct node_record *)records + i, i);
    return r < 0 ? r : snapshot_builder_end(b, count, err);
}

static int
add_partitions(struct snapshot_builder *b, uint32_t nodes, struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_PARTITIONS, PARTITIONS, &records,
                                   err);
    for (uint32_t i = 0; r == 0 && i < PARTITIONS; i++) {
        struct partition_record *p = (struct partition_record *)records + i;
        struct node_range_record *range =
            snapshot_builder_add(b, 1, &p->range_first);
        char text[32];
        snprintf(text, sizeof(text), "part%u", i);
        p->name = snapshot_builder_string(b, 0, text);
        p->flags = i == 0 ? PARTITION_FLAG_DEFAULT : 0;
        p->total_nodes = nodes / PARTITIONS;
        p->total_cpus = p->total_nodes * CPUS;
        p->max_time_minutes = UINT32_MAX;
        p->range_count = 1;
        if (range)
            *range = (struct node_range_record){
                nodes / PARTITIONS * i, nodes / PARTITIONS * (i + 1) - 1};
    }
    return r < 0 ? r : snapshot_builder_end(b, PARTITIONS, err);
}

static void fill_job(struct snapshot_builder *b,
                     struct job_record *job,
                     uint32_t number,
                     uint32_t nodes)
{
    /* Those that run stand on the busy nodes, one after the other. */
    uint32_t node = number / 9 * 10 + number % 9;
    bool runs = node < nodes;
    uint32_t shown = runs ? node : number;
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    char text[64];
    job->job_id = FIRST_JOB + shown + (runs ? 0 : nodes);
    snprintf(text, sizeof(text), "train-%u", shown % 977);
    job->name = snapshot_builder_string(b, 0, text);
    snprintf(text, sizeof(text), "user%u", shown % USERS);
    job->user = snapshot_builder_string(b, 1, text);
    snprintf(text, sizeof(text), "lab%u", shown % USERS / 10);
    job->account = snapshot_builder_string(b, 2, text);
    snprintf(text, sizeof(text), "part%u",
             runs ? node / (nodes / PARTITIONS) % PARTITIONS
                  : number % PARTITIONS);
    job->partition = snapshot_builder_string(b, 3, text);
    job->reason = snapshot_builder_string(b, 4,
                                          runs         ? "None"
                                          : number % 3 ? "Priority"
                                                       : "Resources");
    snprintf(text, sizeof(text), "n%05u", node);
    job->nodes = runs ? snapshot_builder_string(b, 5, text) : 0;
    job->state = runs ? JOB_BASE_RUNNING : JOB_BASE_PENDING;
    job->task_count = 1;
    job->cpus = CPUS;
    job->nodes_count = 1;
    job->memory_mib = 1 << 20;
    job->time_limit_minutes = 1440;
    job->submit_time_s = now_s - 7200 - number % 3600;
    job->start_time_s = runs ? now_s - 3600 - number % 3600 : 0;
    struct gres_record *gres = snapshot_builder_add(b, 1, &job->gres_first);
    if (!gres)
        return;
    job->gres_count = 1;
    gres->name = snapshot_builder_string(b, 6, "gpu");
    gres->type = snapshot_builder_string(b, 7, "h100");
    gres->total = GPUS;
    gres->used = runs ? GPUS : 0;
}

static int add_jobs(struct snapshot_builder *b,
                    uint32_t count,
                    uint32_t nodes,
                    struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_JOBS, count, &records, err);
    for (uint32_t i = 0; r == 0 && i < count; i++)
        fill_job(b, (struct job_record *)records + i, i, nodes);
    return r < 0 ? r : snapshot_builder_end(b, count, err);
}

static int
record(uint32_t nodes, uint32_t jobs, const char *path, struct error *err)
{
    struct snapshot_builder *b;
    struct mapped_snapshot *mapped = NULL;
    int fd = -1;
    int r = snapshot_builder_new(&b, err);
    if (r < 0)
        return r;
    struct snapshot_header *header = snapshot_builder_header(b);
    header->sequence = 1;
    header->started_ns = header->finished_ns = clock_realtime_ns();
    header->complete = 1;
    snprintf(header->cluster_name, sizeof(header->cluster_name), "large");
    snprintf(header->slurm_text, sizeof(header->slurm_text), "25.11.1");
    r = add_nodes(b, nodes, err);
    if (r == 0)
        r = add_partitions(b, nodes, err);
    if (r == 0)
        r = add_jobs(b, jobs, nodes, err);
    if (r == 0)
        r = snapshot_builder_finish(b, &fd, err);
    snapshot_builder_free(b);
    if (r == 0)
        r = mapped_snapshot_new(fd, true, &mapped, err);
    if (r == 0)
        r = mapped_snapshot_save(mapped, path, err);
    mapped_snapshot_unref(mapped);
    return r;
}

int main(int argc, char *argv[])
{
    struct error err = {.text = ""};
    if (argc != 4) {
        fprintf(stderr, "usage: bench-recording NODES JOBS FILE\n");
        return 2;
    }
    if (record((uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]), argv[3],
               &err) < 0) {
        fprintf(stderr, "bench-recording: %s\n", err.text);
        return 1;
    }
    return 0;
}
