/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libnvidia-ml.so.1 in tests of the inventory: as many GPUs of
 * an H100 machine as TEST_NVML_MINORS lists minor numbers ("5 0"); an "x"
 * stands for one that does not answer, TEST_NVML_INIT is what nvmlInit_v2()
 * returns, TEST_NVML_NAME what they are called. Built by the tests and never
 * installed.
 */
#include "source/nvml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC visibility push(default)
int nvmlInit_v2(void);
int nvmlShutdown(void);
const char *nvmlErrorString(int result);
int nvmlDeviceGetCount_v2(unsigned int *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml_device *device);
int nvmlDeviceGetMinorNumber(nvml_device device, unsigned int *minor);
int nvmlDeviceGetName(nvml_device device, char *name, unsigned int size);
int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *memory);
int nvmlDeviceGetPciInfo_v3(nvml_device device, struct nvml_pci_info *info);
int nvmlDeviceGetMigMode(nvml_device device,
                         unsigned int *current,
                         unsigned int *pending);
#pragma GCC visibility pop

static const char *minors(void)
{
    const char *value = getenv("TEST_NVML_MINORS");
    return value ? value : "";
}

/* The word of DEVICE, whose handle is its index and 1. */
static const char *word_of(nvml_device device)
{
    const char *p = minors();
    for (size_t i = (size_t)device - 1; i > 0; i--)
        p = strchr(p, ' ') + 1;
    return p;
}

int nvmlInit_v2(void)
{
    const char *value = getenv("TEST_NVML_INIT");
    return value ? atoi(value) : NVML_SUCCESS;
}

int nvmlShutdown(void)
{
    return NVML_SUCCESS;
}

const char *nvmlErrorString(int result)
{
    return result == 9 ? "Driver Not Loaded" : "Unknown Error";
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
    *count = minors()[0] != '\0';
    for (const char *p = minors(); *p; p++)
        *count += *p == ' ';
    return NVML_SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvml_device *device)
{
    *device = (nvml_device)((size_t)index + 1);
    return NVML_SUCCESS;
}

int nvmlDeviceGetMinorNumber(nvml_device device, unsigned int *minor)
{
    if (*word_of(device) == 'x')
        return 15; /* GPU is lost */
    *minor = (unsigned int)atoi(word_of(device));
    return NVML_SUCCESS;
}

int nvmlDeviceGetName(nvml_device device, char *name, unsigned int size)
{
    (void)device;
    const char *value = getenv("TEST_NVML_NAME");
    snprintf(name, size, "%s", value ? value : "NVIDIA H100 80GB HBM3");
    return NVML_SUCCESS;
}

int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *memory)
{
    (void)device;
    memory->total = 81559ULL << 20;
    return NVML_SUCCESS;
}

int nvmlDeviceGetPciInfo_v3(nvml_device device, struct nvml_pci_info *info)
{
    info->domain = 0;
    info->bus = 0x3a + (unsigned int)(size_t)device;
    info->device = 0;
    return NVML_SUCCESS;
}

int nvmlDeviceGetMigMode(nvml_device device,
                         unsigned int *current,
                         unsigned int *pending)
{
    (void)device;
    *current = *pending = getenv("TEST_NVML_MIG") != NULL;
    return NVML_SUCCESS;
}
