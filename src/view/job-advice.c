/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advice on a job: facts first, then what to ask for next time. Of a running
 * one only what is measured now is judged; one that has just begun is left
 * alone, for it may still be reading its data.
 */
#include "base/clock.h"
#include "model/state.h"
#include "view/records.h"

#include <math.h>
#include <stdio.h>

enum {
    LEAVE_ALONE_S = 600,
    LOW_PERCENT = 15,
    MEMORY_MIB = 4096 /* to ask for less is not worth a word */
};

static void add(struct json *json, const char *severity, const char *text)
{
    json_begin_object(json, NULL);
    json_text(json, "severity", severity);
    json_text(json, "text", text);
    json_end_object(json);
}

static void print_idle(struct json *json, const struct fleet_job *measured)
{
    char text[256];
    if (measured->gpus_idle == measured->gpus)
        snprintf(text, sizeof(text),
                 "It holds %u GPU%s and uses none of them. If it has hung or "
                 "waits for something, cancel it; if it needs no GPU, do not "
                 "ask for one.",
                 measured->gpus, measured->gpus == 1 ? "" : "s");
    else
        snprintf(text, sizeof(text),
                 "It asked for %u GPUs and uses %u. Ask for %u, or make the "
                 "program use all of them.",
                 measured->gpus, measured->gpus_used, measured->gpus_used);
    add(json, "warning", text);
}

static void print_low(struct json *json, const struct fleet_job *measured)
{
    char text[256];
    double mean = measured->utilization_sum / measured->readings;
    if (mean >= LOW_PERCENT)
        return;
    snprintf(text, sizeof(text),
             "Its GPUs are busy %.0f%% of the time now. Often the data comes "
             "too slowly: more CPUs and loader processes, larger batches, or "
             "data on a local disk help.",
             mean);
    add(json, "note", text);
}

void record_print_advice(struct json *json,
                         const struct record_source *source,
                         const struct job_record *job)
{
    char name[JOB_NAME_SIZE];
    const struct fleet_job *measured =
        source->fleet_jobs
            ? fleet_jobs_find(source->fleet_jobs, job_name(job, name))
            : NULL;
    int64_t age_s = clock_realtime_ns() / NS_PER_S - job->start_time_s;
    json_begin_array(json, "advice");
    if (measured && job_state_base(job->state) == JOB_BASE_RUNNING) {
        if (measured->gpus_idle)
            print_idle(json, measured);
        else if (measured->readings && age_s >= LEAVE_ALONE_S)
            print_low(json, measured);
    }
    json_end_array(json);
}

static void add_finished(struct json *json,
                         uint64_t gpus,
                         const struct record_efficiency *efficiency)
{
    char text[256];
    double used = efficiency->gpus_used;
    if (!isnan(used) && used < 0.05) {
        snprintf(text, sizeof(text),
                 "It asked for %llu GPU%s and used none. Ask for none.",
                 (unsigned long long)gpus, gpus == 1 ? "" : "s");
        add(json, "warning", text);
    } else if (!isnan(used) && used < 0.75 * (double)gpus) {
        snprintf(text, sizeof(text),
                 "It asked for %llu GPUs and used %.1f on average. Ask for "
                 "fewer, or make the program use all of them.",
                 (unsigned long long)gpus, used);
        add(json, "warning", text);
    } else if (efficiency->utilization_percent < LOW_PERCENT) {
        snprintf(text, sizeof(text),
                 "Its GPUs were busy %.0f%% of the time. Often the data comes "
                 "too slowly: more CPUs and loader processes, larger batches, "
                 "or data on a local disk help.",
                 efficiency->utilization_percent);
        add(json, "note", text);
    }
}

/* Readings are some seconds apart: a peak between two of them is not seen. */
static void add_finished_host(struct json *json,
                              const struct job_record *job,
                              const struct record_efficiency *efficiency)
{
    char text[256];
    double cpus = efficiency->cpu_cores,
           memory_mib = efficiency->host_memory_most_mib;
    if (!isnan(cpus) && job->cpus >= 2 && cpus < 0.5 * job->cpus) {
        snprintf(text, sizeof(text),
                 "It asked for %u CPUs and kept %.1f busy on average. Ask for "
                 "%.0f, or let it use more threads or processes.",
                 job->cpus, cpus, fmax(1, ceil(cpus)));
        add(json, "note", text);
    }
    if (!isnan(memory_mib) && job->memory_mib >= MEMORY_MIB &&
        memory_mib < 0.25 * (double)job->memory_mib) {
        snprintf(text, sizeof(text),
                 "It asked for %.0f GiB of memory, and no more than %.1f GiB "
                 "were seen in use. Ask for about %.0f GiB.",
                 (double)job->memory_mib / 1024, memory_mib / 1024,
                 fmax(1, ceil(memory_mib * 1.5 / 1024)));
        add(json, "note", text);
    }
}

void record_print_advice_finished(struct json *json,
                                  const struct record_source *source,
                                  const struct job_record *job,
                                  const struct record_efficiency *efficiency)
{
    const char *type;
    uint64_t gpus = record_job_gpus(source, job, &type);
    json_begin_array(json, "advice");
    /* Of a short one the few readings say nothing. */
    if (job->end_time_s - job->start_time_s >= 60) {
        if (gpus)
            add_finished(json, gpus, efficiency);
        add_finished_host(json, job, efficiency);
    }
    json_end_array(json);
}
