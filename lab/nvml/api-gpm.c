/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's performance monitor (GPM), which Hopper and later have: two samples,
 * and what happened between them. A sample here is the time for which the GPU
 * has been busy until then.
 */
#include "api-private.h"

NVML_EXPORT int nvmlGpmQueryDeviceSupport(nvml_device device,
                                          struct nvml_gpm_support *support);
NVML_EXPORT int nvmlGpmSampleAlloc(nvml_gpm_sample *sample);
NVML_EXPORT int nvmlGpmSampleFree(nvml_gpm_sample sample);
NVML_EXPORT int nvmlGpmSampleGet(nvml_device device, nvml_gpm_sample sample);
NVML_EXPORT int nvmlGpmMigSampleGet(nvml_device device,
                                    unsigned int gpu_instance,
                                    nvml_gpm_sample sample);
NVML_EXPORT int nvmlGpmMetricsGet(struct nvml_gpm_metrics *metrics);

struct simulated_sample {
    double time_s; /* 0: nothing was taken yet */
    double busy_s;
};

enum {
    METRICS_MAX = 333
};

/* What each metric is at full load: percent, or MiB/s from 20 on. */
static const struct {
    uint32_t id;
    double full;
} gpm_metrics[] = {
    {1, 100}, {2, 92},    {3, 38},    {4, 11},     {5, 61},     {6, 0},
    {7, 58},  {8, 0},     {9, 3},     {10, 54},    {11, 1},     {12, 17},
    {13, 6},  {20, 2700}, {21, 5200}, {60, 36000}, {61, 37000},
};

int nvmlGpmQueryDeviceSupport(nvml_device device,
                              struct nvml_gpm_support *support)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (support->version != 1)
        return NVML_VERSION_MISMATCH;
    support->supported = call.gpu->model->gpm;
    return NVML_SUCCESS;
}

int nvmlGpmSampleAlloc(nvml_gpm_sample *sample)
{
    *sample = calloc(1, sizeof(**sample));
    return *sample ? NVML_SUCCESS : NVML_MEMORY;
}

int nvmlGpmSampleFree(nvml_gpm_sample sample)
{
    free(sample);
    return NVML_SUCCESS;
}

static int take(struct call *call, nvml_gpm_sample sample)
{
    if (!call->gpu->model->gpm)
        return NVML_NOT_SUPPORTED;
    *sample = (struct simulated_sample){
        .time_s = call->now_s,
        .busy_s = meter_busy_seconds(call),
    };
    return NVML_SUCCESS;
}

int nvmlGpmSampleGet(nvml_device device, nvml_gpm_sample sample)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    return call.result != NVML_SUCCESS ? call.result : take(&call, sample);
}

int nvmlGpmMigSampleGet(nvml_device device,
                        unsigned int gpu_instance,
                        nvml_gpm_sample sample)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    for (uint32_t i = 0; i < call.gpu->instance_count; i++)
        if (call.gpu->instances[i].id == gpu_instance) {
            call.instance = &call.gpu->instances[i];
            return take(&call, sample);
        }
    return NVML_NOT_FOUND;
}

static void measure(struct nvml_gpm_metric *metric, double activity)
{
    metric->result = NVML_NOT_SUPPORTED;
    for (size_t i = 0; i < array_size(gpm_metrics); i++)
        if (gpm_metrics[i].id == metric->id) {
            metric->value = gpm_metrics[i].full * activity;
            metric->result = NVML_SUCCESS;
        }
}

int nvmlGpmMetricsGet(struct nvml_gpm_metrics *metrics)
{
    _cleanup_(call_end) struct call call = call_begin_machine(__func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (metrics->version != 1)
        return NVML_VERSION_MISMATCH;
    const struct simulated_sample *a = metrics->first, *b = metrics->second;
    if (!a || !b || a->time_s <= 0 || b->time_s <= a->time_s ||
        metrics->count > METRICS_MAX)
        return NVML_INVALID_ARGUMENT;
    double activity = (b->busy_s - a->busy_s) / (b->time_s - a->time_s);
    activity = activity < 0 ? 0 : activity > 1 ? 1 : activity;
    for (uint32_t i = 0; i < metrics->count; i++)
        measure(&metrics->metrics[i], activity);
    return NVML_SUCCESS;
}
