/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of metrics: the only place where a metric is named. Prometheus
 * text, OpenMetrics, the reference in doc/ and the dashboards' checks are made
 * from it. To add a metric: a field of a row, the line that fills it, a line
 * of the table.
 */
#pragma once

#include "model/rows.h"

/* The pages on which metrics are served; one name means one thing on a page,
 * but Slurm's own names mean other things than vpenso's (exporters.md 2.4). */
enum metric_page {
    PAGE_METRICS,    /* /metrics */
    PAGE_NODES,      /* /metrics/nodes: names of Slurm 25.11 and later */
    PAGE_JOBS,       /* /metrics/jobs */
    PAGE_USERS,      /* /metrics/jobs-users-accts */
    PAGE_PARTITIONS, /* /metrics/partitions */
    PAGE_SCHEDULER,  /* /metrics/scheduler */
    PAGE_COUNT
};

extern const char *const metric_page_paths[PAGE_COUNT];

/* What --collect and ?collect[]= switch. */
enum metric_family {
    FAMILY_CPUS,
    FAMILY_NODES,      /* counts of nodes */
    FAMILY_NODE,       /* series for each node */
    FAMILY_NODE_LOAD,  /* what slurmd measures: off unless asked for */
    FAMILY_GPUS,       /* GPUs and other generic resources */
    FAMILY_PARTITIONS, /* series for each partition */
    FAMILY_QUEUE,      /* counts of jobs */
    FAMILY_ACCOUNTS,
    FAMILY_USERS,
    FAMILY_QOS,
    FAMILY_SCHEDULER,
    FAMILY_RPCS,
    FAMILY_FAIRSHARE,
    FAMILY_LIMITS,
    FAMILY_RESERVATIONS,
    FAMILY_LICENSES,
    FAMILY_JOB,      /* series for each job: off unless asked for */
    FAMILY_EXPORTER, /* the exporter itself */
    FAMILY_COUNT
};

extern const char *const metric_family_names[FAMILY_COUNT + 1]; /* NULL ends */

#define FAMILY_MASK(family) (UINT32_C(1) << (family))
#define FAMILIES_ALL (FAMILY_MASK(FAMILY_COUNT) - 1)
#define FAMILIES_DEFAULT                                                       \
    (FAMILIES_ALL & ~(FAMILY_MASK(FAMILY_JOB) | FAMILY_MASK(FAMILY_NODE_LOAD)))

/* The mask of one family's name; 0 when there is none of that name. */
uint32_t metric_family_mask(const char *name);

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER,
    METRIC_UNTYPED, /* gauges that are called _total by contract */
    METRIC_HISTOGRAM
};

/* How the value lies in the row. */
enum metric_kind {
    KIND_U64,
    KIND_U32, /* never absent */
    KIND_I64, /* times in seconds; 0 is "never" and left out */
    KIND_DOUBLE,
    KIND_VECTOR,    /* uint64_t[vector->count]: one more label */
    KIND_HISTOGRAM, /* struct histogram */
    KIND_ONE        /* the row's existence is the value: 1 */
};

enum metric_emit {
    EMIT_ALWAYS,  /* zeros too */
    EMIT_POSITIVE /* only above zero: vpenso's rule, and sparse vectors */
};

/* Tables of rows that metrics walk; labels in metric_table_labels[]. */
enum metric_table {
    TABLE_CLUSTER, /* one row: what comes from nodes */
    TABLE_QUEUE,   /* the same row: what comes from jobs */
    TABLE_NODE,
    TABLE_NODE_FLAG,
    TABLE_NODE_REASON,
    TABLE_PARTITIONS,     /* the same row: how many there are */
    TABLE_PARTITION,      /* what comes from nodes */
    TABLE_PARTITION_JOBS, /* what comes from jobs */
    TABLE_ACCOUNT,
    TABLE_USER,
    TABLE_USERNAME, /* the same rows under Slurm's own label */
    TABLE_QOS,
    TABLE_REASON,
    TABLE_GPU,
    TABLE_GPU_NODE,
    TABLE_GPU_PARTITION,
    TABLE_GPU_ACCOUNT,
    TABLE_GPU_USER,
    TABLE_GRES,
    TABLE_STATISTICS,
    TABLE_COUNTERS,
    TABLE_HISTORY, /* histograms by partition */
    TABLE_RPC,
    TABLE_RPC_USER,
    TABLE_FAIRSHARE, /* vpenso's: accounts alone */
    TABLE_SHARE,
    TABLE_LIMIT_ASSOCIATION,
    TABLE_LIMIT_QOS,
    TABLE_RESERVATION,
    TABLE_LICENSE,
    TABLE_JOB,
    TABLE_JOB_GPU, /* measured; in serve only */
    TABLE_EXPORTER,
    TABLE_PART,
    TABLE_PART_OUTCOME,
    TABLE_COLLECTOR_END,
    TABLE_HTTP,
    TABLE_BUILD,
    TABLE_COUNT
};

/* Names of a table's labels, in the order of the rows' values. */
extern const char *const metric_table_labels[TABLE_COUNT][ROW_LABELS_MAX];

/* A label that a KIND_VECTOR metric adds, and its values. */
struct metric_vector {
    const char *label;
    const char *const *names;
    size_t count;
};

struct metric {
    const char *name;
    const char *help;
    enum metric_family family;
    enum metric_table table;
    enum metric_type type;
    enum metric_kind kind;
    enum metric_emit emit;
    uint8_t labels; /* bit i: print label i of the table */
    size_t offset;  /* of the value in the row */
    const struct metric_vector *vector;
    const struct histogram_bounds *bounds;
};

/* Metrics in the order of printing. A page consists of one or more lists. */
struct metric_list {
    enum metric_page page;
    const struct metric *metrics;
    size_t count;
};

enum {
    METRIC_LISTS_NATIVE = 5
};
extern const struct metric_list metric_list_main; /* of /metrics */
extern const struct metric_list metric_list_self; /* of /metrics, at its end */
extern const struct metric_list metric_lists_native[METRIC_LISTS_NATIVE];

/* Where the rows are at the moment; NULL: no rows. */
struct metric_rows {
    const struct rows *tables[TABLE_COUNT];
};
