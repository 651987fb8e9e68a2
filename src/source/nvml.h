/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's management library, as far as we use it: declarations of our own of
 * its published interface, since its header comes only with CUDA and the
 * library only with a driver. Opened at run time; a program of ours runs
 * everywhere, and says why when there is nothing to open.
 *
 * Functions that old drivers lack are NULL: ask before calling.
 */
#pragma once

#include "base/error.h"

enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_NAME_SIZE = 96
};

typedef struct nvml_device_opaque *nvml_device;

struct nvml_pci_info {
    char bus_id_legacy[16];
    unsigned int domain, bus, device;
    unsigned int device_id, subsystem_id;
    char bus_id[32];
};

struct nvml_memory {
    unsigned long long total, free, used; /* bytes */
};

struct nvml {
    void *handle;
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_string)(int result);
    int (*device_count)(unsigned int *ret_count);
    int (*device_by_index)(unsigned int index, nvml_device *ret_device);
    int (*device_minor)(nvml_device device, unsigned int *ret_minor);
    int (*device_name)(nvml_device device, char *ret_name, unsigned int size);
    int (*device_memory)(nvml_device device, struct nvml_memory *ret_memory);
    int (*device_pci)(nvml_device device, struct nvml_pci_info *ret_info);
    int (*device_mig_mode)(nvml_device device,
                           unsigned int *ret_current,
                           unsigned int *ret_pending); /* may be NULL */
};

/* Open LIBRARY (NULL: the usual one) and initialise it. -ENOENT: there is no
 * such library; -ELIBBAD: it lacks what we need; -EIO: it does not work here,
 * which ERR explains in its own words. */
int nvml_open(const char *library, struct nvml *ret_nvml, struct error *err);

/* Accepts a zeroed one. */
void nvml_close(struct nvml *nvml);
