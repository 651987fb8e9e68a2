/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a card that not every card has: the profiling metrics of Hopper
 * and later (GPM), instances (MIG), processes.
 */
#include "source/gpu-reader.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    GPM_VERSION = 1,
    PROCESSES_MAX = 512,
    PROCESS_SAMPLES_MAX = 1024,
    PERCENT_MAX = 100
};

/* ---- GPM ----------------------------------------------------------------- */

/* GPM's numbers (gpu.md 1.8). */
static const struct gpm {
    unsigned int id;
    enum gpu_reading what;
    double factor;
} gpm_metrics[] = {
    {1, GPU_GRAPHICS_ACTIVE, 0.01},
    {2, GPU_SM_ACTIVE, 0.01},
    {3, GPU_SM_OCCUPANCY, 0.01},
    {5, GPU_TENSOR_ACTIVE, 0.01},
    {10, GPU_DRAM_ACTIVE, 0.01},
    {11, GPU_FP64_ACTIVE, 0.01},
    {12, GPU_FP32_ACTIVE, 0.01},
    {13, GPU_FP16_ACTIVE, 0.01},
    {20, GPU_PCIE_SENT_BYTES_PER_SECOND, 1048576},
    {21, GPU_PCIE_RECEIVED_BYTES_PER_SECOND, 1048576},
};

static bool gpm_ready(struct gpu_reader *reader)
{
    const struct nvml *nvml = reader->nvml;
    struct nvml_gpm_support support = {.version = GPM_VERSION};
    if (reader->gpm_asked)
        return reader->gpm;
    reader->gpm_asked = true;
    if (!nvml->gpm_support || !nvml->gpm_sample_new || !nvml->gpm_sample_free ||
        !nvml->gpm_sample_get || !nvml->gpm_metrics_get ||
        nvml->gpm_support(reader->device, &support) != NVML_SUCCESS ||
        !support.supported)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (nvml->gpm_sample_new(&reader->samples[i]) != NVML_SUCCESS)
            return false;
    reader->gpm = true;
    return true;
}

void gpu_reader_gpm(struct gpu_reader *reader, struct gpu_record *gpu)
{
    const struct nvml *nvml = reader->nvml;
    if (!gpm_ready(reader))
        return;
    nvml_gpm_sample older = reader->samples[0];
    reader->samples[0] = reader->samples[1];
    reader->samples[1] = older;
    if (nvml->gpm_sample_get(reader->device, reader->samples[0]) !=
        NVML_SUCCESS) {
        reader->samples_taken = 0;
        return;
    }
    if (++reader->samples_taken < 2)
        return;
    /* Some KiB, which a thread's small stack should not carry. */
    _cleanup_(free_ptr) struct nvml_gpm_metrics *metrics =
        calloc(1, sizeof(*metrics));
    if (!metrics)
        return;
    metrics->version = GPM_VERSION;
    metrics->count = array_size(gpm_metrics);
    metrics->sample1 = reader->samples[1];
    metrics->sample2 = reader->samples[0];
    for (size_t i = 0; i < array_size(gpm_metrics); i++)
        metrics->metrics[i].id = gpm_metrics[i].id;
    if (nvml->gpm_metrics_get(metrics) != NVML_SUCCESS)
        return;
    for (size_t i = 0; i < array_size(gpm_metrics); i++) {
        const struct nvml_gpm_metric *metric = &metrics->metrics[i];
        double value = metric->value * gpm_metrics[i].factor;
        if (metric->result != NVML_SUCCESS || !(value >= 0 && value < 1e18))
            continue;
        if (gpu_readings[gpm_metrics[i].what].kind == GPU_REAL)
            gpu_set_real(gpu, gpm_metrics[i].what, value);
        else
            gpu_set_integer(gpu, gpm_metrics[i].what, (uint64_t)value);
    }
}

/* ---- processes ----------------------------------------------------------- */

typedef int (*process_list)(nvml_device device,
                            unsigned int *count,
                            struct nvml_process *ret_processes);

/*
 * For some months of 2023 drivers wrote records of 32 bytes under a name that
 * means 24 (gpu.md 2.3). The buffer is filled with a mark before; records of 32
 * are told by what they leave: the second record's number of a process lies 8
 * bytes further, behind bytes that 24-byte records would not have touched.
 */
static size_t stride_of(const unsigned char *bytes, unsigned int count)
{
    const size_t small = sizeof(struct nvml_process), large = 32;
    size_t untouched = (size_t)count * small;
    for (size_t i = untouched; i < (size_t)count * large; i++)
        if (bytes[i] != 0xaa)
            return large;
    return small;
}

static void list_processes(struct gpu_reader *reader,
                           process_list list,
                           nvml_device device,
                           uint32_t number,
                           bool graphics)
{
    const size_t room = (size_t)PROCESSES_MAX * 32;
    unsigned int count = PROCESSES_MAX;
    _cleanup_(free_ptr) unsigned char *bytes = malloc(room);
    if (!list || !bytes)
        return;
    memset(bytes, 0xaa, room);
    /* The library checks our size against its own idea of a record's. */
    int r = list(device, &count, (struct nvml_process *)(void *)bytes);
    if (r != NVML_SUCCESS || count > PROCESSES_MAX)
        return;
    size_t stride = stride_of(bytes, count);
    for (unsigned int i = 0; i < count; i++) {
        struct nvml_process process;
        memcpy(&process, bytes + i * stride, sizeof(process));
        struct gpu_process_scan *found = gpu_scan_add_process(&reader->scan);
        if (!found)
            return;
        *found = (struct gpu_process_scan){.device = number,
                                           .pid = process.pid,
                                           .memory_bytes = process.memory,
                                           .sm_percent = GPU_NONE,
                                           .graphics = graphics};
    }
}

/* How much of the SMs each process used since the last cycle. */
static void read_process_utilization(struct gpu_reader *reader)
{
    const struct nvml *nvml = reader->nvml;
    unsigned int count = PROCESS_SAMPLES_MAX;
    uint64_t since_us = reader->process_us;
    if (!nvml->process_utilization || reader->scan.process_count == 0)
        return;
    _cleanup_(free_ptr) struct nvml_process_sample *samples =
        calloc(count, sizeof(*samples));
    if (!samples || nvml->process_utilization(reader->device, samples, &count,
                                              since_us) != NVML_SUCCESS)
        return;
    for (unsigned int i = 0; i < count && i < PROCESS_SAMPLES_MAX; i++) {
        /* Old ones and nonsense are among them (gpu.md 2.7). */
        if (samples[i].time_us <= since_us || samples[i].sm > PERCENT_MAX)
            continue;
        if (samples[i].time_us > reader->process_us)
            reader->process_us = samples[i].time_us;
        for (size_t p = 0; p < reader->scan.process_count; p++)
            if (reader->scan.processes[p].pid == samples[i].pid)
                reader->scan.processes[p].sm_percent = samples[i].sm;
    }
}

void gpu_reader_processes(struct gpu_reader *reader,
                          nvml_device device,
                          uint32_t number)
{
    list_processes(reader, reader->nvml->compute_processes, device, number,
                   false);
    list_processes(reader, reader->nvml->graphics_processes, device, number,
                   true);
    if (number == 0)
        read_process_utilization(reader);
}

/* ---- instances ----------------------------------------------------------- */

/* "1g.10gb" out of "NVIDIA A100-SXM4-80GB MIG 1g.10gb". */
static void profile_of(const char *name, char *ret_profile, size_t size)
{
    const char *mig = strstr(name, "MIG ");
    snprintf(ret_profile, size, "%.*s", mig ? (int)strcspn(mig + 4, " ") : 0,
             mig ? mig + 4 : "");
}

static void read_instance(struct gpu_reader *reader, nvml_device instance)
{
    const struct nvml *nvml = reader->nvml;
    char name[GPU_TEXT_SIZE] = "";
    struct nvml_memory memory;
    struct gpu_device_scan *device = gpu_scan_add_device(&reader->scan);
    if (!device)
        return;
    uint32_t number = (uint32_t)reader->scan.device_count - 1;
    const struct gpu_device_scan *card = &reader->card;
    *device = *card;
    memset(device->record.has, 0, sizeof(device->record.has));
    device->record.flags =
        GPU_FLAG_INSTANCE | (card->record.flags & GPU_FLAG_SIMULATED);
    device->record.parent = 0;
    device->record.taken_ns = clock_realtime_ns();
    device->uuid[0] = '\0';
    if (nvml->device_uuid)
        nvml->device_uuid(instance, device->uuid, sizeof(device->uuid));
    if (nvml->gpu_instance &&
        nvml->gpu_instance(instance, &device->record.gpu_instance) !=
            NVML_SUCCESS)
        device->record.gpu_instance = GPU_NONE;
    if (nvml->compute_instance &&
        nvml->compute_instance(instance, &device->record.compute_instance) !=
            NVML_SUCCESS)
        device->record.compute_instance = GPU_NONE;
    if (nvml->device_name(instance, name, sizeof(name)) == NVML_SUCCESS)
        profile_of(name, device->profile, sizeof(device->profile));
    if (nvml->device_memory &&
        nvml->device_memory(instance, &memory) == NVML_SUCCESS) {
        gpu_set_integer(&device->record, GPU_MEMORY_TOTAL_MIB,
                        memory.total >> 20);
        gpu_set_integer(&device->record, GPU_MEMORY_FREE_MIB,
                        memory.free >> 20);
        gpu_set_integer(&device->record, GPU_MEMORY_USED_MIB,
                        memory.used >> 20);
    }
    gpu_reader_processes(reader, instance, number);
}

void gpu_reader_instances(struct gpu_reader *reader)
{
    const struct nvml *nvml = reader->nvml;
    unsigned int current = 0, pending = 0, count = 0;
    if (!nvml->device_mig_mode || !nvml->mig_count_max || !nvml->mig_by_index ||
        nvml->device_mig_mode(reader->device, &current, &pending) !=
            NVML_SUCCESS ||
        current != 1)
        return;
    if (reader->scan.device_count > 0)
        reader->scan.devices[0].record.flags |= GPU_FLAG_MIG;
    if (nvml->mig_count_max(reader->device, &count) != NVML_SUCCESS)
        return;
    for (unsigned int i = 0; i < count; i++) {
        nvml_device instance;
        /* Holes are usual, and the layout may change under us. */
        if (nvml->mig_by_index(reader->device, i, &instance) == NVML_SUCCESS)
            read_instance(reader, instance);
    }
}
