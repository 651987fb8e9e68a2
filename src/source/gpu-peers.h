/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which GPUs reach which by NVLink. It is a question about two GPUs, and a
 * thread of its own asks it: if one of them hangs, the other's reader must not
 * wait with it. What it says seldom changes, so it is asked once in PEERS_NS.
 */
#pragma once

#include "source/gpu-scan.h"
#include "source/nvml.h"

struct gpu_peers;

/* NULL: the driver does not tell, or there was no thread to be had. NVML lives
 * as long as the process, as the thread does. */
struct gpu_peers *gpu_peers_new(const struct nvml *nvml);

/* Have the first COUNT GPUs asked, if it is time. Does not wait. */
void gpu_peers_ask(struct gpu_peers *peers, unsigned int count);

/* The last answers, into the GPUs of SCAN that are up. Does not wait. */
void gpu_peers_take(struct gpu_peers *peers, struct gpu_scan *scan);
