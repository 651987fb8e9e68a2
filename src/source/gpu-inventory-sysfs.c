/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD's GPUs, from sysfs. The file that stands for one is its render node, as
 * in Slurm's own plugin for them; /dev/kfd, which all need, belongs to none.
 * A GPU that is partitioned counts as one.
 */
#include "base/cleanup.h"
#include "base/unit.h"
#include "source/gpu-inventory-private.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AMD_VENDOR "0x1002"

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool
read_property(const char *card, const char *name, char *ret_value, size_t size)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/device/%s", card, name);
    return gpu_read_line(path, ret_value, size) && ret_value[0] != '\0';
}

static bool find_render_node(const char *card, char *ret_file, size_t size)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/device/drm", card);
    _cleanup_(close_dir) DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "renderD", 7) == 0) {
            snprintf(ret_file, size, "/dev/dri/%.40s", entry->d_name);
            return true;
        }
    return false;
}

static void read_model(const char *card, struct gpu_device *device)
{
    char id[16] = "";
    if (read_property(card, "product_name", device->model,
                      sizeof(device->model)))
        return;
    read_property(card, "device", id, sizeof(id));
    snprintf(device->model, sizeof(device->model), "AMD GPU %s", id);
}

static void read_place(const char *card, struct gpu_device *device)
{
    char path[PATH_MAX + 64], real[PATH_MAX];
    snprintf(path, sizeof(path), "%s/device", card);
    if (realpath(path, real))
        snprintf(device->pci, sizeof(device->pci), "%.19s", basename(real));
}

/* CARD is the path of /sys/class/drm/cardN. */
static bool describe(const char *card, struct gpu_device *ret_device)
{
    char value[32];
    uint64_t bytes;
    *ret_device = (struct gpu_device){0};
    if (!read_property(card, "vendor", value, sizeof(value)) ||
        strcmp(value, AMD_VENDOR) != 0 ||
        !find_render_node(card, ret_device->file, sizeof(ret_device->file)))
        return false;
    read_model(card, ret_device);
    read_place(card, ret_device);
    if (read_property(card, "mem_info_vram_total", value, sizeof(value)) &&
        number_parse(value, &bytes))
        ret_device->memory_mb = bytes >> 20;
    return true;
}

/* "card0", not "card0-HDMI-A-1". */
static bool is_card(const char *name)
{
    return strncmp(name, "card", 4) == 0 && name[4] != '\0' &&
           name[4 + strspn(name + 4, "0123456789")] == '\0';
}

int gpu_inventory_from_sysfs(const char *root,
                             struct gpu_inventory *gpus,
                             struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sys/class/drm", root);
    _cleanup_(close_dir) DIR *dir = opendir(path);
    unsigned int without_file = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct gpu_device device;
        if (!is_card(entry->d_name))
            continue;
        snprintf(path, sizeof(path), "%s/sys/class/drm/%s", root,
                 entry->d_name);
        if (!describe(path, &device))
            continue;
        if (!gpu_device_file_exists(root, device.file)) {
            without_file++;
            continue;
        }
        int r = gpu_inventory_add(gpus, &device, err);
        if (r < 0)
            return r;
    }
    if (without_file > 0)
        gpu_inventory_note(gpus,
                           "%u GPUs of AMD have no /dev/dri/renderDN here",
                           without_file);
    return 0;
}
