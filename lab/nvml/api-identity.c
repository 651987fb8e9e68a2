/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions that say which GPU it is. They answer for as long as it is
 * on the bus.
 */
#include "api-private.h"

NVML_EXPORT int
nvmlDeviceGetName(nvml_device device, char *name, unsigned int size);
NVML_EXPORT int
nvmlDeviceGetUUID(nvml_device device, char *uuid, unsigned int size);
NVML_EXPORT int
nvmlDeviceGetSerial(nvml_device device, char *serial, unsigned int size);
NVML_EXPORT int nvmlDeviceGetMinorNumber(nvml_device device,
                                         unsigned int *minor);
NVML_EXPORT int nvmlDeviceGetIndex(nvml_device device, unsigned int *index);
NVML_EXPORT int nvmlDeviceGetBrand(nvml_device device, unsigned int *brand);
NVML_EXPORT int
nvmlDeviceGetVbiosVersion(nvml_device device, char *version, unsigned int size);
NVML_EXPORT int nvmlDeviceGetInforomImageVersion(nvml_device device,
                                                 char *version,
                                                 unsigned int size);
NVML_EXPORT int nvmlDeviceGetInforomVersion(nvml_device device,
                                            unsigned int object,
                                            char *version,
                                            unsigned int size);
NVML_EXPORT int nvmlDeviceGetPciInfo_v3(nvml_device device,
                                        struct nvml_pci *pci);
NVML_EXPORT int nvmlDeviceGetPciInfo_v2(nvml_device device,
                                        struct nvml_pci *pci);
NVML_EXPORT int nvmlDeviceGetPciInfo(nvml_device device, struct nvml_pci *pci);
NVML_EXPORT int nvmlDeviceGetPersistenceMode(nvml_device device,
                                             unsigned int *mode);
NVML_EXPORT int nvmlDeviceGetComputeMode(nvml_device device,
                                         unsigned int *mode);
NVML_EXPORT int nvmlDeviceValidateInforom(nvml_device device);

enum {
    BRAND_TESLA = 2,
    BRAND_GEFORCE = 5,
    BRAND_NVIDIA = 14
};

int nvmlDeviceGetName(nvml_device device, char *name, unsigned int size)
{
    char text[96];
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    snprintf(text, sizeof(text), "%s%s%s (simulated)", call.gpu->model->name,
             call.instance ? " MIG " : "",
             call.instance ? call.instance->profile : "");
    return give_text(text, name, size);
}

int nvmlDeviceGetUUID(nvml_device device, char *uuid, unsigned int size)
{
    char text[80];
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    device_uuid(&call, text, sizeof(text));
    return give_text(text, uuid, size);
}

int nvmlDeviceGetSerial(nvml_device device, char *serial, unsigned int size)
{
    char text[30];
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    /* Cards for games have none. */
    if (call.instance || call.gpu->model->fan)
        return NVML_NOT_SUPPORTED;
    snprintf(text, sizeof(text), "165%010llu",
             (unsigned long long)device_number(&call, "serial") % 10000000000);
    return give_text(text, serial, size);
}

int nvmlDeviceGetMinorNumber(nvml_device device, unsigned int *minor)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return call.instance ? NVML_NOT_SUPPORTED : give_number(call.slot, minor);
}

int nvmlDeviceGetIndex(nvml_device device, unsigned int *index)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(device_index(&call), index);
}

int nvmlDeviceGetBrand(nvml_device device, unsigned int *brand)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    const char *name = call.gpu->model->name;
    return give_number(strstr(name, "Tesla")     ? BRAND_TESLA
                       : strstr(name, "GeForce") ? BRAND_GEFORCE
                                                 : BRAND_NVIDIA,
                       brand);
}

int nvmlDeviceGetVbiosVersion(nvml_device device,
                              char *version,
                              unsigned int size)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_text("96.00.simulated", version, size);
}

int nvmlDeviceGetInforomImageVersion(nvml_device device,
                                     char *version,
                                     unsigned int size)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_text("G520.simulated", version, size);
}

int nvmlDeviceGetInforomVersion(nvml_device device,
                                unsigned int object,
                                char *version,
                                unsigned int size)
{
    static const char *const versions[] = {"2.1", "7.16", "N/A"};
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (object >= array_size(versions))
        return NVML_INVALID_ARGUMENT;
    return object == 2 ? NVML_NOT_SUPPORTED
                       : give_text(versions[object], version, size);
}

int nvmlDeviceGetPciInfo_v3(nvml_device device, struct nvml_pci *pci)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_IDENTITY, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    *pci = (struct nvml_pci){
        .bus = device_bus(call.slot),
        .device_id = call.gpu->model->pci_device_id,
    };
    snprintf(pci->bus_id_legacy, sizeof(pci->bus_id_legacy), "0000:%02X:00.0",
             pci->bus);
    snprintf(pci->bus_id, sizeof(pci->bus_id), "00000000:%02X:00.0", pci->bus);
    return NVML_SUCCESS;
}

int nvmlDeviceGetPciInfo_v2(nvml_device device, struct nvml_pci *pci)
{
    return nvmlDeviceGetPciInfo_v3(device, pci);
}

int nvmlDeviceGetPciInfo(nvml_device device, struct nvml_pci *pci)
{
    return nvmlDeviceGetPciInfo_v3(device, pci);
}

int nvmlDeviceGetPersistenceMode(nvml_device device, unsigned int *mode)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return call.result != NVML_SUCCESS ? call.result : give_number(1, mode);
}

int nvmlDeviceGetComputeMode(nvml_device device, unsigned int *mode)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return call.result != NVML_SUCCESS ? call.result : give_number(0, mode);
}

int nvmlDeviceValidateInforom(nvml_device device)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return call.result;
}
