/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions about memory: how much is used, and what is broken of it.
 */
#include "api-private.h"

NVML_EXPORT int nvmlDeviceGetMemoryInfo(nvml_device device,
                                        struct nvml_memory *memory);
NVML_EXPORT int nvmlDeviceGetMemoryInfo_v2(nvml_device device,
                                           struct nvml_memory_v2 *memory);
NVML_EXPORT int nvmlDeviceGetBAR1MemoryInfo(nvml_device device,
                                            struct nvml_memory *memory);
NVML_EXPORT int nvmlDeviceGetEccMode(nvml_device device,
                                     unsigned int *current,
                                     unsigned int *pending);
NVML_EXPORT int nvmlDeviceGetTotalEccErrors(nvml_device device,
                                            unsigned int kind,
                                            unsigned int counter,
                                            unsigned long long *count);
NVML_EXPORT int nvmlDeviceGetMemoryErrorCounter(nvml_device device,
                                                unsigned int kind,
                                                unsigned int counter,
                                                unsigned int location,
                                                unsigned long long *count);
NVML_EXPORT int nvmlDeviceGetRemappedRows(nvml_device device,
                                          unsigned int *corrected,
                                          unsigned int *uncorrected,
                                          unsigned int *pending,
                                          unsigned int *failed);
NVML_EXPORT int
nvmlDeviceGetRowRemapperHistogram(nvml_device device,
                                  struct nvml_row_histogram *histogram);
NVML_EXPORT int nvmlDeviceGetRetiredPages(nvml_device device,
                                          unsigned int cause,
                                          unsigned int *count,
                                          unsigned long long *addresses);
NVML_EXPORT int nvmlDeviceGetRetiredPagesPendingStatus(nvml_device device,
                                                       unsigned int *pending);
NVML_EXPORT int
nvmlDeviceGetSramEccErrorStatus(nvml_device device,
                                struct nvml_sram_status *status);

enum {
    LOCATION_DEVICE_MEMORY = 2,
    ROWS = 640,
    /* Errors in earlier lives of the machine. */
    AGE_CORRECTED = 2
};

static uint64_t bytes(uint64_t mib)
{
    return mib << 20;
}

static struct nvml_memory_v2 memory_of(const struct call *call)
{
    const struct model *model = call->gpu->model;
    uint64_t total = model->memory_mib, reserved = model->reserved_mib;
    uint64_t used = meter_memory_used_mib(call);
    if (call->instance) {
        total = call->instance->memory_mib;
        reserved = 0;
    }
    return (struct nvml_memory_v2){
        .total = bytes(total),
        .reserved = bytes(reserved),
        .used = bytes(used),
        .free = bytes(total - reserved - used),
    };
}

int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *memory)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    struct nvml_memory_v2 newer = memory_of(&call);
    *memory = (struct nvml_memory){
        .total = newer.total,
        .free = newer.free,
        .used = newer.used + newer.reserved,
    };
    return NVML_SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(nvml_device device,
                               struct nvml_memory_v2 *memory)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    uint32_t version = memory->version;
    if (version != (sizeof(*memory) | 2U << 24))
        return NVML_VERSION_MISMATCH;
    *memory = memory_of(&call);
    memory->version = version;
    return NVML_SUCCESS;
}

int nvmlDeviceGetBAR1MemoryInfo(nvml_device device, struct nvml_memory *memory)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    uint64_t total = bytes(call.gpu->model->bar1_mib), used = bytes(4);
    *memory = (struct nvml_memory){total, total - used, used};
    return NVML_SUCCESS;
}

static bool has_ecc(const struct call *call)
{
    return call->gpu->model->row_remapping || call->gpu->model->page_retirement;
}

int nvmlDeviceGetEccMode(nvml_device device,
                         unsigned int *current,
                         unsigned int *pending)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!has_ecc(&call))
        return NVML_NOT_SUPPORTED;
    *current = *pending = 1;
    return NVML_SUCCESS;
}

/* KIND: 0 corrected, 1 not. COUNTER: 0 since the driver was loaded, 1 ever. */
int nvmlDeviceGetTotalEccErrors(nvml_device device,
                                unsigned int kind,
                                unsigned int counter,
                                unsigned long long *count)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!has_ecc(&call))
        return NVML_NOT_SUPPORTED;
    *count = call.gpu->settings[kind == 0 ? SETTING_ECC_CORRECTED
                                          : SETTING_ECC_UNCORRECTED];
    if (counter == 1 && kind == 0)
        *count += AGE_CORRECTED;
    return NVML_SUCCESS;
}

int nvmlDeviceGetMemoryErrorCounter(nvml_device device,
                                    unsigned int kind,
                                    unsigned int counter,
                                    unsigned int location,
                                    unsigned long long *count)
{
    if (location != LOCATION_DEVICE_MEMORY)
        return NVML_NOT_SUPPORTED;
    return nvmlDeviceGetTotalEccErrors(device, kind, counter, count);
}

int nvmlDeviceGetRemappedRows(nvml_device device,
                              unsigned int *corrected,
                              unsigned int *uncorrected,
                              unsigned int *pending,
                              unsigned int *failed)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->row_remapping)
        return NVML_NOT_SUPPORTED;
    const uint64_t *settings = call.gpu->settings;
    *corrected = (unsigned int)settings[SETTING_ROWS_CORRECTED];
    *uncorrected = (unsigned int)settings[SETTING_ROWS_UNCORRECTED];
    *pending = settings[SETTING_ROW_REMAP_PENDING] != 0;
    *failed = settings[SETTING_ROW_REMAP_FAILED] != 0;
    return NVML_SUCCESS;
}

int nvmlDeviceGetRowRemapperHistogram(nvml_device device,
                                      struct nvml_row_histogram *histogram)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->row_remapping)
        return NVML_NOT_SUPPORTED;
    const uint64_t *settings = call.gpu->settings;
    bool used =
        settings[SETTING_ROWS_CORRECTED] + settings[SETTING_ROWS_UNCORRECTED] >
        0;
    bool failed = settings[SETTING_ROW_REMAP_FAILED] != 0;
    *histogram = (struct nvml_row_histogram){
        .max = ROWS - (used || failed),
        .high = used && !failed,
        .none = failed,
    };
    return NVML_SUCCESS;
}

int nvmlDeviceGetRetiredPages(nvml_device device,
                              unsigned int cause,
                              unsigned int *count,
                              unsigned long long *addresses)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->page_retirement)
        return NVML_NOT_SUPPORTED;
    unsigned int room = *count;
    *count =
        (unsigned int)call.gpu->settings[cause == 0 ? SETTING_PAGES_SINGLE
                                                    : SETTING_PAGES_DOUBLE];
    if (room < *count)
        return NVML_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < *count; i++)
        addresses[i] = 0x10000ULL * (i + 1);
    return NVML_SUCCESS;
}

int nvmlDeviceGetRetiredPagesPendingStatus(nvml_device device,
                                           unsigned int *pending)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->page_retirement)
        return NVML_NOT_SUPPORTED;
    return give_number(call.gpu->settings[SETTING_PAGES_PENDING] != 0, pending);
}

int nvmlDeviceGetSramEccErrorStatus(nvml_device device,
                                    struct nvml_sram_status *status)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    uint32_t version = status->version;
    if (version != (sizeof(*status) | 1U << 24))
        return NVML_VERSION_MISMATCH;
    if (!call.gpu->model->row_remapping)
        return NVML_NOT_SUPPORTED;
    *status = (struct nvml_sram_status){.version = version};
    return NVML_SUCCESS;
}
