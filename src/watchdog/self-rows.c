/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers about the exporter itself. They are few, so all rows are filled each
 * time; only those of paths grow with the routes.
 */
#include "watchdog/self-rows.h"

#include "base/clock.h"
#include "watchdog/version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct self_rows {
    struct rows exporter, parts, outcomes, ends, http, build;
    uint64_t start_time_s;
};

static const char *const end_names[COLLECTOR_END_COUNT] = {
    [COLLECTOR_END_RENEWED] = "renewed",
    [COLLECTOR_END_EXITED] = "exited",
    [COLLECTOR_END_KILLED] = "killed",
    [COLLECTOR_END_DEADLINE] = "deadline",
    [COLLECTOR_END_NONSENSE] = "nonsense",
};

static const char *const class_names[HTTP_STATUS_CLASSES] = {
    "1xx", "2xx", "3xx", "4xx", "5xx"};

int self_rows_new(struct self_rows **ret_rows)
{
    struct self_rows *self = calloc(1, sizeof(*self));
    if (!self)
        return -ENOMEM;
    self->exporter.stride = sizeof(struct exporter_row);
    self->parts.stride = sizeof(struct part_row);
    self->outcomes.stride = sizeof(struct outcome_row);
    self->ends.stride = sizeof(struct end_row);
    self->http.stride = sizeof(struct http_row);
    self->build.stride = sizeof(struct row_head);
    self->start_time_s = (uint64_t)(clock_realtime_ns() / NS_PER_S);
    *ret_rows = self;
    return 0;
}

struct self_rows *self_rows_free(struct self_rows *self)
{
    if (!self)
        return NULL;
    rows_deinit(&self->exporter);
    rows_deinit(&self->parts);
    rows_deinit(&self->outcomes);
    rows_deinit(&self->ends);
    rows_deinit(&self->http);
    rows_deinit(&self->build);
    free(self);
    return NULL;
}

/* Resident memory of this process, from /proc/self/statm (proc(5)). */
static uint64_t resident_bytes(void)
{
    unsigned long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return ROW_ABSENT;
    int fields = fscanf(file, "%lu %lu", &size, &resident);
    fclose(file);
    return fields == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE)
                       : ROW_ABSENT;
}

static void fill_exporter(struct self_rows *self,
                          const struct watch *watch,
                          const struct collector_status *status,
                          const struct http_statistics *http)
{
    struct exporter_row *row = rows_add(&self->exporter);
    if (!row)
        return;
    row->up = watch_up(watch);
    row->snapshot_age_seconds = NAN;
    row->cycle_seconds = NAN;
    row->interval_seconds = NAN;
    row->process_cpu_seconds = (double)clock_process_cpu_ns() / NS_PER_S;
    row->resident_bytes = resident_bytes();
    row->start_time_s = self->start_time_s;

    const struct mapped_snapshot *last = watch_snapshot(watch);
    if (last) {
        const struct snapshot_header *header = last->snapshot.header;
        row->snapshot_bytes = header->size;
        row->cycle_seconds = (double)header->cycle_wall_ns / NS_PER_S;
        row->interval_seconds = (double)header->interval_ns / NS_PER_S;
    }
    if (status) {
        row->cycles = status->snapshots;
        row->collector_cpu_seconds = status->cpu_seconds;
        if (status->snapshot_ns)
            row->snapshot_age_seconds =
                (double)(clock_monotonic_ns() - status->snapshot_ns) / NS_PER_S;
    }
    if (http) {
        row->connections = http->connections;
        row->connections_refused = http->refused;
        row->response_bytes = http->body_bytes;
        row->auth_failures = http->auth_failures;
    }
}

static void fill_parts(struct self_rows *self,
                       const struct watch *watch,
                       const struct collector_status *status)
{
    for (unsigned int k = 0; k < SNAPSHOT_SLURM_COUNT; k++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)k;
        struct part_row *row = rows_add(&self->parts);
        if (!row)
            return;
        row->head.labels[0] = snapshot_part_names[k];
        row->age_seconds = watch_part_age(watch, kind);
        row->fresh = watch_fresh_parts(watch) >> k & 1;
        row->request_seconds = watch_part_duration(watch, kind);
        row->requests_seconds = status ? status->request_seconds[k] : NAN;
    }
}

/* "not due" and "skipped" are no requests. */
static void fill_outcomes(struct self_rows *self,
                          const struct collector_status *status)
{
    static const enum snapshot_outcome shown[] = {
        SNAPSHOT_FRESH, SNAPSHOT_UNCHANGED, SNAPSHOT_FAILED};
    for (unsigned int k = 0; status && k < SNAPSHOT_SLURM_COUNT; k++) {
        for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
            struct outcome_row *row = rows_add(&self->outcomes);
            if (!row)
                return;
            row->head.labels[0] = snapshot_part_names[k];
            row->head.labels[1] = snapshot_outcome_names[shown[i]];
            row->requests = status->requests[k][shown[i]];
        }
    }
}

static void fill_ends(struct self_rows *self,
                      const struct collector_status *status)
{
    for (unsigned int i = 0; status && i < COLLECTOR_END_COUNT; i++) {
        struct end_row *row = rows_add(&self->ends);
        if (!row)
            return;
        row->head.labels[0] = end_names[i];
        row->ends = status->ends[i];
    }
}

static void fill_http(struct self_rows *self,
                      const struct http_statistics *http)
{
    for (size_t r = 0; http && r < http->route_count; r++) {
        const struct http_route_statistics *route = &http->routes[r];
        for (int c = 0; c < HTTP_STATUS_CLASSES; c++) {
            if (route->replies[c] == 0)
                continue;
            struct http_row *row = rows_add(&self->http);
            if (!row)
                return;
            row->head.labels[0] = route->path;
            row->head.labels[1] = class_names[c];
            row->requests = route->replies[c];
        }
    }
}

static void fill_build(struct self_rows *self, const struct watch *watch)
{
    struct row_head *row = rows_add(&self->build);
    if (!row)
        return;
    const struct mapped_snapshot *last = watch_snapshot(watch);
    row->labels[0] = PROJECT_VERSION;
    row->labels[1] =
        last ? last->snapshot.header->slurm_text : SLURM_VERSION_TEXT;
    row->labels[2] = last ? last->snapshot.header->cluster_name : "";
}

void self_rows_fill(struct self_rows *self,
                    const struct watch *watch,
                    const struct collector *collector,
                    struct http_server *server,
                    struct metric_rows *rows)
{
    const struct collector_status *status =
        collector ? collector_status(collector) : NULL;
    const struct http_statistics *http =
        server ? http_server_statistics(server) : NULL;
    struct rows *all[] = {&self->exporter, &self->parts, &self->outcomes,
                          &self->ends,     &self->http,  &self->build};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        all[i]->count = 0;

    fill_exporter(self, watch, status, http);
    fill_parts(self, watch, status);
    fill_outcomes(self, status);
    fill_ends(self, status);
    fill_http(self, http);
    fill_build(self, watch);

    rows->tables[TABLE_EXPORTER] = &self->exporter;
    rows->tables[TABLE_PART] = &self->parts;
    rows->tables[TABLE_PART_OUTCOME] = &self->outcomes;
    rows->tables[TABLE_COLLECTOR_END] = &self->ends;
    rows->tables[TABLE_HTTP] = &self->http;
    rows->tables[TABLE_BUILD] = &self->build;
}
