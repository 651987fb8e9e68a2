/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of things, asked of a Prometheus that scrapes us: what each series
 * of the store is called there. A series is known by its kind, its id and its
 * metric, as in the API (doc/api.md); a question is one PromQL expression for
 * one metric of several ids.
 *
 * It asks for nothing but what :9341 and :9400 serve as they stand, so that a
 * site needs no recording rules for it.
 */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prometheus_wanted {
    const char *kind, *metric;
    const char *const *ids;
    size_t id_count;
    const char *matchers; /* of every selector: 'cluster="a"'; "": none */
    int64_t step_s;       /* a value is the mean over so long */
};

/* Append the expression; false when there is no such series, or no id that one
 * could have. */
bool prometheus_query_write(const struct prometheus_wanted *wanted,
                            struct text *out);

/* What tells the results of a question apart. NULL: they have no such label. */
struct prometheus_labels {
    const char *node, *partition, *job_id, *host, *gpu, *gpu_instance;
};

/* Whether a result with LABELS is of ID. */
bool prometheus_labels_are_of(const struct prometheus_labels *labels,
                              const char *kind,
                              const char *id);
