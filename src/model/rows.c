/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing, ordering and counting rows.
 */
#include "model/rows.h"

#include <stdlib.h>
#include <string.h>

void rows_deinit(struct rows *rows)
{
    free(rows->data);
    rows->data = NULL;
    rows->count = 0;
    rows->capacity = 0;
}

void *rows_add_many(struct rows *rows, size_t count)
{
    size_t wanted = rows->count + count;
    if (wanted > rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity : 16;
        while (capacity < wanted)
            capacity *= 2;
        void *data = reallocarray(rows->data, capacity, rows->stride);
        if (!data)
            return NULL;
        rows->data = data;
        rows->capacity = capacity;
    }
    void *first = rows_at(rows, rows->count);
    memset(first, 0, count * rows->stride);
    rows->count = wanted;
    return first;
}

void *rows_add(struct rows *rows)
{
    return rows_add_many(rows, 1);
}

static int compare_labels(const void *a, const void *b)
{
    const struct row_head *left = a, *right = b;
    for (size_t i = 0; i < ROW_LABELS_MAX; i++) {
        const char *x = left->labels[i], *y = right->labels[i];
        if (!x || !y)
            return (x != NULL) - (y != NULL);
        int order = strcmp(x, y);
        if (order != 0)
            return order;
    }
    return 0;
}

void rows_sort(struct rows *rows)
{
    if (rows->count > 1)
        qsort(rows->data, rows->count, rows->stride, compare_labels);
}

void histogram_add(struct histogram *histogram,
                   const struct histogram_bounds *bounds,
                   double value)
{
    histogram->count++;
    histogram->sum += value;
    for (size_t i = 0; i < bounds->count; i++) {
        if (value <= bounds->upper[i]) {
            histogram->buckets[i]++;
            return;
        }
    }
}
