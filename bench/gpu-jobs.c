// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What attribution costs: gpu-jobs PROCESSES ROUNDS makes PROCESSES that sleep,
 * half of them below one that bears slurmstepd's title, so that what they use
 * of processors and memory is read; 64 of the others are said to be on eight
 * GPUs. Prints for each round three times in milliseconds: a bare walk over
 * /proc (readdir and stat), a cycle of attribution right after it, and the CPU
 * time of that cycle.
 *
 * All bear SLURM_JOB_ID, so that each of the 64 is looked at in every way there
 * is before it is found to belong to no job.
 */
#include "source/gpu-jobs.h"
#include "base/clock.h"
#include "source/gpu-snapshot.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GPUS = 8,
    USERS = 64,      /* processes on GPUs */
    WARM_ROUNDS = 70 /* more than a round of reading all anew */
};

static void die(const char *what)
{
    fprintf(stderr, "gpu-jobs: %s\n", what);
    exit(1);
}

static int64_t walk_ns(void)
{
    int64_t start = clock_monotonic_ns();
    DIR *dir = opendir("/proc");
    if (!dir)
        die("cannot list /proc");
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat stat;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            (void)fstatat(dirfd(dir), entry->d_name, &stat, 0);
    }
    closedir(dir);
    return clock_monotonic_ns() - start;
}

static void cycle(struct gpu_jobs *jobs,
                  struct gpu_scan *scan,
                  int64_t *ret_ns,
                  int64_t *ret_cpu_ns)
{
    struct snapshot_builder *builder;
    struct error err = {0};
    if (snapshot_builder_new(&builder, &err) < 0 ||
        gpu_snapshot_write(scan, builder, &err) < 0)
        die(err.text);
    int64_t start = clock_monotonic_ns(), cpu = clock_process_cpu_ns();
    if (gpu_jobs_write(jobs, scan, builder, &err) < 0)
        die(err.text);
    *ret_cpu_ns = clock_process_cpu_ns() - cpu;
    *ret_ns = clock_monotonic_ns() - start;
    snapshot_builder_free(builder);
}

static pid_t sleep_in_child(void)
{
    pid_t pid = fork();
    if (pid < 0)
        die("cannot fork");
    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

/* We, begun anew as a slurmstepd with COUNT tasks. */
static int be_step(int count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "slurmstepd");
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            prctl(PR_SET_NAME, "task");
            pause();
            _exit(0);
        }
    pause();
    return 0;
}

static pid_t step_in_child(int count)
{
    char number[16], title[] = "slurmstepd: [17.batch]";
    char *arguments[] = {title, NULL};
    snprintf(number, sizeof(number), "%d", count);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("BENCH_STEP_TASKS", number, 1);
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    return pid;
}

static void fill(struct gpu_scan *scan, const pid_t *pids, int count)
{
    for (uint32_t i = 0; i < GPUS; i++) {
        struct gpu_device_scan *gpu = gpu_scan_add_device(scan);
        if (!gpu)
            die("no memory");
        gpu->record.index = gpu->record.minor = i;
        gpu->record.parent = gpu->record.gpu_instance = GPU_NONE;
        snprintf(gpu->uuid, sizeof(gpu->uuid), "GPU-%u", i);
    }
    for (int i = 0; i < USERS && i < count; i++) {
        struct gpu_process_scan *process = gpu_scan_add_process(scan);
        if (!process)
            die("no memory");
        *process = (struct gpu_process_scan){.device = (uint32_t)i % GPUS,
                                             .pid = (uint32_t)pids[i],
                                             .memory_bytes = UINT64_MAX,
                                             .sm_percent = GPU_NONE};
    }
}

int main(int argc, char *argv[])
{
    if (getenv("BENCH_STEP_TASKS"))
        return be_step(atoi(getenv("BENCH_STEP_TASKS")));
    int count = argc > 1 ? atoi(argv[1]) : 2000;
    int rounds = argc > 2 ? atoi(argv[2]) : 10;
    const struct gpu_collector_settings settings = {.proc_root = "/proc"};
    struct gpu_scan scan = {.devices = NULL};
    struct gpu_jobs *jobs;
    struct error err = {0};
    pid_t *pids = calloc((size_t)count + 1, sizeof(*pids));
    if (!pids || gpu_jobs_new(&settings, &jobs, &err) < 0)
        die(err.text);
    setenv("SLURM_JOB_ID", "17", 1);
    count /= 2;
    pid_t step = step_in_child(count);
    for (int i = 0; i < count; i++)
        pids[i] = sleep_in_child();
    sleep(1); /* until the step has its tasks */
    fill(&scan, pids, count);
    for (int i = 0; i < WARM_ROUNDS + rounds; i++) {
        int64_t ns, cpu_ns, bare_ns = walk_ns();
        cycle(jobs, &scan, &ns, &cpu_ns);
        if (i == 0)
            printf("first %.3f\n", (double)ns / NS_PER_MS);
        if (i >= WARM_ROUNDS)
            printf("round %.3f %.3f %.3f\n", (double)bare_ns / NS_PER_MS,
                   (double)ns / NS_PER_MS, (double)cpu_ns / NS_PER_MS);
    }
    kill(step, SIGKILL);
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    gpu_jobs_free(jobs);
    gpu_scan_deinit(&scan);
    free(pids);
    return 0;
}
