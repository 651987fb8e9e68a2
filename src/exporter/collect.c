/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The collector: the child that calls drivers. It is a hidden subcommand of
 * gpu-exporter, and all that gpu-collector does.
 */
#include "exporter/exporter.h"

#include "base/child.h"
#include "source/collector-protocol.h"
#include "source/gpu-collector.h"

int collect_main(const struct settings *settings)
{
    const struct gpu_collector_settings collector = {
        .nvml_library = *settings->nvml_library ? settings->nvml_library : NULL,
        .sysfs_root = settings->sysfs_root,
        .proc_root = settings->proc_root,
        .kmsg_path = *settings->kmsg ? settings->kmsg : NULL,
        .mapping_dir = *settings->hpc_job_mapping_dir
                           ? settings->hpc_job_mapping_dir
                           : NULL,
        .gpustat_dir = settings->gpustat_dir,
        .hook_dir = settings->hook_dir,
        .device_deadline_ns = settings->device_deadline_ns,
    };
    if (!child_follow_parent())
        return COLLECTOR_EXIT_USAGE;
    return gpu_collector_run(&collector);
}
