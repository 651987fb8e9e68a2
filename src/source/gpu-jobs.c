/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a cycle: processes, files of our prolog, slurmstepds and their
 * tasks, files of other prologs, processes on GPUs, judgement. Each later one
 * adds, and does not take away from one before it.
 */
#include "source/gpu-jobs.h"

#include "source/gpu-claim.h"
#include "source/job-hold.h"
#include "source/job-process.h"
#include "source/job-usage.h"
#include "source/slurm-users.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HIDDEN_CYCLES = 3 /* fewer may be processes that have just ended */
};

struct gpu_jobs {
    const struct gpu_collector_settings *settings;
    struct job_processes *processes;
    struct job_usage *usage;
    struct job_file file;
    struct user_names *users;
    struct claim_book book;
    uint64_t order_scores[GPU_ORDER_COUNT];
    bool sees_daemons;
    bool unreadable_files;
    unsigned int hidden_cycles; /* in which /proc showed no process on a GPU */
    struct error trouble;
};

int gpu_jobs_new(const struct gpu_collector_settings *settings,
                 struct gpu_jobs **ret_jobs,
                 struct error *err)
{
    struct gpu_jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs || !(jobs->users = user_names_new()) ||
        !(jobs->usage = job_usage_new())) {
        gpu_jobs_free(jobs);
        return error_set(err, ENOMEM, "no memory for the jobs on the GPUs");
    }
    jobs->settings = settings;
    jobs->file.proc_fd = AT_FDCWD;
    int r = job_processes_new(settings->proc_root, &jobs->processes, err);
    if (r < 0) {
        gpu_jobs_free(jobs);
        return r;
    }
    *ret_jobs = jobs;
    return 0;
}

struct gpu_jobs *gpu_jobs_free(struct gpu_jobs *jobs)
{
    if (!jobs)
        return NULL;
    job_usage_free(jobs->usage);
    job_processes_free(jobs->processes);
    job_file_deinit(&jobs->file);
    user_names_free(jobs->users);
    claim_book_deinit(&jobs->book);
    free(jobs);
    return NULL;
}

/* ---- who holds ---- */

static bool held_by_hook_of_another(const struct claim_book *book,
                                    uint32_t job_id,
                                    uint32_t device)
{
    for (size_t i = 0; i < book->claim_count; i++) {
        const struct claim *claim = &book->claims[i];
        const struct claim_job *job = &book->jobs[claim->job];
        if (claim->device == device && job->id != job_id && job->runs &&
            claim->flags & GPU_JOB_FROM_HOOK)
            return true;
    }
    return false;
}

/*
 * A step is told its GPUs, a batch script those of the job. SLURM_JOB_GPUS in
 * another step may have come along from the batch script's node, whose numbers
 * are not ours.
 */
static const char *list_of_daemon(const struct job_daemon *daemon)
{
    const struct job_environment *e = &daemon->environment;
    const char *step = daemon->step.step;
    bool is_first =
        strcmp(step, "batch") == 0 || strcmp(step, "interactive") == 0;
    if (is_first && e->job_gpus[0])
        return e->job_gpus;
    return e->step_gpus[0] ? e->step_gpus : e->visible;
}

/* Environments are the job's own to change: what they claim of a GPU that our
 * prolog gave to another is not believed. */
static void hold_by_environment(struct gpu_jobs *jobs,
                                const struct gpu_scan *scan,
                                const struct gpu_numbering *numbering,
                                const struct job_daemon *daemon)
{
    struct claim_book *book = &jobs->book;
    uint32_t job_id = daemon->step.job_id, number;
    struct job_gpu_list list = {.at = list_of_daemon(daemon)};
    char word[GPU_TEXT_SIZE];
    while (job_gpu_list_next(&list, &number, word, sizeof(word))) {
        uint32_t device = word[0] ? gpu_find_uuid(scan, word)
                          : number < numbering->count
                              ? numbering->devices[number]
                              : GPU_NONE;
        if (device != GPU_NONE &&
            !held_by_hook_of_another(book, job_id, device))
            claim_hold(book, job_id, device, GPU_JOB_FROM_ENVIRONMENT);
    }
}

static void fill(char *to, const char *from, size_t size)
{
    if (!to[0])
        memcpy(to, from, size);
}

/* What the prolog was not told: Slurm 22.05 tells neither account nor name,
 * nor of which array the job is a task. */
static void learn_names(struct claim_job *job, const struct job_environment *e)
{
    struct job_environment *known = &job->environment;
    if (e->job_id == 0)
        return;
    if (known->job_id == 0) {
        *known = *e;
        return;
    }
    fill(known->account, e->account, sizeof(known->account));
    fill(known->partition, e->partition, sizeof(known->partition));
    fill(known->name, e->name, sizeof(known->name));
    if (known->array_job_id == UINT32_MAX) {
        known->array_job_id = e->array_job_id;
        known->array_task_id = e->array_task_id;
    }
    if (known->het_job_id == UINT32_MAX) {
        known->het_job_id = e->het_job_id;
        known->het_offset = e->het_offset;
    }
}

/* The jobs that run here, before any of their claims. */
static void read_daemons(struct gpu_jobs *jobs)
{
    size_t count;
    const struct job_process *all = job_processes_all(jobs->processes, &count);
    jobs->sees_daemons = false;
    for (size_t i = 0; i < count; i++) {
        const struct job_daemon *daemon = all[i].daemon;
        if (!daemon)
            continue;
        jobs->sees_daemons = true;
        struct claim_job *job =
            daemon->step.job_id
                ? claim_job_get(&jobs->book, daemon->step.job_id)
                : NULL;
        if (!job)
            continue;
        job->runs = true;
        if (job->user_id == JOB_UID_UNKNOWN)
            job->user_id = daemon->user_id;
        learn_names(job, &daemon->environment);
    }
}

static void hold_by_daemons(struct gpu_jobs *jobs,
                            const struct gpu_scan *scan,
                            const struct gpu_numbering *numbering)
{
    size_t count;
    const struct job_process *all = job_processes_all(jobs->processes, &count);
    for (size_t i = 0; i < count; i++) {
        const struct job_daemon *daemon = all[i].daemon;
        struct claim_job *job =
            daemon ? claim_job_find(&jobs->book, daemon->step.job_id) : NULL;
        if (job && !job->hooked)
            hold_by_environment(jobs, scan, numbering, daemon);
    }
}

/* ---- who uses ---- */

/* SLUIDs name a job through its slurmstepd. */
static bool resolve_sluid(const struct gpu_jobs *jobs, struct job_step *step)
{
    size_t count;
    const struct job_process *all = job_processes_all(jobs->processes, &count);
    if (step->job_id)
        return true;
    for (size_t i = 0; i < count; i++)
        if (all[i].daemon && all[i].daemon->step.job_id &&
            strcmp(all[i].daemon->step.sluid, step->sluid) == 0) {
            step->job_id = all[i].daemon->step.job_id;
            return true;
        }
    return false;
}

/* The environment is its owner's to write: it counts only for a job that is
 * here and the owner's own. */
static bool believe_environment(struct gpu_jobs *jobs,
                                uint32_t pid,
                                uint32_t user,
                                struct job_step *ret_step)
{
    struct job_environment environment;
    if (!job_processes_environment(jobs->processes, pid, &environment))
        return false;
    const struct claim_job *job =
        environment.job_id ? claim_job_find(&jobs->book, environment.job_id)
                           : NULL;
    if (!job || (!job->runs && !job->hooked) || job->user_id != user)
        return false;
    ret_step->job_id = job->id;
    memcpy(ret_step->step, environment.step, sizeof(ret_step->step));
    return true;
}

/* Returns the flag of what told, 0 when it is no job's. */
static uint32_t find_step(struct gpu_jobs *jobs,
                          const struct job_process *process,
                          uint32_t user,
                          struct job_step *ret_step)
{
    if (job_processes_cgroup(jobs->processes, process->pid, ret_step) &&
        resolve_sluid(jobs, ret_step))
        return GPU_JOB_FROM_CGROUP;
    const struct job_daemon *daemon =
        job_processes_daemon(jobs->processes, process);
    if (daemon && daemon->step.job_id) {
        *ret_step = daemon->step;
        return GPU_JOB_FROM_PARENT;
    }
    *ret_step = (struct job_step){0};
    if (user != JOB_UID_UNKNOWN &&
        believe_environment(jobs, process->pid, user, ret_step))
        return GPU_JOB_FROM_ENVIRONMENT;
    return 0;
}

static void use(struct gpu_jobs *jobs,
                const struct gpu_scan *scan,
                uint32_t scanned,
                const struct job_process *process)
{
    struct claim_book *book = &jobs->book;
    struct job_step step = {0};
    uint32_t user = JOB_UID_UNKNOWN, source = 0;
    int64_t start_s = 0;
    if (process) {
        job_processes_user(jobs->processes, process->pid, &user);
        source = find_step(jobs, process, user, &step);
        start_s = job_processes_start_s(jobs->processes, process);
    }
    const struct gpu_process_scan *seen = &scan->processes[scanned];
    struct claim *claim = claim_get(book, step.job_id, seen->device);
    struct claim_process *entry = claim ? claim_process_add(book) : NULL;
    if (!entry)
        return;
    *entry = (struct claim_process){.claim = (uint32_t)(claim - book->claims),
                                    .scanned = scanned,
                                    .user_id = user};
    claim->flags |= GPU_JOB_USES | source;
    claim->processes++;
    if (seen->memory_bytes != UINT64_MAX) {
        claim->memory_known = true;
        claim->memory_bytes += seen->memory_bytes;
    }
    if (start_s && (!claim->oldest_s || start_s < claim->oldest_s))
        claim->oldest_s = start_s;
    if (start_s >= claim->newest_s) {
        claim->newest_s = start_s;
        memcpy(claim->step, step.step, sizeof(claim->step));
    }
    /* Its slurmstepd may be hidden from us, or gone before it. */
    struct claim_job *job = &book->jobs[claim->job];
    if (job->id && source == GPU_JOB_FROM_CGROUP &&
        job->user_id == JOB_UID_UNKNOWN && user != 0)
        job->user_id = user;
}

static void use_all(struct gpu_jobs *jobs, const struct gpu_scan *scan)
{
    size_t hidden = 0;
    for (uint32_t i = 0; i < scan->process_count; i++) {
        const struct job_process *process =
            job_processes_find(jobs->processes, scan->processes[i].pid);
        if (!process)
            hidden++;
        use(jobs, scan, i, process);
    }
    if (hidden > 0 && hidden == scan->process_count)
        jobs->hidden_cycles++;
    else
        jobs->hidden_cycles = 0;
}

/* ---- which order ---- */

/* A process of a job on the device that an order says the job holds is a point
 * for that order; orders that agree need none. */
static void score_orders(struct gpu_jobs *jobs,
                         const struct gpu_numbering orders[GPU_ORDER_COUNT])
{
    const struct claim_book *book = &jobs->book;
    for (size_t i = 0; i < book->claim_count; i++) {
        const struct claim *claim = &book->claims[i];
        const struct claim_job *job = &book->jobs[claim->job];
        if (!(claim->flags & GPU_JOB_USES) || !job->environment.job_gpus[0])
            continue;
        for (int order = 0; order < GPU_ORDER_COUNT; order++) {
            struct job_gpu_list list = {.at = job->environment.job_gpus};
            uint32_t number;
            char word[GPU_TEXT_SIZE];
            while (job_gpu_list_next(&list, &number, word, sizeof(word)))
                if (!word[0] && number < orders[order].count &&
                    orders[order].devices[number] == claim->device)
                    jobs->order_scores[order]++;
        }
    }
}

/* ---- telling ---- */

static void describe_trouble(struct gpu_jobs *jobs)
{
    struct error *text = &jobs->trouble;
    text->text[0] = '\0';
    if (job_processes_denied(jobs->processes))
        error_set(text, EACCES,
                  "environments of jobs cannot be read (needs CAP_SYS_PTRACE "
                  "and CAP_DAC_READ_SEARCH, or root): GPUs that are held and "
                  "not used are known from prolog files only");
    else if (jobs->hidden_cycles >= HIDDEN_CYCLES && !jobs->sees_daemons)
        error_set(text, EACCES,
                  "no process on a GPU is in %s (needs the host's PID "
                  "namespace, and no hidepid): their jobs are not known",
                  jobs->settings->proc_root);
    else if (jobs->unreadable_files)
        error_set(text, EACCES,
                  "folders with files of prologs cannot be read: %s, %s",
                  jobs->settings->hook_dir ? jobs->settings->hook_dir : "-",
                  jobs->settings->mapping_dir ? jobs->settings->mapping_dir
                                              : "-");
}

const char *gpu_jobs_trouble(const struct gpu_jobs *jobs)
{
    return jobs->trouble.text;
}

enum field {
    FIELD_JOB,
    FIELD_USER,
    FIELD_ACCOUNT,
    FIELD_PARTITION,
    FIELD_NAME,
    FIELD_STEP,
    FIELD_COMMAND
};

/* Our prolog's word comes from slurmd; a task's environment does not bind. */
static const char *name_of_user(struct gpu_jobs *jobs,
                                const struct claim_job *job)
{
    if (job->hooked && job->environment.user[0])
        return job->environment.user;
    if (job->user_id != JOB_UID_UNKNOWN)
        return user_name(jobs->users, job->user_id);
    return "";
}

static void write_claim(struct gpu_jobs *jobs,
                        struct snapshot_builder *b,
                        const struct claim *claim,
                        struct gpu_job_record *record)
{
    const struct claim_job *job = &jobs->book.jobs[claim->job];
    const struct job_environment *e = &job->environment;
    char number[32] = "";
    if (job->id)
        job_number_format(e, job->id, number, sizeof(number));
    record->job = snapshot_builder_string(b, FIELD_JOB, number);
    record->user =
        snapshot_builder_string(b, FIELD_USER, name_of_user(jobs, job));
    record->account = snapshot_builder_string(b, FIELD_ACCOUNT, e->account);
    record->partition =
        snapshot_builder_string(b, FIELD_PARTITION, e->partition);
    record->name = snapshot_builder_string(b, FIELD_NAME, e->name);
    record->step = snapshot_builder_string(b, FIELD_STEP, claim->step);
    record->gpu = claim->device;
    record->job_id = job->id;
    record->user_id = job->user_id;
    record->flags = claim->flags;
    record->processes = claim->processes;
    record->memory_bytes =
        claim->memory_known ? claim->memory_bytes : UINT64_MAX;
    record->since_s = claim->oldest_s;
}

static bool write_process(struct gpu_jobs *jobs,
                          const struct gpu_scan *scan,
                          struct snapshot_builder *b,
                          const struct claim_process *process)
{
    const struct gpu_process_scan *seen = &scan->processes[process->scanned];
    struct gpu_process_record *record = snapshot_builder_add(b, 1, NULL);
    char command[32];
    if (!record)
        return false;
    job_processes_command(jobs->processes, seen->pid, command, sizeof(command));
    record->command = snapshot_builder_string(b, FIELD_COMMAND, command);
    if (process->user_id != JOB_UID_UNKNOWN)
        record->user = snapshot_builder_string(
            b, FIELD_USER, user_name(jobs->users, process->user_id));
    record->gpu = seen->device;
    record->job_record = process->claim;
    record->pid = seen->pid;
    record->user_id = process->user_id;
    record->memory_bytes = seen->memory_bytes;
    record->sm_percent = seen->sm_percent;
    record->graphics = seen->graphics;
    return true;
}

static bool write_usage(struct gpu_jobs *jobs,
                        struct snapshot_builder *b,
                        const struct job_usage_entry *entry)
{
    const struct claim_job *job = claim_job_find(&jobs->book, entry->job_id);
    struct host_job_record *record =
        job ? snapshot_builder_add(b, 2, NULL) : NULL;
    char number[32];
    if (!record)
        return !job;
    job_number_format(&job->environment, job->id, number, sizeof(number));
    record->job = snapshot_builder_string(b, FIELD_JOB, number);
    record->user =
        snapshot_builder_string(b, FIELD_USER, name_of_user(jobs, job));
    record->job_id = job->id;
    record->processes = entry->processes;
    record->cpu_ms = (uint64_t)(entry->cpu_seconds * 1000);
    record->memory_bytes = entry->memory_bytes;
    return true;
}

static int write_book(struct gpu_jobs *jobs,
                      const struct gpu_scan *scan,
                      struct snapshot_builder *b,
                      struct error *err)
{
    const struct claim_book *book = &jobs->book;
    void *start;
    int r = snapshot_builder_begin(b, SNAPSHOT_GPU_USE, book->claim_count,
                                   &start, err);
    if (r < 0)
        return r;
    struct gpu_job_record *records = start;
    for (size_t i = 0; i < book->claim_count; i++)
        write_claim(jobs, b, &book->claims[i], &records[i]);
    for (size_t i = 0; i < book->process_count; i++)
        if (!write_process(jobs, scan, b, &book->processes[i]))
            break; /* end() says so */
    size_t used;
    const struct job_usage_entry *usage = job_usage_all(jobs->usage, &used);
    for (size_t i = 0; i < used; i++)
        if (!write_usage(jobs, b, &usage[i]))
            break;
    return snapshot_builder_end(b, book->claim_count, err);
}

int gpu_jobs_write(struct gpu_jobs *jobs,
                   const struct gpu_scan *scan,
                   struct snapshot_builder *builder,
                   struct error *err)
{
    const struct gpu_collector_settings *s = jobs->settings;
    struct claim_book *book = &jobs->book;
    struct gpu_numbering orders[GPU_ORDER_COUNT];
    int r = job_processes_walk(jobs->processes, err);
    if (r < 0)
        return r;
    if (job_usage_update(jobs->usage, jobs->processes) < 0)
        return error_set(err, ENOMEM, "no memory for what jobs use");
    claim_book_clear(book);
    user_names_begin(jobs->users);
    for (int order = 0; order < GPU_ORDER_COUNT; order++)
        gpu_numbering_make(scan, (enum gpu_order)order, &orders[order]);
    const struct gpu_numbering *numbering =
        &orders[jobs->order_scores[GPU_ORDER_PCI] >
                jobs->order_scores[GPU_ORDER_MINOR]];
    bool readable =
        job_hold_hooks(s->hook_dir, &jobs->file, scan, numbering, book);
    read_daemons(jobs);
    hold_by_daemons(jobs, scan, numbering);
    readable &= job_hold_mapping(s->mapping_dir, &jobs->file, scan, book);
    readable &= job_hold_gpustat(s->gpustat_dir, &jobs->file, scan, book);
    jobs->unreadable_files = !readable;
    use_all(jobs, scan);
    score_orders(jobs, orders);
    claim_book_judge(book, scan, jobs->sees_daemons);
    describe_trouble(jobs);
    if (book->failed)
        return error_set(err, ENOMEM, "no memory for the jobs on the GPUs");
    return write_book(jobs, scan, builder, err);
}
