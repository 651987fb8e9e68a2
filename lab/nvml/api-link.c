/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions about what a GPU may do: reach another one, and be a virtual
 * one under a licence.
 */
#include "api-private.h"

NVML_EXPORT int nvmlDeviceGetP2PStatus(nvml_device device,
                                       nvml_device peer,
                                       unsigned int way,
                                       unsigned int *status);
NVML_EXPORT int
nvmlDeviceGetGridLicensableFeatures_v4(nvml_device device,
                                       struct nvml_grid_features *features);

enum {
    WAY_NVLINK = 2,
    P2P_OK = 0,
    P2P_NOT_SUPPORTED = 5,
    LICENSED = 1, /* of SETTING_VGPU_LICENSE */
    FEATURE_COMPUTE = 4
};

static bool has_link(const struct simulated_gpu *gpu)
{
    return gpu->model &&
           gpu->settings[SETTING_NVLINKS_DOWN] < gpu->model->nvlinks;
}

int nvmlDeviceGetP2PStatus(nvml_device device,
                           nvml_device peer,
                           unsigned int way,
                           unsigned int *status)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!peer || way != WAY_NVLINK)
        return NVML_INVALID_ARGUMENT;
    const struct simulated_device *other = (const void *)peer;
    const struct simulated_gpu *gpu = &call.scenario->gpus[other->slot];
    if (gpu->settings[SETTING_LOST])
        return NVML_GPU_IS_LOST;
    *status = has_link(call.gpu) && has_link(gpu) ? P2P_OK : P2P_NOT_SUPPORTED;
    return NVML_SUCCESS;
}

int nvmlDeviceGetGridLicensableFeatures_v4(nvml_device device,
                                           struct nvml_grid_features *features)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    uint64_t license = call.gpu->settings[SETTING_VGPU_LICENSE];
    memset(features, 0, sizeof(*features));
    if (license == 0)
        return NVML_SUCCESS;
    features->supported = 1;
    features->count = 1;
    features->features[0] = (struct nvml_grid_feature){
        .code = FEATURE_COMPUTE, .licensed = license == LICENSED, .enabled = 1};
    return NVML_SUCCESS;
}
