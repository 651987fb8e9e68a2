/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests: a small cluster that has one of everything that is counted in a
 * way of its own: nodes in every state that sinfo has a word for, GPUs typed,
 * untyped and cut into slices, jobs in arrays, in several partitions at once,
 * held, ended in each way; names that need escaping. The tables in the source
 * are the cluster; tests and golden pages tell what should come of it.
 */
#pragma once

#include "model/snapshot.h"

/* Two looks at it, a minute before midnight (UTC) and four minutes after. In
 * between the controller set its statistics to zero and some jobs started or
 * ended. */
enum cluster_moment {
    CLUSTER_BEFORE_MIDNIGHT,
    CLUSTER_AFTER_MIDNIGHT
};

enum {
    CLUSTER_MIDNIGHT_S = 1790035200 /* 2026-09-22, UTC */
};

static inline int64_t cluster_time_s(enum cluster_moment moment)
{
    return moment == CLUSTER_BEFORE_MIDNIGHT ? CLUSTER_MIDNIGHT_S - 60
                                             : CLUSTER_MIDNIGHT_S + 240;
}

/* The snapshot of MOMENT and its memory, which the caller frees. */
int cluster_open(enum cluster_moment moment,
                 void **ret_data,
                 struct snapshot *ret_snapshot,
                 struct error *err);
