/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GPUs that our own lab simulates: device files that are /dev/null under
 * another name, on a machine whose /etc/gpu-watchdog/simulated-gpu names their
 * model. Both are needed, so that no real machine is ever mistaken for one.
 */
#include "source/gpu-inventory-private.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
    SIMULATED_MAX = 64
};

static bool is_null_device(const char *root, const char *file)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof(path), "%s%s", root, file);
    return stat(path, &st) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(1, 3);
}

int gpu_inventory_from_lab(const char *root,
                           struct gpu_inventory *gpus,
                           struct error *err)
{
    char path[PATH_MAX];
    struct gpu_device device = {.simulated = true};
    snprintf(path, sizeof(path), "%s" GPU_INVENTORY_LAB_FILE, root);
    if (!gpu_read_line(path, device.model, sizeof(device.model)))
        return 0;
    for (unsigned int i = 0; i < SIMULATED_MAX; i++) {
        snprintf(device.file, sizeof(device.file), "/dev/nvidia%u", i);
        if (!is_null_device(root, device.file))
            continue;
        int r = gpu_inventory_add(gpus, &device, err);
        if (r < 0)
            return r;
    }
    return 0;
}
