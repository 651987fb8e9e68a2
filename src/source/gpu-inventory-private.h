/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sources of the inventory share: a list that grows, and small files
 * under a root. Each gpu_inventory_from_*() appends the GPUs that it knows of
 * and that have a device file here, and may leave a note; it fails only for
 * want of memory.
 */
#pragma once

#include "source/gpu-inventory.h"

int gpu_inventory_from_nvml(const char *root,
                            const char *nvml_library,
                            struct gpu_inventory *gpus,
                            struct error *err);
int gpu_inventory_from_proc(const char *root,
                            struct gpu_inventory *gpus,
                            struct error *err);
int gpu_inventory_from_sysfs(const char *root,
                             struct gpu_inventory *gpus,
                             struct error *err);

/* Append DEVICE, with its type made from its model. */
int gpu_inventory_add(struct gpu_inventory *gpus,
                      const struct gpu_device *device,
                      struct error *err);

/* Say why, unless an earlier source has said something already. */
void gpu_inventory_note(struct gpu_inventory *gpus, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is PATH ("/dev/nvidia5") a device under ROOT? */
bool gpu_device_file_exists(const char *root, const char *path);

/* The first line of a small file, without its end; false when there is none. */
bool gpu_read_line(const char *path, char *ret_line, size_t size);
