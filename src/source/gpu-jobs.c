/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two questions with sources of their own.
 *
 * Who holds a GPU: the environment that slurmstepd gave to the job's processes
 * (SLURM_JOB_GPUS and its like), and the files of prologs. So a GPU is seen as
 * held on which nothing runs.
 *
 * Who uses it: the driver's list of processes; a process belongs to the job of
 * the slurmstepd that it descends from, or else of its cgroup, or else, if it
 * is the job's own user's, of its environment. The first two are root's to set;
 * the last a user can forge, and with it could only claim a job of their own.
 */
#include "source/gpu-jobs-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ENVIRONMENT_SIZE = 64 * 1024,
    ENVIRONMENTS_MAX = 64, /* read in one cycle */
    USES_MAX = 4096
};

/* ---- jobs that are here -------------------------------------------------- */

struct job *gpu_jobs_find(const struct gpu_jobs *g, uint32_t job_id)
{
    for (size_t i = 0; i < g->job_count; i++)
        if (g->jobs[i].job_id == job_id)
            return &g->jobs[i];
    return NULL;
}

struct job *gpu_jobs_keep(struct gpu_jobs *g, uint32_t job_id)
{
    struct job *job = gpu_jobs_find(g, job_id);
    if (job || job_id == 0)
        return job;
    struct job *grown = reallocarray(g->jobs, g->job_count + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    g->jobs = grown;
    job = &grown[g->job_count++];
    *job = (struct job){.job_id = job_id};
    job->environment.user_id = JOB_UID_UNKNOWN;
    return job;
}

static bool environment_read(struct gpu_jobs *g,
                             uint32_t pid,
                             struct job_environment *ret_environment)
{
    ssize_t size = process_file_read(g->settings->proc_root, pid, "environ",
                                     g->bytes, ENVIRONMENT_SIZE);
    if (size <= 0)
        return false;
    job_environment_parse(g->bytes, (size_t)size, '\0', ret_environment);
    return true;
}

static bool names_gpus(const struct job_environment *environment)
{
    return environment->job_gpus[0] || environment->step_gpus[0] ||
           environment->visible[0];
}

/* Ask the processes of the steps for their environment until one tells which
 * GPUs the job was given. Jobs without GPUs are asked a few times in vain. */
static void read_environments(struct gpu_jobs *g)
{
    unsigned int reads = 0;
    for (size_t i = 0; i < g->list.count && reads < ENVIRONMENTS_MAX; i++) {
        const struct process_entry *entry = &g->list.entries[i];
        struct job_environment found;
        if (!entry->step || strcmp(entry->command, "slurmstepd") == 0)
            continue;
        uint32_t job_id = g->list.steps[entry->step - 1].step.job_id;
        struct job *job = gpu_jobs_find(g, job_id);
        if (!job || job->settled)
            continue;
        reads++;
        if (!environment_read(g, entry->pid, &found) || found.job_id != job_id)
            continue;
        job->environment = found;
        if (job->environment.user_id == JOB_UID_UNKNOWN)
            job->environment.user_id = entry->user_id;
        job->settled = names_gpus(&found);
    }
}

static void find_jobs(struct gpu_jobs *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->job_count; i++)
        g->jobs[i].here = false;
    for (size_t i = 0; i < g->list.step_count; i++) {
        struct job *job = gpu_jobs_keep(g, g->list.steps[i].step.job_id);
        if (job)
            job->here = true;
    }
    for (size_t i = 0; i < g->job_count; i++)
        if (g->jobs[i].here)
            g->jobs[kept++] = g->jobs[i];
    g->job_count = kept;
    read_environments(g);
}

/* ---- uses ---------------------------------------------------------------- */

struct use *gpu_jobs_use(struct gpu_jobs *g, uint32_t device, uint32_t job_id)
{
    for (size_t i = 0; i < g->use_count; i++)
        if (g->uses[i].device == device && g->uses[i].job_id == job_id)
            return &g->uses[i];
    if (g->use_count == USES_MAX)
        return NULL;
    struct use *grown = reallocarray(g->uses, g->use_count + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    g->uses = grown;
    struct use *use = &grown[g->use_count++];
    *use = (struct use){
        .device = device, .job_id = job_id, .user_id = JOB_UID_UNKNOWN};
    return use;
}

/* ---- processes on devices ------------------------------------------------ */

/* The job of a process, and what told. 0: none. */
static uint32_t job_of_process(struct gpu_jobs *g,
                               const struct process_entry *entry,
                               struct job_step *ret_step,
                               uint32_t *ret_from)
{
    const struct process_step *step = process_list_step(&g->list, entry->pid);
    struct job_environment environment;
    char text[GPU_JOBS_FILE_SIZE];
    *ret_from = GPU_JOB_FROM_PARENT;
    if (step) {
        *ret_step = step->step;
        return step->step.job_id;
    }
    *ret_from = GPU_JOB_FROM_CGROUP;
    if (process_file_read(g->settings->proc_root, entry->pid, "cgroup", text,
                          sizeof(text)) > 0 &&
        job_cgroup_parse(text, ret_step) && ret_step->job_id)
        return ret_step->job_id;
    *ret_from = GPU_JOB_FROM_ENVIRONMENT;
    *ret_step = (struct job_step){.job_id = 0};
    if (!environment_read(g, entry->pid, &environment))
        return 0;
    const struct job *job = gpu_jobs_find(g, environment.job_id);
    return job && job->environment.user_id == entry->user_id ? job->job_id : 0;
}

static int64_t start_of(const struct gpu_jobs *g,
                        const struct process_entry *entry)
{
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    double age_s = (double)up.tv_sec + (double)up.tv_nsec / 1e9 -
                   (double)entry->start_ticks / g->ticks_per_s;
    return clock_realtime_ns() / NS_PER_S - (int64_t)age_s;
}

/* Count PROCESS to its job; the number of its use, GPU_NONE when it cannot be
 * known. */
static uint32_t count_process(struct gpu_jobs *g,
                              const struct gpu_process_scan *process,
                              const struct process_entry *entry)
{
    struct job_step step = {.job_id = 0};
    uint32_t from = 0;
    if (!entry)
        return GPU_NONE; /* it has just ended, or lives in another namespace */
    uint32_t job_id = job_of_process(g, entry, &step, &from);
    struct use *use = gpu_jobs_use(g, process->device, job_id);
    if (!use)
        return GPU_NONE;
    use->flags |= GPU_JOB_USES | (job_id ? from : 0);
    use->processes++;
    use->user_id = entry->user_id;
    if (process->memory_bytes == UINT64_MAX)
        use->memory_bytes = UINT64_MAX;
    else if (use->memory_bytes != UINT64_MAX)
        use->memory_bytes += process->memory_bytes;
    int64_t start_s = start_of(g, entry);
    if (use->since_s == 0 || start_s < use->since_s)
        use->since_s = start_s;
    snprintf(use->step, sizeof(use->step), "%s", step.step);
    return (uint32_t)(use - g->uses);
}

/* What does not fit. */
static void judge(struct gpu_jobs *g)
{
    for (size_t i = 0; i < g->use_count; i++) {
        struct use *use = &g->uses[i];
        bool other_holds = false;
        for (size_t k = 0; k < g->use_count; k++)
            other_holds |= k != i && g->uses[k].device == use->device &&
                           g->uses[k].flags & GPU_JOB_HOLDS &&
                           !(g->uses[k].flags & GPU_JOB_STALE);
        if (use->processes > 0)
            use->flags &= ~(uint32_t)GPU_JOB_STALE;
        if (use->flags & GPU_JOB_HOLDS && use->processes == 0 &&
            !(use->flags & GPU_JOB_STALE))
            use->flags |= GPU_JOB_IDLE;
        if (use->flags & GPU_JOB_USES && !(use->flags & GPU_JOB_HOLDS) &&
            other_holds)
            use->flags |= GPU_JOB_FOREIGN;
    }
}

/* ---- writing ------------------------------------------------------------- */

static snapshot_string user_text(const struct gpu_jobs *g,
                                 struct snapshot_builder *b,
                                 uint32_t user_id)
{
    char number[16];
    for (size_t i = 0; i < g->job_count; i++)
        if (g->jobs[i].environment.user_id == user_id &&
            g->jobs[i].environment.user[0])
            return snapshot_builder_string(b, 1, g->jobs[i].environment.user);
    if (user_id == JOB_UID_UNKNOWN)
        return 0;
    snprintf(number, sizeof(number), "%u", user_id);
    return snapshot_builder_string(b, 1, user_id ? number : "root");
}

static void write_use(const struct gpu_jobs *g,
                      struct snapshot_builder *b,
                      const struct use *use,
                      struct gpu_job_record *record)
{
    const struct job *job = gpu_jobs_find(g, use->job_id);
    static const struct job_environment unknown = {.user_id = JOB_UID_UNKNOWN,
                                                   .array_task_id = UINT32_MAX,
                                                   .het_offset = UINT32_MAX,
                                                   .array_job_id = UINT32_MAX,
                                                   .het_job_id = UINT32_MAX};
    const struct job_environment *e =
        job && job->environment.job_id ? &job->environment : &unknown;
    char number[64] = "";
    if (use->job_id)
        job_number_format(e, use->job_id, number, sizeof(number));
    uint32_t user_id =
        e->user_id != JOB_UID_UNKNOWN ? e->user_id : use->user_id;
    *record = (struct gpu_job_record){
        .job = snapshot_builder_string(b, 0, number),
        .user = e->user[0] ? snapshot_builder_string(b, 1, e->user)
                           : user_text(g, b, user_id),
        .account = snapshot_builder_string(b, 2, e->account),
        .partition = snapshot_builder_string(b, 3, e->partition),
        .name = snapshot_builder_string(b, 4, e->name),
        .step = snapshot_builder_string(b, 5, use->step),
        .gpu = use->device,
        .job_id = use->job_id,
        .user_id = user_id,
        .flags = use->flags,
        .processes = use->processes,
        .memory_bytes = use->memory_bytes,
        .since_s = use->since_s};
}

static void write_processes(struct gpu_jobs *g,
                            const struct gpu_scan *scan,
                            struct snapshot_builder *b,
                            const uint32_t *uses)
{
    for (size_t i = 0; i < scan->process_count; i++) {
        const struct gpu_process_scan *process = &scan->processes[i];
        const struct process_entry *entry =
            process_list_find(&g->list, process->pid);
        struct gpu_process_record *record = snapshot_builder_add(b, 1, NULL);
        if (!record)
            return;
        *record = (struct gpu_process_record){
            .command =
                snapshot_builder_string(b, 6, entry ? entry->command : ""),
            .user = entry ? user_text(g, b, entry->user_id) : 0,
            .gpu = process->device,
            .job_record = uses[i],
            .pid = process->pid,
            .user_id = entry ? entry->user_id : JOB_UID_UNKNOWN,
            .memory_bytes = process->memory_bytes,
            .sm_percent = process->sm_percent,
            .graphics = process->graphics};
    }
}

int gpu_jobs_write(struct gpu_jobs *g,
                   const struct gpu_scan *scan,
                   struct snapshot_builder *builder,
                   struct error *err)
{
    int r = process_list_read(&g->list, g->settings->proc_root, err);
    _cleanup_(free_ptr) uint32_t *uses =
        calloc(scan->process_count + 1, sizeof(*uses));
    if (r < 0)
        return r;
    if (!uses)
        return error_errno(err, ENOMEM, "jobs");
    g->use_count = 0;
    find_jobs(g);
    gpu_jobs_hold(g, scan);
    for (size_t i = 0; i < scan->process_count; i++)
        uses[i] =
            count_process(g, &scan->processes[i],
                          process_list_find(&g->list, scan->processes[i].pid));
    judge(g);
    void *records;
    r = snapshot_builder_begin(builder, SNAPSHOT_GPU_USE, g->use_count,
                               &records, err);
    if (r < 0)
        return r;
    struct gpu_job_record *record = records;
    for (size_t i = 0; i < g->use_count; i++)
        write_use(g, builder, &g->uses[i], &record[i]);
    write_processes(g, scan, builder, uses);
    return snapshot_builder_end(builder, g->use_count, err);
}

int gpu_jobs_new(const struct gpu_collector_settings *settings,
                 struct gpu_jobs **ret_jobs,
                 struct error *err)
{
    struct gpu_jobs *g = calloc(1, sizeof(*g));
    if (!g)
        return error_errno(err, ENOMEM, "jobs");
    g->settings = settings;
    g->bytes = malloc(ENVIRONMENT_SIZE);
    long ticks = sysconf(_SC_CLK_TCK);
    g->ticks_per_s = ticks > 0 ? (double)ticks : 100;
    if (!g->bytes) {
        free(g);
        return error_errno(err, ENOMEM, "jobs");
    }
    *ret_jobs = g;
    return 0;
}

struct gpu_jobs *gpu_jobs_free(struct gpu_jobs *g)
{
    if (!g)
        return NULL;
    process_list_deinit(&g->list);
    free(g->jobs);
    free(g->uses);
    free(g->bytes);
    free(g);
    return NULL;
}
