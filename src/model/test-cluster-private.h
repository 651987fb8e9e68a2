/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the tests' cluster share; nobody else includes this.
 */
#pragma once

#include "model/snapshot-build.h"
#include "model/test-cluster.h"

/* Of a node: configured and in use; of a job: asked for and given. */
struct cluster_gres {
    const char *name, *type;
    uint32_t total, used;
};

enum {
    CLUSTER_GRES_MAX = 2
};

/* Append those of GRES that are there to the part's array 1; tells where they
 * begin and how many they are. */
void cluster_add_gres(struct snapshot_builder *builder,
                      const struct cluster_gres gres[CLUSTER_GRES_MAX],
                      uint32_t *ret_first,
                      uint32_t *ret_count);

/* Each adds parts to the snapshot of a moment. */
int cluster_add_jobs(struct snapshot_builder *builder,
                     enum cluster_moment moment,
                     struct error *err);
int cluster_add_statistics(struct snapshot_builder *builder,
                           enum cluster_moment moment,
                           struct error *err);
int cluster_add_others(struct snapshot_builder *builder, struct error *err);
