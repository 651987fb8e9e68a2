/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/test-gpu-jobs-tree.h"

#include "base/cleanup.h"
#include "base/test.h"
#include "source/gpu-snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char root[64], proc[80], hooks[80], mapping[80];
static char gpustat[80];
static struct gpu_collector_settings settings;
struct gpu_scan scan;
struct gpu_jobs *jobs;
struct mapped_snapshot *taken;

/* Write the file ROOT/…; its folder is made. */
void put(const char *content, size_t size, const char *format, ...)
{
    char path[200], folder[200];
    int used = snprintf(path, sizeof(path), "%s/", root);
    va_list args;
    va_start(args, format);
    vsnprintf(path + used, sizeof(path) - (size_t)used, format, args);
    va_end(args);
    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = '\0';
    mkdir(folder, 0755);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    fclose(file);
}

void put_process(int pid, int parent, const char *command, int uid)
{
    char text[300];
    snprintf(text, sizeof(text),
             "%d (%s) S %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 1 1 1\n", pid,
             command, parent, 1000 + pid);
    PUT(text, "proc/%d/stat", pid);
    snprintf(text, sizeof(text), "Name:\t%s\nUid:\t%d\t%d\t%d\t%d\n", command,
             uid, uid, uid, uid);
    PUT(text, "proc/%d/status", pid);
    snprintf(text, sizeof(text), "%s\n", command);
    PUT(text, "proc/%d/comm", pid);
    PUT("0::/\n", "proc/%d/cgroup", pid);
    PUT("", "proc/%d/environ", pid);
    PUT("", "proc/%d/cmdline", pid);
}

/* TEXT has '|' where the block has zeros. */
void put_environment(int pid, const char *text)
{
    char block[500];
    size_t size = strlen(text);
    assert_true(size < sizeof(block));
    for (size_t i = 0; i < size; i++)
        block[i] = text[i] == '|' ? '\0' : text[i];
    put(block, size, "proc/%d/environ", pid);
}

void put_daemon(int pid, const char *title)
{
    put_process(pid, 1, "slurmstepd", 0);
    PUT(title, "proc/%d/cmdline", pid);
}

/* A job with one batch script: slurmstepd PID, its script PID + 1. */
void put_job(int pid, int job, int uid, const char *gpus)
{
    char text[200];
    snprintf(text, sizeof(text), "slurmstepd: [%d.batch]", job);
    put_daemon(pid, text);
    put_process(pid + 1, pid, "slurm_script", uid);
    snprintf(text, sizeof(text),
             "PATH=/bin|SLURM_JOB_ID=%d|SLURM_JOB_ACCOUNT=chem|"
             "SLURM_JOB_PARTITION=gpu|SLURM_JOB_NAME=train%s%s|",
             job, gpus ? "|SLURM_JOB_GPUS=" : "", gpus ? gpus : "");
    put_environment(pid + 1, text);
}

void add_gpu(uint32_t index, uint32_t minor, const char *uuid, const char *pci)
{
    struct gpu_device_scan *gpu = gpu_scan_add_device(&scan);
    assert_non_null(gpu);
    gpu->record.index = index;
    gpu->record.minor = minor;
    gpu->record.parent = GPU_NONE;
    gpu->record.gpu_instance = GPU_NONE;
    snprintf(gpu->uuid, sizeof(gpu->uuid), "%s", uuid);
    snprintf(gpu->pci_bus_id, sizeof(gpu->pci_bus_id), "%s", pci);
}

void add_use(uint32_t device, uint32_t pid)
{
    struct gpu_process_scan *process = gpu_scan_add_process(&scan);
    assert_non_null(process);
    *process = (struct gpu_process_scan){.device = device,
                                         .pid = pid,
                                         .memory_bytes = 1000,
                                         .sm_percent = GPU_NONE};
}

int tree_set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test-gpu-jobs.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(proc, sizeof(proc), "%s/proc", root);
    snprintf(hooks, sizeof(hooks), "%s/hooks", root);
    snprintf(mapping, sizeof(mapping), "%s/mapping", root);
    snprintf(gpustat, sizeof(gpustat), "%s/gpustat", root);
    mkdir(proc, 0755);
    settings = (struct gpu_collector_settings){.proc_root = proc,
                                               .hook_dir = hooks,
                                               .mapping_dir = mapping,
                                               .gpustat_dir = gpustat};
    PUT("cpu 1 2\nbtime 1700000000\n", "proc/stat");
    put_process(1, 0, "init", 0);
    add_gpu(0, 0, "GPU-a", "00000000:07:00.0");
    add_gpu(1, 1, "GPU-b", "00000000:0F:00.0");
    return gpu_jobs_new(&settings, &jobs, NULL);
}

int tree_tear_down(void **state)
{
    (void)state;
    char command[200];
    gpu_jobs_free(jobs);
    gpu_scan_deinit(&scan);
    taken = mapped_snapshot_unref(taken);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

void take(void)
{
    struct snapshot_builder *builder;
    struct error err = {0};
    int fd = -1;
    taken = mapped_snapshot_unref(taken);
    assert_int_equal(snapshot_builder_new(&builder, &err), 0);
    assert_int_equal(gpu_snapshot_write(&scan, builder, &err), 0);
    int r = gpu_jobs_write(jobs, &scan, builder, &err);
    if (r < 0)
        fail_msg("%s", err.text);
    assert_int_equal(snapshot_builder_finish(builder, &fd, &err), 0);
    snapshot_builder_free(builder);
    assert_int_equal(mapped_snapshot_new(fd, true, &taken, &err), 0);
}

/* ---- looking ---- */

/* The record of JOB_ID on GPU; fails when there is none. */
const struct gpu_job_record *record_of(uint32_t job_id, uint32_t gpu)
{
    size_t count;
    const struct gpu_job_record *records =
        snapshot_array(&taken->snapshot, SNAPSHOT_GPU_USE, 0, &count);
    for (size_t i = 0; i < count; i++)
        if (records[i].job_id == job_id && records[i].gpu == gpu)
            return &records[i];
    fail_msg("job %u is not on GPU %u", job_id, gpu);
    return NULL;
}

uint32_t flags_of(uint32_t job_id, uint32_t gpu)
{
    return record_of(job_id, gpu)->flags;
}

size_t record_count(unsigned int array)
{
    size_t count;
    snapshot_array(&taken->snapshot, SNAPSHOT_GPU_USE, array, &count);
    return count;
}

const char *text_of(snapshot_string string)
{
    return snapshot_text(&taken->snapshot, SNAPSHOT_GPU_USE, string);
}
