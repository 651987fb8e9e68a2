/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the instruments of a simulated GPU show: everything follows from the
 * time, its model, who uses it (use.h) and what is wrong with it.
 */
#pragma once

#include "machine.h"

/* How busy it was in the last SECONDS: 0 to 1. */
double meter_activity(const struct call *call, double seconds);
/* ... by USE alone. */
double meter_activity_of(const struct call *call,
                         const struct use *use,
                         double seconds);
/* How long it has been busy since the machine was switched on, by those who
 * use it now and in former times. */
double meter_busy_seconds(const struct call *call);

double meter_power_watts(const struct call *call);
double meter_energy_joules(const struct call *call);
uint32_t meter_temperature(const struct call *call);
uint32_t meter_sm_mhz(const struct call *call);
uint64_t meter_memory_used_mib(const struct call *call); /* by processes */
uint64_t meter_clock_reasons(const struct call *call);

/* How long heat, or the power supply, has slowed it down. */
uint64_t meter_thermal_ns(const struct call *call);
uint64_t meter_brake_ns(const struct call *call);
