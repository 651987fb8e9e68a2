/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which metrics of GPUs are served: the built-in choice, or what a collectors
 * file (CSV, as dcgm-exporter reads it) names. A line of the file is
 *
 *     FIELD, TYPE, HELP
 *
 * with blanks around and "#" comments ignored; TYPE is gauge, counter,
 * histogram, summary or label. The metric is called as the file calls it.
 *
 * FIELD is a name of gpu-reading.h, old or new, one of the texts of a card
 * ("DCGM_FI_DRIVER_VERSION"), or one that the exporter computes
 * ("DCGM_EXP_XID_ERRORS_COUNT").
 */
#pragma once

#include "base/error.h"
#include "model/gpu-reading.h"

enum gpu_metric_source {
    GPU_METRIC_READING,
    GPU_METRIC_TEXT, /* a text of the card or the machine; as a label only */
    GPU_METRIC_XID_WINDOW,
    GPU_METRIC_CLOCK_WINDOW,
    GPU_METRIC_HEALTH,
    GPU_METRIC_PEERS
};

enum gpu_metric_text {
    GPU_TEXT_DRIVER_VERSION,
    GPU_TEXT_NVML_VERSION,
    GPU_TEXT_CUDA_VERSION,
    GPU_TEXT_BRAND,
    GPU_TEXT_SERIAL,
    GPU_TEXT_VBIOS,
    GPU_TEXT_INFOROM_IMAGE,
    GPU_TEXT_INFOROM_OEM,
    GPU_TEXT_INFOROM_ECC,
    GPU_TEXT_INFOROM_POWER,
    GPU_TEXT_COUNT
};

enum gpu_metric_type {
    GPU_TYPE_GAUGE,
    GPU_TYPE_COUNTER,
    GPU_TYPE_HISTOGRAM,
    GPU_TYPE_SUMMARY,
    GPU_TYPE_LABEL,
    GPU_TYPE_COUNT
};

extern const char *const gpu_type_names[GPU_TYPE_COUNT];

struct gpu_metric {
    char *name, *help; /* owned */
    enum gpu_metric_type type;
    enum gpu_metric_source source;
    enum gpu_reading reading;
    enum gpu_metric_text text;
};

struct gpu_metrics {
    struct gpu_metric *metrics;
    size_t count;
};

enum gpu_names {
    GPU_NAMES_OLD,
    GPU_NAMES_NEW,
    GPU_NAMES_BOTH
};

/* What is served without a file: all that dcgm-exporter has on by default, our
 * own, AMD's; with MORE also what it has off. -ENOMEM. */
int gpu_metrics_default(enum gpu_names names,
                        bool more,
                        struct gpu_metrics *ret_metrics,
                        struct error *err);

/* Name and meaning of those that the exporter computes; false: INDEX is behind
 * the last. */
bool gpu_metric_computed(size_t index,
                         const char **ret_name,
                         const char **ret_help);

/* The file's TEXT of SIZE bytes. -EBADMSG, ERR beginning with "NAME:LINE: ". */
int gpu_metrics_parse(const char *name,
                      const char *text,
                      size_t size,
                      struct gpu_metrics *ret_metrics,
                      struct error *err);

void gpu_metrics_deinit(struct gpu_metrics *metrics);
