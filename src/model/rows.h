/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows: what views print. A table is an array of equal structs, each of which
 * starts with the values of its labels; metrics say at which offset of a row
 * their value lies (metric.h). An absent value is ROW_ABSENT or NaN and is
 * left out of every view: absent is not zero.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROW_LABELS_MAX = 5
};

#define ROW_ABSENT UINT64_MAX

/* The first member of every row. The strings belong to the snapshot or to
 * whoever made the row, and live as long as the table. */
struct row_head {
    const char *labels[ROW_LABELS_MAX];
};

struct rows {
    void *data;
    size_t count;
    size_t capacity;
    size_t stride; /* bytes of one row */
};

#define ROWS_OF(type)                                                          \
    {                                                                          \
        .stride = sizeof(type)                                                 \
    }

void rows_deinit(struct rows *rows);

/* Append a zeroed row; valid until the next add. NULL when memory ran out. */
void *rows_add(struct rows *rows);

/* Append COUNT zeroed rows; the first of them. */
void *rows_add_many(struct rows *rows, size_t count);

static inline void *rows_at(const struct rows *rows, size_t index)
{
    return (char *)rows->data + index * rows->stride;
}

/* Order by labels, for output that people can read and compare. */
void rows_sort(struct rows *rows);

/* Cumulative distribution; bounds are the metric's. */
enum {
    HISTOGRAM_BUCKETS_MAX = 16
};

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS_MAX]; /* not cumulative */
    uint64_t count;
    double sum;
};

/* Upper bounds in ascending order; +Inf is understood. */
struct histogram_bounds {
    size_t count;
    double upper[HISTOGRAM_BUCKETS_MAX];
};

void histogram_add(struct histogram *histogram,
                   const struct histogram_bounds *bounds,
                   double value);
