/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The growing arrays of a scan.
 */
#include "source/gpu-scan.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element of SIZE bytes behind COUNT. Arrays grow, and after
 * a clear shrink and grow again, at each power of two: they are small. NULL: no
 * memory, and the array is as it was. */
static void *add(void **array, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0) {
        size_t room = *count ? *count * 2 : 1;
        void *grown = reallocarray(*array, room, size);
        if (!grown)
            return NULL;
        *array = grown;
    }
    void *element = (char *)*array + (*count)++ * size;
    memset(element, 0, size);
    return element;
}

#define ADD(scan, array, count)                                                \
    add((void **)&(scan)->array, &(scan)->count, sizeof(*(scan)->array))

struct gpu_device_scan *gpu_scan_add_device(struct gpu_scan *scan)
{
    return ADD(scan, devices, device_count);
}

struct gpu_process_scan *gpu_scan_add_process(struct gpu_scan *scan)
{
    return ADD(scan, processes, process_count);
}

struct gpu_xid_scan *gpu_scan_add_xid(struct gpu_scan *scan)
{
    return ADD(scan, xids, xid_count);
}

struct gpu_event_record *gpu_scan_add_event(struct gpu_scan *scan)
{
    return ADD(scan, events, event_count);
}

void gpu_scan_clear(struct gpu_scan *scan)
{
    struct gpu_scan kept = {.devices = scan->devices,
                            .processes = scan->processes,
                            .xids = scan->xids,
                            .events = scan->events};
    *scan = kept;
}

void gpu_scan_deinit(struct gpu_scan *scan)
{
    free(scan->devices);
    free(scan->processes);
    free(scan->xids);
    free(scan->events);
    *scan = (struct gpu_scan){.devices = NULL};
}
