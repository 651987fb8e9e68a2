/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose job is on which GPU: who holds it (was given it) and who uses it (has
 * processes on it), which are two questions. Written as part SNAPSHOT_GPU_USE.
 *
 * How it decides, whom it believes, and its limits: doc/gpu-attribution.md.
 * Nothing is asked of Slurm's daemons; all is read from files of this machine.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/gpu-collector.h"
#include "source/gpu-scan.h"

struct gpu_jobs;

/* The strings of SETTINGS must outlive it. */
int gpu_jobs_new(const struct gpu_collector_settings *settings,
                 struct gpu_jobs **ret_jobs,
                 struct error *err);

/* Accepts NULL; returns NULL. */
struct gpu_jobs *gpu_jobs_free(struct gpu_jobs *jobs);

/* Look, and write what is found about the devices of SCAN. Record numbers of
 * GPUs are those of SCAN's devices. */
int gpu_jobs_write(struct gpu_jobs *jobs,
                   const struct gpu_scan *scan,
                   struct snapshot_builder *builder,
                   struct error *err);

/* What could not be seen in the last write, and what it needs; "": nothing is
 * missing. Valid until the next write. */
const char *gpu_jobs_trouble(const struct gpu_jobs *jobs);
