/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names around the table of metrics: pages, families, labels of tables. The
 * metrics themselves are in metric-table.c (ours and vpenso's),
 * metric-table-native.c (Slurm's own) and metric-table-self.c (the exporter).
 */
#include "model/metric.h"

#include <string.h>

const char *const metric_page_paths[PAGE_COUNT] = {
    [PAGE_METRICS] = "/metrics",
    [PAGE_NODES] = "/metrics/nodes",
    [PAGE_JOBS] = "/metrics/jobs",
    [PAGE_USERS] = "/metrics/jobs-users-accts",
    [PAGE_PARTITIONS] = "/metrics/partitions",
    [PAGE_SCHEDULER] = "/metrics/scheduler",
};

const char *const metric_family_names[FAMILY_COUNT + 1] = {
    [FAMILY_CPUS] = "cpus",
    [FAMILY_NODES] = "nodes",
    [FAMILY_NODE] = "node",
    [FAMILY_NODE_LOAD] = "node-load",
    [FAMILY_GPUS] = "gpus",
    [FAMILY_PARTITIONS] = "partitions",
    [FAMILY_QUEUE] = "queue",
    [FAMILY_ACCOUNTS] = "accounts",
    [FAMILY_USERS] = "users",
    [FAMILY_QOS] = "qos",
    [FAMILY_SCHEDULER] = "scheduler",
    [FAMILY_RPCS] = "rpcs",
    [FAMILY_FAIRSHARE] = "fairshare",
    [FAMILY_LIMITS] = "limits",
    [FAMILY_RESERVATIONS] = "reservations",
    [FAMILY_LICENSES] = "licenses",
    [FAMILY_JOB] = "job",
    [FAMILY_EXPORTER] = "exporter",
};

const char *const metric_table_labels[TABLE_COUNT][ROW_LABELS_MAX] = {
    [TABLE_NODE] = {"node", "status", "state"},
    [TABLE_NODE_FLAG] = {"node", "flag"},
    [TABLE_NODE_REASON] = {"node", "reason", "user", "status"},
    [TABLE_PARTITION] = {"partition", "state"},
    [TABLE_PARTITION_JOBS] = {"partition", "state"},
    [TABLE_ACCOUNT] = {"account"},
    [TABLE_USER] = {"user"},
    [TABLE_USERNAME] = {"username"},
    [TABLE_QOS] = {"qos"},
    [TABLE_REASON] = {"partition", "reason"},
    [TABLE_GPU] = {"type"},
    [TABLE_GPU_NODE] = {"node", "type"},
    [TABLE_GPU_PARTITION] = {"partition", "type"},
    [TABLE_GPU_ACCOUNT] = {"account", "type"},
    [TABLE_GPU_USER] = {"user", "type"},
    [TABLE_GRES] = {"gres", "type"},
    [TABLE_HISTORY] = {"partition"},
    [TABLE_RPC] = {"rpc"},
    [TABLE_RPC_USER] = {"user"},
    [TABLE_FAIRSHARE] = {"account"},
    [TABLE_SHARE] = {"account", "user", "partition"},
    [TABLE_LIMIT_ASSOCIATION] = {"account", "user", "partition", "kind",
                                 "resource"},
    [TABLE_LIMIT_QOS] = {"qos", "kind", "resource"},
    [TABLE_RESERVATION] = {"reservation", "users", "accounts", "partition",
                           "flags"},
    [TABLE_LICENSE] = {"license"},
    [TABLE_JOB] = {"job_id", "user", "account", "partition", "name"},
    [TABLE_JOB_GPU] = {"job_id", "user"},
    [TABLE_PART] = {"part"},
    [TABLE_PART_OUTCOME] = {"part", "outcome"},
    [TABLE_COLLECTOR_END] = {"cause"},
    [TABLE_HTTP] = {"path", "code"},
    [TABLE_BUILD] = {"version", "slurm_version", "cluster"},
};

uint32_t metric_family_mask(const char *name)
{
    for (uint32_t i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(metric_family_names[i], name) == 0)
            return FAMILY_MASK(i);
    return 0;
}
