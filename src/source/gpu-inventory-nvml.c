/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs from NVML. In a container the library shows only the GPUs that were
 * given to it, with their minor numbers on the machine.
 */
#include "base/cleanup.h"
#include "source/gpu-inventory-private.h"
#include "source/nvml.h"

#include <stdio.h>
#include <string.h>

struct leftovers {
    unsigned int without_file, mig, unknown;
};

static bool describe(const struct nvml *nvml,
                     unsigned int index,
                     struct gpu_device *ret_device,
                     struct leftovers *left)
{
    nvml_device device;
    unsigned int minor, current = 0, pending = 0;
    char name[NVML_NAME_SIZE];
    if (nvml->device_by_index(index, &device) != NVML_SUCCESS ||
        !nvml->device_minor ||
        nvml->device_minor(device, &minor) != NVML_SUCCESS ||
        nvml->device_name(device, name, sizeof(name)) != NVML_SUCCESS) {
        left->unknown++;
        return false;
    }
    *ret_device =
        (struct gpu_device){.simulated = strcasestr(name, "simulated") != NULL};
    snprintf(ret_device->model, sizeof(ret_device->model), "%.63s", name);
    snprintf(ret_device->file, sizeof(ret_device->file), "/dev/nvidia%u",
             minor);
    struct nvml_memory memory;
    if (nvml->device_memory &&
        nvml->device_memory(device, &memory) == NVML_SUCCESS)
        ret_device->memory_mb = memory.total >> 20;
    struct nvml_pci_info pci;
    if (nvml->device_pci(device, &pci) == NVML_SUCCESS)
        snprintf(ret_device->pci, sizeof(ret_device->pci), "%04x:%02x:%02x.0",
                 pci.domain & 0xffffffffU, pci.bus & 0xffU, pci.device & 0x1fU);
    if (nvml->device_mig_mode &&
        nvml->device_mig_mode(device, &current, &pending) == NVML_SUCCESS &&
        current == 1)
        left->mig++;
    return true;
}

static void note_leftovers(struct gpu_inventory *gpus,
                           const struct leftovers *left)
{
    if (left->unknown > 0)
        gpu_inventory_note(gpus,
                           "NVML lists %u GPUs that do not answer: are they "
                           "lost? see dmesg for \"Xid\"",
                           left->unknown);
    if (left->without_file > 0)
        gpu_inventory_note(gpus,
                           "NVML lists %u GPUs that have no /dev/nvidiaN here",
                           left->without_file);
    if (left->mig > 0)
        gpu_inventory_note(gpus, "MIG is on for %u GPUs; Slurm gets them whole",
                           left->mig);
}

int gpu_inventory_from_nvml(const char *root,
                            const char *nvml_library,
                            struct gpu_inventory *gpus,
                            struct error *err)
{
    struct error reason = {0};
    _cleanup_(nvml_close) struct nvml nvml = {0};
    unsigned int count = 0;
    int r = nvml_open(nvml_library, &nvml, &reason);
    if (r < 0) {
        /* No library at all is worth a word only where there is a driver. */
        if (r != -ENOENT || gpu_device_file_exists(root, "/dev/nvidiactl"))
            gpu_inventory_note(gpus, "%.240s", reason.text);
        return 0;
    }
    r = nvml.device_count(&count);
    if (r != NVML_SUCCESS) {
        gpu_inventory_note(gpus, "NVML: %s", nvml.error_string(r));
        return 0;
    }
    struct leftovers left = {0};
    for (unsigned int i = 0; i < count; i++) {
        struct gpu_device device;
        if (!describe(&nvml, i, &device, &left))
            continue;
        if (!gpu_device_file_exists(root, device.file)) {
            left.without_file++;
            continue;
        }
        r = gpu_inventory_add(gpus, &device, err);
        if (r < 0)
            return r;
    }
    note_leftovers(gpus, &left);
    return 0;
}
