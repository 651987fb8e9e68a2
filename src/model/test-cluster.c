/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster of the tests; see the header. Here are its nodes and partitions,
 * and the whole; jobs are in test-cluster-jobs.c, what slurmctld and slurmdbd
 * know besides in test-cluster-others.c.
 */
#include "base/cleanup.h"
#include "model/state.h"
#include "model/test-cluster-private.h"
#include "model/test-sample.h"

#include <string.h>

/* ---- nodes ----------------------------------------------------------------
 */

/* clang-format off */
#define STATE(base) NODE_BASE_##base
#define FLAG(name) NODE_FLAG(name)

/* slot, name, state, CPUs and those in use, MiB and those in use */
#define NODE(slot_, name_, state_, cpus_, cpus_used_, memory_, memory_used_) \
    .slot = (slot_), .name = (name_), .state = (state_), .cpus = (cpus_), .cpus_allocated = (cpus_used_), \
    .memory_mib = (memory_), .memory_allocated_mib = (memory_used_)

static const struct node {
    uint32_t slot; /* in the controller's table */
    const char *name;
    uint32_t state, cpus, cpus_allocated, memory_mib, memory_allocated_mib;
    struct cluster_gres gres[CLUSTER_GRES_MAX];
    const char *reason, *reason_user;
} nodes[] = {
    {NODE(0, "cpu-1", STATE(IDLE), 64, 0, 256000, 0)},
    {NODE(1, "cpu-2", STATE(ALLOCATED), 64, 64, 256000, 200000)},
    {NODE(2, "gpu-1", STATE(MIXED), 96, 24, 1024000, 128000),
     .gres = {{"gpu", "a100", 8, 3}, {"shard", "a100", 32, 4}}},
    {NODE(3, "gpu-2", STATE(ALLOCATED) | FLAG(DRAIN), 96, 96, 1024000, 512000),
     .gres = {{"gpu", "a100", 8, 5}}, .reason = "fan 3 slow", .reason_user = "root"},
    {NODE(4, "gpu-3", STATE(IDLE) | FLAG(DRAIN), 96, 0, 1024000, 0),
     .gres = {{"gpu", "h100", 4, 0}},
     .reason = "said \"no\"\nthen C:\\ fell", .reason_user = "o'neil"},
    {NODE(5, "gpu-4", STATE(DOWN) | FLAG(NOT_RESPONDING), 96, 0, 1024000, 0),
     .gres = {{"gpu", "h100", 4, 0}}, .reason = "Not responding", .reason_user = "slurm"},
    /* Slot 6 is hidden. */
    {NODE(7, "mig-1", STATE(MIXED) | FLAG(PLANNED), 32, 8, 512000, 64000),
     .gres = {{"gpu", "a100_1g.10gb", 7, 3}, {"gpu", "a100_3g.40gb", 2, 2}}},
    {NODE(8, "old-1", STATE(IDLE) | FLAG(PLANNED), 16, 0, 64000, 0),
     .gres = {{"gpu", "", 2, 0}}},
    {NODE(9, "cloud-1", STATE(IDLE) | FLAG(CLOUD) | FLAG(POWERED_DOWN), 8, 0, 16000, 0)},
    {NODE(10, "cloud-2", STATE(ALLOCATED) | FLAG(CLOUD) | FLAG(POWERING_UP), 8, 8, 16000, 16000)},
    {NODE(11, "cloud-3", STATE(IDLE) | FLAG(CLOUD) | FLAG(POWERING_DOWN), 8, 0, 16000, 0)},
    {NODE(12, "kept-1", STATE(IDLE) | FLAG(RESERVED), 64, 0, 256000, 0)},
    {NODE(13, "kept-2", STATE(IDLE) | FLAG(RESERVED) | FLAG(MAINTENANCE), 64, 0, 256000, 0)},
    {NODE(14, "short-1", STATE(IDLE) | FLAG(INVALID_REG), 64, 0, 256000, 0)},
    {NODE(15, "boot-1", STATE(IDLE) | FLAG(REBOOT_REQUESTED), 64, 0, 256000, 0)},
    {NODE(16, "done-1", STATE(IDLE) | FLAG(COMPLETING), 64, 0, 256000, 0)},
    {NODE(17, "broken-1", STATE(DOWN) | FLAG(DRAIN), 64, 0, 256000, 0), .reason = "RMA"},
    {NODE(18, "failing-1", STATE(IDLE) | FLAG(FAIL), 64, 0, 256000, 0)},
    {NODE(19, "next-door-1", STATE(IDLE) | FLAG(BLOCKED), 64, 0, 256000, 0)},
    {NODE(20, "future-1", STATE(FUTURE), 64, 0, 256000, 0)},
    {NODE(21, "unknown-1", STATE(UNKNOWN), 64, 0, 256000, 0)},
    /* vpenso's exporter crashed on names of 20 letters and more. */
    {NODE(22, "a-node-with-quite-a-long-name", STATE(IDLE) | FLAG(NOT_RESPONDING) | FLAG(DYNAMIC_NORMAL),
          16, 0, 64000, 0),
     .gres = {{"gpu", "h100", 1, 0}}},
};
/* clang-format on */

void cluster_add_gres(struct snapshot_builder *b,
                      const struct cluster_gres gres[CLUSTER_GRES_MAX],
                      uint32_t *ret_first,
                      uint32_t *ret_count)
{
    uint32_t count = 0;
    for (size_t i = 0; i < CLUSTER_GRES_MAX && gres[i].name; i++) {
        uint32_t index;
        struct gres_record *record = snapshot_builder_add(b, 1, &index);
        if (!record)
            return;
        *record = (struct gres_record){
            .name = snapshot_builder_string(b, 14, gres[i].name),
            .type = snapshot_builder_string(b, 15, gres[i].type),
            .total = gres[i].total,
            .used = gres[i].used};
        if (count++ == 0)
            *ret_first = index;
    }
    *ret_count = count;
}

static void fill_node(struct snapshot_builder *b,
                      struct node_record *record,
                      const struct node *node)
{
    *record = (struct node_record){
        .name = snapshot_builder_string(b, 0, node->name),
        .state_reason = snapshot_builder_string(b, 1, node->reason),
        .reason_user = snapshot_builder_string(b, 2, node->reason_user),
        .slot = node->slot,
        .state = node->state,
        .cpus = node->cpus,
        .cpus_allocated = node->cpus_allocated,
        .cpus_effective = node->cpus,
        .memory_mib = node->memory_mib,
        .memory_allocated_mib = node->memory_allocated_mib,
        .memory_effective_mib = node->memory_mib - 1000,
        .reason_time_s = node->reason ? CLUSTER_MIDNIGHT_S - 86400 : 0,
    };
    cluster_add_gres(b, node->gres, &record->gres_first, &record->gres_count);
    /* Two CPUs of the first node are kept for the system. */
    if (node->slot == 0)
        record->cpus_effective -= 2;
    /* Nothing was heard of nodes that are not there: absent, not zero. */
    enum node_base base = node_state_base(node->state);
    if (base != NODE_BASE_IDLE && base != NODE_BASE_MIXED)
        return;
    record->has = NODE_HAS_CPU_LOAD | NODE_HAS_MEMORY_FREE;
    record->cpu_load_centi = node->cpus_allocated * 100 + 7;
    record->memory_free_mib = node->memory_mib - node->memory_allocated_mib;
    record->boot_time_s = CLUSTER_MIDNIGHT_S - 1000000;
}

static int add_nodes(struct snapshot_builder *b, struct error *err)
{
    void *records;
    const size_t count = array_size(nodes);
    int r = snapshot_builder_begin(b, SNAPSHOT_NODES, count, &records, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        fill_node(b, (struct node_record *)records + i, &nodes[i]);
    return snapshot_builder_end(b, count, err);
}

/* ---- partitions -----------------------------------------------------------
 */

/* Nodes are in one partition, in two, or (the last ones) in none. */
static const struct partition {
    const char *name;
    enum partition_state state;
    struct node_range_record ranges[2];
    uint32_t range_count;
} partitions[] = {
    {"batch", PARTITION_UP, {{0, 1}, {9, 19}}, 2},
    {"gpu", PARTITION_UP, {{2, 8}}, 1},
    {"all", PARTITION_DRAIN, {{0, 19}}, 1},
    {"empty", PARTITION_DOWN, {{0, 0}}, 0},
};

static void fill_partition(struct snapshot_builder *b,
                           struct partition_record *record,
                           const struct partition *partition)
{
    record->name = snapshot_builder_string(b, 0, partition->name);
    record->state = partition->state;
    for (uint32_t i = 0; i < partition->range_count; i++) {
        uint32_t index;
        struct node_range_record *range = snapshot_builder_add(b, 1, &index);
        if (!range)
            return;
        *range = partition->ranges[i];
        if (record->range_count++ == 0)
            record->range_first = index;
    }
}

static int add_partitions(struct snapshot_builder *b, struct error *err)
{
    void *records;
    const size_t count = array_size(partitions);
    int r =
        snapshot_builder_begin(b, SNAPSHOT_PARTITIONS, count, &records, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        fill_partition(b, (struct partition_record *)records + i,
                       &partitions[i]);
    return snapshot_builder_end(b, count, err);
}

/* ---- the whole ------------------------------------------------------------
 */

static int add_all(struct snapshot_builder *b,
                   enum cluster_moment moment,
                   struct error *err)
{
    int r = add_nodes(b, err);
    if (r == 0)
        r = add_partitions(b, err);
    if (r == 0)
        r = cluster_add_jobs(b, moment, err);
    if (r == 0)
        r = cluster_add_statistics(b, moment, err);
    if (r == 0)
        r = cluster_add_others(b, err);
    return r;
}

int cluster_open(enum cluster_moment moment,
                 void **ret_data,
                 struct snapshot *ret_snapshot,
                 struct error *err)
{
    struct snapshot_builder *b;
    _cleanup_(close_fd) int fd = -1;
    size_t size;
    int r = snapshot_builder_new(&b, err);
    if (r < 0)
        return r;
    snapshot_builder_header(b)->sequence = 1;
    r = add_all(b, moment, err);
    if (r == 0)
        r = snapshot_builder_finish(b, &fd, err);
    snapshot_builder_free(b);
    if (r == 0)
        r = sample_read(fd, ret_data, &size, err);
    if (r == 0)
        r = snapshot_open(*ret_data, size, ret_snapshot, err);
    return r;
}
