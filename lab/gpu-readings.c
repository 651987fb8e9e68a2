/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpu-readings: prints what the driver of the host says of its GPUs: a line for
 * each, with lines for its instances and processes below it. It finds the
 * library as every program does, and shares no code with those that are
 * tested.
 */
#include "nvml/nvml.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <stdio.h>

enum {
    PROCESSES_MAX = 64,
    TEXT_SIZE = 96
};

/* Readings of one number: get(gpu, &number). */
static const struct {
    const char *label, *call;
} numbers[] = {
    {"mW", "nvmlDeviceGetPowerUsage"},
    {"pcie-width", "nvmlDeviceGetCurrPcieLinkWidth"},
    {"pcie-generation", "nvmlDeviceGetCurrPcieLinkGeneration"},
    {"pstate", "nvmlDeviceGetPerformanceState"},
};

/* ... by number of the field. */
static const struct {
    const char *label;
    uint32_t id;
} fields[] = {
    {"mJ", 83},
    {"ecc-corrected", 3},
    {"ecc-uncorrected", 4},
    {"remap-pending", 144},
    {"remap-failed", 145},
    {"nvlink-crc", 38},
    {"thermal-ns", 75},
    {"brake-ns", 271},
    {"recovery-action", 230},
};

static void *library;

/* 0 when the driver has no such function. */
#define LOOK_UP(pointer, name)                                                 \
    (*(void **)&(pointer) = dlsym(library, name), (pointer) != 0)

static void print_numbers(nvml_device gpu)
{
    int (*get)(nvml_device, unsigned int *);
    for (size_t i = 0; i < array_size(numbers); i++) {
        unsigned int value = 0;
        int result = LOOK_UP(get, numbers[i].call) ? get(gpu, &value)
                                                   : NVML_NOT_SUPPORTED;
        if (result == NVML_SUCCESS)
            printf(" %s=%u", numbers[i].label, value);
        else
            printf(" %s=error-%d", numbers[i].label, result);
    }
}

static void print_load(nvml_device gpu)
{
    int (*rates)(nvml_device, struct nvml_utilization *);
    int (*memory)(nvml_device, struct nvml_memory *);
    int (*heat)(nvml_device, unsigned int, unsigned int *);
    int (*reasons)(nvml_device, unsigned long long *);
    struct nvml_utilization load;
    struct nvml_memory bytes;
    unsigned int celsius;
    unsigned long long bits;
    if (LOOK_UP(rates, "nvmlDeviceGetUtilizationRates") &&
        rates(gpu, &load) == NVML_SUCCESS)
        printf(" busy=%u", load.gpu);
    if (LOOK_UP(memory, "nvmlDeviceGetMemoryInfo") &&
        memory(gpu, &bytes) == NVML_SUCCESS)
        printf(" used-mib=%llu", (unsigned long long)(bytes.used >> 20));
    if (LOOK_UP(heat, "nvmlDeviceGetTemperature") &&
        heat(gpu, 0, &celsius) == NVML_SUCCESS)
        printf(" celsius=%u", celsius);
    if (LOOK_UP(reasons, "nvmlDeviceGetCurrentClocksThrottleReasons") &&
        reasons(gpu, &bits) == NVML_SUCCESS)
        printf(" slowed-by=0x%llx", bits);
}

static void print_fields(nvml_device gpu)
{
    int (*get)(nvml_device, int, struct nvml_field *);
    if (!LOOK_UP(get, "nvmlDeviceGetFieldValues"))
        return;
    for (size_t i = 0; i < array_size(fields); i++) {
        struct nvml_field field = {.id = fields[i].id};
        if (get(gpu, 1, &field) == NVML_SUCCESS && field.result == NVML_SUCCESS)
            printf(" %s=%llu", fields[i].label,
                   (unsigned long long)field.value.u64);
    }
}

static void print_processes(nvml_device gpu)
{
    int (*get)(nvml_device, unsigned int *, struct nvml_process_v1 *);
    struct nvml_process_v1 processes[PROCESSES_MAX];
    unsigned int count = PROCESSES_MAX;
    if (!LOOK_UP(get, "nvmlDeviceGetComputeRunningProcesses") ||
        get(gpu, &count, processes) != NVML_SUCCESS)
        return;
    for (unsigned int i = 0; i < count; i++)
        printf("  process %u memory-mib=%llu\n", processes[i].pid,
               (unsigned long long)(processes[i].used >> 20));
}

static void print_instances(nvml_device gpu)
{
    int (*get)(nvml_device, unsigned int, nvml_device *);
    int (*name)(nvml_device, char *, unsigned int);
    int (*uuid)(nvml_device, char *, unsigned int);
    char text[TEXT_SIZE], id[TEXT_SIZE];
    nvml_device instance;
    if (!LOOK_UP(get, "nvmlDeviceGetMigDeviceHandleByIndex") ||
        !LOOK_UP(name, "nvmlDeviceGetName") ||
        !LOOK_UP(uuid, "nvmlDeviceGetUUID"))
        return;
    for (unsigned int i = 0; get(gpu, i, &instance) == NVML_SUCCESS; i++)
        if (name(instance, text, sizeof(text)) == NVML_SUCCESS &&
            uuid(instance, id, sizeof(id)) == NVML_SUCCESS)
            printf("  instance %s %s\n", id, text);
}

static void print_gpu(unsigned int index)
{
    int (*get)(unsigned int, nvml_device *);
    int (*name)(nvml_device, char *, unsigned int);
    char text[TEXT_SIZE] = "";
    nvml_device gpu;
    if (!LOOK_UP(get, "nvmlDeviceGetHandleByIndex_v2") ||
        !LOOK_UP(name, "nvmlDeviceGetName"))
        return;
    int result = get(index, &gpu);
    if (result == NVML_SUCCESS)
        result = name(gpu, text, sizeof(text));
    if (result != NVML_SUCCESS) {
        printf("%u error-%d\n", index, result);
        return;
    }
    printf("%u %s:", index, text);
    print_load(gpu);
    print_numbers(gpu);
    print_fields(gpu);
    printf("\n");
    print_instances(gpu);
    print_processes(gpu);
    fflush(stdout);
}

int main(void)
{
    int (*init)(void), (*count)(unsigned int *);
    unsigned int gpus;
    library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library || !LOOK_UP(init, "nvmlInit_v2") ||
        !LOOK_UP(count, "nvmlDeviceGetCount_v2")) {
        fprintf(stderr, "gpu-readings: %s\n", dlerror());
        return 1;
    }
    int result = init();
    if (result == NVML_SUCCESS)
        result = count(&gpus);
    if (result != NVML_SUCCESS) {
        fprintf(stderr, "gpu-readings: NVML says %d\n", result);
        return 1;
    }
    for (unsigned int i = 0; i < gpus; i++)
        print_gpu(i);
    return 0;
}
