/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys are sorted by insertion: there are at most a few dozen.
 */
#include "source/gpu-order.h"

#include <string.h>
#include <strings.h>

static bool is_instance(const struct gpu_device_scan *device)
{
    return device->record.parent != GPU_NONE;
}

static bool comes_before(const struct gpu_scan *scan,
                         enum gpu_order order,
                         uint32_t a,
                         uint32_t b)
{
    const struct gpu_device_scan *x = &scan->devices[a], *y = &scan->devices[b];
    if (order == GPU_ORDER_MINOR && x->record.minor != y->record.minor)
        return x->record.minor < y->record.minor;
    return strcasecmp(x->pci_bus_id, y->pci_bus_id) < 0;
}

static void append(struct gpu_numbering *numbering, uint32_t device)
{
    if (numbering->count < GPU_ORDER_MAX)
        numbering->devices[numbering->count++] = device;
}

/* GPU, or its instances in its place. */
static void append_parts(const struct gpu_scan *scan,
                         uint32_t gpu,
                         struct gpu_numbering *numbering)
{
    if (!(scan->devices[gpu].record.flags & GPU_FLAG_MIG)) {
        append(numbering, gpu);
        return;
    }
    for (uint32_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.parent == gpu)
            append(numbering, i);
}

void gpu_numbering_make(const struct gpu_scan *scan,
                        enum gpu_order order,
                        struct gpu_numbering *ret_numbering)
{
    uint32_t gpus[GPU_ORDER_MAX], count = 0;
    for (uint32_t i = 0; i < scan->device_count && count < GPU_ORDER_MAX; i++) {
        if (is_instance(&scan->devices[i]))
            continue;
        uint32_t at = count++;
        for (; at > 0 && comes_before(scan, order, i, gpus[at - 1]); at--)
            gpus[at] = gpus[at - 1];
        gpus[at] = i;
    }
    ret_numbering->count = 0;
    for (uint32_t i = 0; i < count; i++)
        append_parts(scan, gpus[i], ret_numbering);
}

uint32_t
gpu_find_index(const struct gpu_scan *scan, uint32_t index, uint32_t instance)
{
    for (uint32_t i = 0; i < scan->device_count; i++) {
        const struct gpu_record *record = &scan->devices[i].record;
        if (record->index == index &&
            (instance == GPU_NONE ? record->parent == GPU_NONE
                                  : record->parent != GPU_NONE &&
                                        record->gpu_instance == instance))
            return i;
    }
    return GPU_NONE;
}

/* AMD's UUIDs are bare numbers, which Slurm may write as "0x…". */
uint32_t gpu_find_uuid(const struct gpu_scan *scan, const char *uuid)
{
    if (strncmp(uuid, "0x", 2) == 0)
        uuid += 2;
    for (uint32_t i = 0; *uuid && i < scan->device_count; i++)
        if (strcasecmp(scan->devices[i].uuid, uuid) == 0)
            return i;
    return GPU_NONE;
}

uint32_t gpu_of_device(const struct gpu_scan *scan, uint32_t device)
{
    uint32_t parent = scan->devices[device].record.parent;
    return parent == GPU_NONE ? device : parent;
}
