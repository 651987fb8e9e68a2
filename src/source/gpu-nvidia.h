/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's GPUs of this machine. Each is read by a thread of its own: one that
 * hangs in the driver keeps its thread and no other, and is reported as hung
 * until the call returns, which may be never. GPUs that were ever seen are
 * remembered, so that one that is gone is told of and not just missing.
 *
 * Errors (Xids) come from a thread that waits for the driver's events and from
 * the kernel log (gpu-xid.h).
 */
#pragma once

#include "source/gpu-scan.h"

#include <stdbool.h>

struct gpu_nvidia;

struct gpu_nvidia_settings {
    const char *library;        /* NULL: the usual one */
    const char *kmsg_path;      /* NULL: do not read the kernel log */
    int64_t device_deadline_ns; /* longest a GPU may keep a scan waiting */
    int64_t log_since_ns; /* real time: what the log has from before is known */
};

/* RECALLED: what an earlier collector knew (gpu-snapshot.h). */
int gpu_nvidia_new(const struct gpu_nvidia_settings *settings,
                   const struct gpu_scan *recalled,
                   struct gpu_nvidia **ret_nvidia,
                   struct error *err);

/* Add what there is to SCAN, which is empty. Without a driver that is a reason
 * (scan->trouble) and no failure. */
void gpu_nvidia_scan(struct gpu_nvidia *nvidia, struct gpu_scan *scan);

/* The library that was opened is not the driver's any more: only a fresh
 * process can have the new one. */
bool gpu_nvidia_outdated(const struct gpu_nvidia *nvidia);
