/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks one source after the other, best first, until one knows a GPU that has
 * a device file here.
 */
#include "source/gpu-inventory.h"

#include "base/cleanup.h"
#include "source/gpu-inventory-private.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int gpu_inventory_add(struct gpu_inventory *gpus,
                      const struct gpu_device *device,
                      struct error *err)
{
    struct gpu_device *grown =
        reallocarray(gpus->devices, gpus->count + 1, sizeof(gpus->devices[0]));
    if (!grown)
        return error_set(err, ENOMEM, "out of memory");
    gpus->devices = grown;
    struct gpu_device *added = &grown[gpus->count++];
    *added = *device;
    gpu_type_of_model(added->model, added->type, sizeof(added->type));
    return 0;
}

void gpu_inventory_note(struct gpu_inventory *gpus, const char *format, ...)
{
    if (gpus->note[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(gpus->note, sizeof(gpus->note), format, args);
    va_end(args);
}

bool gpu_device_file_exists(const char *root, const char *path)
{
    char full[PATH_MAX];
    struct stat st;
    snprintf(full, sizeof(full), "%s%s", root, path);
    return stat(full, &st) == 0 && S_ISCHR(st.st_mode);
}

bool gpu_read_line(const char *path, char *ret_line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(ret_line, (int)size, file) != NULL;
    fclose(file);
    if (read)
        ret_line[strcspn(ret_line, "\n")] = '\0';
    return read;
}

/* "/dev/nvidia10" behind "/dev/nvidia9". */
static int compare_files(const void *a, const void *b)
{
    const struct gpu_device *left = a, *right = b;
    return strverscmp(left->file, right->file);
}

/* A machine without GPUs has no library either, which is no news; one with
 * device files that nobody can explain has a driver that does not work. */
static void note_nothing_found(const char *root, struct gpu_inventory *gpus)
{
    if (gpu_device_file_exists(root, "/dev/nvidiactl") ||
        gpu_device_file_exists(root, "/dev/nvidia0"))
        gpu_inventory_note(gpus,
                           "there are device files of NVIDIA, but neither the "
                           "library nor /proc/driver/nvidia tells of a GPU");
}

static int ask_sources(const char *root,
                       const char *nvml_library,
                       struct gpu_inventory *gpus,
                       struct error *err)
{
    int r = 0;
    gpus->source = "NVML";
    if (!nvml_library || nvml_library[0] != '\0')
        r = gpu_inventory_from_nvml(root, nvml_library, gpus, err);
    if (r < 0 || gpus->count > 0)
        return r;
    gpus->source = "/proc/driver/nvidia";
    r = gpu_inventory_from_proc(root, gpus, err);
    if (r < 0 || gpus->count > 0)
        return r;
    gpus->source = "sysfs";
    r = gpu_inventory_from_sysfs(root, gpus, err);
    if (r < 0 || gpus->count > 0)
        return r;
    gpus->source = "none";
    note_nothing_found(root, gpus);
    return 0;
}

int gpu_inventory_take(const char *root,
                       const char *nvml_library,
                       struct gpu_inventory *ret_gpus,
                       struct error *err)
{
    struct gpu_inventory gpus = {0};
    int r = ask_sources(root, nvml_library, &gpus, err);
    if (r < 0) {
        gpu_inventory_deinit(&gpus);
        return r;
    }
    if (gpus.count > 1)
        qsort(gpus.devices, gpus.count, sizeof(gpus.devices[0]), compare_files);
    *ret_gpus = gpus;
    return 0;
}

void gpu_inventory_deinit(struct gpu_inventory *gpus)
{
    free(gpus->devices);
    *gpus = (struct gpu_inventory){.source = "none"};
}
