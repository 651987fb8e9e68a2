/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Prometheus view: walks a list of the table of metrics and prints what
 * the rows hold, as Prometheus text (version 0.0.4) or OpenMetrics (1.0.0).
 * One walker for every page; no metric is named here.
 */
#pragma once

#include "base/text.h"
#include "model/metric.h"

enum prometheus_format {
    PROMETHEUS_TEXT,
    PROMETHEUS_OPENMETRICS
};

/* Values of the Content-Type header, by format. */
extern const char *const prometheus_content_types[2];

/* Append to OUT every metric of LIST whose family is in FAMILIES and that has
 * a sample. OUT remembers when memory ran out. */
void prometheus_print(struct text *out,
                      const struct metric_list *list,
                      const struct metric_rows *rows,
                      uint32_t families,
                      enum prometheus_format format);

/* Append VALUE as it may stand between the quotes of a label. */
void prometheus_add_label_value(struct text *out, const char *value);

/* Append what ends a page: OpenMetrics has a mark, Prometheus text none. */
void prometheus_end(struct text *out, enum prometheus_format format);
