/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's lists of processes, in the three layouts that they have had, and in a
 * fourth that some drivers of 2023 wrote by mistake (process-record-bytes 32).
 */
#include "api-private.h"

#include <math.h>

NVML_EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device device,
                                                        unsigned int *count,
                                                        void *processes);
NVML_EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(nvml_device device,
                                                        unsigned int *count,
                                                        void *processes);
NVML_EXPORT int nvmlDeviceGetComputeRunningProcesses(
    nvml_device device, unsigned int *count, struct nvml_process_v1 *processes);
NVML_EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(nvml_device device,
                                                         unsigned int *count,
                                                         void *processes);
NVML_EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v2(nvml_device device,
                                                         unsigned int *count,
                                                         void *processes);
NVML_EXPORT int nvmlDeviceGetGraphicsRunningProcesses(
    nvml_device device, unsigned int *count, struct nvml_process_v1 *processes);
NVML_EXPORT int nvmlDeviceGetMPSComputeRunningProcesses_v3(nvml_device device,
                                                           unsigned int *count,
                                                           void *processes);
NVML_EXPORT int
nvmlDeviceGetProcessUtilization(nvml_device device,
                                struct nvml_process_sample *samples,
                                unsigned int *count,
                                unsigned long long last_seen_us);

static const struct use *next_alive(const struct call *call, size_t *position)
{
    const struct use *use;
    do
        use = call_next_use(call, position);
    while (use && !use->alive);
    return use;
}

static struct nvml_process describe(const struct call *call,
                                    const struct use *use)
{
    const struct instance *instance = call_use_instance(call, use);
    return (struct nvml_process){
        .pid = use->pid,
        .used = use->memory_mib << 20,
        .gpu_instance = instance ? instance->id : (uint32_t)NVML_NO_INSTANCE,
        .compute_instance = instance ? 0 : (uint32_t)NVML_NO_INSTANCE,
    };
}

/* Fills records of RECORD_BYTES as far as there is ROOM for them. */
static int list_processes(const struct call *call,
                          unsigned int *count,
                          char *records,
                          size_t record_bytes)
{
    unsigned int room = *count;
    size_t position = 0;
    *count = 0;
    for (const struct use *use; (use = next_alive(call, &position));) {
        struct nvml_process process = describe(call, use);
        if (*count < room && records) {
            char *record = records + *count * record_bytes;
            memset(record, 0, record_bytes);
            memcpy(record, &process,
                   record_bytes < sizeof(process) ? record_bytes
                                                  : sizeof(process));
        }
        ++*count;
    }
    return *count > room ? NVML_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device device,
                                            unsigned int *count,
                                            void *processes)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return list_processes(&call, count, processes,
                          call.scenario->process_record_bytes);
}

int nvmlDeviceGetComputeRunningProcesses_v2(nvml_device device,
                                            unsigned int *count,
                                            void *processes)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return list_processes(&call, count, processes, sizeof(struct nvml_process));
}

int nvmlDeviceGetComputeRunningProcesses(nvml_device device,
                                         unsigned int *count,
                                         struct nvml_process_v1 *processes)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return list_processes(&call, count, (char *)processes, sizeof(*processes));
}

/* Nobody draws here, and nobody shares by MPS. */
static int list_nobody(const struct call *call, unsigned int *count)
{
    if (call->result == NVML_SUCCESS)
        *count = 0;
    return call->result;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(nvml_device device,
                                             unsigned int *count,
                                             void *processes)
{
    (void)processes;
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    return list_nobody(&call, count);
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(nvml_device device,
                                             unsigned int *count,
                                             void *processes)
{
    return nvmlDeviceGetGraphicsRunningProcesses_v3(device, count, processes);
}

int nvmlDeviceGetGraphicsRunningProcesses(nvml_device device,
                                          unsigned int *count,
                                          struct nvml_process_v1 *processes)
{
    return nvmlDeviceGetGraphicsRunningProcesses_v3(device, count, processes);
}

int nvmlDeviceGetMPSComputeRunningProcesses_v3(nvml_device device,
                                               unsigned int *count,
                                               void *processes)
{
    (void)processes;
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    return list_nobody(&call, count);
}

static struct nvml_process_sample sample(const struct call *call,
                                         const struct use *use)
{
    double activity = meter_activity_of(call, use, 1);
    return (struct nvml_process_sample){
        .pid = use->pid,
        .timestamp_us = (uint64_t)(call->now_s * 1e6),
        .sm = (uint32_t)lround(activity * 100),
        .memory = (uint32_t)lround(activity * 45),
    };
}

int nvmlDeviceGetProcessUtilization(nvml_device device,
                                    struct nvml_process_sample *samples,
                                    unsigned int *count,
                                    unsigned long long last_seen_us)
{
    (void)last_seen_us;
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (call.gpu->mig)
        return NVML_NOT_SUPPORTED;
    unsigned int room = *count;
    size_t position = 0;
    *count = 0;
    for (const struct use *use; (use = next_alive(&call, &position));) {
        if (*count < room && samples)
            samples[*count] = sample(&call, use);
        ++*count;
    }
    if (*count == 0)
        return NVML_NOT_FOUND;
    return *count > room || !samples ? NVML_INSUFFICIENT_SIZE : NVML_SUCCESS;
}
