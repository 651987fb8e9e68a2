/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: nine tenths of what a cycle costs, here and in the controller. SHOW_ALL
 * without SHOW_DETAIL, unless it is wanted which GPUs each job was given: of
 * all that this brings nothing else is read.
 *
 * A pending job array is one record that stands for all of its waiting tasks;
 * their number is in the bitmap, since the text of their numbers is cut short.
 */
#include "base/cleanup.h"
#include "source/collector-protocol.h"
#include "source/slurm-gres.h"
#include "source/slurm-job-resources.h"
#include "source/slurm-parts.h"

#include "model/state.h"

enum job_field {
    FIELD_NAME,
    FIELD_USER,
    FIELD_ACCOUNT,
    FIELD_PARTITION,
    FIELD_QOS,
    FIELD_REASON,
    FIELD_REASON_DETAIL,
    FIELD_NODES,
    FIELD_RESERVATION,
    FIELD_LICENSES,
    FIELD_DEPENDENCY,
    FIELD_TRES,
    FIELD_GRES_NAME, /* and the type behind it */
    FIELD_GPU_NODE = FIELD_GRES_NAME + 2
};

static void convert_strings(struct slurm_request *request,
                            const slurm_job_info_t *job,
                            struct job_record *record)
{
    struct snapshot_builder *b = request->builder;
    const char *user = job->user_name && job->user_name[0]
                           ? job->user_name
                           : user_name(request->users, job->user_id);
    record->name = snapshot_builder_string(b, FIELD_NAME, job->name);
    record->user = snapshot_builder_string(b, FIELD_USER, user);
    record->account = snapshot_builder_string(b, FIELD_ACCOUNT, job->account);
    record->partition =
        snapshot_builder_string(b, FIELD_PARTITION, job->partition);
    record->qos = snapshot_builder_string(b, FIELD_QOS, job->qos);
    record->reason =
        snapshot_builder_string(b, FIELD_REASON, compat_job_reason(job));
    record->reason_detail =
        snapshot_builder_string(b, FIELD_REASON_DETAIL, job->state_desc);
    record->nodes = snapshot_builder_string(b, FIELD_NODES, job->nodes);
    record->reservation =
        snapshot_builder_string(b, FIELD_RESERVATION, job->resv_name);
    record->licenses =
        snapshot_builder_string(b, FIELD_LICENSES, compat_job_licenses(job));
    record->dependency =
        snapshot_builder_string(b, FIELD_DEPENDENCY, job->dependency);
    record->tres = snapshot_builder_string(b, FIELD_TRES, slurm_job_tres(job));
}

static void convert_identity(const slurm_job_info_t *job,
                             struct job_record *record)
{
    record->job_id = job->job_id;
    record->user_id = job->user_id;
    record->task_count = 1;
    if (job->array_job_id != 0 && job->array_job_id != NO_VAL) {
        record->array_job_id = job->array_job_id;
        record->task_count = compat_job_tasks(job);
        if (job->array_task_id != NO_VAL) {
            record->has |= JOB_HAS_ARRAY_TASK;
            record->array_task_id = job->array_task_id;
        }
    }
    if (job->het_job_id != 0 && job->het_job_id != NO_VAL) {
        record->has |= JOB_HAS_HET;
        record->het_job_id = job->het_job_id;
        record->het_offset = job->het_job_offset;
    }
}

static void convert_times(const slurm_job_info_t *job,
                          struct job_record *record)
{
    record->submit_time_s = slurm_time(job->submit_time);
    record->eligible_time_s = slurm_time(job->eligible_time);
    record->start_time_s = slurm_time(job->start_time);
    record->end_time_s = slurm_time(job->end_time);
    record->suspend_time_s = slurm_time(job->suspend_time);
    record->time_limit_minutes =
        job->time_limit == NO_VAL ? UINT32_MAX : job->time_limit;
}

static uint32_t number(uint32_t value)
{
    return value == NO_VAL || value == INFINITE ? 0 : value;
}

static bool holds_resources(uint32_t state)
{
    enum job_base base = job_state_base(state);
    return base == JOB_BASE_RUNNING || base == JOB_BASE_SUSPENDED ||
           state & JOB_FLAG(COMPLETING);
}

static void convert_job(struct slurm_request *request,
                        struct job_resources_reader *reader,
                        const slurm_job_info_t *job,
                        struct job_record *record)
{
    record->state = compat_job_state(job->job_state);
    convert_strings(request, job, record);
    convert_identity(job, record);
    convert_times(job, record);
    record->cpus = number(job->num_cpus);
    record->nodes_count = number(job->num_nodes);
    record->nodes_max = number(job->max_nodes);
    record->restarts = job->restart_cnt;
    if (job->priority != NO_VAL) {
        record->has |= JOB_HAS_PRIORITY;
        record->priority = job->priority;
    }
    struct job_resources resources = job_resources_read(
        reader, job, record->tres, holds_resources(record->state));
    record->memory_mib = resources.memory_mib;
    record->gres_first = resources.gres_first;
    record->gres_count = resources.gres_count;
}

/* Slurm tells of each of the job's nodes, in their order. */
static void convert_gpus(struct slurm_request *request,
                         const slurm_job_info_t *job,
                         uint32_t index)
{
    if (!(request->wanted & COLLECTOR_WANTS_JOB_GPUS) || !job->nodes ||
        job->gres_detail_cnt == 0)
        return;
    /* Its type is another before Slurm 23.11. */
    __auto_type hosts = slurm_hostlist_create(job->nodes);
    for (uint32_t i = 0; hosts && i < job->gres_detail_cnt; i++) {
        char *host = slurm_hostlist_shift(hosts);
        if (host)
            job_gpus_write(request->builder, FIELD_GPU_NODE, host, index,
                           job->gres_detail_str[i]);
        free(host);
    }
    if (hosts)
        slurm_hostlist_destroy(hosts);
}

/* A revoked job runs on another cluster of the federation and is only
 * remembered by this one. */
static bool is_ours(const slurm_job_info_t *job)
{
    return !(compat_job_state(job->job_state) & JOB_FLAG(REVOKED));
}

static int convert_all(struct slurm_request *request,
                       struct job_resources_reader *reader,
                       const job_info_msg_t *message,
                       struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(request->builder, SNAPSHOT_JOBS,
                                   message->record_count, &records, err);
    if (r < 0)
        return r;
    struct job_record *record = records;
    size_t used = 0;
    for (uint32_t i = 0; i < message->record_count; i++) {
        const slurm_job_info_t *job = &message->job_array[i];
        if (!is_ours(job))
            continue;
        convert_job(request, reader, job, &record[used]);
        if (holds_resources(record[used].state))
            convert_gpus(request, job, (uint32_t)used);
        used++;
    }
    r = snapshot_builder_end(request->builder, used, err);
    if (r == 0)
        snapshot_builder_part(request->builder, SNAPSHOT_JOBS)->updated_s =
            message->last_update;
    return r;
}

int slurm_jobs_convert(struct slurm_request *request,
                       const job_info_msg_t *message,
                       struct error *err)
{
    _cleanup_(free_ptr) struct job_resources_reader *reader =
        calloc(1, sizeof(*reader));
    if (!reader)
        return error_errno(err, ENOMEM, "jobs");
    reader->builder = request->builder;
    reader->name_field = FIELD_GRES_NAME;
    return convert_all(request, reader, message, err);
}

int slurm_jobs_load(struct slurm_request *request, struct error *err)
{
    job_info_msg_t *message = NULL;
    uint16_t detail =
        request->wanted & COLLECTOR_WANTS_JOB_GPUS ? SHOW_DETAIL : 0;
    int r = slurm_call_result(
        slurm_load_jobs(request->known_s, &message, SHOW_ALL | detail));
    if (r != 0)
        return r;
    r = slurm_jobs_convert(request, message, err);
    slurm_free_job_info_msg(message);
    return r;
}
