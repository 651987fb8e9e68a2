/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which GPUs a machine has, by which device files: asked once when a node
 * joins. From NVML where the library is (dlopen, declarations of our own), then
 * from /proc/driver/nvidia/gpus, then from AMD's sysfs. Measuring them is the
 * business of other files.
 *
 * Device files are those that are there, by minor number: a container with one
 * of eight GPUs has perhaps only /dev/nvidia5.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpu_device {
    char model[64];     /* as the driver says: "NVIDIA H100 80GB HBM3" */
    char type[32];      /* for GRES: "h100"; letters, digits, underscores */
    char file[64];      /* "/dev/nvidia5", "/dev/dri/renderD128" */
    char pci[20];       /* "0000:3b:00.0"; "" when not known */
    uint64_t memory_mb; /* 0: not known */
    bool simulated;     /* says so in its name; shown wherever it is */
};

struct gpu_inventory {
    struct gpu_device *devices; /* owned; in the order of their files */
    size_t count;
    const char *source; /* "NVML", "/proc/driver/nvidia", "sysfs",
                         * "none" */
    char note[256];     /* why a better source was not used, or what of it is
                         * left out; "" when there is nothing to say */
};

/* ROOT in front of every path outside tests is "". NVML_LIBRARY: the file to
 * dlopen, NULL for the usual names; "" for not at all. Never fails for want of
 * GPUs or a driver: that is a count of 0 and a note. -ENOMEM. */
int gpu_inventory_take(const char *root,
                       const char *nvml_library,
                       struct gpu_inventory *ret_gpus,
                       struct error *err);
void gpu_inventory_deinit(struct gpu_inventory *gpus);

/* "NVIDIA A100-SXM4-80GB" -> "a100", "Tesla V100-PCIE-16GB" -> "v100", "NVIDIA
 * GeForce RTX 4090" -> "rtx_4090", "AMD Instinct MI300X" -> "mi300x". What is
 * not known is the lower-cased name with underscores; never empty, and never
 * begins with a digit. */
void gpu_type_of_model(const char *model, char *ret_type, size_t size);
