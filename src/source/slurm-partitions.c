/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partitions. Their nodes come as pairs of slots in the controller's node
 * table, ended by -1, and are kept so: no host list is expanded.
 */
#include "source/slurm-parts.h"

enum partition_field {
    FIELD_NAME,
    FIELD_NODES,
    FIELD_QOS,
};

/* The bits of state_up, the same in every version: whether jobs may be
 * submitted, and whether they are started. */
enum {
    STATE_SUBMIT = 1 << 0,
    STATE_SCHEDULE = 1 << 1
};

static uint32_t convert_state(uint16_t state_up)
{
    bool submit = state_up & STATE_SUBMIT, schedule = state_up & STATE_SCHEDULE;
    if (submit && schedule)
        return PARTITION_UP;
    if (submit)
        return PARTITION_DOWN;
    return schedule ? PARTITION_DRAIN : PARTITION_INACTIVE;
}

static void convert_ranges(struct snapshot_builder *b,
                           const int32_t *pairs,
                           struct partition_record *record)
{
    for (; pairs && pairs[0] >= 0 && pairs[1] >= pairs[0]; pairs += 2) {
        uint32_t index;
        struct node_range_record *range = snapshot_builder_add(b, 1, &index);
        if (!range)
            return; /* the builder remembers it and fails the part */
        range->first_slot = (uint32_t)pairs[0];
        range->last_slot = (uint32_t)pairs[1];
        if (record->range_count++ == 0)
            record->range_first = index;
    }
}

static void convert_partition(struct snapshot_builder *b,
                              const partition_info_t *partition,
                              struct partition_record *record)
{
    record->name = snapshot_builder_string(b, FIELD_NAME, partition->name);
    record->nodes = snapshot_builder_string(b, FIELD_NODES, partition->nodes);
    record->qos = snapshot_builder_string(b, FIELD_QOS, partition->qos_char);
    record->state = convert_state(partition->state_up);
    if (partition->flags & PART_FLAG_DEFAULT)
        record->flags |= PARTITION_FLAG_DEFAULT;
    if (partition->flags & PART_FLAG_HIDDEN)
        record->flags |= PARTITION_FLAG_HIDDEN;
    record->total_nodes = partition->total_nodes;
    record->total_cpus = partition->total_cpus;
    record->max_time_minutes =
        partition->max_time == NO_VAL ? UINT32_MAX : partition->max_time;
    record->priority_tier = partition->priority_tier;
    convert_ranges(b, partition->node_inx, record);
}

int slurm_partitions_convert(struct slurm_request *request,
                             const partition_info_msg_t *message,
                             struct error *err)
{
    struct snapshot_builder *b = request->builder;
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_PARTITIONS,
                                   message->record_count, &records, err);
    if (r < 0)
        return r;
    struct partition_record *record = records;
    size_t used = 0;
    for (uint32_t i = 0; i < message->record_count; i++)
        if (message->partition_array[i].name)
            convert_partition(b, &message->partition_array[i], &record[used++]);
    r = snapshot_builder_end(b, used, err);
    if (r == 0)
        snapshot_builder_part(b, SNAPSHOT_PARTITIONS)->updated_s =
            message->last_update;
    return r;
}

int slurm_partitions_load(struct slurm_request *request, struct error *err)
{
    partition_info_msg_t *message = NULL;
    int r = slurm_call_result(
        slurm_load_partitions(request->known_s, &message, SHOW_ALL));
    if (r != 0)
        return r;
    r = slurm_partitions_convert(request, message, err);
    compat_partitions_free(message);
    return r;
}
