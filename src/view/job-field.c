/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of a job's fields.
 */
#include "view/job-field.h"

#define TEXT_FIELD(field)                                                      \
    static struct job_value get_##field(const struct record_source *source,    \
                                        const struct job_record *job,          \
                                        char *buffer)                          \
    {                                                                          \
        (void)buffer;                                                          \
        return (struct job_value){                                             \
            .text =                                                            \
                snapshot_text(source->snapshot, SNAPSHOT_JOBS, job->field)};   \
    }

#define NUMBER_FIELD(field)                                                    \
    static struct job_value get_##field(const struct record_source *source,    \
                                        const struct job_record *job,          \
                                        char *buffer)                          \
    {                                                                          \
        (void)source;                                                          \
        (void)buffer;                                                          \
        return (struct job_value){.number = (int64_t)job->field};              \
    }

TEXT_FIELD(name)
TEXT_FIELD(user)
TEXT_FIELD(account)
TEXT_FIELD(partition)
TEXT_FIELD(qos)
TEXT_FIELD(reason)
TEXT_FIELD(nodes)
NUMBER_FIELD(job_id)
NUMBER_FIELD(submit_time_s)
NUMBER_FIELD(eligible_time_s)
NUMBER_FIELD(start_time_s)
NUMBER_FIELD(end_time_s)
NUMBER_FIELD(nodes_count)
NUMBER_FIELD(cpus)
NUMBER_FIELD(memory_mib)
NUMBER_FIELD(priority)
NUMBER_FIELD(restarts)

static struct job_value get_job(const struct record_source *source,
                                const struct job_record *job,
                                char *buffer)
{
    (void)source;
    return (struct job_value){.text = job_name(job, buffer)};
}

static struct job_value get_state(const struct record_source *source,
                                  const struct job_record *job,
                                  char *buffer)
{
    (void)source;
    (void)buffer;
    return (struct job_value){.text = record_job_state(job)};
}

/* Unlimited is longer than every limit. */
static struct job_value get_limit(const struct record_source *source,
                                  const struct job_record *job,
                                  char *buffer)
{
    (void)source;
    (void)buffer;
    return (struct job_value){.number = (int64_t)job->time_limit_minutes * 60};
}

static struct job_value get_gpus(const struct record_source *source,
                                 const struct job_record *job,
                                 char *buffer)
{
    (void)buffer;
    const char *type;
    return (struct job_value){.number =
                                  (int64_t)record_job_gpus(source, job, &type)};
}

static struct job_value get_gpu_type(const struct record_source *source,
                                     const struct job_record *job,
                                     char *buffer)
{
    (void)buffer;
    struct job_value value = {.text = ""};
    (void)record_job_gpus(source, job, &value.text);
    return value;
}

const struct job_field job_fields[] = {
    {"id", get_job_id},
    {"job", get_job},
    {"name", get_name},
    {"user", get_user},
    {"account", get_account},
    {"partition", get_partition},
    {"qos", get_qos},
    {"state", get_state},
    {"reason", get_reason},
    {"submit_s", get_submit_time_s},
    {"eligible_s", get_eligible_time_s},
    {"start_s", get_start_time_s},
    {"end_s", get_end_time_s},
    {"time_limit_s", get_limit},
    {"nodes", get_nodes},
    {"node_count", get_nodes_count},
    {"cpus", get_cpus},
    {"memory_mib", get_memory_mib},
    {"gpus", get_gpus},
    {"gpu_type", get_gpu_type},
    {"priority", get_priority},
    {"restarts", get_restarts},
    {NULL, NULL},
};
