/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes and partitions as JSON. A node is in a partition when its slot in the
 * controller's table is within one of the partition's ranges.
 */
#include "model/state.h"
#include "model/tally.h"
#include "view/records.h"

#include <stdio.h>

bool record_is_hidden(const struct record_audience *audience,
                      uint32_t kinds,
                      const char *owner)
{
    if (!(audience->hidden & kinds))
        return false;
    return !owner || !*owner || !audience->user ||
           strcmp(audience->user, owner) != 0;
}

bool record_source_has(const struct record_source *source,
                       enum snapshot_part_kind kind)
{
    return source->snapshot && (source->parts >> kind & 1) &&
           snapshot_has(source->snapshot, kind);
}

/* ---- nodes ----------------------------------------------------------------
 */

static const char *node_text(const struct record_source *source,
                             snapshot_string string)
{
    return snapshot_text(source->snapshot, SNAPSHOT_NODES, string);
}

/* sinfo's word without the character that marks flags: these are listed. */
static void print_state(struct json *json, const struct node_record *node)
{
    char word[NODE_STATE_TEXT_SIZE];
    node_state_text(node->state, word);
    word[strcspn(word, "*~#!%$@^-+")] = '\0';
    json_text(json, "state", word);
    json_begin_array(json, "flags");
    for (int bit = 0; bit < NODE_FLAG_COUNT; bit++)
        if (node->state >> (bit + NODE_FLAG_BIT_FIRST) & 1)
            json_text(json, NULL, node_flag_names[bit]);
    json_end_array(json);
}

struct partitions {
    const struct partition_record *records;
    const struct node_range_record *ranges;
    size_t count, range_count;
};

static bool contains(const struct partitions *all,
                     const struct partition_record *partition,
                     uint32_t slot)
{
    for (uint32_t i = 0; i < partition->range_count; i++) {
        const struct node_range_record *range =
            &all->ranges[partition->range_first + i];
        if (slot >= range->first_slot && slot <= range->last_slot)
            return true;
    }
    return false;
}

static void print_partitions(struct json *json,
                             const struct record_source *source,
                             const struct partitions *all,
                             const struct node_record *node)
{
    json_begin_array(json, "partitions");
    for (size_t i = 0; i < all->count; i++)
        if (contains(all, &all->records[i], node->slot))
            json_text(json, NULL,
                      snapshot_text(source->snapshot, SNAPSHOT_PARTITIONS,
                                    all->records[i].name));
    json_end_array(json);
}

static void print_gpus(struct json *json,
                       const struct record_source *source,
                       const struct node_record *node,
                       const struct gres_record *gres)
{
    json_begin_array(json, "gpus");
    for (uint32_t i = 0; i < node->gres_count; i++) {
        const struct gres_record *one = &gres[node->gres_first + i];
        if (strcmp(node_text(source, one->name), "gpu") != 0)
            continue;
        json_begin_object(json, NULL);
        json_text(json, "type", node_text(source, one->type));
        json_u64(json, "total", one->total);
        json_u64(json, "allocated", one->used);
        json_end_object(json);
    }
    json_end_array(json);
}

static void print_resources(struct json *json, const struct node_record *node)
{
    json_u64(json, "cpus", node->cpus);
    json_u64(json, "cpus_allocated", node->cpus_allocated);
    if (node->has & NODE_HAS_CPU_LOAD)
        json_real(json, "cpu_load", node->cpu_load_centi / 100.0);
    json_u64(json, "memory_mib", node->memory_mib);
    json_u64(json, "memory_allocated_mib", node->memory_allocated_mib);
    if (node->has & NODE_HAS_MEMORY_FREE)
        json_u64(json, "memory_free_mib", node->memory_free_mib);
    if (node->has & NODE_HAS_POWER)
        json_u64(json, "power_watts", node->power_watts);
}

/* Whether its GPUs are measured. */
static void print_exporter(struct json *json,
                           const struct record_source *source,
                           const char *name)
{
    static const char *const words[] = {
        [FLEET_NONE] = "none",
        [FLEET_UP] = "up",
        [FLEET_SILENT] = "silent",
    };
    const struct fleet_node *node =
        source->fleet ? fleet_find(source->fleet, name) : NULL;
    if (!node || !node->has_gpus)
        return;
    json_begin_object(json, "exporter");
    json_text(json, "state", words[node->answer]);
    if (node->answer == FLEET_SILENT) {
        json_time(json, "answered_s", node->answered_s);
        json_text_known(json, "error", node->trouble);
    }
    json_end_object(json);
}

static void print_node(struct json *json,
                       const struct record_source *source,
                       const struct partitions *partitions,
                       const struct node_record *node,
                       const struct gres_record *gres)
{
    json_begin_object(json, NULL);
    json_text(json, "name", node_text(source, node->name));
    json_text_known(json, "address", node_text(source, node->address));
    print_state(json, node);
    json_text_known(json, "reason", node_text(source, node->state_reason));
    json_text_known(json, "reason_user", node_text(source, node->reason_user));
    json_time(json, "reason_time_s", node->reason_time_s);
    json_text_known(json, "reservation", node_text(source, node->reservation));
    print_partitions(json, source, partitions, node);
    print_resources(json, node);
    print_gpus(json, source, node, gres);
    print_exporter(json, source, node_text(source, node->name));
    json_text_known(json, "features", node_text(source, node->features));
    json_time(json, "boot_time_s", node->boot_time_s);
    json_text_known(json, "slurmd_version",
                    node_text(source, node->slurmd_version));
    json_end_object(json);
}

void records_add_nodes(struct collection *collection,
                       const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_NODES) ||
        record_is_hidden(&source->audience, PRIVATE_NODES, NULL))
        return;
    const struct snapshot *s = source->snapshot;
    size_t count, gres_count;
    const struct node_record *nodes =
        snapshot_array(s, SNAPSHOT_NODES, 0, &count);
    const struct gres_record *gres =
        snapshot_array(s, SNAPSHOT_NODES, 1, &gres_count);
    struct partitions partitions = {.count = 0};
    partitions.records =
        snapshot_array(s, SNAPSHOT_PARTITIONS, 0, &partitions.count);
    partitions.ranges =
        snapshot_array(s, SNAPSHOT_PARTITIONS, 1, &partitions.range_count);
    for (size_t i = 0; i < count; i++) {
        struct json *json =
            collection_add_named(collection, node_text(source, nodes[i].name));
        print_node(json, source, &partitions, &nodes[i], gres);
    }
}

/* ---- partitions -----------------------------------------------------------
 */

static const char *const partition_states[PARTITION_STATE_COUNT] = {
    [PARTITION_UP] = "up",
    [PARTITION_DOWN] = "down",
    [PARTITION_DRAIN] = "drain",
    [PARTITION_INACTIVE] = "inactive",
};

/* The row of NAME in a table that is sorted by label; a few hundred at most. */
static const void *find_row(const struct record_source *source,
                            enum metric_table table,
                            const char *name)
{
    const struct rows *rows = source->rows->tables[table];
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct row_head *head = rows_at(rows, i);
        if (strcmp(head->labels[0], name) == 0)
            return head;
    }
    return NULL;
}

static void print_partition_gpus(struct json *json,
                                 const struct record_source *source,
                                 const char *name)
{
    const struct rows *rows = source->rows->tables[TABLE_GPU_PARTITION];
    json_begin_array(json, "gpus");
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct gpu_row *row = rows_at(rows, i);
        if (strcmp(row->head.labels[0], name) != 0)
            continue;
        json_begin_object(json, NULL);
        json_text(json, "type", row->head.labels[1]);
        json_u64(json, "total", row->total);
        json_u64(json, "allocated", row->states[GRES_ALLOCATED]);
        json_end_object(json);
    }
    json_end_array(json);
}

static void print_partition(struct json *json,
                            const struct record_source *source,
                            const struct partition_record *partition,
                            const char *name)
{
    json_begin_object(json, NULL);
    json_text(json, "name", name);
    if (partition->state < PARTITION_STATE_COUNT)
        json_text(json, "state", partition_states[partition->state]);
    json_bool(json, "default", partition->flags & PARTITION_FLAG_DEFAULT);
    json_u64(json, "nodes", partition->total_nodes);
    json_u64(json, "cpus", partition->total_cpus);
    const struct partition_row *row = find_row(source, TABLE_PARTITION, name);
    if (row)
        json_u64(json, "cpus_allocated", row->cpus.allocated);
    print_partition_gpus(json, source, name);
    row = find_row(source, TABLE_PARTITION_JOBS, name);
    if (row) {
        json_u64(json, "running", row->jobs.base[JOB_BASE_RUNNING]);
        json_u64(json, "pending", row->jobs_pending);
    }
    if (partition->max_time_minutes != UINT32_MAX)
        json_u64(json, "max_time_s",
                 (uint64_t)partition->max_time_minutes * 60);
    json_end_object(json);
}

void records_add_partitions(struct collection *collection,
                            const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_PARTITIONS) ||
        record_is_hidden(&source->audience, PRIVATE_PARTITIONS, NULL))
        return;
    size_t count;
    const struct partition_record *records =
        snapshot_array(source->snapshot, SNAPSHOT_PARTITIONS, 0, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = snapshot_text(source->snapshot, SNAPSHOT_PARTITIONS,
                                         records[i].name);
        print_partition(collection_add_named(collection, name), source,
                        &records[i], name);
    }
}
