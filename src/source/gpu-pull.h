/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source of the fleet: asks the GPU exporter of each node that has GPUs,
 * every so often, over connections that are kept. Nodes are asked one after the
 * other over the interval, each always at its own moment, so that neither they
 * nor we ever have all at once.
 *
 * In the process that serves, not in a child: nothing here waits. libcurl's
 * multi interface is driven by our loop, names are resolved by a thread of its
 * own, and what a node answers is bounded in time and size.
 */
#pragma once

#include "base/loop.h"
#include "model/fleet.h"

struct gpu_pull;

struct gpu_pull_settings {
    const char *url; /* a pattern, model/node-url.h */
    int64_t interval_ns;
    int64_t deadline_ns; /* of one answer */
    int64_t
        old_after_ns; /* age at which what a silent node said is withdrawn */
};

/* FLEET is the caller's and lives longer. CHANGED is called when nodes have
 * answered or fallen silent, not more than a few times a second. */
int gpu_pull_new(struct loop *loop,
                 const struct gpu_pull_settings *settings,
                 struct fleet *fleet,
                 void (*changed)(void *context),
                 void *context,
                 struct gpu_pull **ret_pull,
                 struct error *err);

/* Accepts NULL; returns NULL. */
struct gpu_pull *gpu_pull_free(struct gpu_pull *pull);

/* The fleet has other nodes: begin to ask those that are new. */
void gpu_pull_update(struct gpu_pull *pull);
