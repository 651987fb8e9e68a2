/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose GPUs they are: which job holds each, as far as this machine can tell
 * without asking slurmctld, and which job uses it. doc/gpu-attribution.md tells
 * how that is decided and where it ends.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/gpu-collector.h"
#include "source/gpu-scan.h"

struct gpu_jobs;

/* SETTINGS outlives it. */
int gpu_jobs_new(const struct gpu_collector_settings *settings,
                 struct gpu_jobs **ret_jobs,
                 struct error *err);
struct gpu_jobs *gpu_jobs_free(struct gpu_jobs *jobs);

/* Write the part SNAPSHOT_GPU_USE for SCAN, whose GPUs are written already. */
int gpu_jobs_write(struct gpu_jobs *jobs,
                   const struct gpu_scan *scan,
                   struct snapshot_builder *builder,
                   struct error *err);
