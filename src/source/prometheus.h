/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a Prometheus for what was. For sites that have one anyway: past some
 * hundred nodes it keeps months better than the store of ours.
 *
 * Nothing here waits: answers come through the loop. The same question is asked
 * once for all who want it within PROMETHEUS_KEPT_S.
 */
#pragma once

#include "base/loop.h"
#include "source/prometheus-answer.h"

struct prometheus;

enum {
    PROMETHEUS_KEPT_S = 60,
    PROMETHEUS_METRICS_MAX = 8,
    PROMETHEUS_IDS_MAX = 64
};

struct prometheus_settings {
    const char *url; /* of its root, http(s); user:password@ may be in it */
    const char *matchers; /* prometheus_wanted */
    int64_t deadline_ns;  /* of an answer */
};

/* Nothing is asked yet. */
int prometheus_new(struct loop *loop,
                   const struct prometheus_settings *settings,
                   struct prometheus **ret_prometheus,
                   struct error *err);

/* Answers who still waits with a failure. Accepts NULL; returns NULL. */
struct prometheus *prometheus_free(struct prometheus *prometheus);

/* SERIES has every metric of every id, ids first; one that is not known has NaN
 * throughout. It is good for the call. On failure COUNT is 0 and ERR set. */
typedef void (*prometheus_done)(void *context,
                                const struct prometheus_series *series,
                                size_t count,
                                const struct error *err);

struct prometheus_request {
    const char *kind;
    const char *const *ids, *const *metrics;
    size_t id_count, metric_count; /* at most as above */
    int64_t from_s, to_s;
    size_t points; /* at most so many; at least 1 */
};

/* DONE is called exactly once, perhaps before this returns. */
void prometheus_ask(struct prometheus *prometheus,
                    const struct prometheus_request *request,
                    prometheus_done done,
                    void *context);
