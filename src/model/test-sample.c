/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sample snapshot and its reader; see the header. Strings differ from
 * record to record where they do on a cluster and repeat where they do there.
 */
#include "model/test-sample.h"

#include "base/cleanup.h"
#include "model/gpu-reading.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- writing --------------------------------------------------------------
 */

/* Fill the COUNT string references that RECORD starts with:
 * "<part>-<field>-<number>". */
static void fill_strings(struct snapshot_builder *b,
                         enum snapshot_part_kind kind,
                         void *record,
                         unsigned int count,
                         uint32_t number)
{
    snapshot_string *strings = record;
    for (unsigned int i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s-%u-%u", snapshot_part_names[kind], i,
                 i % 2 ? number / 4 : number);
        strings[i] = snapshot_builder_string(b, i, text);
    }
}

/* Two records of array 1 for each of array 0; the index of the first. */
static uint32_t add_gres(struct snapshot_builder *b, uint32_t number)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t index;
        struct gres_record *gres = snapshot_builder_add(b, 1, &index);
        if (!gres)
            return 0;
        *gres = (struct gres_record){
            .name = snapshot_builder_string(b, 14, i ? "shard" : "gpu"),
            .type = snapshot_builder_string(b, 15, number % 3 ? "a100" : ""),
            .total = 8,
            .used = number % 9};
        if (i == 0)
            first = index;
    }
    return first;
}

static uint32_t add_limit(struct snapshot_builder *b)
{
    uint32_t index;
    struct limit_record *limit = snapshot_builder_add(b, 1, &index);
    if (!limit)
        return 0;
    *limit = (struct limit_record){
        .kind = snapshot_builder_string(b, 14, "grp_tres"),
        .resource = snapshot_builder_string(b, 15, "gres/gpu"),
        .has = LIMIT_HAS_LIMIT | LIMIT_HAS_USED,
        .limit = 64,
        .used = 3.5};
    return index;
}

static void fill_node(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct node_record *node = record;
    fill_strings(b, SNAPSHOT_NODES, node, 7, i);
    node->slot = i;
    node->state = i % 16;
    node->cpus = 64;
    node->gres_first = add_gres(b, i);
    node->gres_count = 2;
}

static void fill_partition(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct partition_record *partition = record;
    fill_strings(b, SNAPSHOT_PARTITIONS, partition, 3, i);
    partition->state = i % PARTITION_STATE_COUNT;
    struct node_range_record *range =
        snapshot_builder_add(b, 1, &partition->range_first);
    if (range)
        *range = (struct node_range_record){.first_slot = i, .last_slot = i};
    partition->range_count = 1;
}

static void fill_job(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct job_record *job = record;
    fill_strings(b, SNAPSHOT_JOBS, job, 12, i);
    job->job_id = i + 1;
    job->task_count = 1;
    job->gres_first = add_gres(b, i);
    job->gres_count = 2;
    struct job_gpu_record *gpu = snapshot_builder_add(b, 2, NULL);
    if (gpu)
        *gpu = (struct job_gpu_record){
            .node = snapshot_builder_string(b, 0, "n1"), .job = i, .place = i};
}

static void
fill_statistics(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct statistics_record *statistics = record;
    statistics->jobs_running = i;
    for (unsigned int array = 1; array <= 2; array++) {
        struct rpc_record *rpc = snapshot_builder_add(b, array, NULL);
        if (rpc)
            rpc->name = snapshot_builder_string(
                b, array, array == 1 ? "REQUEST_JOB_INFO" : "root");
    }
}

static void
fill_reservation(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct reservation_record *reservation = record;
    fill_strings(b, SNAPSHOT_RESERVATIONS, reservation, 7, i);
}

static void fill_license(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct license_record *license = record;
    fill_strings(b, SNAPSHOT_LICENSES, license, 1, i);
}

static void
fill_association(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct association_record *association = record;
    fill_strings(b, SNAPSHOT_ASSOCIATIONS, association, 4, i);
    association->limit_first = add_limit(b);
    association->limit_count = 1;
    struct qos_record *qos = snapshot_builder_add(b, 2, NULL);
    if (!qos)
        return;
    qos->name = snapshot_builder_string(b, 13, "normal");
    qos->limit_first = add_limit(b);
    qos->limit_count = 1;
}

static void fill_gpu(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct gpu_record *gpu = record;
    fill_strings(b, SNAPSHOT_GPUS, gpu, 12, i);
    gpu->state = i % GPU_STATE_COUNT;
    gpu->index = i;
    gpu->minor = i;
    gpu->parent = i % 2 ? i - 1 : GPU_NONE;
    gpu->flags = i % 2 ? GPU_FLAG_INSTANCE : 0;
    gpu->gpu_instance = gpu->compute_instance = GPU_NONE;
    for (unsigned int what = 0; what < GPU_READING_COUNT; what++)
        if (gpu_readings[what].kind == GPU_REAL)
            gpu_set_real(gpu, what, i + 0.5);
        else
            gpu_set_integer(gpu, what, i + what);
    struct xid_record *xid = snapshot_builder_add(b, 1, NULL);
    if (xid)
        *xid = (struct xid_record){.text = snapshot_builder_string(b, 12, "x"),
                                   .gpu = i,
                                   .code = 79,
                                   .count = 2};
    struct gpu_event_record *event = snapshot_builder_add(b, 2, NULL);
    if (event)
        *event = (struct gpu_event_record){.gpu = i, .code = 79};
    if (i > 0)
        return;
    struct gpu_machine_record *machine = snapshot_builder_add(b, 3, NULL);
    if (machine)
        fill_strings(b, SNAPSHOT_GPUS, machine, 5, i);
}

/* To be added behind the GPUs. */
static void fill_gpu_job(struct snapshot_builder *b, void *record, uint32_t i)
{
    struct gpu_job_record *job = record;
    fill_strings(b, SNAPSHOT_GPU_USE, job, 6, i);
    job->gpu = i;
    job->job_id = i + 1;
    struct gpu_process_record *process = snapshot_builder_add(b, 1, NULL);
    if (!process)
        return;
    *process = (struct gpu_process_record){
        .command = snapshot_builder_string(b, 12, "python"),
        .gpu = i,
        .job_record = i % 2 ? i : GPU_NONE,
        .pid = i + 1};
}

static void (*const fillers[SNAPSHOT_PART_COUNT])(struct snapshot_builder *b,
                                                  void *record,
                                                  uint32_t i) = {
    [SNAPSHOT_NODES] = fill_node,
    [SNAPSHOT_PARTITIONS] = fill_partition,
    [SNAPSHOT_JOBS] = fill_job,
    [SNAPSHOT_STATISTICS] = fill_statistics,
    [SNAPSHOT_RESERVATIONS] = fill_reservation,
    [SNAPSHOT_LICENSES] = fill_license,
    [SNAPSHOT_ASSOCIATIONS] = fill_association,
    [SNAPSHOT_GPUS] = fill_gpu,
    [SNAPSHOT_GPU_USE] = fill_gpu_job,
};

int sample_add(struct snapshot_builder *builder,
               unsigned int parts,
               uint32_t count,
               struct error *err)
{
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)i;
        void *records;
        if (!(parts & 1U << kind))
            continue;
        int r = snapshot_builder_begin(builder, kind, count, &records, err);
        if (r < 0)
            return r;
        for (uint32_t at = 0; at < count; at++)
            fillers[kind](builder,
                          (char *)records + at * snapshot_record_size(kind, 0),
                          at);
        r = snapshot_builder_end(builder, count, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int sample_read(int fd, void **ret_data, size_t *ret_size, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_errno(err, errno, "sample");
    size_t size = (size_t)status.st_size;
    char *data = malloc(size ? size : 1);
    if (!data)
        return error_errno(err, ENOMEM, "sample");
    if (pread(fd, data, size, 0) != (ssize_t)size) {
        free(data);
        return error_set(err, EIO, "sample: read less than there is");
    }
    *ret_data = data;
    *ret_size = size;
    return 0;
}

int sample_new(unsigned int parts,
               uint32_t count,
               void **ret_data,
               size_t *ret_size,
               struct error *err)
{
    struct snapshot_builder *builder;
    _cleanup_(close_fd) int fd = -1;
    int r = snapshot_builder_new(&builder, err);
    if (r < 0)
        return r;
    struct snapshot_header *header = snapshot_builder_header(builder);
    header->sequence = 1;
    strcpy(header->cluster_name, "sample");
    strcpy(header->slurm_text, "22.05.8");
    r = sample_add(builder, parts, count, err);
    header = snapshot_builder_header(builder);
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++)
        header->parts[i].taken_ns = 0; /* equal samples are equal bytes */
    if (r == 0)
        r = snapshot_builder_finish(builder, &fd, err);
    snapshot_builder_free(builder);
    return r < 0 ? r : sample_read(fd, ret_data, ret_size, err);
}

/* ---- reading --------------------------------------------------------------
 */

/* A reader under way in one part. */
struct walk {
    const struct snapshot *snapshot;
    enum snapshot_part_kind kind;
    uint64_t sum;
};

static void walk_bytes(struct walk *w, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        w->sum = w->sum * 31 + byte[i];
}

static void walk_text(struct walk *w, snapshot_string string)
{
    const char *text = snapshot_text(w->snapshot, w->kind, string);
    walk_bytes(w, text, strlen(text));
}

static void walk_texts(struct walk *w, const void *record, size_t count)
{
    const snapshot_string *strings = record;
    for (size_t i = 0; i < count; i++)
        walk_text(w, strings[i]);
}

static const void *walk_array(struct walk *w, unsigned int array, size_t *count)
{
    const void *records = snapshot_array(w->snapshot, w->kind, array, count);
    walk_bytes(w, records, *count * snapshot_record_size(w->kind, array));
    return records;
}

/* Runs may overlap in a block that somebody made, so that reading each one
 * would take for ever: both ends stand for the run. */
static void walk_gres_run(struct walk *w, uint32_t first, uint32_t count)
{
    size_t all;
    const struct gres_record *gres =
        snapshot_array(w->snapshot, w->kind, 1, &all);
    if (count == 0)
        return;
    walk_texts(w, &gres[first], 2);
    walk_texts(w, &gres[first + count - 1], 2);
}

static void walk_limit_run(struct walk *w, uint32_t first, uint32_t count)
{
    size_t all;
    const struct limit_record *limits =
        snapshot_array(w->snapshot, w->kind, 1, &all);
    if (count == 0)
        return;
    walk_texts(w, &limits[first], 2);
    walk_texts(w, &limits[first + count - 1], 2);
}

static void walk_nodes(struct walk *w)
{
    size_t count, gres_count;
    const struct node_record *nodes = walk_array(w, 0, &count);
    const struct gres_record *gres = walk_array(w, 1, &gres_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &nodes[i], 7);
        walk_gres_run(w, nodes[i].gres_first, nodes[i].gres_count);
    }
    for (size_t i = 0; i < gres_count; i++)
        walk_texts(w, &gres[i], 2);
}

static void walk_partitions(struct walk *w)
{
    static const char names[PARTITION_STATE_COUNT + 1] = "udni";
    size_t count, range_count;
    const struct partition_record *partitions = walk_array(w, 0, &count);
    const struct node_range_record *ranges = walk_array(w, 1, &range_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &partitions[i], 3);
        w->sum += (uint64_t)names[partitions[i].state];
        if (partitions[i].range_count == 0)
            continue;
        const struct node_range_record *range =
            ranges + partitions[i].range_first;
        w->sum += range->first_slot;
        w->sum += range[partitions[i].range_count - 1].last_slot;
    }
}

static void walk_jobs(struct walk *w)
{
    size_t count, gres_count;
    const struct job_record *jobs = walk_array(w, 0, &count);
    const struct gres_record *gres = walk_array(w, 1, &gres_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &jobs[i], 12);
        walk_gres_run(w, jobs[i].gres_first, jobs[i].gres_count);
    }
    for (size_t i = 0; i < gres_count; i++)
        walk_texts(w, &gres[i], 2);
    const struct job_gpu_record *gpus = walk_array(w, 2, &gres_count);
    for (size_t i = 0; i < gres_count; i++) {
        walk_text(w, gpus[i].node);
        walk_text(w, jobs[gpus[i].job].name);
    }
}

static void walk_statistics(struct walk *w)
{
    size_t count;
    walk_array(w, 0, &count);
    for (unsigned int array = 1; array <= 2; array++) {
        const struct rpc_record *rpcs = walk_array(w, array, &count);
        for (size_t i = 0; i < count; i++)
            walk_text(w, rpcs[i].name);
    }
}

static void walk_reservations(struct walk *w)
{
    size_t count;
    const struct reservation_record *reservations = walk_array(w, 0, &count);
    for (size_t i = 0; i < count; i++)
        walk_texts(w, &reservations[i], 7);
}

static void walk_licenses(struct walk *w)
{
    size_t count;
    const struct license_record *licenses = walk_array(w, 0, &count);
    for (size_t i = 0; i < count; i++)
        walk_text(w, licenses[i].name);
}

static void walk_associations(struct walk *w)
{
    size_t count, limit_count, qos_count;
    const struct association_record *associations = walk_array(w, 0, &count);
    const struct limit_record *limits = walk_array(w, 1, &limit_count);
    const struct qos_record *qos = walk_array(w, 2, &qos_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &associations[i], 4);
        walk_limit_run(w, associations[i].limit_first,
                       associations[i].limit_count);
    }
    for (size_t i = 0; i < limit_count; i++)
        walk_texts(w, &limits[i], 2);
    for (size_t i = 0; i < qos_count; i++) {
        walk_text(w, qos[i].name);
        walk_limit_run(w, qos[i].limit_first, qos[i].limit_count);
    }
}

static void walk_gpus(struct walk *w)
{
    size_t count, xid_count, event_count, machine_count;
    const struct gpu_record *gpus = walk_array(w, 0, &count);
    const struct xid_record *xids = walk_array(w, 1, &xid_count);
    const struct gpu_event_record *events = walk_array(w, 2, &event_count);
    const struct gpu_machine_record *machines =
        walk_array(w, 3, &machine_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &gpus[i], 12);
        if (gpus[i].parent != GPU_NONE)
            walk_text(w, gpus[gpus[i].parent].uuid);
    }
    for (size_t i = 0; i < xid_count; i++)
        walk_text(w, gpus[xids[i].gpu].uuid);
    for (size_t i = 0; i < event_count; i++)
        walk_text(w, gpus[events[i].gpu].uuid);
    for (size_t i = 0; i < machine_count; i++)
        walk_texts(w, &machines[i], 5);
}

static void walk_gpu_use(struct walk *w)
{
    size_t count, process_count, gpu_count;
    const struct gpu_job_record *jobs = walk_array(w, 0, &count);
    const struct gpu_process_record *processes =
        walk_array(w, 1, &process_count);
    const struct gpu_record *gpus =
        snapshot_array(w->snapshot, SNAPSHOT_GPUS, 0, &gpu_count);
    for (size_t i = 0; i < count; i++) {
        walk_texts(w, &jobs[i], 6);
        walk_bytes(w, &gpus[jobs[i].gpu], sizeof(gpus[jobs[i].gpu]));
    }
    for (size_t i = 0; i < process_count; i++) {
        walk_texts(w, &processes[i], 2);
        if (processes[i].job_record != GPU_NONE)
            walk_text(w, jobs[processes[i].job_record].job);
    }
}

uint64_t sample_walk(const struct snapshot *snapshot)
{
    static void (*const walkers[SNAPSHOT_PART_COUNT])(struct walk * w) = {
        [SNAPSHOT_NODES] = walk_nodes,
        [SNAPSHOT_PARTITIONS] = walk_partitions,
        [SNAPSHOT_JOBS] = walk_jobs,
        [SNAPSHOT_STATISTICS] = walk_statistics,
        [SNAPSHOT_RESERVATIONS] = walk_reservations,
        [SNAPSHOT_LICENSES] = walk_licenses,
        [SNAPSHOT_ASSOCIATIONS] = walk_associations,
        [SNAPSHOT_GPUS] = walk_gpus,
        [SNAPSHOT_GPU_USE] = walk_gpu_use,
    };
    const struct snapshot_header *header = snapshot->header;
    struct walk w = {.snapshot = snapshot};
    walk_bytes(&w, header->cluster_name, strlen(header->cluster_name));
    walk_bytes(&w, header->slurm_text, strlen(header->slurm_text));
    for (unsigned int kind = 0; kind < SNAPSHOT_PART_COUNT; kind++) {
        w.kind = (enum snapshot_part_kind)kind;
        const char *outcome =
            snapshot_outcome_names[snapshot_part(snapshot, w.kind)->outcome];
        walk_bytes(&w, outcome, strlen(outcome));
        walkers[kind](&w);
    }
    return w.sum;
}
