/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes. SHOW_DETAIL brings the GRES in use, SHOW_MIXED lets libslurm work out
 * which nodes are partly allocated, SHOW_ALL includes nodes of hidden
 * partitions. The array has a place for each slot of the controller's table,
 * nameless where the slot is free or hidden from us.
 */
#include "base/cleanup.h"
#include "source/slurm-gres.h"
#include "source/slurm-parts.h"

#include <string.h>

enum node_field {
    FIELD_NAME,
    FIELD_REASON,
    FIELD_REASON_USER,
    FIELD_RESERVATION,
    FIELD_FEATURES,
    FIELD_ADDRESS,
    FIELD_VERSION,
    FIELD_GRES_NAME, /* and the type behind it */
};

/* The strings last converted and the records that they became: neighbours are
 * often alike. */
struct gres_memo {
    const char *configured;
    const char *used;
    uint32_t first;
    uint32_t count;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void convert_gres(struct snapshot_builder *builder,
                         struct gres_memo *memo,
                         const node_info_t *node,
                         struct node_record *record)
{
    if (!same(memo->configured, node->gres) ||
        !same(memo->used, node->gres_used)) {
        struct gres_set set;
        set.count = 0;
        gres_set_add_total(&set, node->gres, 1);
        gres_set_add_used(&set, node->gres_used);
        gres_set_write(&set, builder, 1, FIELD_GRES_NAME, &memo->first,
                       &memo->count);
        memo->configured = node->gres;
        memo->used = node->gres_used;
    }
    record->gres_first = memo->first;
    record->gres_count = memo->count;
}

static void convert_strings(struct slurm_request *request,
                            const node_info_t *node,
                            struct node_record *record)
{
    struct snapshot_builder *b = request->builder;
    record->name = snapshot_builder_string(b, FIELD_NAME, node->name);
    record->reservation = snapshot_builder_string(
        b, FIELD_RESERVATION, compat_node_reservation(node));
    record->features =
        snapshot_builder_string(b, FIELD_FEATURES, node->features);
    record->address =
        snapshot_builder_string(b, FIELD_ADDRESS, node->node_addr);
    record->slurmd_version =
        snapshot_builder_string(b, FIELD_VERSION, node->version);
    record->state_reason =
        snapshot_builder_string(b, FIELD_REASON, node->reason);
    if (!record->state_reason)
        return;
    record->reason_time_s = slurm_time(node->reason_time);
    if (node->reason_uid != NO_VAL)
        record->reason_user = snapshot_builder_string(
            b, FIELD_REASON_USER, user_name(request->users, node->reason_uid));
}

/* What slurmd measured, and may not have told yet. */
static void convert_readings(const node_info_t *node,
                             struct node_record *record)
{
    if (node->cpu_load != NO_VAL) {
        record->has |= NODE_HAS_CPU_LOAD;
        record->cpu_load_centi = node->cpu_load;
    }
    if (node->free_mem != NO_VAL64) {
        record->has |= NODE_HAS_MEMORY_FREE;
        record->memory_free_mib = node->free_mem;
    }
    uint32_t watts = node->energy ? node->energy->current_watts : NO_VAL;
    if (watts != NO_VAL && watts != 0) {
        record->has |= NODE_HAS_POWER;
        record->power_watts = watts;
    }
}

static void convert_node(struct slurm_request *request,
                         const node_info_t *node,
                         struct node_record *record)
{
    record->state = compat_node_state(node->node_state);
    record->cpus = node->cpus;
    record->cpus_allocated = compat_node_cpus_allocated(node);
    record->cpus_effective = compat_node_cpus_effective(node);
    record->weight = node->weight;
    record->memory_mib = node->real_memory;
    record->memory_allocated_mib = compat_node_memory_allocated_mib(node);
    record->memory_effective_mib =
        node->real_memory > node->mem_spec_limit
            ? node->real_memory - node->mem_spec_limit
            : 0;
    record->boot_time_s = slurm_time(node->boot_time);
    record->slurmd_start_time_s = slurm_time(node->slurmd_start_time);
    time_t last_busy;
    if (compat_node_last_busy(node, &last_busy))
        record->last_busy_s = slurm_time(last_busy);
    convert_strings(request, node, record);
    convert_readings(node, record);
}

int slurm_nodes_convert(struct slurm_request *request,
                        const node_info_msg_t *message,
                        struct error *err)
{
    struct snapshot_builder *b = request->builder;
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_NODES, message->record_count,
                                   &records, err);
    if (r < 0)
        return r;
    struct node_record *record = records;
    struct gres_memo memo = {.configured = NULL};
    size_t used = 0;
    for (uint32_t slot = 0; slot < message->record_count; slot++) {
        const node_info_t *node = &message->node_array[slot];
        if (!node->name || !node->name[0])
            continue;
        record[used].slot = slot;
        convert_node(request, node, &record[used]);
        convert_gres(b, &memo, node, &record[used]);
        used++;
    }
    r = snapshot_builder_end(b, used, err);
    if (r == 0)
        snapshot_builder_part(b, SNAPSHOT_NODES)->updated_s =
            message->last_update;
    return r;
}

int slurm_nodes_load(struct slurm_request *request, struct error *err)
{
    node_info_msg_t *message = NULL;
    int r = slurm_call_result(slurm_load_node(
        request->known_s, &message, SHOW_ALL | SHOW_DETAIL | SHOW_MIXED));
    if (r != 0)
        return r;
    r = slurm_nodes_convert(request, message, err);
    slurm_free_node_info_msg(message);
    return r;
}
