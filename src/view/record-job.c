/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs as JSON.
 */
#include "model/state.h"
#include "model/tally.h"
#include "view/records.h"

#include <math.h>
#include <stdio.h>

static const char *job_text(const struct record_source *source,
                            snapshot_string string)
{
    return snapshot_text(source->snapshot, SNAPSHOT_JOBS, string);
}

const char *record_job_state(const struct job_record *job)
{
    switch (job_state_shown(job->state)) {
    case JOB_SHOWN_COMPLETING:
        return "completing";
    case JOB_SHOWN_CONFIGURING:
        return "configuring";
    case JOB_SHOWN_OTHER:
        for (int bit = 0; bit < JOB_FLAG_COUNT; bit++)
            if (job->state >> (bit + JOB_FLAG_BIT_FIRST) & 1)
                return job_flag_names[bit];
        break;
    default:
        break;
    }
    enum job_base base = job_state_base(job->state);
    return base < JOB_BASE_COUNT ? job_base_names[base] : "unknown";
}

bool record_job_is_over(const struct job_record *job)
{
    enum job_base base = job_state_base(job->state);
    return base >= JOB_BASE_COMPLETED && base < JOB_BASE_COUNT &&
           job_state_shown(job->state) != JOB_SHOWN_COMPLETING;
}

uint64_t record_job_gpus(const struct record_source *source,
                         const struct job_record *job,
                         const char **ret_type)
{
    size_t count;
    const struct gres_record *gres =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 1, &count);
    bool waits = job_state_base(job->state) == JOB_BASE_PENDING;
    uint64_t tasks = waits && job->task_count ? job->task_count : 1;
    uint64_t sum = 0;
    *ret_type = "";
    for (uint32_t i = 0; i < job->gres_count; i++) {
        const struct gres_record *one = &gres[job->gres_first + i];
        if (strcmp(job_text(source, one->name), "gpu") != 0)
            continue;
        /* Of one that is over, what it had. */
        sum += waits || !one->used ? one->total * tasks : one->used;
        if (!**ret_type)
            *ret_type = job_text(source, one->type);
    }
    return sum;
}

static void print_identity(struct json *json,
                           const struct record_source *source,
                           const struct job_record *job)
{
    char text[JOB_NAME_SIZE];
    json_u64(json, "id", job->job_id);
    json_text(json, "job", job_name(job, text));
    json_text(json, "name", job_text(source, job->name));
    json_text(json, "user", job_text(source, job->user));
    json_text_known(json, "account", job_text(source, job->account));
    json_text(json, "partition", job_text(source, job->partition));
    json_text_known(json, "qos", job_text(source, job->qos));
}

/* Slurm keeps "None" as the reason of a job that runs. */
static void print_state(struct json *json,
                        const struct record_source *source,
                        const struct job_record *job,
                        const char *state)
{
    const char *reason = job_text(source, job->reason);
    bool waits = job_state_base(job->state) == JOB_BASE_PENDING;
    json_text(json, "state", state);
    if (!waits && strcmp(reason, "None") == 0)
        return;
    json_text_known(json, "reason", reason);
    if (waits)
        json_text_known(json, "reason_text", reason_words(reason));
    json_text_known(json, "reason_detail",
                    job_text(source, job->reason_detail));
}

static void print_times(struct json *json, const struct job_record *job)
{
    json_time(json, "submit_s", job->submit_time_s);
    json_time(json, "eligible_s", job->eligible_time_s);
    json_time(json, "start_s", job->start_time_s);
    json_time(json, "end_s", job->end_time_s);
    if (job->time_limit_minutes != UINT32_MAX)
        json_u64(json, "time_limit_s", (uint64_t)job->time_limit_minutes * 60);
}

static void print_resources(struct json *json,
                            const struct record_source *source,
                            const struct job_record *job)
{
    const char *type;
    uint64_t gpus = record_job_gpus(source, job, &type);
    json_text_known(json, "nodes", job_text(source, job->nodes));
    json_u64(json, "node_count", job->nodes_count);
    json_u64(json, "cpus", job->cpus);
    json_u64(json, "memory_mib", job->memory_mib);
    json_u64(json, "gpus", gpus);
    json_text_known(json, "gpu_type", type);
}

/* Of what it keeps busy and occupies on its nodes. */
static void print_host(struct json *json, const struct fleet_job *measured)
{
    if (measured->cpu_readings)
        json_real(json, "cpus_used", round(measured->cpu_cores * 100) / 100);
    if (measured->host_readings)
        json_real(json, "memory_used_mib",
                  round(measured->memory_bytes / (1 << 20)));
}

/* What is measured of the GPUs that it holds, and of its processes. */
static void print_measured(struct json *json,
                           const struct record_source *source,
                           const struct job_record *job)
{
    char text[JOB_NAME_SIZE];
    const struct fleet_job *measured =
        source->fleet_jobs
            ? fleet_jobs_find(source->fleet_jobs, job_name(job, text))
            : NULL;
    if (!measured || job_state_base(job->state) == JOB_BASE_PENDING)
        return;
    print_host(json, measured);
    if (measured->gpus == 0)
        return;
    json_u64(json, "gpus_used", measured->gpus_used);
    json_u64(json, "gpus_idle", measured->gpus_idle);
    json_time(json, "idle_since_s", measured->idle_since_s);
    if (measured->readings)
        json_real(json, "gpu_utilization_percent",
                  round(measured->utilization_sum / measured->readings));
    if (measured->memory_readings)
        json_real(json, "gpu_memory_used_mib",
                  round(measured->memory_used_mib));
    if (measured->power_readings)
        json_real(json, "power_watts", round(measured->power_watts));
}

static void print_members(struct json *json,
                          const struct record_source *source,
                          const struct job_record *job,
                          const char *state)
{
    print_identity(json, source, job);
    print_state(json, source, job, state);
    print_times(json, job);
    print_resources(json, source, job);
    if (job->has & JOB_HAS_PRIORITY)
        json_u64(json, "priority", job->priority);
    if (job->array_job_id)
        json_u64(json, "array_id", job->array_job_id);
    if (job->has & JOB_HAS_ARRAY_TASK)
        json_u64(json, "task", job->array_task_id);
    else if (job->array_job_id)
        json_u64(json, "tasks", job->task_count);
    if (job->restarts)
        json_u64(json, "restarts", job->restarts);
    print_measured(json, source, job);
}

void records_add_jobs(struct collection *collection,
                      const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_JOBS))
        return;
    size_t count;
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &count);
    for (size_t i = 0; i < count; i++) {
        if (record_is_hidden(&source->audience, PRIVATE_JOBS,
                             job_text(source, jobs[i].user)))
            continue;
        struct json *json = collection_add(collection, jobs[i].job_id);
        json_begin_object(json, NULL);
        print_members(json, source, &jobs[i], record_job_state(&jobs[i]));
        json_end_object(json);
    }
}

static void print_gpu_ids(struct json *json,
                          const struct record_source *source,
                          const char *job)
{
    json_begin_array(json, "gpu_ids");
    size_t count = source->fleet ? source->fleet->count : 0;
    if (record_is_hidden(&source->audience, PRIVATE_NODES, NULL))
        count = 0;
    for (size_t n = 0; n < count; n++) {
        const struct fleet_node *node = source->fleet->nodes[n];
        for (size_t i = 0; node->known && i < node->measured.job_count; i++) {
            const struct measured_job *one = &node->measured.jobs[i];
            const struct measured_gpu *gpu = &node->measured.gpus[one->gpu];
            char id[320];
            if (!one->holds || strcmp(one->job, job) != 0)
                continue;
            if (gpu->instance == MEASURED_NONE)
                snprintf(id, sizeof(id), "%s/%u", node->name, gpu->index);
            else
                snprintf(id, sizeof(id), "%s/%u.%u", node->name, gpu->index,
                         gpu->instance);
            json_text(json, NULL, id);
        }
    }
    json_end_array(json);
}

static void print_wishes(struct json *json,
                         const struct record_source *source,
                         const struct job_record *job)
{
    json_text_known(json, "tres", job_text(source, job->tres));
    json_text_known(json, "dependency", job_text(source, job->dependency));
    json_text_known(json, "reservation", job_text(source, job->reservation));
    json_text_known(json, "licenses", job_text(source, job->licenses));
}

void record_print_job_whole(struct json *json,
                            const struct record_source *source,
                            const struct job_record *job)
{
    json_begin_object(json, NULL);
    print_members(json, source, job, record_job_state(job));
    print_wishes(json, source, job);
    char text[JOB_NAME_SIZE];
    print_gpu_ids(json, source, job_name(job, text));
    record_print_advice(json, source, job);
    json_end_object(json);
}

void record_print_finished(struct json *json,
                           const struct record_source *source,
                           const struct job_record *job,
                           const char *state,
                           const struct record_efficiency *efficiency)
{
    json_begin_object(json, NULL);
    print_members(json, source, job, state);
    print_wishes(json, source, job);
    json_begin_object(json, "efficiency");
    json_real(json, "gpu_utilization_percent",
              round(efficiency->utilization_percent));
    json_real(json, "gpus_used", round(efficiency->gpus_used * 10) / 10);
    json_real(json, "gpu_memory_most_mib", round(efficiency->memory_most_mib));
    json_real(json, "energy_wh", round(efficiency->energy_wh * 10) / 10);
    json_real(json, "cpus_used", round(efficiency->cpu_cores * 100) / 100);
    json_real(json, "memory_most_mib", round(efficiency->host_memory_most_mib));
    json_begin_array(json, "gpus");
    for (size_t i = 0; i < efficiency->gpu_count; i++) {
        json_begin_object(json, NULL);
        json_text(json, "id", efficiency->gpus[i].id);
        json_real(json, "utilization_percent",
                  round(efficiency->gpus[i].utilization_percent));
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
    record_print_advice_finished(json, source, job, efficiency);
    json_end_object(json);
}
