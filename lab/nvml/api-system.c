/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions for the machine: opening and closing, versions, and the way
 * to the GPUs.
 */
#include "api-private.h"

NVML_EXPORT int nvmlInit_v2(void);
NVML_EXPORT int nvmlInit(void);
NVML_EXPORT int nvmlInitWithFlags(unsigned int flags);
NVML_EXPORT int nvmlShutdown(void);
NVML_EXPORT const char *nvmlErrorString(int result);
NVML_EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned int size);
NVML_EXPORT int nvmlSystemGetNVMLVersion(char *version, unsigned int size);
NVML_EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version);
NVML_EXPORT int nvmlSystemGetCudaDriverVersion(int *version);
NVML_EXPORT int nvmlDeviceGetCount_v2(unsigned int *count);
NVML_EXPORT int nvmlDeviceGetCount(unsigned int *count);
NVML_EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index,
                                              nvml_device *device);
NVML_EXPORT int nvmlDeviceGetHandleByIndex(unsigned int index,
                                           nvml_device *device);
NVML_EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid,
                                          nvml_device *device);
NVML_EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id,
                                                 nvml_device *device);

static const struct {
    int result;
    const char *text;
} error_texts[] = {
    {NVML_SUCCESS, "Success"},
    {NVML_UNINITIALIZED, "Uninitialized"},
    {NVML_INVALID_ARGUMENT, "Invalid Argument"},
    {NVML_NOT_SUPPORTED, "Not Supported"},
    {NVML_NO_PERMISSION, "Insufficient Permissions"},
    {NVML_NOT_FOUND, "Not Found"},
    {NVML_INSUFFICIENT_SIZE, "Insufficient Size"},
    {NVML_DRIVER_NOT_LOADED, "Driver Not Loaded"},
    {NVML_TIMEOUT, "Timeout"},
    {NVML_GPU_IS_LOST, "GPU is lost"},
    {NVML_RESET_REQUIRED, "GPU requires reset"},
    {NVML_LIBRARY_MISMATCH, "Driver/library version mismatch"},
    {NVML_MEMORY, "Insufficient Memory"},
    {NVML_NO_DATA, "No data"},
    {NVML_VERSION_MISMATCH, "Argument version mismatch"},
};

const char *nvmlErrorString(int result)
{
    for (size_t i = 0; i < array_size(error_texts); i++)
        if (error_texts[i].result == result)
            return error_texts[i].text;
    return "Unknown Error";
}

int nvmlInit_v2(void)
{
    _cleanup_(call_end) struct call call = call_begin_early(__func__);
    return call.result != NVML_SUCCESS ? call.result : machine_open(&call);
}

int nvmlInit(void)
{
    return nvmlInit_v2();
}

int nvmlInitWithFlags(unsigned int flags)
{
    (void)flags;
    return nvmlInit_v2();
}

int nvmlShutdown(void)
{
    _cleanup_(call_end) struct call call = call_begin_early(__func__);
    return call.result != NVML_SUCCESS ? call.result : machine_close();
}

int nvmlSystemGetDriverVersion(char *version, unsigned int size)
{
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    return call.result != NVML_SUCCESS
               ? call.result
               : give_text(call.scenario->driver, version, size);
}

/* "12.550.54": CUDA's major version in front of the driver's. */
int nvmlSystemGetNVMLVersion(char *version, unsigned int size)
{
    char text[SCENARIO_NAME_SIZE + 8];
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    snprintf(text, sizeof(text), "12.%s", call.scenario->driver);
    return give_text(text, version, size);
}

int nvmlSystemGetCudaDriverVersion_v2(int *version)
{
    _cleanup_(call_end) struct call call = call_begin_early(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    *version = 12040;
    return NVML_SUCCESS;
}

int nvmlSystemGetCudaDriverVersion(int *version)
{
    return nvmlSystemGetCudaDriverVersion_v2(version);
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(device_count(&call), count);
}

int nvmlDeviceGetCount(unsigned int *count)
{
    return nvmlDeviceGetCount_v2(count);
}

/* A GPU that is lost has no handle to give, as NVIDIA's manual says. */
static int
give_device(const struct call *call, nvml_device found, nvml_device *ret_device)
{
    if (call->scenario->gpus[found->slot].settings[SETTING_LOST])
        return NVML_GPU_IS_LOST;
    *ret_device = found;
    return NVML_SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml_device *device)
{
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    nvml_device found = device_at(&call, index);
    if (!found || !device)
        return NVML_INVALID_ARGUMENT;
    return give_device(&call, found, device);
}

int nvmlDeviceGetHandleByIndex(unsigned int index, nvml_device *device)
{
    return nvmlDeviceGetHandleByIndex_v2(index, device);
}

/* The call, as if it were about the GPU at INDEX. */
static bool aim_at(struct call *call, uint32_t index)
{
    nvml_device device = device_at(call, index);
    if (!device)
        return false;
    call->slot = device->slot;
    call->gpu = &call->scenario->gpus[device->slot];
    call->instance = NULL;
    return true;
}

static nvml_device instance_by_uuid(struct call *call, const char *uuid)
{
    char own[80];
    for (uint32_t i = 0; i < call->gpu->instance_count; i++) {
        call->instance = &call->gpu->instances[i];
        device_uuid(call, own, sizeof(own));
        if (strcmp(own, uuid) == 0)
            return device_of_instance(call, i);
    }
    return NULL;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, nvml_device *device)
{
    char own[80];
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    for (uint32_t i = 0; aim_at(&call, i); i++) {
        device_uuid(&call, own, sizeof(own));
        nvml_device found = strcmp(own, uuid) == 0
                                ? device_of_slot(&call, call.slot)
                                : instance_by_uuid(&call, uuid);
        if (found)
            return give_device(&call, found, device);
    }
    return NVML_NOT_FOUND;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvml_device *device)
{
    unsigned int domain, bus;
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (sscanf(bus_id, "%x:%x:", &domain, &bus) != 2)
        return NVML_INVALID_ARGUMENT;
    for (uint32_t i = 0; domain == 0 && aim_at(&call, i); i++)
        if (bus == device_bus(call.slot))
            return give_device(&call, device_of_slot(&call, call.slot), device);
    return NVML_NOT_FOUND;
}
