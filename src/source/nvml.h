/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's management library, as far as we use it: declarations of our own of
 * its published interface, since its header comes only with CUDA and the
 * library only with a driver. Opened at run time; a program of ours runs
 * everywhere, and says why when there is nothing to open.
 *
 * Drivers of many years have many versions of a function. The list below names
 * them by preference; what none of them has is NULL: ask before calling. Only
 * what stands first, up to device_name, is always there.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nvml_result {
    NVML_SUCCESS = 0,
    NVML_ERROR_UNINITIALIZED = 1,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_INSUFFICIENT_SIZE = 7,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_TIMEOUT = 10,
    NVML_ERROR_CORRUPTED_INFOROM = 14,
    NVML_ERROR_GPU_IS_LOST = 15,
    NVML_ERROR_RESET_REQUIRED = 16,
    NVML_ERROR_VERSION_MISMATCH = 18 /* library and kernel module differ */
};

enum {
    NVML_NAME_SIZE = 96,
    NVML_CLOCK_SM = 1,
    NVML_CLOCK_MEMORY = 2,
    NVML_THRESHOLD_SLOWDOWN = 1,
    NVML_EVENT_XID = 0x8,
    NVML_EVENT_UNAVAILABLE = 0x4000,
    NVML_P2P_NVLINK = 2,
    NVML_GPM_METRICS_MAX = 64 /* asked for at once; the layout allows fewer than
                                 the library's own number */
};

typedef struct nvml_device_opaque *nvml_device;
typedef struct nvml_event_set_opaque *nvml_event_set;
typedef struct nvml_gpm_sample_opaque *nvml_gpm_sample;

struct nvml_pci_info {
    char bus_id_legacy[16];
    unsigned int domain, bus, device;
    unsigned int device_id, subsystem_id;
    char bus_id[32];
};

struct nvml_memory {
    unsigned long long total, free, used; /* bytes */
};

#define NVML_MEMORY_V2 0x02000028U
struct nvml_memory_v2 {
    unsigned int version;
    unsigned long long total, reserved, free, used; /* bytes */
};

struct nvml_utilization {
    unsigned int gpu, memory; /* percent */
};

#define NVML_TEMPERATURE_V1 0x0100000cU
struct nvml_temperature {
    unsigned int version, sensor;
    int celsius;
};

/* A record of a process as of version 2 on; version 1 has the first two. */
struct nvml_process {
    unsigned int pid;
    unsigned long long memory; /* bytes; all ones: not available */
    unsigned int gpu_instance, compute_instance;
};

struct nvml_process_sample {
    unsigned int pid;
    unsigned long long time_us;
    unsigned int sm, memory, encoder, decoder; /* percent */
};

struct nvml_event {
    nvml_device device;
    unsigned long long type, data;
    unsigned int gpu_instance, compute_instance;
};

enum nvml_value_type {
    NVML_DOUBLE,
    NVML_U32,
    NVML_ULONG,
    NVML_U64,
    NVML_I64,
    NVML_I32,
    NVML_U16
};

struct nvml_field {
    unsigned int id, scope;
    long long time_us, latency_us;
    unsigned int type; /* enum nvml_value_type */
    unsigned int result;
    union {
        double real;
        unsigned int u32;
        unsigned long long u64;
        long long i64;
        int i32;
        unsigned short u16;
    } value;
};

struct nvml_grid_feature {
    int code;
    unsigned int licensed; /* not 0: it is */
    char license[128], product[128];
    unsigned int enabled;
    struct {
        unsigned int year;
        unsigned short month, day, hour, minute, second;
        unsigned char status;
    } expiry;
};

struct nvml_grid_features {
    int supported; /* 0: the card needs no licence for a virtual GPU */
    unsigned int count;
    struct nvml_grid_feature features[3];
};

_Static_assert(sizeof(struct nvml_grid_features) == 860, "as in NVML");

struct nvml_gpm_support {
    unsigned int version, supported;
};

struct nvml_gpm_metric {
    unsigned int id, result;
    double value;
    const char *names[3];
};

struct nvml_gpm_metrics {
    unsigned int version, count;
    nvml_gpm_sample sample1, sample2;
    struct nvml_gpm_metric metrics[NVML_GPM_METRICS_MAX];
};

/* F(field, arguments, names by preference): all return enum nvml_result. */
/* clang-format off */
#define NVML_FUNCTIONS(F) \
    F(init, (void), "nvmlInit_v2", "nvmlInit") \
    F(shutdown, (void), "nvmlShutdown") \
    F(device_count, (unsigned int *ret_count), "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount") \
    F(device_by_index, (unsigned int index, nvml_device *ret_device), "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex") \
    F(device_pci, (nvml_device device, struct nvml_pci_info *ret_info), "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2") \
    F(device_name, (nvml_device device, char *ret_name, unsigned int size), "nvmlDeviceGetName") \
    F(driver_version, (char *ret_version, unsigned int size), "nvmlSystemGetDriverVersion") \
    F(nvml_version, (char *ret_version, unsigned int size), "nvmlSystemGetNVMLVersion") \
    F(cuda_version, (int *ret_version), "nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion") \
    F(device_uuid, (nvml_device device, char *ret_uuid, unsigned int size), "nvmlDeviceGetUUID") \
    F(device_serial, (nvml_device device, char *ret_serial, unsigned int size), "nvmlDeviceGetSerial") \
    F(device_minor, (nvml_device device, unsigned int *ret_minor), "nvmlDeviceGetMinorNumber") \
    F(device_brand, (nvml_device device, int *ret_brand), "nvmlDeviceGetBrand") \
    F(device_vbios, (nvml_device device, char *ret_version, unsigned int size), "nvmlDeviceGetVbiosVersion") \
    F(device_inforom_image, (nvml_device device, char *ret_version, unsigned int size), "nvmlDeviceGetInforomImageVersion") \
    F(device_inforom, (nvml_device device, int object, char *ret_version, unsigned int size), "nvmlDeviceGetInforomVersion") \
    F(device_validate_inforom, (nvml_device device), "nvmlDeviceValidateInforom") \
    F(device_memory, (nvml_device device, struct nvml_memory *ret_memory), "nvmlDeviceGetMemoryInfo") \
    F(device_memory_v2, (nvml_device device, struct nvml_memory_v2 *memory), "nvmlDeviceGetMemoryInfo_v2") \
    F(device_bar1, (nvml_device device, struct nvml_memory *ret_memory), "nvmlDeviceGetBAR1MemoryInfo") \
    F(device_utilization, (nvml_device device, struct nvml_utilization *ret_utilization), "nvmlDeviceGetUtilizationRates") \
    F(device_encoder, (nvml_device device, unsigned int *ret_percent, unsigned int *ret_period_us), "nvmlDeviceGetEncoderUtilization") \
    F(device_decoder, (nvml_device device, unsigned int *ret_percent, unsigned int *ret_period_us), "nvmlDeviceGetDecoderUtilization") \
    F(device_temperature, (nvml_device device, int sensor, unsigned int *ret_celsius), "nvmlDeviceGetTemperature") \
    F(device_temperature_v, (nvml_device device, struct nvml_temperature *temperature), "nvmlDeviceGetTemperatureV") \
    F(device_temperature_threshold, (nvml_device device, int threshold, unsigned int *ret_celsius), "nvmlDeviceGetTemperatureThreshold") \
    F(device_power, (nvml_device device, unsigned int *ret_milliwatts), "nvmlDeviceGetPowerUsage") \
    F(device_power_limit, (nvml_device device, unsigned int *ret_milliwatts), "nvmlDeviceGetEnforcedPowerLimit") \
    F(device_energy, (nvml_device device, unsigned long long *ret_millijoules), "nvmlDeviceGetTotalEnergyConsumption") \
    F(device_clock, (nvml_device device, int clock, unsigned int *ret_mhz), "nvmlDeviceGetClockInfo") \
    F(device_clock_max, (nvml_device device, int clock, unsigned int *ret_mhz), "nvmlDeviceGetMaxClockInfo") \
    F(device_clock_reasons, (nvml_device device, unsigned long long *ret_reasons), "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons") \
    F(device_performance_state, (nvml_device device, int *ret_state), "nvmlDeviceGetPerformanceState") \
    F(device_fan, (nvml_device device, unsigned int *ret_percent), "nvmlDeviceGetFanSpeed") \
    F(device_pcie_replays, (nvml_device device, unsigned int *ret_replays), "nvmlDeviceGetPcieReplayCounter") \
    F(device_pcie_generation, (nvml_device device, unsigned int *ret_generation), "nvmlDeviceGetCurrPcieLinkGeneration") \
    F(device_pcie_width, (nvml_device device, unsigned int *ret_lanes), "nvmlDeviceGetCurrPcieLinkWidth") \
    F(device_pcie_generation_max, (nvml_device device, unsigned int *ret_generation), "nvmlDeviceGetMaxPcieLinkGeneration") \
    F(device_pcie_width_max, (nvml_device device, unsigned int *ret_lanes), "nvmlDeviceGetMaxPcieLinkWidth") \
    F(device_ecc_mode, (nvml_device device, int *ret_current, int *ret_pending), "nvmlDeviceGetEccMode") \
    F(device_ecc_errors, (nvml_device device, int type, int counter, unsigned long long *ret_errors), "nvmlDeviceGetTotalEccErrors") \
    F(device_remapped_rows, (nvml_device device, unsigned int *ret_correctable, unsigned int *ret_uncorrectable, unsigned int *ret_pending, unsigned int *ret_failed), "nvmlDeviceGetRemappedRows") \
    F(device_fields, (nvml_device device, int count, struct nvml_field *fields), "nvmlDeviceGetFieldValues") \
    F(device_grid_features, (nvml_device device, struct nvml_grid_features *ret_features), "nvmlDeviceGetGridLicensableFeatures_v4") \
    F(device_p2p, (nvml_device device, nvml_device peer, int way, unsigned int *ret_status), "nvmlDeviceGetP2PStatus") \
    F(device_nvlink_state, (nvml_device device, unsigned int link, int *ret_active), "nvmlDeviceGetNvLinkState") \
    F(compute_processes, (nvml_device device, unsigned int *count, struct nvml_process *ret_processes), "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2") \
    F(graphics_processes, (nvml_device device, unsigned int *count, struct nvml_process *ret_processes), "nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2") \
    F(process_utilization, (nvml_device device, struct nvml_process_sample *ret_samples, unsigned int *count, unsigned long long since_us), "nvmlDeviceGetProcessUtilization") \
    F(device_mig_mode, (nvml_device device, unsigned int *ret_current, unsigned int *ret_pending), "nvmlDeviceGetMigMode") \
    F(mig_count_max, (nvml_device device, unsigned int *ret_count), "nvmlDeviceGetMaxMigDeviceCount") \
    F(mig_by_index, (nvml_device device, unsigned int index, nvml_device *ret_instance), "nvmlDeviceGetMigDeviceHandleByIndex") \
    F(gpu_instance, (nvml_device instance, unsigned int *ret_id), "nvmlDeviceGetGpuInstanceId") \
    F(compute_instance, (nvml_device instance, unsigned int *ret_id), "nvmlDeviceGetComputeInstanceId") \
    F(event_set_new, (nvml_event_set *ret_set), "nvmlEventSetCreate") \
    F(event_set_free, (nvml_event_set set), "nvmlEventSetFree") \
    F(device_event_types, (nvml_device device, unsigned long long *ret_types), "nvmlDeviceGetSupportedEventTypes") \
    F(device_register_events, (nvml_device device, unsigned long long types, nvml_event_set set), "nvmlDeviceRegisterEvents") \
    F(event_wait, (nvml_event_set set, struct nvml_event *ret_event, unsigned int timeout_ms), "nvmlEventSetWait_v2", "nvmlEventSetWait") \
    F(gpm_support, (nvml_device device, struct nvml_gpm_support *support), "nvmlGpmQueryDeviceSupport") \
    F(gpm_sample_new, (nvml_gpm_sample *ret_sample), "nvmlGpmSampleAlloc") \
    F(gpm_sample_free, (nvml_gpm_sample sample), "nvmlGpmSampleFree") \
    F(gpm_sample_get, (nvml_device device, nvml_gpm_sample sample), "nvmlGpmSampleGet") \
    F(gpm_mig_sample_get, (nvml_device device, unsigned int gpu_instance, nvml_gpm_sample sample), "nvmlGpmMigSampleGet") \
    F(gpm_metrics_get, (struct nvml_gpm_metrics *metrics), "nvmlGpmMetricsGet")
/* clang-format on */

struct nvml {
    void *handle;
    const char *(*error_string)(int result);
#define NVML_POINTER(field, arguments, ...) int(*field) arguments;
    NVML_FUNCTIONS(NVML_POINTER)
#undef NVML_POINTER
};

/* Open LIBRARY (NULL: the usual one) and initialise it. -ENOENT: there is no
 * such library; -ELIBBAD: it lacks what we need; -ESTALE: the driver was
 * changed and the machine waits for its reload; -EIO: it does not work here,
 * which ERR explains in its own words. */
int nvml_open(const char *library, struct nvml *ret_nvml, struct error *err);

/* Accepts a zeroed one. */
void nvml_close(struct nvml *nvml);

/* "NVML: GPU is lost (15)" into BUFFER, which is returned. */
const char *
nvml_error_text(const struct nvml *nvml, int result, char *buffer, size_t size);
