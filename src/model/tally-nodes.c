/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting nodes, and the partitions that they are in.
 *
 * CPUs follow sinfo: what is not allocated is "other" on a drained or down
 * node, "idle" on any other. GPUs and other generic resources are split four
 * ways (enum gres_state) from one and the same record, so that the states
 * always sum up to what is configured and none goes negative.
 */
#include "model/known-text.h"
#include "model/tally-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB UINT64_C(1048576)

/* ---- sinfo's words --------------------------------------------------------
 */

/* vpenso's prefixes in the order in which he tests them, then ours. */
static enum node_bucket bucket_of(const char *word)
{
    static const struct {
        const char *prefix;
        enum node_bucket bucket;
    } prefixes[] = {
        {"alloc", NODE_BUCKET_ALLOC},     {"comp", NODE_BUCKET_COMP},
        {"down", NODE_BUCKET_DOWN},       {"drain", NODE_BUCKET_DRAIN},
        {"fail", NODE_BUCKET_FAIL},       {"err", NODE_BUCKET_ERR},
        {"idle", NODE_BUCKET_IDLE},       {"maint", NODE_BUCKET_MAINT},
        {"mix", NODE_BUCKET_MIX},         {"res", NODE_BUCKET_RESV},
        {"planned", NODE_BUCKET_PLANNED}, {"blocked", NODE_BUCKET_BLOCKED},
        {"inval", NODE_BUCKET_INVAL},     {"reboot", NODE_BUCKET_REBOOT},
        {"future", NODE_BUCKET_FUTURE},
    };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (strncmp(word, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
            return prefixes[i].bucket;
    return NODE_BUCKET_UNKNOWN;
}

/* The word of STATE, made once for each distinct state. */
static const struct node_word *node_word(struct tally *t, uint32_t state)
{
    const uint32_t key = (state & ~(UINT32_C(0xf) << 28)) + 1;
    uint32_t index;
    if (map32_find(&t->node_word_index, key, &index))
        return t->node_words[index];

    struct node_word *word = calloc(1, sizeof(*word));
    struct node_word **words =
        reallocarray(t->node_words, t->node_word_count + 1, sizeof(*words));
    if (words)
        t->node_words = words;
    if (!word || !words ||
        !map32_add(&t->node_word_index, key, (uint32_t)t->node_word_count)) {
        free(word);
        return NULL;
    }
    node_state_text(state, word->text);
    word->bucket = bucket_of(word->text);
    t->node_words[t->node_word_count++] = word;
    return word;
}

/* ---- generic resources ----------------------------------------------------
 */

/* A node that is being powered up has not responded yet, and is free to be
 * allocated all the same. */
static enum gres_state free_state(uint32_t state)
{
    enum node_base base = node_state_base(state);
    bool silent = (state & NODE_FLAG(NOT_RESPONDING)) &&
                  !(state & NODE_FLAG(POWERING_UP));
    if (base == NODE_BASE_DOWN || base == NODE_BASE_UNKNOWN ||
        base == NODE_BASE_FUTURE || base == NODE_BASE_ERROR || silent)
        return GRES_DOWN;
    if (state & (NODE_FLAG(DRAIN) | NODE_FLAG(FAIL) | NODE_FLAG(INVALID_REG)))
        return GRES_DRAINED;
    return GRES_IDLE;
}

static void
add_states(uint64_t *states, const struct gres_record *gres, uint32_t state)
{
    uint64_t used = gres->used < gres->total ? gres->used : gres->total;
    states[GRES_ALLOCATED] += used;
    states[free_state(state)] += gres->total - used;
}

/* The row of cluster-wide type INDEX, which the types' order gives. */
static struct gpu_row *gpu_type_row(struct tally *t, uint32_t index)
{
    while (t->gpu.count <= index) {
        size_t at = t->gpu.count;
        struct gpu_row *row = rows_add(&t->gpu);
        if (!row)
            return NULL;
        row->head.labels[0] = t->gpu_types.names[at];
    }
    return rows_at(&t->gpu, index);
}

static bool add_gpu(struct tally *t,
                    struct node_row *node,
                    const struct gres_record *gres,
                    uint32_t state)
{
    uint32_t type;
    if (!gpu_type_index(t, SNAPSHOT_NODES, gres->type, &type))
        return false;
    struct gpu_row *cluster = gpu_type_row(t, type);
    struct gpu_row *own = rows_add(&t->gpu_node);
    if (!cluster || !own)
        return false;
    own->head.labels[0] = node->head.labels[0];
    own->head.labels[1] = t->gpu_types.names[type];
    add_states(own->states, gres, state);
    own->total = gres->total;
    add_states(cluster->states, gres, state);
    cluster->total += gres->total;
    node->gpus += gres->total;
    node->gpus_allocated += own->states[GRES_ALLOCATED];

    struct cluster_row *all = tally_cluster(t);
    all->gpus_total += gres->total;
    all->gpus_allocated += own->states[GRES_ALLOCATED];
    all->gpus_idle += own->states[GRES_IDLE];
    all->gpus_other += own->states[GRES_DRAINED] + own->states[GRES_DOWN];
    return true;
}

/* Shards, network cards and whatever else a site counts; few kinds. */
static bool
add_gres(struct tally *t, const struct gres_record *gres, uint32_t state)
{
    const char *name = snapshot_text(t->snapshot, SNAPSHOT_NODES, gres->name);
    const char *type = snapshot_text(t->snapshot, SNAPSHOT_NODES, gres->type);
    struct gres_row *row = NULL;
    for (size_t i = 0; i < t->gres.count && !row; i++) {
        struct gres_row *seen = rows_at(&t->gres, i);
        if (seen->head.labels[0] == name && seen->head.labels[1] == type)
            row = seen;
    }
    if (!row) {
        row = rows_add(&t->gres);
        if (!row)
            return false;
        row->head.labels[0] = name;
        row->head.labels[1] = type;
    }
    add_states(row->states, gres, state);
    return true;
}

static bool count_gres(struct tally *t,
                       struct node_row *row,
                       const struct node_record *node,
                       const struct gres_record *gres,
                       struct known_text *gpu)
{
    for (uint32_t i = 0; i < node->gres_count; i++) {
        const struct gres_record *one = &gres[node->gres_first + i];
        bool done = known_text_is(gpu, t->snapshot, SNAPSHOT_NODES, one->name)
                        ? add_gpu(t, row, one, node->state)
                        : add_gres(t, one, node->state);
        if (!done)
            return false;
    }
    return true;
}

/* ---- nodes ----------------------------------------------------------------
 */

void native_nodes_add(struct native_nodes *counts,
                      const struct node_record *node,
                      uint64_t gpus)
{
    enum node_base base = node_state_base(node->state);
    counts->nodes++;
    counts->base[base]++;
    for (uint32_t bits = node->state >> NODE_FLAG_BIT_FIRST; bits;
         bits &= bits - 1) {
        int bit = __builtin_ctz(bits);
        if (bit < NODE_FLAG_COUNT)
            counts->flag[bit]++;
    }
    bool busy = base == NODE_BASE_ALLOCATED || base == NODE_BASE_MIXED ||
                (node->state & NODE_FLAG(COMPLETING));
    if (node->state & NODE_FLAG(DRAIN)) {
        counts->drained += !busy;
        counts->draining += busy;
    }
    counts->cpus += node->cpus;
    counts->cpus_allocated += node->cpus_allocated;
    counts->cpus_effective += node->cpus_effective;
    if (node->cpus_effective > node->cpus_allocated)
        counts->cpus_idle += node->cpus_effective - node->cpus_allocated;
    counts->memory_total_bytes += node->memory_mib * MIB;
    counts->memory_allocated_bytes += node->memory_allocated_mib * MIB;
    if (node->memory_effective_mib > node->memory_allocated_mib)
        counts->memory_available_bytes +=
            (node->memory_effective_mib - node->memory_allocated_mib) * MIB;
    if (node->has & NODE_HAS_MEMORY_FREE)
        counts->memory_free_bytes += node->memory_free_mib * MIB;
    counts->gpus += gpus;
}

static void cpu_counts_add(struct cpu_counts *sum, const struct cpu_counts *one)
{
    sum->allocated += one->allocated;
    sum->idle += one->idle;
    sum->other += one->other;
    sum->total += one->total;
}

static struct cpu_counts count_cpus(const struct node_record *node)
{
    struct cpu_counts cpus = {.allocated = node->cpus_allocated,
                              .total = node->cpus};
    uint64_t rest = node->cpus > node->cpus_allocated
                        ? node->cpus - node->cpus_allocated
                        : 0;
    if ((node->state & NODE_FLAG(DRAIN)) ||
        node_state_base(node->state) == NODE_BASE_DOWN)
        cpus.other = rest;
    else
        cpus.idle = rest;
    return cpus;
}

static uint64_t
present_u64(const struct node_record *node, uint32_t has, uint64_t value)
{
    return (node->has & has) ? value : ROW_ABSENT;
}

static void fill_node_row(struct node_row *row, const struct node_record *node)
{
    row->cpus = count_cpus(node);
    row->cpus_effective = node->cpus_effective;
    if (node->cpus_effective > node->cpus_allocated)
        row->cpus_free = node->cpus_effective - node->cpus_allocated;
    row->memory_allocated_mib = node->memory_allocated_mib;
    row->memory_total_mib = node->memory_mib;
    row->memory_allocated_bytes = node->memory_allocated_mib * MIB;
    row->memory_bytes = node->memory_mib * MIB;
    row->memory_effective_bytes = node->memory_effective_mib * MIB;
    row->memory_free_bytes =
        present_u64(node, NODE_HAS_MEMORY_FREE, node->memory_free_mib * MIB);
    row->cpu_load = (node->has & NODE_HAS_CPU_LOAD)
                        ? (double)node->cpu_load_centi / 100
                        : NAN;
    row->power_watts = present_u64(node, NODE_HAS_POWER, node->power_watts);
    row->boot_time_s =
        node->boot_time_s > 0 ? (uint64_t)node->boot_time_s : ROW_ABSENT;
}

static bool
add_flags(struct tally *t, const char *name, const struct node_record *node)
{
    for (uint32_t bits = node->state >> NODE_FLAG_BIT_FIRST; bits;
         bits &= bits - 1) {
        int bit = __builtin_ctz(bits);
        if (bit >= NODE_FLAG_COUNT)
            break;
        struct node_flag_row *row = rows_add(&t->node_flag);
        if (!row)
            return false;
        row->head.labels[0] = name;
        row->head.labels[1] = node_flag_names[bit];
    }
    return true;
}

static bool add_reason(struct tally *t,
                       const struct node_row *named,
                       const struct node_record *node)
{
    if (!node->state_reason)
        return true;
    struct node_reason_row *row = rows_add(&t->node_reason);
    if (!row)
        return false;
    row->head.labels[0] = named->head.labels[0];
    row->head.labels[1] =
        snapshot_text(t->snapshot, SNAPSHOT_NODES, node->state_reason);
    row->head.labels[2] =
        snapshot_text(t->snapshot, SNAPSHOT_NODES, node->reason_user);
    row->head.labels[3] = named->head.labels[1];
    row->since_s =
        node->reason_time_s > 0 ? (uint64_t)node->reason_time_s : ROW_ABSENT;
    return true;
}

static bool add_node(struct tally *t,
                     struct node_row *row,
                     const struct node_record *node,
                     const struct gres_record *gres,
                     struct known_text *gpu)
{
    const struct node_word *word = node_word(t, node->state);
    if (!word)
        return false;
    row->head.labels[0] =
        snapshot_text(t->snapshot, SNAPSHOT_NODES, node->name);
    row->head.labels[1] = word->text;
    row->head.labels[2] = node_base_names[node_state_base(node->state)];
    fill_node_row(row, node);
    if (!count_gres(t, row, node, gres, gpu) ||
        !add_flags(t, row->head.labels[0], node) || !add_reason(t, row, node))
        return false;

    struct cluster_row *all = tally_cluster(t);
    all->node_buckets[word->bucket]++;
    cpu_counts_add(&all->cpus, &row->cpus);
    native_nodes_add(&all->nodes, node, row->gpus);
    return true;
}

bool tally_nodes(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_NODES))
        return true;
    size_t count, gres_count;
    const struct node_record *nodes =
        snapshot_array(t->snapshot, SNAPSHOT_NODES, 0, &count);
    const struct gres_record *gres =
        snapshot_array(t->snapshot, SNAPSHOT_NODES, 1, &gres_count);
    struct known_text gpu = {.text = "gpu"};
    struct node_row *rows = rows_add_many(&t->node, count);
    if (count && !rows)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_node(t, &rows[i], &nodes[i], gres, &gpu))
            return false;
    struct cluster_row *all = tally_cluster(t);
    if (all->gpus_total)
        all->gpus_utilization =
            (double)all->gpus_allocated / (double)all->gpus_total;
    return true;
}

/* ---- partitions -----------------------------------------------------------
 */

static const char *const partition_state_names[PARTITION_STATE_COUNT] = {
    [PARTITION_UP] = "up",
    [PARTITION_DOWN] = "down",
    [PARTITION_DRAIN] = "drain",
    [PARTITION_INACTIVE] = "inactive",
};

/* The nodes and, node by node, where their GPU rows start. */
struct node_index {
    const struct node_record *nodes;
    size_t count;
    uint32_t *gpu_first; /* count + 1 entries */
};

/* The first node whose slot is SLOT or higher; slots rise with the index. */
static size_t find_slot(const struct node_index *index, uint32_t slot)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->nodes[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The GPU row of the partition that began at row FIRST, for TYPE. */
static struct gpu_row *partition_gpu_row(struct tally *t,
                                         const struct partition_row *partition,
                                         size_t first,
                                         const char *type)
{
    for (size_t i = first; i < t->gpu_partition.count; i++) {
        struct gpu_row *row = rows_at(&t->gpu_partition, i);
        if (row->head.labels[1] == type)
            return row;
    }
    struct gpu_row *row = rows_add(&t->gpu_partition);
    if (row) {
        row->head.labels[0] = partition->head.labels[0];
        row->head.labels[1] = type;
    }
    return row;
}

static bool add_member(struct tally *t,
                       struct partition_row *partition,
                       size_t gpu_first,
                       const struct node_index *index,
                       size_t at)
{
    const struct node_row *node = rows_at(&t->node, at);
    cpu_counts_add(&partition->cpus, &node->cpus);
    native_nodes_add(&partition->nodes, &index->nodes[at], node->gpus);
    for (uint32_t g = index->gpu_first[at]; g < index->gpu_first[at + 1]; g++) {
        const struct gpu_row *own = rows_at(&t->gpu_node, g);
        struct gpu_row *row =
            partition_gpu_row(t, partition, gpu_first, own->head.labels[1]);
        if (!row)
            return false;
        for (int s = 0; s < GRES_STATE_COUNT; s++)
            row->states[s] += own->states[s];
        row->total += own->total;
    }
    return true;
}

static bool add_partition(struct tally *t,
                          struct partition_row *row,
                          const struct partition_record *partition,
                          const struct node_range_record *ranges,
                          const struct node_index *index)
{
    row->head.labels[0] =
        snapshot_text(t->snapshot, SNAPSHOT_PARTITIONS, partition->name);
    row->head.labels[1] = partition->state < PARTITION_STATE_COUNT
                              ? partition_state_names[partition->state]
                              : "unknown";
    row->oldest_pending_s = ROW_ABSENT;
    size_t gpu_first = t->gpu_partition.count;
    for (uint32_t r = 0; r < partition->range_count; r++) {
        const struct node_range_record *range =
            &ranges[partition->range_first + r];
        for (size_t at = find_slot(index, range->first_slot);
             at < index->count && index->nodes[at].slot <= range->last_slot;
             at++)
            if (!add_member(t, row, gpu_first, index, at))
                return false;
    }
    return true;
}

/* Where each node's rows start in the table of GPUs by node, which is in the
 * order of nodes; the names are the same pointers. */
static uint32_t *index_gpus(const struct tally *t)
{
    uint32_t *first = calloc(t->node.count + 1, sizeof(*first));
    if (!first)
        return NULL;
    size_t gpu = 0;
    for (size_t i = 0; i < t->node.count; i++) {
        const struct node_row *node = rows_at(&t->node, i);
        first[i] = (uint32_t)gpu;
        for (; gpu < t->gpu_node.count; gpu++) {
            const struct gpu_row *row = rows_at(&t->gpu_node, gpu);
            if (row->head.labels[0] != node->head.labels[0])
                break;
        }
    }
    first[t->node.count] = (uint32_t)gpu;
    return first;
}

bool tally_partitions(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_PARTITIONS))
        return true;
    size_t count, range_count;
    const struct partition_record *partitions =
        snapshot_array(t->snapshot, SNAPSHOT_PARTITIONS, 0, &count);
    const struct node_range_record *ranges =
        snapshot_array(t->snapshot, SNAPSHOT_PARTITIONS, 1, &range_count);
    struct partition_row *rows = rows_add_many(&t->partition, count);
    struct node_index index = {.count = t->node.count,
                               .gpu_first = index_gpus(t)};
    size_t node_count;
    index.nodes = snapshot_array(t->snapshot, SNAPSHOT_NODES, 0, &node_count);
    bool done = index.gpu_first && (rows || !count);
    for (size_t i = 0; done && i < count; i++)
        done = add_partition(t, &rows[i], &partitions[i], ranges, &index);
    free(index.gpu_first);
    tally_cluster(t)->partitions = count;
    return done;
}
