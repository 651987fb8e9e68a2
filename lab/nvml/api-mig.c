/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions for GPUs that MIG has split. A handle of an instance is
 * good until the layout changes.
 */
#include "api-private.h"

NVML_EXPORT int nvmlDeviceGetMigMode(nvml_device device,
                                     unsigned int *current,
                                     unsigned int *pending);
NVML_EXPORT int nvmlDeviceGetMaxMigDeviceCount(nvml_device device,
                                               unsigned int *count);
NVML_EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device device,
                                                    unsigned int index,
                                                    nvml_device *instance);
NVML_EXPORT int
nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvml_device instance,
                                             nvml_device *device);
NVML_EXPORT int nvmlDeviceIsMigDeviceHandle(nvml_device device,
                                            unsigned int *is_instance);
NVML_EXPORT int nvmlDeviceGetGpuInstanceId(nvml_device device,
                                           unsigned int *id);
NVML_EXPORT int nvmlDeviceGetComputeInstanceId(nvml_device device,
                                               unsigned int *id);
NVML_EXPORT int nvmlDeviceGetAttributes_v2(nvml_device device,
                                           struct nvml_attributes *attributes);

int nvmlDeviceGetMigMode(nvml_device device,
                         unsigned int *current,
                         unsigned int *pending)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->mig)
        return NVML_NOT_SUPPORTED;
    *current = *pending = call.gpu->mig;
    return NVML_SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(nvml_device device, unsigned int *count)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.gpu->model->mig ? SCENARIO_INSTANCES_MAX : 0,
                       count);
}

int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device device,
                                        unsigned int index,
                                        nvml_device *instance)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (index >= SCENARIO_INSTANCES_MAX)
        return NVML_INVALID_ARGUMENT;
    if (!call.gpu->mig || index >= call.gpu->instance_count)
        return NVML_NOT_FOUND;
    *instance = device_of_instance(&call, index);
    return NVML_SUCCESS;
}

int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvml_device instance,
                                                 nvml_device *device)
{
    _cleanup_(call_end) struct call call =
        call_begin(instance, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.instance)
        return NVML_INVALID_ARGUMENT;
    *device = device_of_slot(&call, call.slot);
    return NVML_SUCCESS;
}

int nvmlDeviceIsMigDeviceHandle(nvml_device device, unsigned int *is_instance)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.instance != NULL, is_instance);
}

int nvmlDeviceGetGpuInstanceId(nvml_device device, unsigned int *id)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return call.instance ? give_number(call.instance->id, id)
                         : NVML_NOT_SUPPORTED;
}

int nvmlDeviceGetComputeInstanceId(nvml_device device, unsigned int *id)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return call.instance ? give_number(0, id) : NVML_NOT_SUPPORTED;
}

int nvmlDeviceGetAttributes_v2(nvml_device device,
                               struct nvml_attributes *attributes)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.instance)
        return NVML_NOT_SUPPORTED;
    *attributes = (struct nvml_attributes){
        .multiprocessors =
            call.gpu->model->multiprocessors / 8 * call.instance->slices,
        .copy_engines = call.instance->slices,
        .gpu_slices = call.instance->slices,
        .compute_slices = call.instance->slices,
        .memory_mib = call.instance->memory_mib,
    };
    return NVML_SUCCESS;
}
