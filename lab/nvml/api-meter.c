/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's functions that measure: load, clocks, heat, power, the PCIe link.
 */
#include "api-private.h"

#include <math.h>

NVML_EXPORT int nvmlDeviceGetUtilizationRates(nvml_device device,
                                              struct nvml_utilization *rates);
NVML_EXPORT int nvmlDeviceGetEncoderUtilization(nvml_device device,
                                                unsigned int *percent,
                                                unsigned int *period_us);
NVML_EXPORT int nvmlDeviceGetDecoderUtilization(nvml_device device,
                                                unsigned int *percent,
                                                unsigned int *period_us);
NVML_EXPORT int nvmlDeviceGetTemperature(nvml_device device,
                                         unsigned int sensor,
                                         unsigned int *celsius);
NVML_EXPORT int nvmlDeviceGetTemperatureV(nvml_device device,
                                          struct nvml_temperature *temperature);
NVML_EXPORT int nvmlDeviceGetTemperatureThreshold(nvml_device device,
                                                  unsigned int threshold,
                                                  unsigned int *celsius);
NVML_EXPORT int nvmlDeviceGetPowerUsage(nvml_device device,
                                        unsigned int *milliwatts);
NVML_EXPORT int nvmlDeviceGetTotalEnergyConsumption(nvml_device device,
                                                    unsigned long long *mj);
NVML_EXPORT int nvmlDeviceGetEnforcedPowerLimit(nvml_device device,
                                                unsigned int *milliwatts);
NVML_EXPORT int nvmlDeviceGetPowerManagementLimit(nvml_device device,
                                                  unsigned int *milliwatts);
NVML_EXPORT int nvmlDeviceGetClockInfo(nvml_device device,
                                       unsigned int clock,
                                       unsigned int *mhz);
NVML_EXPORT int nvmlDeviceGetMaxClockInfo(nvml_device device,
                                          unsigned int clock,
                                          unsigned int *mhz);
NVML_EXPORT int nvmlDeviceGetFanSpeed(nvml_device device,
                                      unsigned int *percent);
NVML_EXPORT int nvmlDeviceGetPerformanceState(nvml_device device,
                                              unsigned int *state);
NVML_EXPORT int
nvmlDeviceGetCurrentClocksEventReasons(nvml_device device,
                                       unsigned long long *reasons);
NVML_EXPORT int
nvmlDeviceGetCurrentClocksThrottleReasons(nvml_device device,
                                          unsigned long long *reasons);
NVML_EXPORT int nvmlDeviceGetViolationStatus(nvml_device device,
                                             unsigned int policy,
                                             struct nvml_violation *violation);
NVML_EXPORT int nvmlDeviceGetPcieReplayCounter(nvml_device device,
                                               unsigned int *count);
NVML_EXPORT int nvmlDeviceGetPcieThroughput(nvml_device device,
                                            unsigned int direction,
                                            unsigned int *kib_per_s);
NVML_EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(nvml_device device,
                                                    unsigned int *generation);
NVML_EXPORT int nvmlDeviceGetCurrPcieLinkWidth(nvml_device device,
                                               unsigned int *width);
NVML_EXPORT int nvmlDeviceGetMaxPcieLinkGeneration(nvml_device device,
                                                   unsigned int *generation);
NVML_EXPORT int nvmlDeviceGetGpuMaxPcieLinkGeneration(nvml_device device,
                                                      unsigned int *generation);
NVML_EXPORT int nvmlDeviceGetMaxPcieLinkWidth(nvml_device device,
                                              unsigned int *width);

enum {
    CLOCK_MEMORY = 2,
    PERIOD_US = 167000,
    POLICY_POWER = 0,
    POLICY_THERMAL = 1,
    POLICIES = 7
};

int nvmlDeviceGetUtilizationRates(nvml_device device,
                                  struct nvml_utilization *rates)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (call.gpu->mig)
        return NVML_NOT_SUPPORTED;
    double activity = meter_activity(&call, 1);
    rates->gpu = (uint32_t)lround(activity * 100);
    rates->memory = (uint32_t)lround(activity * 45);
    return NVML_SUCCESS;
}

static int
give_codec(struct call *call, unsigned int *percent, unsigned int *period_us)
{
    if (call->result != NVML_SUCCESS)
        return call->result;
    *period_us = PERIOD_US;
    return give_number(0, percent);
}

int nvmlDeviceGetEncoderUtilization(nvml_device device,
                                    unsigned int *percent,
                                    unsigned int *period_us)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return give_codec(&call, percent, period_us);
}

int nvmlDeviceGetDecoderUtilization(nvml_device device,
                                    unsigned int *percent,
                                    unsigned int *period_us)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return give_codec(&call, percent, period_us);
}

int nvmlDeviceGetTemperature(nvml_device device,
                             unsigned int sensor,
                             unsigned int *celsius)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return sensor != 0 ? NVML_INVALID_ARGUMENT
                       : give_number(meter_temperature(&call), celsius);
}

int nvmlDeviceGetTemperatureV(nvml_device device,
                              struct nvml_temperature *temperature)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_SHARED, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (temperature->version != (sizeof(*temperature) | 1U << 24))
        return NVML_VERSION_MISMATCH;
    temperature->celsius = (int32_t)meter_temperature(&call);
    return NVML_SUCCESS;
}

int nvmlDeviceGetTemperatureThreshold(nvml_device device,
                                      unsigned int threshold,
                                      unsigned int *celsius)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (threshold > 1)
        return NVML_NOT_SUPPORTED;
    return give_number(threshold == 0 ? call.gpu->model->shutdown_celsius
                                      : call.gpu->model->slowdown_celsius,
                       celsius);
}

int nvmlDeviceGetPowerUsage(nvml_device device, unsigned int *milliwatts)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number((uint64_t)(meter_power_watts(&call) * 1e3), milliwatts);
}

int nvmlDeviceGetTotalEnergyConsumption(nvml_device device,
                                        unsigned long long *mj)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->row_remapping)
        return NVML_NOT_SUPPORTED;
    *mj = (unsigned long long)(meter_energy_joules(&call) * 1e3);
    return NVML_SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(nvml_device device,
                                    unsigned int *milliwatts)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.gpu->model->limit_watts * 1000ULL, milliwatts);
}

int nvmlDeviceGetPowerManagementLimit(nvml_device device,
                                      unsigned int *milliwatts)
{
    return nvmlDeviceGetEnforcedPowerLimit(device, milliwatts);
}

int nvmlDeviceGetClockInfo(nvml_device device,
                           unsigned int clock,
                           unsigned int *mhz)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (clock >= NVML_CLOCKS)
        return NVML_INVALID_ARGUMENT;
    return give_number(clock == CLOCK_MEMORY ? call.gpu->model->memory_mhz
                                             : meter_sm_mhz(&call),
                       mhz);
}

int nvmlDeviceGetMaxClockInfo(nvml_device device,
                              unsigned int clock,
                              unsigned int *mhz)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (clock >= NVML_CLOCKS)
        return NVML_INVALID_ARGUMENT;
    return give_number(clock == CLOCK_MEMORY ? call.gpu->model->memory_mhz
                                             : call.gpu->model->sm_mhz,
                       mhz);
}

int nvmlDeviceGetFanSpeed(nvml_device device, unsigned int *percent)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (!call.gpu->model->fan)
        return NVML_NOT_SUPPORTED;
    return give_number(meter_temperature(&call), percent);
}

int nvmlDeviceGetPerformanceState(nvml_device device, unsigned int *state)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(meter_activity(&call, 1) > 0 ? 0 : 8, state);
}

int nvmlDeviceGetCurrentClocksEventReasons(nvml_device device,
                                           unsigned long long *reasons)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    *reasons = meter_clock_reasons(&call);
    return NVML_SUCCESS;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(nvml_device device,
                                              unsigned long long *reasons)
{
    return nvmlDeviceGetCurrentClocksEventReasons(device, reasons);
}

int nvmlDeviceGetViolationStatus(nvml_device device,
                                 unsigned int policy,
                                 struct nvml_violation *violation)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (policy >= POLICIES)
        return NVML_NOT_SUPPORTED;
    violation->reference_us = (uint64_t)(call.now_s * 1e6);
    violation->violation_ns = policy == POLICY_THERMAL ? meter_thermal_ns(&call)
                              : policy == POLICY_POWER ? meter_brake_ns(&call)
                                                       : 0;
    return NVML_SUCCESS;
}

int nvmlDeviceGetPcieReplayCounter(nvml_device device, unsigned int *count)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.gpu->settings[SETTING_PCIE_REPLAYS], count);
}

int nvmlDeviceGetPcieThroughput(nvml_device device,
                                unsigned int direction,
                                unsigned int *kib_per_s)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (direction > 1 || call.gpu->mig)
        return NVML_NOT_SUPPORTED;
    return give_number((uint64_t)(meter_activity(&call, 1) *
                                  (direction == 0 ? 900e3 : 2800e3)),
                       kib_per_s);
}

/* What a link has of NAME now: less than it could, when SETTING says so. */
static int
give_link(struct call *call, enum setting setting, uint32_t all, unsigned *to)
{
    if (call->result != NVML_SUCCESS)
        return call->result;
    uint64_t now = call->gpu->settings[setting];
    return give_number(now ? now : all, to);
}

int nvmlDeviceGetCurrPcieLinkGeneration(nvml_device device,
                                        unsigned int *generation)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return give_link(&call, SETTING_PCIE_GENERATION,
                     call.gpu ? call.gpu->model->pcie_generation : 0,
                     generation);
}

int nvmlDeviceGetCurrPcieLinkWidth(nvml_device device, unsigned int *width)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    return give_link(&call, SETTING_PCIE_WIDTH,
                     call.gpu ? call.gpu->model->pcie_width : 0, width);
}

int nvmlDeviceGetMaxPcieLinkGeneration(nvml_device device,
                                       unsigned int *generation)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.gpu->model->pcie_generation, generation);
}

int nvmlDeviceGetGpuMaxPcieLinkGeneration(nvml_device device,
                                          unsigned int *generation)
{
    return nvmlDeviceGetMaxPcieLinkGeneration(device, generation);
}

int nvmlDeviceGetMaxPcieLinkWidth(nvml_device device, unsigned int *width)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    return give_number(call.gpu->model->pcie_width, width);
}
