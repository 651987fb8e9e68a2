/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child of gpu-exporter: takes one snapshot of the GPUs of this machine per
 * interval (collector-child.h), from NVIDIA's driver and AMD's files, and finds
 * whose jobs are on them. The parts are SNAPSHOT_GPUS and SNAPSHOT_GPU_USE.
 *
 * What must outlive a child, counts of Xids and the GPUs that were ever seen,
 * comes back to the next one with the last snapshot.
 */
#pragma once

#include <stdint.h>

struct gpu_collector_settings {
    const char *nvml_library; /* NULL: the usual one */
    const char *sysfs_root;   /* "/sys" */
    const char *proc_root;    /* "/proc" */
    const char *kmsg_path;    /* "/dev/kmsg"; NULL: do not read it */
    const char *mapping_dir;  /* DCGM_HPC_JOB_MAPPING_DIR; NULL: none */
    const char *gpustat_dir;  /* "/run/gpustat" */
    const char *hook_dir;     /* of our own prolog: "/run/gpu-exporter/jobs" */
    int64_t device_deadline_ns; /* longest a GPU may keep one cycle waiting */
};

/* Collect until the parent closes the channel. Returns what to exit with (enum
 * collector_exit). child_follow_parent() has been called. */
int gpu_collector_run(const struct gpu_collector_settings *settings);
