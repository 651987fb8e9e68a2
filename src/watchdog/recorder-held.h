/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which GPUs each job had: the exporters tell only while it has them, and Slurm
 * only until it ends. So it is noted while a job runs, and forgotten some time
 * after nobody has told it any more.
 */
#pragma once

#include "model/fleet.h"

enum {
    /* Between the last answer that names a job and its end in a snapshot. */
    HELD_KEPT_S = 180
};

struct held_gpu {
    char job[24]; /* as users write it */
    const struct fleet_node *node;
    uint32_t index, instance; /* as in struct measured_gpu */
    int64_t seen_s;
};

struct held_gpus {
    struct held_gpu *gpus; /* owned; in the order of jobs, nodes, indices */
    size_t count;
};

/* Take over what FLEET tells at NOW_S. Without memory all stays as it was. */
void held_gpus_update(struct held_gpus *held,
                      const struct fleet *fleet,
                      int64_t now_s);
void held_gpus_deinit(struct held_gpus *held);

/* The GPUs of JOB, which are good until the next update; their number. */
size_t held_gpus_find(const struct held_gpus *held,
                      const char *job,
                      const struct held_gpu **ret_first);
