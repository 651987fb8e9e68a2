/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every RECORDER_STEP_S a reading of each series is put, and all is written: a
 * crash loses the last step. The names of the series are those of the records
 * of the API, so that a page that shows a record knows where its past is.
 */
#include "watchdog/recorder-private.h"

#include "base/clock.h"
#include "base/log.h"
#include "cluster/place.h"
#include "model/state.h"
#include "model/tally.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- series -------------------------------------------------------------- */

struct reading {
    struct store *store;
    int64_t now_s;
    const char *kind, *id;
};

static void put(const struct reading *reading, const char *metric, double value)
{
    const struct store_key key = {reading->kind, reading->id, metric};
    store_put(reading->store, &key, reading->now_s, value);
}

static void put_cluster(const struct recorder *r,
                        struct reading reading,
                        const struct metric_rows *rows)
{
    const struct rows *table = rows->tables[TABLE_QUEUE];
    const struct cluster_row *row =
        table && table->count ? rows_at(table, 0) : NULL;
    double power_watts = 0;
    uint64_t uses[GPU_USE_COUNT] = {0};
    bool measured = false, powered = false;
    reading.kind = "cluster";
    reading.id = "";
    if (row) {
        put(&reading, "jobs_running", (double)row->queue[JOB_SHOWN_RUNNING]);
        put(&reading, "jobs_pending", (double)row->queue[JOB_SHOWN_PENDING]);
    }
    for (size_t n = 0; n < r->fleet->count; n++) {
        const struct fleet_node *node = r->fleet->nodes[n];
        if (!node->known || node->old)
            continue;
        for (size_t i = 0; i < node->measured.gpu_count; i++) {
            float watts = node->measured.gpus[i].power_watts;
            measured = true;
            uses[fleet_gpu_use(node, i)]++;
            powered |= !isnan(watts);
            power_watts += isnan(watts) ? 0 : watts;
        }
    }
    if (measured) {
        put(&reading, "gpus_used",
            (double)(uses[GPU_USE_BUSY] + uses[GPU_USE_FOREIGN]));
        put(&reading, "gpus_held_idle", (double)uses[GPU_USE_IDLE]);
    }
    if (powered)
        put(&reading, "power_watts", power_watts);
}

static void put_gpu_counts(struct reading reading,
                           const struct metric_rows *rows)
{
    const struct rows *table = rows->tables[TABLE_GPU];
    uint64_t total = 0, allocated = 0;
    for (size_t i = 0; table && i < table->count; i++) {
        const struct gpu_row *row = rows_at(table, i);
        total += row->total;
        allocated += row->states[GRES_ALLOCATED];
    }
    reading.kind = "cluster";
    reading.id = "";
    put(&reading, "gpus_total", (double)total);
    put(&reading, "gpus_allocated", (double)allocated);
}

static void put_partitions(struct reading reading,
                           const struct metric_rows *rows)
{
    const struct rows *table = rows->tables[TABLE_PARTITION_JOBS];
    reading.kind = "partition";
    for (size_t i = 0; table && i < table->count; i++) {
        const struct partition_row *row = rows_at(table, i);
        reading.id = row->head.labels[0];
        put(&reading, "running", (double)row->jobs.base[JOB_BASE_RUNNING]);
        put(&reading, "pending", (double)row->jobs_pending);
    }
    table = rows->tables[TABLE_GPU_PARTITION];
    for (size_t i = 0; table && i < table->count; i++) {
        const struct gpu_row *row = rows_at(table, i);
        char metric[STORE_TEXT_SIZE / 2];
        reading.id = row->head.labels[0];
        snprintf(metric, sizeof(metric), "gpus_allocated%s%.24s",
                 *row->head.labels[1] ? "_" : "", row->head.labels[1]);
        put(&reading, metric, (double)row->states[GRES_ALLOCATED]);
    }
}

static void put_nodes(struct reading reading, const struct snapshot *snapshot)
{
    size_t count;
    const struct node_record *nodes =
        snapshot_array(snapshot, SNAPSHOT_NODES, 0, &count);
    reading.kind = "node";
    for (size_t i = 0; i < count; i++) {
        const struct node_record *node = &nodes[i];
        reading.id = snapshot_text(snapshot, SNAPSHOT_NODES, node->name);
        put(&reading, "cpus_allocated", node->cpus_allocated);
        put(&reading, "memory_allocated_mib",
            (double)node->memory_allocated_mib);
        if (node->has & NODE_HAS_CPU_LOAD)
            put(&reading, "cpu_load", node->cpu_load_centi / 100.0);
    }
}

static void put_gpus(const struct recorder *r, struct reading reading)
{
    char id[STORE_TEXT_SIZE];
    reading.kind = "gpu";
    reading.id = id;
    for (size_t n = 0; n < r->fleet->count; n++) {
        const struct fleet_node *node = r->fleet->nodes[n];
        if (!node->known || node->answer != FLEET_UP)
            continue;
        for (size_t i = 0; i < node->measured.gpu_count; i++) {
            const struct measured_gpu *gpu = &node->measured.gpus[i];
            int size =
                snprintf(id, sizeof(id), "%s/%u", node->name, gpu->index);
            if (gpu->instance != MEASURED_NONE && size < (int)sizeof(id))
                snprintf(id + size, sizeof(id) - (size_t)size, ".%u",
                         gpu->instance);
            put(&reading, "utilization_percent", gpu->utilization_percent);
            put(&reading, "memory_used_mib", gpu->memory_used_mib);
            put(&reading, "temperature_c", gpu->temperature_c);
            put(&reading, "power_watts", gpu->power_watts);
        }
    }
}

static void put_jobs(const struct recorder *r, struct reading reading)
{
    struct fleet_jobs jobs;
    if (fleet_jobs_init(&jobs, r->fleet) < 0)
        return;
    reading.kind = "job";
    for (size_t i = 0; i < jobs.count; i++) {
        const struct fleet_job *job = &jobs.jobs[i];
        reading.id = job->job;
        if (job->cpu_readings)
            put(&reading, "cpu_cores", job->cpu_cores);
        if (job->host_readings)
            put(&reading, "memory_used_mib", job->memory_bytes / (1 << 20));
        if (job->gpus == 0)
            continue;
        put(&reading, "gpus_used", job->gpus_used);
        if (job->readings)
            put(&reading, "gpu_utilization_percent",
                job->utilization_sum / job->readings);
        if (job->memory_readings)
            put(&reading, "gpu_memory_used_mib", job->memory_used_mib);
        if (job->power_readings)
            put(&reading, "power_watts", job->power_watts);
    }
    fleet_jobs_deinit(&jobs);
}

/* Only what is fresh: a gap is the truth when nobody knew. */
static void put_all(struct recorder *r, int64_t now_s)
{
    const struct mapped_snapshot *last = watch_snapshot(r->watch);
    uint32_t fresh = watch_fresh_parts(r->watch);
    struct metric_rows rows = {{NULL}};
    const struct reading reading = {.store = r->store, .now_s = now_s};
    if (last && watch_fill(r->watch, &rows) == 0) {
        put_cluster(r, reading, &rows);
        if (fresh >> SNAPSHOT_NODES & 1) {
            put_gpu_counts(reading, &rows);
            put_nodes(reading, &last->snapshot);
        }
        if (fresh >> SNAPSHOT_PARTITIONS & 1)
            put_partitions(reading, &rows);
    }
    put_gpus(r, reading);
    put_jobs(r, reading);
}

/* ---- events -------------------------------------------------------------- */

void recorder_tell(struct recorder *r,
                   const struct store_event *like,
                   const char *format,
                   ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct store_event event = *like;
    event.time_s = clock_realtime_ns() / NS_PER_S;
    event.text = text;
    if (!event.node)
        event.node = "";
    if (!event.gpu)
        event.gpu = "";
    if (r->store && store_add_event(r->store, &event))
        r->events++;
}

/* ---- life ---------------------------------------------------------------- */

static void on_told(void *context, const char *text)
{
    (void)context;
    log_warning("history: %s", text);
}

static void try_open(struct recorder *r)
{
    struct store_settings settings = store_settings_default;
    struct error err = {.text = ""};
    settings.folder = r->folder;
    settings.told = on_told;
    memcpy(settings.keep_s, r->settings.keep_s, sizeof(settings.keep_s));
    settings.keep_events_s = r->settings.keep_events_s;
    if (place_make(r->folder, 0750, &err) == 0 &&
        store_new(&settings, &r->store, &err) == 0)
        r->trouble.text[0] = '\0';
    else if (strcmp(r->trouble.text, err.text) != 0) {
        log_warning("history: %s; nothing is kept until this is mended, the "
                    "live view goes on",
                    err.text);
        r->trouble = err;
    }
}

/* Said once, when it begins and when it is over. */
static void flush(struct recorder *r, int64_t now_s)
{
    struct error err = {.text = ""};
    bool bad = r->trouble.text[0] != '\0';
    int result = store_flush_part(r->store, r->part, now_s, &err);
    r->part = (r->part + 1) % STORE_PARTS;
    if (result < 0 && !bad)
        log_warning("history: %s; kept in memory, and tried again", err.text);
    if (result == 0 && bad)
        log_info("history is written again");
    r->trouble = err;
}

static void on_step(void *context, uint32_t events)
{
    struct recorder *r = context;
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    (void)events;
    if (!r->store)
        try_open(r);
    if (r->store) {
        if (r->part == 0)
            put_all(r, now_s);
        flush(r, now_s);
    }
    int64_t step_ns = RECORDER_STEP_S * NS_PER_S;
    loop_timer_set(r->timer, clock_monotonic_ns() +
                                 (r->store ? step_ns / STORE_PARTS : step_ns));
}

int recorder_new(struct loop *loop,
                 const struct recorder_settings *settings,
                 struct watch *watch,
                 struct fleet *fleet,
                 struct recorder **ret_recorder,
                 struct error *err)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return error_errno(err, ENOMEM, "history");
    r->loop = loop;
    r->watch = watch;
    r->fleet = fleet;
    r->settings = *settings;
    r->folder = strdup(settings->folder);
    int result = r->folder ? loop_add_timer(loop, on_step, r, &r->timer, err)
                           : error_errno(err, ENOMEM, "history");
    if (result < 0) {
        recorder_free(r);
        return result;
    }
    try_open(r);
    recorder_observe(r);
    recorder_tell(r,
                  &(struct store_event){.kind = "daemon", .severity = "info"},
                  "gpu-watchdog serve started");
    /* The first readings are there in a moment. */
    loop_timer_set(r->timer, clock_monotonic_ns() + 3 * NS_PER_S);
    *ret_recorder = r;
    return 0;
}

struct recorder *recorder_free(struct recorder *r)
{
    if (!r)
        return NULL;
    recorder_tell(r,
                  &(struct store_event){.kind = "daemon", .severity = "info"},
                  "gpu-watchdog serve stopped");
    if (r->fleet)
        r->fleet->observer = (struct fleet_observer){.takes = NULL};
    store_free(r->store);
    mapped_snapshot_unref(r->before);
    held_gpus_deinit(&r->held);
    loop_source_free(r->timer);
    free(r->folder);
    free(r);
    return NULL;
}

void recorder_update(struct recorder *r)
{
    held_gpus_update(&r->held, r->fleet, clock_realtime_ns() / NS_PER_S);
    recorder_compare(r);
}

struct store *recorder_store(const struct recorder *r)
{
    return r->store;
}

uint64_t recorder_events(const struct recorder *r)
{
    return r->events;
}

const char *recorder_trouble(const struct recorder *r)
{
    return r->trouble.text;
}
