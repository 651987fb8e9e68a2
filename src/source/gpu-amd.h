/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD's GPUs of this machine, from the files of their driver in sysfs: no
 * library, no privilege. GPUs that were ever seen are remembered, so that one
 * that is gone is told of and not just missing.
 *
 * A GPU that sleeps (runtime suspend) is not woken: it is up, without readings.
 * What only the binary gpu_metrics has (energy, partitions) is not read, nor is
 * pcie_bw, which keeps its reader waiting for a second.
 */
#pragma once

#include "source/gpu-scan.h"

struct gpu_amd;

/* SYSFS_ROOT ("/sys") must outlive it. RECALLED: what an earlier collector knew
 * (gpu-snapshot.h). */
int gpu_amd_new(const char *sysfs_root,
                const struct gpu_scan *recalled,
                struct gpu_amd **ret_amd,
                struct error *err);

/* Accepts NULL; returns NULL. */
struct gpu_amd *gpu_amd_free(struct gpu_amd *amd);

/* Add what there is to SCAN, behind what is there. A machine without such GPUs
 * adds nothing. */
int gpu_amd_scan(struct gpu_amd *amd, struct gpu_scan *scan, struct error *err);
