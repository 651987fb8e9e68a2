/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cycle: NVIDIA's GPUs, AMD's, whose jobs are on them, and the snapshot.
 */
#include "source/gpu-collector.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/collector-child.h"
#include "source/gpu-amd.h"
#include "source/gpu-jobs.h"
#include "source/gpu-nvidia.h"
#include "source/gpu-snapshot.h"

#include <string.h>

struct gpu_collector {
    const struct gpu_collector_settings *settings;
    struct gpu_nvidia *nvidia;
    struct gpu_amd *amd;
    struct gpu_jobs *jobs;
    struct gpu_scan scan;
    /* What was last said on standard error of the drivers and of the jobs. */
    struct error told, told_of_jobs;
};

static int
start(struct gpu_collector *c, struct collector_cycle *cycle, struct error *err)
{
    _cleanup_(gpu_scan_deinit) struct gpu_scan recalled = {.devices = NULL};
    const struct gpu_nvidia_settings settings = {
        .library = c->settings->nvml_library,
        .kmsg_path = c->settings->kmsg_path,
        .device_deadline_ns = c->settings->device_deadline_ns,
        .log_since_ns =
            cycle->previous ? cycle->previous->header->finished_ns : 0,
    };
    if (cycle->previous)
        gpu_snapshot_recall(cycle->previous, &recalled);
    int r = gpu_nvidia_new(&settings, &recalled, &c->nvidia, err);
    if (r == 0)
        r = gpu_amd_new(c->settings->sysfs_root, &recalled, &c->amd, err);
    if (r == 0)
        r = gpu_jobs_new(c->settings, &c->jobs, err);
    return r;
}

/* Why there is nothing, said once. */
static void complain(struct error *told, const char *trouble)
{
    if (strcmp(told->text, trouble) == 0)
        return;
    error_set(told, EIO, "%s", trouble);
    if (trouble[0])
        collector_child_complain("%s", told->text);
}

/* That there is no driver of NVIDIA's is no trouble where no GPU is theirs. */
static int scan(struct gpu_collector *c, struct error *err)
{
    gpu_nvidia_scan(c->nvidia, &c->scan);
    uint32_t theirs = c->scan.expected;
    int r = gpu_amd_scan(c->amd, &c->scan, err);
    if (theirs == 0 && c->scan.expected > 0)
        c->scan.trouble[0] = '\0';
    return r;
}

static int
collect(void *context, struct collector_cycle *cycle, struct error *err)
{
    struct gpu_collector *c = context;
    int r = c->nvidia ? 0 : start(c, cycle, err);
    if (r < 0)
        return r;
    collector_child_ask(cycle, SNAPSHOT_GPUS);
    gpu_scan_clear(&c->scan);
    r = scan(c, err);
    if (r < 0)
        return r;
    complain(&c->told, c->scan.trouble);
    r = gpu_snapshot_write(&c->scan, cycle->builder, err);
    if (r < 0)
        return r;
    /* Without /proc there are still the GPUs. */
    collector_child_ask(cycle, SNAPSHOT_GPU_USE);
    if (gpu_jobs_write(c->jobs, &c->scan, cycle->builder, err) < 0)
        collector_child_complain("%s", err->text);
    complain(&c->told_of_jobs, gpu_jobs_trouble(c->jobs));
    snapshot_builder_header(cycle->builder)->complete = 1;
    return 0;
}

static bool outdated(void *context)
{
    const struct gpu_collector *c = context;
    return c->nvidia && gpu_nvidia_outdated(c->nvidia);
}

int gpu_collector_run(const struct gpu_collector_settings *settings)
{
    struct gpu_collector collector = {.settings = settings};
    const struct collector_source source = {
        .collect = collect, .outdated = outdated, .context = &collector};
    int code = collector_child_run(&source);
    gpu_jobs_free(collector.jobs);
    gpu_amd_free(collector.amd);
    gpu_scan_deinit(&collector.scan);
    return code;
}
