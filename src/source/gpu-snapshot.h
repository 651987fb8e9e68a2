/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan as the part SNAPSHOT_GPUS, and back: what a collector knows of the
 * GPUs that were ever seen comes to its successor with the last snapshot.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/gpu-scan.h"

/* Write SCAN down; the builder is between two parts. */
int gpu_snapshot_write(const struct gpu_scan *scan,
                       struct snapshot_builder *builder,
                       struct error *err);

/* Devices (identities, no readings), Xids and events of SNAPSHOT into RET_SCAN,
 * which is empty and stays so when there is no such part. */
void gpu_snapshot_recall(const struct snapshot *snapshot,
                         struct gpu_scan *ret_scan);
