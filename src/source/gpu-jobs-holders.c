/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who was given which GPU: what slurmstepd wrote into the environment of the
 * job's processes, and the files of prologs: our own, those for dcgm-exporter,
 * those of jobstats.
 */
#include "source/gpu-jobs-private.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A prolog runs before the first step: a file may be without a job so long. */
#define STALE_NS (300 * NS_PER_S)

/* ---- devices ------------------------------------------------------------- */

static bool is_unit(const struct gpu_device_scan *device)
{
    /* What Slurm counts: a GPU, or each instance of one that is split. */
    return !(device->record.flags & GPU_FLAG_MIG);
}

static bool has_instances(const struct gpu_scan *scan)
{
    for (size_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.parent != GPU_NONE)
            return true;
    return false;
}

/* The device that Slurm calls INDEX: that of /dev/nvidiaINDEX, since files are
 * listed in that order; where GPUs are split, the place among the units. */
static uint32_t device_by_index(const struct gpu_scan *scan, uint32_t index)
{
    uint32_t place = 0;
    bool split = has_instances(scan);
    for (uint32_t i = 0; i < scan->device_count; i++) {
        const struct gpu_record *record = &scan->devices[i].record;
        if (!is_unit(&scan->devices[i]))
            continue;
        uint32_t number = split                       ? place
                          : record->minor != GPU_NONE ? record->minor
                                                      : record->index;
        if (number == index)
            return i;
        place++;
    }
    return GPU_NONE;
}

static uint32_t device_by_uuid(const struct gpu_scan *scan, const char *uuid)
{
    for (uint32_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].uuid[0] &&
            strcmp(scan->devices[i].uuid, uuid) == 0)
            return i;
    return GPU_NONE;
}

/* By NVML's number and the instance's, as mapping files name them. */
static uint32_t
device_by_file(const struct gpu_scan *scan, uint32_t index, uint32_t instance)
{
    for (uint32_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.index == index &&
            scan->devices[i].record.gpu_instance == instance)
            return i;
    return GPU_NONE;
}

/* ---- holding ------------------------------------------------------------- */

static void
hold(struct gpu_jobs *g, uint32_t device, uint32_t job_id, uint32_t from)
{
    struct use *use = device == GPU_NONE || job_id == 0
                          ? NULL
                          : gpu_jobs_use(g, device, job_id);
    if (use)
        use->flags |= GPU_JOB_HOLDS | from;
}

static void hold_list(struct gpu_jobs *g,
                      const struct gpu_scan *scan,
                      uint32_t job_id,
                      const char *list,
                      uint32_t from)
{
    struct job_gpu_list at = {.at = list};
    char word[GPU_TEXT_SIZE];
    uint32_t index;
    while (job_gpu_list_next(&at, &index, word, sizeof(word)))
        hold(g,
             word[0] ? device_by_uuid(scan, word)
                     : device_by_index(scan, index),
             job_id, from);
}

static void hold_by_environment(struct gpu_jobs *g, const struct gpu_scan *scan)
{
    for (size_t i = 0; i < g->job_count; i++) {
        const struct job_environment *e = &g->jobs[i].environment;
        const char *list = e->visible[0]    ? e->visible
                           : e->job_gpus[0] ? e->job_gpus
                                            : e->step_gpus;
        hold_list(g, scan, g->jobs[i].job_id, list, GPU_JOB_FROM_ENVIRONMENT);
    }
}

/* ---- files of prologs ---------------------------------------------------- */

typedef void (*file_taker)(struct gpu_jobs *g,
                           const struct gpu_scan *scan,
                           const char *name,
                           const char *text,
                           bool old);

/* Call TAKE for each plain file of FOLDER. */
static void each_file(struct gpu_jobs *g,
                      const struct gpu_scan *scan,
                      const char *folder,
                      file_taker take)
{
    DIR *opened = folder && *folder ? opendir(folder) : NULL;
    int64_t now_ns = clock_realtime_ns();
    if (!opened)
        return;
    for (const struct dirent *entry; (entry = readdir(opened));) {
        char path[4096], text[GPU_JOBS_FILE_SIZE];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &st) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        size_t size = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        text[size] = '\0';
        take(g, scan, entry->d_name, text,
             now_ns - st.st_mtim.tv_sec * NS_PER_S > STALE_NS);
    }
    closedir(opened);
}

static void hold_by_file(struct gpu_jobs *g,
                         uint32_t device,
                         uint32_t job_id,
                         uint32_t from,
                         bool old)
{
    bool stale = old && !gpu_jobs_find(g, job_id);
    hold(g, device, job_id, from | (stale ? GPU_JOB_STALE : 0));
}

static uint32_t device_of_name(const struct gpu_scan *scan, const char *name)
{
    uint32_t index, instance;
    uint32_t device = device_by_uuid(scan, name);
    if (device != GPU_NONE || !job_mapping_name_parse(name, &index, &instance))
        return device;
    return device_by_file(scan, index, instance);
}

static void take_mapping(struct gpu_jobs *g,
                         const struct gpu_scan *scan,
                         const char *name,
                         const char *text,
                         bool old)
{
    uint32_t jobs[JOB_LINES_MAX];
    size_t count = job_mapping_parse(text, jobs);
    for (size_t i = 0; i < count; i++)
        hold_by_file(g, device_of_name(scan, name), jobs[i],
                     GPU_JOB_FROM_MAPPING_DIR, old);
}

static void take_gpustat(struct gpu_jobs *g,
                         const struct gpu_scan *scan,
                         const char *name,
                         const char *text,
                         bool old)
{
    uint32_t job_id, user_id;
    if (job_gpustat_parse(text, &job_id, &user_id))
        hold_by_file(g, device_of_name(scan, name), job_id,
                     GPU_JOB_FROM_GPUSTAT, old);
}

/* Lines of NAME=value, written by our prolog, one file for each job; which GPUs
 * is among them. */
static void take_hook(struct gpu_jobs *g,
                      const struct gpu_scan *scan,
                      const char *name,
                      const char *text,
                      bool old)
{
    struct job_environment environment;
    (void)name;
    job_environment_parse(text, strlen(text), '\n', &environment);
    if (environment.job_id == 0)
        return;
    bool stale = old && !gpu_jobs_find(g, environment.job_id);
    const char *list =
        environment.visible[0] ? environment.visible : environment.job_gpus;
    hold_list(g, scan, environment.job_id, list,
              GPU_JOB_FROM_HOOK | (stale ? GPU_JOB_STALE : 0));
    struct job *job = stale ? NULL : gpu_jobs_keep(g, environment.job_id);
    if (job && job->environment.job_id == 0)
        job->environment = environment;
}

void gpu_jobs_hold(struct gpu_jobs *g, const struct gpu_scan *scan)
{
    each_file(g, scan, g->settings->hook_dir, take_hook);
    hold_by_environment(g, scan);
    each_file(g, scan, g->settings->mapping_dir, take_mapping);
    each_file(g, scan, g->settings->gpustat_dir, take_gpustat);
}
