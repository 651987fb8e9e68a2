/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of gpu-exporter: the GPUs of one machine as dcgm-exporter prints
 * them (gpu.md 1.3: the order of labels, "%d" and "%f"), and what goes beyond
 * it: which GPUs are up, lost or not used, whose jobs they are.
 *
 * Not by way of rows and the table of metrics as the Slurm pages: what is
 * served is chosen by a file, labels differ from GPU to GPU, and a page has
 * some hundred lines.
 */
#pragma once

#include "base/text.h"
#include "model/gpu-metric.h"
#include "view/prometheus.h"

struct gpu_page_settings {
    const struct gpu_metrics *metrics;
    const char *hostname; /* NULL: no such label */
    bool hostname_lower;  /* "hostname" instead of "Hostname" */
    bool old_namespace;   /* "uuid" instead of "UUID" */
    bool replace_blanks;  /* in model names, by '-' */
    bool hpc_job;         /* label each series with the jobs on its GPU */
    bool processes;       /* a series for each process */
    uint64_t gpus;        /* which are shown, 1 << index */
    bool instances;       /* whether they are shown */
    int64_t xid_window_ns, clock_window_ns;
    uint32_t processes_max; /* series at most */
    /* NULL; or why nothing that was read holds any more, as a state: "stale",
     * "released". Only the GPUs' identities are told then. */
    const char *overall;
};

/* Append the page for SNAPSHOT, as it is at NOW_NS (real time). */
void gpu_page_print(struct text *out,
                    const struct snapshot *snapshot,
                    const struct gpu_page_settings *settings,
                    enum prometheus_format format,
                    int64_t now_ns);

/* Words for enum gpu_state: "up", "lost", … */
extern const char *const gpu_state_names[GPU_STATE_COUNT];
