/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meter.h"

#include <math.h>

enum {
    REASON_IDLE = 0x1,
    REASON_POWER_CAP = 0x4,
    REASON_HW_SLOWDOWN = 0x8,
    REASON_SW_THERMAL = 0x20,
    REASON_HW_THERMAL = 0x40,
    REASON_HW_BRAKE = 0x80,
    AMBIENT_CELSIUS = 31,
    FULL_LOAD_CELSIUS = 72,
    THERMAL_WINDOW_S = 8
};

double meter_activity_of(const struct call *call,
                         const struct use *use,
                         double seconds)
{
    return (use_busy_seconds(use, call->now_s) -
            use_busy_seconds(use, call->now_s - seconds)) /
           seconds;
}

/* Can be more than one when several use it at once. */
static double demand(const struct call *call, double seconds)
{
    double sum = 0;
    size_t position = 0;
    for (const struct use *use; (use = call_next_use(call, &position));)
        sum += meter_activity_of(call, use, seconds);
    return sum;
}

double meter_activity(const struct call *call, double seconds)
{
    return fmin(demand(call, seconds), 1);
}

double meter_busy_seconds(const struct call *call)
{
    double sum = 0;
    size_t position = 0;
    for (const struct use *use; (use = call_next_use(call, &position));)
        sum += use->alive ? use_busy_seconds(use, call->now_s)
                          : use_spent_seconds(use);
    return sum;
}

static double watts_at(const struct call *call, double activity)
{
    const struct model *model = call->gpu->model;
    return model->idle_watts +
           activity * 0.93 * (model->limit_watts - model->idle_watts);
}

double meter_power_watts(const struct call *call)
{
    return watts_at(call, meter_activity(call, 1));
}

/* Counts what was spent for certain, so that it never goes back when a process
 * is killed. */
double meter_energy_joules(const struct call *call)
{
    const struct model *model = call->gpu->model;
    double busy = 0;
    size_t position = 0;
    for (const struct use *use; (use = call_next_use(call, &position));)
        busy += use_spent_seconds(use);
    double since = (double)call->scenario->since_ms / 1e3;
    return fmax(call->now_s - since, 0) * model->idle_watts +
           busy * (watts_at(call, 1) - model->idle_watts);
}

static bool is_slowed_down(const struct call *call)
{
    return call->gpu->settings[SETTING_THERMAL_SINCE_MS] != 0;
}

uint32_t meter_temperature(const struct call *call)
{
    if (is_slowed_down(call))
        return call->gpu->model->slowdown_celsius + 1;
    return (uint32_t)lround(AMBIENT_CELSIUS +
                            (FULL_LOAD_CELSIUS - AMBIENT_CELSIUS) *
                                meter_activity(call, THERMAL_WINDOW_S));
}

uint32_t meter_sm_mhz(const struct call *call)
{
    const struct model *model = call->gpu->model;
    if (meter_activity(call, 1) <= 0)
        return model->sm_idle_mhz;
    if (is_slowed_down(call) || call->gpu->settings[SETTING_BRAKE_SINCE_MS])
        return model->sm_mhz / 2;
    return model->sm_mhz;
}

uint64_t meter_memory_used_mib(const struct call *call)
{
    const struct model *model = call->gpu->model;
    uint64_t sum = 0, all = model->memory_mib - model->reserved_mib;
    size_t position = 0;
    for (const struct use *use; (use = call_next_use(call, &position));)
        if (use->alive)
            sum += use->memory_mib;
    if (call->instance)
        all = call->instance->memory_mib;
    return sum < all ? sum : all;
}

uint64_t meter_clock_reasons(const struct call *call)
{
    uint64_t reasons = 0;
    double wanted = demand(call, 1);
    if (wanted <= 0)
        reasons |= REASON_IDLE;
    if (wanted > 1)
        reasons |= REASON_POWER_CAP;
    if (is_slowed_down(call))
        reasons |= REASON_HW_SLOWDOWN | REASON_SW_THERMAL | REASON_HW_THERMAL;
    if (call->gpu->settings[SETTING_BRAKE_SINCE_MS])
        reasons |= REASON_HW_SLOWDOWN | REASON_HW_BRAKE;
    return reasons;
}

static uint64_t
lasted_ns(const struct call *call, enum setting since, enum setting before)
{
    double begun_ms = (double)call->gpu->settings[since];
    double ms = (double)call->gpu->settings[before];
    if (begun_ms > 0)
        ms += fmax(call->now_s * 1e3 - begun_ms, 0);
    return (uint64_t)(ms * 1e6);
}

uint64_t meter_thermal_ns(const struct call *call)
{
    return lasted_ns(call, SETTING_THERMAL_SINCE_MS, SETTING_THERMAL_MS);
}

uint64_t meter_brake_ns(const struct call *call)
{
    return lasted_ns(call, SETTING_BRAKE_SINCE_MS, SETTING_BRAKE_MS);
}
