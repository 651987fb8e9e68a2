/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs from what NVIDIA's kernel driver says in
 * /proc/driver/nvidia/gpus/PCI/information, which needs no library. It knows no
 * memory sizes. A container may see all GPUs of its machine there; those whose
 * device file it does not have are not its own.
 */
#include "base/cleanup.h"
#include "base/unit.h"
#include "source/gpu-inventory-private.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* "Model: \t\t NVIDIA H100\n": the value, trimmed, when the line is KEY's. */
static const char *value_of(char *line, const char *key)
{
    size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || line[length] != ':')
        return NULL;
    char *value = line + length + 1;
    value += strspn(value, " \t");
    char *end = value + strlen(value);
    while (end > value && strchr(" \t\n", end[-1]))
        end--;
    *end = '\0';
    return value;
}

static bool read_information(const char *path, struct gpu_device *ret_device)
{
    _cleanup_(close_file) FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char line[256];
    *ret_device = (struct gpu_device){0};
    while (fgets(line, sizeof(line), file)) {
        const char *value;
        uint64_t minor;
        if ((value = value_of(line, "Model")))
            snprintf(ret_device->model, sizeof(ret_device->model), "%.63s",
                     value);
        else if ((value = value_of(line, "Device Minor")) &&
                 number_parse(value, &minor) && minor <= UINT32_MAX)
            snprintf(ret_device->file, sizeof(ret_device->file),
                     "/dev/nvidia%u", (unsigned int)minor);
        else if ((value = value_of(line, "GPU Excluded")) &&
                 strcmp(value, "Yes") == 0)
            return false;
    }
    return ret_device->file[0] != '\0';
}

int gpu_inventory_from_proc(const char *root,
                            struct gpu_inventory *gpus,
                            struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/proc/driver/nvidia/gpus", root);
    _cleanup_(close_dir) DIR *dir = opendir(path);
    if (!dir)
        return 0;
    unsigned int without_file = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct gpu_device device;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path),
                 "%s/proc/driver/nvidia/gpus/%s/information", root,
                 entry->d_name);
        if (!read_information(path, &device))
            continue;
        if (!gpu_device_file_exists(root, device.file)) {
            without_file++;
            continue;
        }
        snprintf(device.pci, sizeof(device.pci), "%.19s", entry->d_name);
        int r = gpu_inventory_add(gpus, &device, err);
        if (r < 0)
            return r;
    }
    if (gpus->count == 0 && without_file > 0)
        gpu_inventory_note(
            gpus,
            "the driver knows %u GPUs, but none has a "
            "/dev/nvidiaN here: none was given to this container",
            without_file);
    return 0;
}
