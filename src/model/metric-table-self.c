/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics about the exporter itself; they are made anew for each request.
 */
#include "model/metric-macros.h"
#include "model/self.h"

/* A metric is two lines here: what it is, what it means. */
/* clang-format off */
#define SELF(type, name, kind, member) \
    VALUE(type, name, EXPORTER, EXPORTER, L0, kind, exporter_row, member, ALWAYS)

static const struct metric metrics[] = {
    {SELF(GAUGE, "slurm_up", U64, up),
     .help = "1 when slurmctld lately told its nodes, partitions, jobs and statistics, all of them."},
    {SELF(GAUGE, "slurm_exporter_snapshot_age_seconds", DOUBLE, snapshot_age_seconds),
     .help = "Time since the last snapshot arrived."},
    {SELF(GAUGE, "slurm_exporter_snapshot_bytes", U64, snapshot_bytes),
     .help = "Size of the last snapshot."},
    {SELF(GAUGE, "slurm_exporter_cycle_seconds", DOUBLE, cycle_seconds),
     .help = "Duration of the last collection cycle."},
    {SELF(GAUGE, "slurm_exporter_interval_seconds", DOUBLE, interval_seconds),
     .help = "Time between cycles; at least five times a cycle's own duration."},
    {SELF(COUNTER, "slurm_exporter_cycles_total", U64, cycles),
     .help = "Collection cycles that ended in a snapshot."},
    {SELF(COUNTER, "slurm_exporter_collect_cpu_seconds_total", DOUBLE, collector_cpu_seconds),
     .help = "CPU time that collectors used."},
    {SELF(COUNTER, "slurm_exporter_cpu_seconds_total", DOUBLE, process_cpu_seconds),
     .help = "CPU time that the serving process used."},
    {SELF(GAUGE, "slurm_exporter_resident_memory_bytes", U64, resident_bytes),
     .help = "Memory that the serving process has resident."},
    {SELF(GAUGE, "slurm_exporter_start_timestamp_seconds", U64, start_time_s),
     .help = "When the exporter started, in seconds since 1970."},
    {SELF(GAUGE, "slurm_exporter_connections", U64, connections),
     .help = "Connections that are open."},
    {SELF(COUNTER, "slurm_exporter_connections_refused_total", U64, connections_refused),
     .help = "Connections refused because too many were open."},
    {SELF(COUNTER, "slurm_exporter_response_bytes_total", U64, response_bytes),
     .help = "Bytes of response bodies."},
    {SELF(COUNTER, "slurm_exporter_auth_failures_total", U64, auth_failures),
     .help = "Requests with a wrong user name or password."},
    {VALUE(GAUGE, "slurm_exporter_part_age_seconds", EXPORTER, PART, L1, DOUBLE, part_row, age_seconds, ALWAYS),
     .help = "Age of what is known of a part of the cluster."},
    {VALUE(GAUGE, "slurm_exporter_part_fresh", EXPORTER, PART, L1, U64, part_row, fresh, ALWAYS),
     .help = "1 while a part's series are served; 0 when it is too old or was never loaded."},
    {VALUE(GAUGE, "slurm_exporter_rpc_duration_seconds", EXPORTER, PART, L1, DOUBLE, part_row, request_seconds, ALWAYS),
     .help = "Duration of the last request for a part."},
    {VALUE(COUNTER, "slurm_exporter_rpc_seconds_total", EXPORTER, PART, L1, DOUBLE, part_row, requests_seconds, ALWAYS),
     .help = "Time spent in requests for a part."},
    {VALUE(COUNTER, "slurm_exporter_rpc_requests_total", EXPORTER, PART_OUTCOME, L12, U64, outcome_row, requests, ALWAYS),
     .help = "Requests for a part by how they ended."},
    {VALUE(COUNTER, "slurm_exporter_collector_ends_total", EXPORTER, COLLECTOR_END, L1, U64, end_row, ends, ALWAYS),
     .help = "Collectors that ended and were replaced, by cause."},
    {VALUE(COUNTER, "slurm_exporter_http_requests_total", EXPORTER, HTTP, L12, U64, http_row, requests, ALWAYS),
     .help = "Requests answered, by path and status code."},
    {ONE("slurm_exporter_build_info", EXPORTER, BUILD, L123),
     .help = "1, with the versions of the exporter and of its Slurm library."},
};
/* clang-format on */

const struct metric_list metric_list_self = {
    .page = PAGE_METRICS,
    .metrics = metrics,
    .count = sizeof(metrics) / sizeof(*metrics),
};
