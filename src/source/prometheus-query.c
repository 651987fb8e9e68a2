/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names are those of doc/metrics.md and doc/gpu-metrics.md. Every
 * expression ends in an aggregation: two Prometheus jobs that scrape the same
 * exporter, or an exporter that prints one GPU for each job on it, count once.
 *
 * In an expression, $ stands for the matchers of the ids and the site's own, @
 * for the site's alone.
 */
#include "source/prometheus-query.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Within a step so many moments are looked at, */
    MOMENTS = 12,
    /* but not more than were measured. */
    MOMENT_S = 15,
    ID_SIZE = 96
};

/* GPUs by UUID, whoever tells of them, and each with its jobs. */
#define OF_JOBS                                                                \
    " * on (UUID) group_right () max by (UUID, job_id) "                       \
    "(slurm_gpu_job_info{$})"
#define BUSY "max by (UUID) (max_over_time(DCGM_FI_DEV_GPU_UTIL{@}[5m]))"
#define GPU "max by (Hostname, gpu, GPU_I_ID) "

static const struct {
    const char *kind, *metric, *expression;
} expressions[] = {
    {"cluster", "jobs_running", "max(slurm_queue_running{$})"},
    {"cluster", "jobs_pending", "max(slurm_queue_pending{$})"},
    {"cluster", "gpus_total", "max(slurm_gpus_total{$})"},
    {"cluster", "gpus_allocated", "max(slurm_gpus_alloc{$})"},
    {"cluster", "gpus_used", "sum(" BUSY " > bool 0)"},
    {"cluster", "gpus_held_idle",
     "sum((" BUSY " == bool 0) * on (UUID) "
     "(count by (UUID) (slurm_gpu_job_info{@}) > bool 0))"},
    {"cluster", "power_watts",
     "sum(max by (UUID) (DCGM_FI_DEV_POWER_USAGE{$}))"},
    {"partition", "running",
     "max by (partition) (slurm_partition_jobs_by_state{state=\"running\",$})"},
    {"partition", "pending",
     "max by (partition) (slurm_partition_jobs_by_state{state=\"pending\",$})"},
    {"node", "cpus_allocated", "max by (node) (slurm_node_cpu_alloc{$})"},
    {"node", "memory_allocated_mib", "max by (node) (slurm_node_mem_alloc{$})"},
    {"node", "cpu_load", "max by (node) (slurm_node_load1{$})"},
    {"gpu", "utilization_percent", GPU "(DCGM_FI_DEV_GPU_UTIL{$})"},
    {"gpu", "memory_used_mib", GPU "(DCGM_FI_DEV_FB_USED{$})"},
    {"gpu", "temperature_c", GPU "(DCGM_FI_DEV_GPU_TEMP{$})"},
    {"gpu", "power_watts", GPU "(DCGM_FI_DEV_POWER_USAGE{$})"},
    {"job", "gpus_used", "sum by (job_id) ((" BUSY " > bool 0)" OF_JOBS ")"},
    {"job", "gpu_utilization_percent",
     "avg by (job_id) (max by (UUID) (DCGM_FI_DEV_GPU_UTIL{@})" OF_JOBS ")"},
    {"job", "gpu_memory_used_mib",
     "sum by (job_id) (max by (UUID) (DCGM_FI_DEV_FB_USED{@})" OF_JOBS ")"},
    {"job", "power_watts",
     "sum by (job_id) (max by (UUID) (DCGM_FI_DEV_POWER_USAGE{@})" OF_JOBS ")"},
    {"job", "cpu_cores",
     "sum by (job_id) (rate(slurm_node_job_cpu_seconds_total{$}[5m]))"},
    {"job", "memory_used_mib",
     "sum by (job_id) (slurm_node_job_memory_bytes{$}) / 1048576"},
};

/* "gpus_allocated" and "gpus_allocated_TYPE" of a partition. */
#define PARTITION_GPUS "gpus_allocated"
#define PARTITION_GPUS_OF                                                      \
    "max by (partition) "                                                      \
    "(slurm_partition_gpus_by_state{state=\"allocated\",type=\"%s\",$})"

/* What names of nodes, partitions and types may have: nothing that would end
 * the string it stands in. */
static bool is_name(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.-:+", *p))
            return false;
    return true;
}

/* In a regular expression, within a PromQL string. */
static void add_literal(struct text *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_addf(out, strchr(".+", text[i]) ? "\\\\%c" : "%c", text[i]);
}

/* ---- ids ----------------------------------------------------------------- */

/* "node7/3" or "node7/3.1". */
struct gpu_id {
    char node[ID_SIZE];
    const char *gpu, *instance; /* in NODE, behind the name; NULL: none */
};

static bool split_gpu(const char *id, struct gpu_id *ret_id)
{
    size_t size = strlen(id);
    if (size >= sizeof(ret_id->node))
        return false;
    memcpy(ret_id->node, id, size + 1);
    char *slash = strchr(ret_id->node, '/');
    if (!slash)
        return false;
    *slash = '\0';
    ret_id->gpu = slash + 1;
    char *dot = strchr(slash + 1, '.');
    ret_id->instance = dot ? dot + 1 : NULL;
    if (dot)
        *dot = '\0';
    return is_name(ret_id->node) && is_name(ret_id->gpu) &&
           (!dot || is_name(dot + 1));
}

static const char *id_label(const char *kind)
{
    static const char *const labels[][2] = {{"partition", "partition"},
                                            {"node", "node"},
                                            {"gpu", "Hostname"},
                                            {"job", "job_id"}};
    for (size_t i = 0; i < array_size(labels); i++)
        if (strcmp(labels[i][0], kind) == 0)
            return labels[i][1];
    return NULL;
}

/* One branch of the regular expression; false for an id that nothing has. */
static bool add_id(struct text *out, const char *kind, const char *id)
{
    struct gpu_id gpu;
    const char *name = id;
    if (strcmp(kind, "gpu") == 0) {
        if (!split_gpu(id, &gpu))
            return false;
        name = gpu.node;
    }
    if (!*name || !is_name(name))
        return false;
    add_literal(out, name, strlen(name));
    return true;
}

/* The matchers of the ids and the site's; false when there is no id. */
static bool write_matchers(const struct prometheus_wanted *wanted,
                           struct text *out)
{
    const char *label = id_label(wanted->kind);
    size_t count = 0;
    if (label) {
        text_addf(out, "%s=~\"(", label);
        for (size_t i = 0; i < wanted->id_count; i++) {
            size_t before = out->size;
            if (count > 0)
                text_add_char(out, '|');
            if (add_id(out, wanted->kind, wanted->ids[i]))
                count++;
            else
                out->size = before;
        }
        /* An exporter may call its machine by its full name. */
        text_addf(out, ")%s\"",
                  strcmp(wanted->kind, "gpu") == 0 ? "(\\\\..*)?" : "");
    }
    if (*wanted->matchers)
        text_addf(out, "%s%s", label ? "," : "", wanted->matchers);
    return !label || count > 0;
}

/* ---- expressions --------------------------------------------------------- */

static bool find_expression(const struct prometheus_wanted *wanted,
                            struct text *out)
{
    for (size_t i = 0; i < array_size(expressions); i++)
        if (strcmp(expressions[i].kind, wanted->kind) == 0 &&
            strcmp(expressions[i].metric, wanted->metric) == 0) {
            text_add(out, expressions[i].expression);
            return true;
        }
    size_t size = strlen(PARTITION_GPUS);
    if (strcmp(wanted->kind, "partition") != 0 ||
        strncmp(wanted->metric, PARTITION_GPUS, size) != 0)
        return false;
    const char *type = wanted->metric + size;
    if ((*type && *type != '_') || !is_name(type))
        return false;
    text_addf(out, PARTITION_GPUS_OF, *type ? type + 1 : "");
    return true;
}

bool prometheus_query_write(const struct prometheus_wanted *wanted,
                            struct text *out)
{
    _cleanup_(text_deinit) struct text expression = TEXT_INIT;
    _cleanup_(text_deinit) struct text matchers = TEXT_INIT;
    if (!find_expression(wanted, &expression) ||
        !write_matchers(wanted, &matchers))
        return false;
    const char *of_ids = text_str(&matchers);
    int64_t moment_s = wanted->step_s / MOMENTS;
    bool joined = wanted->step_s > MOMENT_S;
    if (joined)
        text_add(out, "avg_over_time((");
    for (const char *p = text_str(&expression); p && *p; p++) {
        if (*p == '$')
            text_add(out, of_ids ? of_ids : "");
        else if (*p == '@')
            text_add(out, wanted->matchers);
        else
            text_add_char(out, *p);
    }
    if (joined)
        text_addf(out, ")[%llds:%llds])", (long long)wanted->step_s,
                  (long long)(moment_s > MOMENT_S ? moment_s : MOMENT_S));
    return !text_failed(out);
}

/* ---- results ------------------------------------------------------------- */

static bool same(const char *label, const char *text)
{
    return strcmp(label ? label : "", text ? text : "") == 0;
}

static bool is_gpu(const struct prometheus_labels *labels, const char *id)
{
    struct gpu_id gpu;
    if (!labels->host || !split_gpu(id, &gpu))
        return false;
    size_t size = strlen(gpu.node);
    return strncmp(labels->host, gpu.node, size) == 0 &&
           (!labels->host[size] || labels->host[size] == '.') &&
           same(labels->gpu, gpu.gpu) &&
           same(labels->gpu_instance, gpu.instance);
}

bool prometheus_labels_are_of(const struct prometheus_labels *labels,
                              const char *kind,
                              const char *id)
{
    if (strcmp(kind, "gpu") == 0)
        return is_gpu(labels, id);
    if (strcmp(kind, "node") == 0)
        return same(labels->node, id);
    if (strcmp(kind, "partition") == 0)
        return same(labels->partition, id);
    if (strcmp(kind, "job") == 0)
        return same(labels->job_id, id);
    return strcmp(kind, "cluster") == 0;
}
