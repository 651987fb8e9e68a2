/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's events, waited for by a thread of their own.
 */
#pragma once

#include "source/gpu-xid.h"
#include "source/nvml.h"

struct gpu_events;

/* Listen to the first COUNT GPUs. NULL when the driver has no events, or there
 * is no GPU. It cannot be freed: the thread may hang in the driver. */
struct gpu_events *gpu_events_new(const struct nvml *nvml, unsigned int count);

/* Tell LEDGER of what came since the last time. */
void gpu_events_take(struct gpu_events *events, struct gpu_ledger *ledger);
