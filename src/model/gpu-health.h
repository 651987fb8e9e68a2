/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether something is wrong with a GPU, in the words of DCGM's health watches:
 * what DCGM_EXP_GPU_HEALTH_STATUS tells (gpu.md 1.4). The rules are those of
 * DCGM's health module (modules/health/DcgmHealthWatch.cpp of DCGM 4), with
 * what is ours told in doc/gpu-health.md: the worst finding of a watch is
 * shown, not its last, and links that never were up are not down.
 *
 * Counters of errors and of slow-downs are judged by how much they grew in the
 * last half or whole minute.
 */
#pragma once

#include "model/gpu-reading.h"

#include <stddef.h>

enum {
    GPU_HEALTH_PASS = 0, /* DCGM's numbers */
    GPU_HEALTH_WARN = 10,
    GPU_HEALTH_FAIL = 20
};

struct gpu_finding_info {
    const char *name; /* "DCGM_FR_NVLINK_DOWN" */
    enum gpu_watch watch;
    unsigned int result; /* GPU_HEALTH_PASS, ... */
};

extern const char *const gpu_watch_names[GPU_WATCH_COUNT];
extern const struct gpu_finding_info gpu_findings[GPU_FINDING_COUNT];

enum {
    GPU_HEALTH_COUNTERS = 7
};

/* What is remembered of a GPU from one judgement to the next; zeroed at first
 * and when another GPU is in its place. */
struct gpu_health {
    struct gpu_health_counts {
        int64_t time_ns; /* 0: none */
        uint64_t has;    /* bits */
        uint64_t counters[GPU_HEALTH_COUNTERS];
    } older, newer;
    bool links_were_up;
    bool inforom_corrupt; /* the caller's to set */
};

/* Judge GPU's readings at NOW_NS (monotonic), into GPU->health. */
void gpu_health_judge(struct gpu_health *health,
                      struct gpu_record *gpu,
                      int64_t now_ns);

/* A finding that is no reading: kept if it is worse than what is there. */
void gpu_health_add(struct gpu_record *gpu, enum gpu_finding finding);
