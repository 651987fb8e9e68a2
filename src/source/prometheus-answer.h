/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Prometheus answers to /api/v1/query_range: a matrix of values as JSON
 * (its HTTP API, "Range queries"). From outside: any bytes.
 */
#pragma once

#include "base/error.h"
#include "source/prometheus-query.h"

/* One series on times that the question gave: value I is the mean over the step
 * that begins at FROM_S + I * STEP_S. */
struct prometheus_series {
    const char *id, *metric;
    int64_t from_s, step_s;
    size_t count;
    float *values; /* NaN: none */
};

/* Put the results of one question into SERIES, COUNT of them on the same times;
 * what belongs to none is left out. -EBADMSG: it is no such answer, and ERR
 * says why, in Prometheus' words when it gave some. */
int prometheus_answer_read(const char *text,
                           size_t size,
                           const char *kind,
                           struct prometheus_series *series,
                           size_t count,
                           struct error *err);
