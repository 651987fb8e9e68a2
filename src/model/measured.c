/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an exporter's page. Each line stands alone: its name says which
 * member of which record the value is, its labels which GPU and which job. The
 * page is walked once and nothing of it is copied but what is kept.
 */
#include "model/measured.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUE_MAX = 64 /* bytes of a label's value that are looked at */
};

enum label {
    LABEL_GPU,
    LABEL_INSTANCE,
    LABEL_DEVICE,
    LABEL_UUID,
    LABEL_UUID_OLD,
    LABEL_MODEL,
    LABEL_PROFILE,
    LABEL_STATE,
    LABEL_JOB_ID,
    LABEL_HPC_JOB,
    LABEL_USER,
    LABEL_COUNT
};

static const char *const label_names[LABEL_COUNT] = {
    [LABEL_GPU] = "gpu",
    [LABEL_INSTANCE] = "GPU_I_ID",
    [LABEL_DEVICE] = "device",
    [LABEL_UUID] = "UUID",
    [LABEL_UUID_OLD] = "uuid",
    [LABEL_MODEL] = "modelName",
    [LABEL_PROFILE] = "GPU_I_PROFILE",
    [LABEL_STATE] = "state",
    [LABEL_JOB_ID] = "job_id",
    [LABEL_HPC_JOB] = "hpc_job",
    [LABEL_USER] = "user",
};

struct line {
    const char *name;
    size_t name_size;
    char labels[LABEL_COUNT][VALUE_MAX]; /* "": not there */
    double value;
};

/* ---- one line -------------------------------------------------------------
 */

/* Read the value of a label from behind its quote on; cut to what is looked
 * at. NULL when the line ends within it. */
static const char *
read_label_value(const char *at, const char *end, char *ret_value)
{
    size_t size = 0;
    for (; at < end && *at != '"'; at++) {
        char c = *at;
        if (c == '\\' && at + 1 < end)
            c = *++at == 'n' ? ' ' : *at;
        if (size + 1 < VALUE_MAX)
            ret_value[size++] = c;
    }
    ret_value[size] = '\0';
    return at < end ? at + 1 : NULL;
}

static enum label find_label(const char *name, size_t size)
{
    unsigned int i = 0;
    while (i < LABEL_COUNT && (strlen(label_names[i]) != size ||
                               memcmp(label_names[i], name, size) != 0))
        i++;
    return (enum label)i;
}

/* Read labels from behind the brace on; NULL when they make no sense. */
static const char *read_labels(const char *at, const char *end, struct line *l)
{
    char ignored[VALUE_MAX] = "";
    while (at && at < end && *at != '}') {
        const char *name = at;
        while (at < end && *at != '=')
            at++;
        if (end - at < 2 || at[1] != '"')
            return NULL;
        enum label label = find_label(name, (size_t)(at - name));
        at = read_label_value(at + 2, end,
                              label < LABEL_COUNT ? l->labels[label] : ignored);
        while (at && at < end && (*at == ',' || *at == ' '))
            at++;
    }
    return at && at < end ? at + 1 : NULL;
}

static bool read_value(const char *at, const char *end, double *ret_value)
{
    char text[48];
    char *rest;
    while (at < end && *at == ' ')
        at++;
    size_t size = 0;
    while (at + size < end && at[size] != ' ' && size + 1 < sizeof(text))
        size++;
    memcpy(text, at, size);
    text[size] = '\0';
    *ret_value = strtod(text, &rest);
    return rest != text && *rest == '\0';
}

static bool is_name(char c)
{
    return c == '_' || c == ':' || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool read_name(const char *at, const char *end, struct line *l)
{
    l->name = at;
    while (at < end && is_name(*at))
        at++;
    l->name_size = (size_t)(at - l->name);
    return l->name_size > 0 && at < end && *at == '{';
}

/* ---- what lines mean ------------------------------------------------------
 */

enum meaning {
    MEANS_UTILIZATION,
    MEANS_UTILIZATION_RATIO,
    MEANS_MEMORY_USED,
    MEANS_MEMORY_FREE,
    MEANS_TEMPERATURE,
    MEANS_POWER,
    MEANS_POWER_LIMIT,
    MEANS_XID,
    MEANS_XID_COUNT,
    MEANS_STATE,
    MEANS_JOB,
    MEANS_JOB_HOLDS,
    MEANS_JOB_PROCESSES,
    MEANS_JOB_IDLE,
    MEANS_HOST_JOB_CPU,
    MEANS_HOST_JOB_MEMORY
};

static const struct {
    const char *name;
    enum meaning meaning;
} meanings[] = {
    {"DCGM_FI_DEV_GPU_UTIL", MEANS_UTILIZATION},
    {"DCGM_FI_DEV_GPU_UTIL_RATIO", MEANS_UTILIZATION_RATIO},
    {"DCGM_FI_DEV_FB_USED", MEANS_MEMORY_USED},
    {"DCGM_FI_DEV_FB_FREE", MEANS_MEMORY_FREE},
    {"DCGM_FI_DEV_GPU_TEMP", MEANS_TEMPERATURE},
    {"DCGM_FI_DEV_GPU_TEMP_CELSIUS", MEANS_TEMPERATURE},
    {"DCGM_FI_DEV_POWER_USAGE", MEANS_POWER},
    {"DCGM_FI_DEV_BOARD_POWER_WATTS", MEANS_POWER},
    {"DCGM_FI_DEV_POWER_MGMT_LIMIT", MEANS_POWER_LIMIT},
    {"gpu_power_limit_watts", MEANS_POWER_LIMIT},
    {"DCGM_FI_DEV_XID_ERRORS", MEANS_XID},
    {"DCGM_FI_DEV_XID_ERROR", MEANS_XID},
    {"gpu_xid_errors_total", MEANS_XID_COUNT},
    {"gpu_up", MEANS_STATE},
    {"slurm_gpu_job_info", MEANS_JOB},
    {"slurm_gpu_job_allocated", MEANS_JOB_HOLDS},
    {"slurm_gpu_job_processes", MEANS_JOB_PROCESSES},
    {"slurm_gpu_held_idle", MEANS_JOB_IDLE},
    {"slurm_node_job_cpu_seconds_total", MEANS_HOST_JOB_CPU},
    {"slurm_node_job_memory_bytes", MEANS_HOST_JOB_MEMORY},
};

static bool
find_meaning(const char *name, size_t size, enum meaning *ret_meaning)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
        if (strlen(meanings[i].name) != size ||
            memcmp(meanings[i].name, name, size) != 0)
            continue;
        *ret_meaning = meanings[i].meaning;
        return true;
    }
    return false;
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *text < '0' || *text > '9' || *end || number >= MEASURED_NONE
               ? MEASURED_NONE
               : (uint32_t)number;
}

/* The GPU that the line is about, made when it is new; MEASURED_NONE when it
 * names none or there are too many. */
/* "nvidia3" is /dev/nvidia3: gres.conf goes by that, the driver's own order
 * need not. */
static uint32_t read_place(const char *device, uint32_t index)
{
    uint32_t number = MEASURED_NONE;
    if (strncmp(device, "nvidia", 6) == 0)
        number = read_number(device + 6);
    return number == MEASURED_NONE ? index : number;
}

static uint32_t find_gpu(struct measured_node *node, const struct line *l)
{
    uint32_t index = read_number(l->labels[LABEL_GPU]);
    uint32_t instance = read_number(l->labels[LABEL_INSTANCE]);
    if (index == MEASURED_NONE)
        return MEASURED_NONE;
    for (uint32_t i = 0; i < node->gpu_count; i++)
        if (node->gpus[i].index == index && node->gpus[i].instance == instance)
            return i;
    if (node->gpu_count == MEASURED_GPUS_MAX)
        return MEASURED_NONE;
    node->gpus[node->gpu_count] = (struct measured_gpu){
        .index = index,
        .place = read_place(l->labels[LABEL_DEVICE], index),
        .instance = instance,
        .last_xid = MEASURED_NONE,
        .utilization_percent = NAN,
        .memory_used_mib = NAN,
        .memory_free_mib = NAN,
        .temperature_c = NAN,
        .power_watts = NAN,
        .power_limit_watts = NAN,
    };
    return (uint32_t)node->gpu_count++;
}

static void keep(char *field, size_t size, const char *value)
{
    size_t length = strnlen(value, size - 1); /* the rest is cut off */
    if (*field)
        return;
    memcpy(field, value, length);
    field[length] = '\0';
}

static void take_identity(struct measured_gpu *gpu, const struct line *l)
{
    keep(gpu->uuid, sizeof(gpu->uuid), l->labels[LABEL_UUID]);
    keep(gpu->uuid, sizeof(gpu->uuid), l->labels[LABEL_UUID_OLD]);
    keep(gpu->model, sizeof(gpu->model), l->labels[LABEL_MODEL]);
    keep(gpu->profile, sizeof(gpu->profile), l->labels[LABEL_PROFILE]);
    if (strstr(gpu->model, "simulated"))
        gpu->flags |= MEASURED_SIMULATED;
}

static struct measured_job *
find_job(struct measured_node *node, uint32_t gpu, const char *job)
{
    for (size_t i = 0; i < node->job_count; i++)
        if (node->jobs[i].gpu == gpu &&
            strncmp(node->jobs[i].job, job, sizeof(node->jobs[i].job) - 1) == 0)
            return &node->jobs[i];
    if (node->job_count == MEASURED_JOBS_MAX)
        return NULL;
    struct measured_job *found = &node->jobs[node->job_count++];
    *found = (struct measured_job){.gpu = gpu};
    keep(found->job, sizeof(found->job), job);
    return found;
}

static void take_job(struct measured_node *node,
                     uint32_t gpu,
                     const struct line *l,
                     enum meaning meaning)
{
    struct measured_job *job = find_job(node, gpu, l->labels[LABEL_JOB_ID]);
    node->own = true;
    if (!job)
        return;
    keep(job->user, sizeof(job->user), l->labels[LABEL_USER]);
    if (meaning == MEANS_JOB_HOLDS)
        job->holds |= l->value > 0;
    else if (meaning == MEANS_JOB_PROCESSES)
        job->uses |= l->value > 0;
    else if (meaning == MEANS_JOB_IDLE)
        job->idle |= l->value > 0;
}

/* Room is made by doubling: most nodes have few jobs. */
static struct measured_host_job *find_host_job(struct measured_node *node,
                                               const char *job)
{
    size_t count = node->host_job_count;
    for (size_t i = 0; i < count; i++)
        if (strncmp(node->host_jobs[i].job, job,
                    sizeof(node->host_jobs[i].job) - 1) == 0)
            return &node->host_jobs[i];
    if (count == MEASURED_JOBS_MAX)
        return NULL;
    if ((count & (count - 1)) == 0) {
        void *grown = reallocarray(node->host_jobs, count ? count * 2 : 1,
                                   sizeof(*node->host_jobs));
        if (!grown)
            return NULL;
        node->host_jobs = grown;
    }
    struct measured_host_job *found = &node->host_jobs[node->host_job_count++];
    *found = (struct measured_host_job){
        .cpu_seconds = NAN, .memory_bytes = NAN, .cpu_cores = NAN};
    keep(found->job, sizeof(found->job), job);
    return found;
}

static void take_host_job(struct measured_node *node,
                          const struct line *l,
                          enum meaning meaning)
{
    struct measured_host_job *job =
        *l->labels[LABEL_JOB_ID] ? find_host_job(node, l->labels[LABEL_JOB_ID])
                                 : NULL;
    if (!job)
        return;
    keep(job->user, sizeof(job->user), l->labels[LABEL_USER]);
    if (meaning == MEANS_HOST_JOB_CPU)
        job->cpu_seconds = l->value;
    else
        job->memory_bytes = l->value;
}

static void take_line(struct measured_node *node,
                      const struct line *l,
                      enum meaning meaning)
{
    if (meaning == MEANS_HOST_JOB_CPU || meaning == MEANS_HOST_JOB_MEMORY) {
        take_host_job(node, l, meaning);
        return;
    }
    uint32_t at = find_gpu(node, l);
    if (at == MEASURED_NONE)
        return;
    struct measured_gpu *gpu = &node->gpus[at];
    take_identity(gpu, l);
    if (*l->labels[LABEL_HPC_JOB]) {
        /* dcgm-exporter labels what a job was given. */
        struct measured_job *job = find_job(node, at, l->labels[LABEL_HPC_JOB]);
        if (job)
            job->holds = true;
    }
    float value = (float)l->value;
    switch (meaning) {
    case MEANS_UTILIZATION:
        gpu->utilization_percent = value;
        break;
    case MEANS_UTILIZATION_RATIO:
        gpu->utilization_percent = value * 100;
        break;
    case MEANS_MEMORY_USED:
        gpu->memory_used_mib = value;
        break;
    case MEANS_MEMORY_FREE:
        gpu->memory_free_mib = value;
        break;
    case MEANS_TEMPERATURE:
        gpu->temperature_c = value;
        break;
    case MEANS_POWER:
        gpu->power_watts = value;
        break;
    case MEANS_POWER_LIMIT:
        gpu->power_limit_watts = value;
        break;
    case MEANS_XID:
        gpu->last_xid =
            value > 0 && value < 1e6 ? (uint32_t)value : MEASURED_NONE;
        break;
    case MEANS_XID_COUNT:
        gpu->xid_count += value > 0 && value < 1e6 ? (uint32_t)value : 0;
        break;
    case MEANS_STATE:
        keep(gpu->state, sizeof(gpu->state), l->labels[LABEL_STATE]);
        node->own = true;
        break;
    default:
        take_job(node, at, l, meaning);
    }
}

/* ---- the page -------------------------------------------------------------
 */

static void read_line(const char *at, const char *end, struct measured_node *n)
{
    struct line line = {.name = NULL};
    enum meaning meaning;
    if (at == end || *at == '#' || !read_name(at, end, &line) ||
        !find_meaning(line.name, line.name_size, &meaning))
        return;
    const char *rest = read_labels(at + line.name_size + 1, end, &line);
    if (rest && read_value(rest, end, &line.value))
        take_line(n, &line, meaning);
}

/* dcgm-exporter tells who holds a GPU and nothing of processes: who holds one
 * that works, uses it. */
static void judge_job(const struct measured_node *node,
                      struct measured_job *job)
{
    const struct measured_gpu *gpu = &node->gpus[job->gpu];
    bool works = gpu->utilization_percent > 0;
    if (!node->own && job->holds) {
        job->uses = works;
        job->idle = !works && !isnan(gpu->utilization_percent);
    }
}

static void judge_use(struct measured_node *node)
{
    for (size_t i = 0; i < node->job_count; i++)
        judge_job(node, &node->jobs[i]);
    for (size_t i = 0; i < node->gpu_count; i++)
        if (node->own)
            node->gpus[i].flags |= MEASURED_KNOWS_JOBS;
    for (size_t i = 0; i < node->job_count; i++)
        node->gpus[node->jobs[i].gpu].flags |= MEASURED_KNOWS_JOBS;
}

bool measured_node_give(struct measured_node *node,
                        uint32_t place,
                        const char *job,
                        const char *user)
{
    uint32_t gpu = 0;
    while (gpu < node->gpu_count && (node->gpus[gpu].place != place ||
                                     node->gpus[gpu].instance != MEASURED_NONE))
        gpu++;
    if (gpu == node->gpu_count)
        return true;
    /* find_job() adds at most one. */
    void *jobs =
        reallocarray(node->jobs, node->job_count + 1, sizeof(*node->jobs));
    if (!jobs)
        return false;
    node->jobs = jobs;
    struct measured_job *given = find_job(node, gpu, job);
    if (given) {
        given->holds = true;
        keep(given->user, sizeof(given->user), user);
        judge_job(node, given);
    }
    return true;
}

void measured_node_given(struct measured_node *node)
{
    for (size_t i = 0; i < node->gpu_count; i++)
        if (node->gpus[i].instance == MEASURED_NONE)
            node->gpus[i].flags |= MEASURED_KNOWS_JOBS;
}

/* The memory that is not needed goes back. */
static void shrink(struct measured_node *node)
{
    void *gpus =
        realloc(node->gpus, (node->gpu_count + 1) * sizeof(*node->gpus));
    void *jobs =
        realloc(node->jobs, (node->job_count + 1) * sizeof(*node->jobs));
    if (gpus)
        node->gpus = gpus;
    if (jobs)
        node->jobs = jobs;
}

int measured_node_parse(const char *text,
                        size_t size,
                        struct measured_node *ret_node)
{
    struct measured_node node = {
        .gpus = calloc(MEASURED_GPUS_MAX, sizeof(*node.gpus)),
        .jobs = calloc(MEASURED_JOBS_MAX, sizeof(*node.jobs)),
    };
    if (!node.gpus || !node.jobs) {
        measured_node_deinit(&node);
        return -ENOMEM;
    }
    const char *end = text + size;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        read_line(text, stop, &node);
        text = stop + 1;
    }
    if (node.gpu_count == 0) {
        measured_node_deinit(&node);
        return -ENODATA;
    }
    judge_use(&node);
    shrink(&node);
    *ret_node = node;
    return 0;
}

void measured_node_deinit(struct measured_node *node)
{
    free(node->gpus);
    free(node->jobs);
    free(node->host_jobs);
    *node = (struct measured_node){.gpus = NULL};
}
