/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the tally share; nobody else includes this.
 */
#pragma once

#include "base/map32.h"
#include "model/tally.h"

enum {
    GPU_TYPES_MAX = 256, /* of one cluster; further types are "other" */
    REASONS_MAX = 1024
};

/* Distinct states of nodes are few: their words are made once each. */
struct node_word {
    char text[NODE_STATE_TEXT_SIZE];
    enum node_bucket bucket;
};

/* GPU types by name, for the whole tally; the maps lead there from the string
 * references of a part. */
struct gpu_types {
    const char *names[GPU_TYPES_MAX];
    size_t count;
    struct map32 of_nodes, of_jobs;
};

struct tally {
    const struct snapshot *snapshot;
    struct tally_settings settings;

    struct rows cluster, node, node_flag, node_reason, partition;
    struct rows account, user, qos, reason;
    struct rows gpu, gpu_node, gpu_partition, gpu_account, gpu_user, gres;
    struct rows statistics, fairshare, share, limit_association, limit_qos;
    struct rows reservation, license, job;

    struct gpu_types gpu_types;
    struct map32 node_word_index; /* known bits + 1 -> index */
    struct node_word **node_words;
    size_t node_word_count;
    char *job_ids; /* text of the job rows' numbers */
};

/* Each walks one part; false when memory ran out. */
bool tally_nodes(struct tally *t);
bool tally_partitions(struct tally *t); /* after nodes */
bool tally_jobs(struct tally *t);       /* after partitions */
bool tally_statistics(struct tally *t);
bool tally_associations(struct tally *t); /* after jobs */
bool tally_reservations(struct tally *t);
bool tally_licenses(struct tally *t);

/* True when KIND holds data that is not withdrawn. */
bool tally_has(const struct tally *t, enum snapshot_part_kind kind);

static inline struct cluster_row *tally_cluster(struct tally *t)
{
    return t->cluster.data;
}

/* The index of the GPU type that STRING of part KIND (nodes or jobs) names. */
bool gpu_type_index(struct tally *t,
                    enum snapshot_part_kind kind,
                    snapshot_string string,
                    uint32_t *ret_index);

/* Count NODE once into COUNTS. */
void native_nodes_add(struct native_nodes *counts,
                      const struct node_record *node,
                      uint64_t gpus);
