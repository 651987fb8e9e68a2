/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tally as a whole: what is counted in which order, and which table shows
 * what. The walks themselves are in tally-nodes.c, tally-jobs.c and
 * tally-others.c.
 */
#include "model/tally-private.h"

#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const gres_state_names[GRES_STATE_COUNT] = {
    [GRES_ALLOCATED] = "allocated",
    [GRES_IDLE] = "idle",
    [GRES_DRAINED] = "drained",
    [GRES_DOWN] = "down",
};

#define NODES (1U << SNAPSHOT_NODES)
#define PARTITIONS (1U << SNAPSHOT_PARTITIONS)
#define JOBS (1U << SNAPSHOT_JOBS)
#define STATISTICS (1U << SNAPSHOT_STATISTICS)
#define RESERVATIONS (1U << SNAPSHOT_RESERVATIONS)
#define LICENSES (1U << SNAPSHOT_LICENSES)
#define ASSOCIATIONS (1U << SNAPSHOT_ASSOCIATIONS)

/* Each table: its rows' place in struct tally, the size of a row, the parts
 * without which it must not be shown. Some rows are shown as two tables, since
 * their numbers come from different parts. */
#define ROWS(member, type) offsetof(struct tally, member), sizeof(struct type)

static const struct {
    enum metric_table table;
    size_t rows_offset;
    size_t stride;
    unsigned int needs;
} tables[] = {
    {TABLE_CLUSTER, ROWS(cluster, cluster_row), NODES},
    {TABLE_QUEUE, ROWS(cluster, cluster_row), JOBS},
    {TABLE_PARTITIONS, ROWS(cluster, cluster_row), PARTITIONS},
    {TABLE_NODE, ROWS(node, node_row), NODES},
    {TABLE_NODE_FLAG, ROWS(node_flag, node_flag_row), NODES},
    {TABLE_NODE_REASON, ROWS(node_reason, node_reason_row), NODES},
    {TABLE_PARTITION, ROWS(partition, partition_row), NODES | PARTITIONS},
    {TABLE_PARTITION_JOBS, ROWS(partition, partition_row), JOBS | PARTITIONS},
    {TABLE_ACCOUNT, ROWS(account, owner_row), JOBS},
    {TABLE_USER, ROWS(user, owner_row), JOBS},
    {TABLE_USERNAME, ROWS(user, owner_row), JOBS},
    {TABLE_QOS, ROWS(qos, owner_row), JOBS},
    {TABLE_REASON, ROWS(reason, reason_row), JOBS | PARTITIONS},
    {TABLE_GPU, ROWS(gpu, gpu_row), NODES},
    {TABLE_GPU_NODE, ROWS(gpu_node, gpu_row), NODES},
    {TABLE_GPU_PARTITION, ROWS(gpu_partition, gpu_row), NODES | PARTITIONS},
    {TABLE_GPU_ACCOUNT, ROWS(gpu_account, gpu_owner_row), JOBS},
    {TABLE_GPU_USER, ROWS(gpu_user, gpu_owner_row), JOBS},
    {TABLE_GRES, ROWS(gres, gres_row), NODES},
    {TABLE_STATISTICS, ROWS(statistics, statistics_row), STATISTICS},
    {TABLE_FAIRSHARE, ROWS(fairshare, share_row), ASSOCIATIONS},
    {TABLE_SHARE, ROWS(share, share_row), ASSOCIATIONS},
    {TABLE_LIMIT_ASSOCIATION, ROWS(limit_association, limit_row), ASSOCIATIONS},
    {TABLE_LIMIT_QOS, ROWS(limit_qos, limit_row), ASSOCIATIONS},
    {TABLE_RESERVATION, ROWS(reservation, reservation_row), RESERVATIONS},
    {TABLE_LICENSE, ROWS(license, license_row), LICENSES},
    {TABLE_JOB, ROWS(job, job_row), JOBS},
};

static struct rows *table_rows(const struct tally *t, size_t index)
{
    return (struct rows *)(void *)((char *)(uintptr_t)t +
                                   tables[index].rows_offset);
}

bool tally_has(const struct tally *t, enum snapshot_part_kind kind)
{
    return (t->settings.parts >> kind & 1) && snapshot_has(t->snapshot, kind);
}

static uint32_t find_or_add_type(struct gpu_types *types, const char *name)
{
    for (uint32_t i = 0; i < types->count; i++)
        if (strcmp(types->names[i], name) == 0)
            return i;
    if (types->count == GPU_TYPES_MAX)
        return GPU_TYPES_MAX - 1;
    types->names[types->count] = name;
    return (uint32_t)types->count++;
}

bool gpu_type_index(struct tally *t,
                    enum snapshot_part_kind kind,
                    snapshot_string string,
                    uint32_t *ret_index)
{
    struct gpu_types *types = &t->gpu_types;
    struct map32 *map =
        kind == SNAPSHOT_NODES ? &types->of_nodes : &types->of_jobs;
    /* Untyped is a type as well, with an empty name; its reference is 0. */
    if (map32_find(map, string + 1, ret_index))
        return true;
    const char *name = snapshot_text(t->snapshot, kind, string);
    *ret_index = find_or_add_type(types, name);
    return map32_add(map, string + 1, *ret_index);
}

static bool count_all(struct tally *t)
{
    if (!rows_add(&t->cluster))
        return false;
    tally_cluster(t)->gpus_utilization = NAN;
    return tally_nodes(t) && tally_partitions(t) && tally_jobs(t) &&
           tally_statistics(t) && tally_associations(t) &&
           tally_reservations(t) && tally_licenses(t);
}

/* Node rows keep the order of the cluster; lists of names are for people. */
static void sort_all(struct tally *t)
{
    struct rows *sorted[] = {&t->partition,     &t->account,     &t->user,
                             &t->qos,           &t->reason,      &t->gpu,
                             &t->gpu_partition, &t->gpu_account, &t->gpu_user,
                             &t->gres};
    for (size_t i = 0; i < array_size(sorted); i++)
        rows_sort(sorted[i]);
}

int tally_new(const struct snapshot *snapshot,
              const struct tally_settings *settings,
              struct tally **ret_tally)
{
    struct tally *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->snapshot = snapshot;
    t->settings = *settings;
    for (size_t i = 0; i < array_size(tables); i++)
        table_rows(t, i)->stride = tables[i].stride;
    if (!count_all(t)) {
        tally_free(t);
        return -ENOMEM;
    }
    sort_all(t);
    *ret_tally = t;
    return 0;
}

struct tally *tally_free(struct tally *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < array_size(tables); i++)
        rows_deinit(table_rows(t, i));
    for (size_t i = 0; i < t->node_word_count; i++)
        free(t->node_words[i]);
    free(t->node_words);
    free(t->job_ids);
    map32_deinit(&t->node_word_index);
    map32_deinit(&t->gpu_types.of_nodes);
    map32_deinit(&t->gpu_types.of_jobs);
    free(t);
    return NULL;
}

void tally_fill(const struct tally *t, struct metric_rows *rows)
{
    unsigned int there = 0;
    for (unsigned int kind = 0; kind < SNAPSHOT_PART_COUNT; kind++)
        if (tally_has(t, (enum snapshot_part_kind)kind))
            there |= 1U << kind;
    for (size_t i = 0; i < array_size(tables); i++)
        rows->tables[tables[i].table] =
            (tables[i].needs & ~there) ? NULL : table_rows(t, i);
}
