/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of NVML that the lab's library implements, in the layouts of
 * x86-64. Written down here a second time on purpose, and not taken from
 * src/source/: a slip in one of the two shows, because they have to fit.
 */
#pragma once

#include <stdint.h>

enum nvml_return {
    NVML_SUCCESS = 0,
    NVML_UNINITIALIZED = 1,
    NVML_INVALID_ARGUMENT = 2,
    NVML_NOT_SUPPORTED = 3,
    NVML_NO_PERMISSION = 4,
    NVML_NOT_FOUND = 6,
    NVML_INSUFFICIENT_SIZE = 7,
    NVML_DRIVER_NOT_LOADED = 9,
    NVML_TIMEOUT = 10,
    NVML_GPU_IS_LOST = 15,
    NVML_RESET_REQUIRED = 16,
    NVML_LIBRARY_MISMATCH = 18,
    NVML_MEMORY = 20,
    NVML_NO_DATA = 21,
    NVML_VERSION_MISMATCH = 25
};

enum {
    NVML_NO_INSTANCE = -1, /* as unsigned: 0xffffffff */
    NVML_CLOCKS = 4,       /* graphics, SM, memory, video */
    NVML_EVENT_ECC_SINGLE = 0x1,
    NVML_EVENT_ECC_DOUBLE = 0x2,
    NVML_EVENT_XID = 0x8,
    NVML_EVENT_CLOCK = 0x10,
    NVML_EVENT_RECOVERY = 0x8000
};

typedef struct simulated_device *nvml_device;
typedef struct simulated_event_set *nvml_event_set;
typedef struct simulated_sample *nvml_gpm_sample;

struct nvml_pci {
    char bus_id_legacy[16];
    uint32_t domain, bus, device;
    uint32_t device_id, subsystem_id;
    char bus_id[32];
};

struct nvml_memory {
    uint64_t total, free, used;
};

struct nvml_memory_v2 {
    uint32_t version;
    uint64_t total, reserved, free, used;
};

struct nvml_utilization {
    uint32_t gpu, memory;
};

struct nvml_temperature {
    uint32_t version, sensor;
    int32_t celsius;
};

struct nvml_violation {
    uint64_t reference_us, violation_ns;
};

struct nvml_row_histogram {
    uint32_t max, high, partial, low, none;
};

struct nvml_sram_status {
    uint32_t version;
    uint64_t counts[11];
    uint32_t threshold_exceeded;
};

union nvml_value {
    double real;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
};

enum nvml_value_type {
    NVML_REAL,
    NVML_U32,
    NVML_ULONG,
    NVML_U64
};

struct nvml_field {
    uint32_t id, scope;
    int64_t timestamp_us, latency_us;
    uint32_t type, result;
    union nvml_value value;
};

struct nvml_process_v1 {
    uint32_t pid;
    uint64_t used;
};

struct nvml_process {
    uint32_t pid;
    uint64_t used;
    uint32_t gpu_instance, compute_instance;
};

struct nvml_process_sample {
    uint32_t pid;
    uint64_t timestamp_us;
    uint32_t sm, memory, encoder, decoder;
};

struct nvml_event {
    nvml_device device;
    uint64_t type, data;
    uint32_t gpu_instance, compute_instance;
};

struct nvml_attributes {
    uint32_t multiprocessors, copy_engines, decoders, encoders, jpeg, ofa;
    uint32_t gpu_slices, compute_slices;
    uint64_t memory_mib;
};

struct nvml_instance_info {
    nvml_device device;
    uint32_t id, profile;
    uint32_t start, size;
};

struct nvml_grid_feature {
    uint32_t code, licensed;
    char license[128], product[128];
    uint32_t enabled;
    struct {
        uint32_t year;
        uint16_t month, day, hour, minute, second;
        uint8_t status;
    } expiry;
};

struct nvml_grid_features {
    int32_t supported;
    uint32_t count;
    struct nvml_grid_feature features[3];
};

struct nvml_gpm_support {
    uint32_t version, supported;
};

struct nvml_gpm_metric {
    uint32_t id, result;
    double value;
    const char *names[3];
};

struct nvml_gpm_metrics {
    uint32_t version, count;
    nvml_gpm_sample first, second;
    struct nvml_gpm_metric metrics[];
};

_Static_assert(sizeof(struct nvml_pci) == 68, "as in NVML");
_Static_assert(sizeof(struct nvml_memory_v2) == 40, "as in NVML");
_Static_assert(sizeof(struct nvml_field) == 40, "as in NVML");
_Static_assert(sizeof(struct nvml_process) == 24, "as in NVML");
_Static_assert(sizeof(struct nvml_process_sample) == 32, "as in NVML");
_Static_assert(sizeof(struct nvml_event) == 32, "as in NVML");
_Static_assert(sizeof(struct nvml_attributes) == 40, "as in NVML");
_Static_assert(sizeof(struct nvml_instance_info) == 24, "as in NVML");
_Static_assert(sizeof(struct nvml_grid_feature) == 284, "as in NVML");
_Static_assert(sizeof(struct nvml_grid_features) == 860, "as in NVML");
_Static_assert(sizeof(struct nvml_gpm_metric) == 40, "as in NVML");
_Static_assert(sizeof(struct nvml_gpm_metrics) == 24, "as in NVML");
_Static_assert(sizeof(struct nvml_sram_status) == 104, "as in NVML");
