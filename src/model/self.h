/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows about the exporter itself: what it did, how old what it knows is. The
 * program fills them; the table of metrics names them.
 */
#pragma once

#include "model/metric.h"

struct exporter_row {
    struct row_head head;
    uint64_t up; /* 1: the last cycle was answered in full and is not stale */
    double snapshot_age_seconds; /* NaN before the first */
    uint64_t snapshot_bytes;
    double cycle_seconds;
    double interval_seconds; /* until the next cycle, stretching included */
    uint64_t cycles;
    double collector_cpu_seconds;
    double process_cpu_seconds;
    uint64_t resident_bytes;
    uint64_t start_time_s;
    uint64_t connections;
    uint64_t connections_refused;
    uint64_t response_bytes;
    uint64_t auth_failures;
};

struct part_row {
    struct row_head head;    /* part */
    double age_seconds;      /* NaN: never loaded */
    uint64_t fresh;          /* 0: withdrawn because it is stale */
    double requests_seconds; /* of all requests together */
    double request_seconds;  /* duration of the last request; NaN: none yet */
};

struct outcome_row {
    struct row_head head; /* part, outcome */
    uint64_t requests;
};

struct end_row {
    struct row_head head; /* cause */
    uint64_t ends;
};

struct http_row {
    struct row_head head; /* path, code */
    uint64_t requests;
};
