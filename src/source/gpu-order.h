/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device is meant by a number or a name: Slurm's, NVML's, a UUID.
 *
 * Slurm numbers GPUs by the order of gres.conf: by PCI address where it found
 * them itself (AutoDetect), by the numbers of /dev/nvidiaN where they are
 * listed (File=). On some machines these differ, and nothing on the node tells
 * which one it is but where jobs' processes really run.
 */
#pragma once

#include "source/gpu-scan.h"

enum gpu_order {
    GPU_ORDER_MINOR,
    GPU_ORDER_PCI,
    GPU_ORDER_COUNT
};

enum {
    GPU_ORDER_MAX = 256 /* devices that Slurm could number on one machine */
};

/* Slurm's number is the index here; where GPUs are split, their instances are
 * numbered in their place. */
struct gpu_numbering {
    uint32_t devices[GPU_ORDER_MAX];
    uint32_t count;
};

void gpu_numbering_make(const struct gpu_scan *scan,
                        enum gpu_order order,
                        struct gpu_numbering *ret_numbering);

/* Index into the scan's devices; GPU_NONE: none. INSTANCE is the GPU instance's
 * number, GPU_NONE for the GPU itself. */
uint32_t
gpu_find_index(const struct gpu_scan *scan, uint32_t index, uint32_t instance);
uint32_t gpu_find_uuid(const struct gpu_scan *scan, const char *uuid);

/* The GPU of an instance, and of a GPU itself. */
uint32_t gpu_of_device(const struct gpu_scan *scan, uint32_t device);
