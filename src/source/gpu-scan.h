/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one cycle of the GPU collector finds, before it becomes a snapshot: the
 * vendors' sources (gpu-nvidia.h, gpu-amd.h) fill it, attribution (gpu-jobs.h)
 * reads it, gpu-snapshot.h writes it down. Strings lie in the records
 * themselves here, because a device is remembered from cycle to cycle and
 * outlives any snapshot.
 *
 * One thread of the collector process, but where gpu-nvidia.h says otherwise.
 */
#pragma once

#include "base/error.h"
#include "model/gpu-reading.h"

#include <stdint.h>

enum {
    GPU_TEXT_SIZE = 96, /* of UUIDs and names, as NVML has them at most */
    GPU_TROUBLE_SIZE = 160
};

/* A GPU, or an instance of one. RECORD's own strings are unused (0) until the
 * snapshot is written. Instances follow their GPU. */
struct gpu_device_scan {
    struct gpu_record record;
    char uuid[GPU_TEXT_SIZE];
    char pci_bus_id[32];
    char model[GPU_TEXT_SIZE];
    char serial[GPU_TEXT_SIZE];
    char brand[32];
    char vbios_version[32];
    char inforom_image[32], inforom_oem[32], inforom_ecc[32], inforom_power[32];
    char profile[32];
    char trouble[GPU_TROUBLE_SIZE];
};

/* A process that a driver names on a device. */
struct gpu_process_scan {
    uint32_t device; /* index into devices */
    uint32_t pid;
    uint64_t memory_bytes; /* UINT64_MAX: unknown */
    uint32_t sm_percent;   /* GPU_NONE: unknown */
    bool graphics;
};

struct gpu_xid_scan {
    uint32_t device, code;
    uint64_t count;
    int64_t last_s;
};

struct gpu_scan {
    struct gpu_device_scan *devices;
    size_t device_count;
    struct gpu_process_scan *processes;
    size_t process_count;
    struct gpu_xid_scan *xids;
    size_t xid_count;
    struct gpu_event_record *events; /* gpu: index into devices; oldest first */
    size_t event_count;
    char driver_version[80], nvml_version[80], cuda_version[32];
    char amd_driver_version[32];
    char trouble[GPU_TROUBLE_SIZE]; /* why there is nothing at all */
    uint32_t expected;
    uint32_t visible;
    bool released;
};

/* Zeroed at the end of the array, valid until the next add; NULL: no memory. */
struct gpu_device_scan *gpu_scan_add_device(struct gpu_scan *scan);
struct gpu_process_scan *gpu_scan_add_process(struct gpu_scan *scan);
struct gpu_xid_scan *gpu_scan_add_xid(struct gpu_scan *scan);
struct gpu_event_record *gpu_scan_add_event(struct gpu_scan *scan);

/* Empty it and keep its memory; give its memory back. */
void gpu_scan_clear(struct gpu_scan *scan);
void gpu_scan_deinit(struct gpu_scan *scan);
