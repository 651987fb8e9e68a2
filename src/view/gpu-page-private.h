/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page under way, for the two files that print it.
 */
#pragma once

#include "view/gpu-page.h"

#include <stdio.h>
#include <stdlib.h>

struct gpu_page {
    struct text *out;
    const struct snapshot *snapshot;
    const struct gpu_page_settings *settings;
    enum prometheus_format format;
    int64_t now_ns;

    const struct gpu_record *gpus;
    const struct xid_record *xids;
    const struct gpu_event_record *events;
    const struct gpu_machine_record *machine;
    const struct gpu_job_record *jobs;
    const struct gpu_process_record *processes;
    const struct host_job_record *host_jobs;
    size_t gpu_count, xid_count, event_count, job_count, process_count;
    size_t host_job_count;

    struct text *labels; /* of each GPU, without braces */
    size_t *plain_sizes; /* how much of them are identity and host */

    /* The metric under way. */
    const char *name, *help, *type;
    size_t announced_size;
    bool begun;
};

const char *gpu_page_text(const struct gpu_page *page, snapshot_string string);
bool gpu_page_shows(const struct gpu_page *page, const struct gpu_record *gpu);

/* Append NAME="VALUE", with a comma before it unless OUT is empty. */
void gpu_page_label(struct text *out, const char *name, const char *value);

/* The next lines are of this metric. */
void gpu_page_announce(struct gpu_page *page,
                       const char *name,
                       const char *help,
                       const char *type);

/* A line: SIZE bytes of LABELS, MORE labels, the value. */
void gpu_page_line(struct gpu_page *page,
                   const char *labels,
                   size_t size,
                   const char *more,
                   const char *value);
void gpu_page_number(struct gpu_page *page,
                     const char *labels,
                     size_t size,
                     const char *more,
                     uint64_t number);

/* What dcgm-exporter computes and does not read (gpu-page-computed.c); nothing
 * for a source that is none of these. */
void gpu_page_print_computed(struct gpu_page *page,
                             enum gpu_metric_source source);

/* What is beyond dcgm-exporter (gpu-page-own.c). */
void gpu_page_print_own(struct gpu_page *page);
