/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests: the pages of the tests' cluster (model/test-cluster.h), as the
 * exporter would serve them four minutes after midnight, and a reader of their
 * lines.
 */
#pragma once

#include "view/prometheus.h"

/* A sample line of a page, in pieces that point into it. */
struct page_line {
    const char *series; /* name and labels */
    size_t series_size;
    size_t name_size; /* of the series' beginning */
    const char *value;
    size_t value_size;
};

/* Print the FAMILIES of PAGE; the caller frees the string. */
char *page_print(enum metric_page page,
                 uint32_t families,
                 enum prometheus_format format);

/* The next sample at *AT, which moves on; comments are passed over. False at
 * the end of the page. */
bool page_next(const char **at, struct page_line *ret_line);
