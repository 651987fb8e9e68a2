/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dcgm-exporter does not tell: which GPUs there should be and are, what
 * has happened to them, which jobs hold and use them, and where the two
 * disagree. Their identity is printed without the labels that collectors
 * choose.
 */
#include "view/gpu-page-private.h"

#include "base/cleanup.h"

#include <string.h>

/* The labels of identity and host of a GPU. */
static const char *
plain(const struct gpu_page *page, size_t gpu, size_t *ret_size)
{
    const char *labels = text_str(&page->labels[gpu]);
    *ret_size = labels ? page->plain_sizes[gpu] : 0;
    return labels ? labels : "";
}

static void print_of_gpu(struct gpu_page *page,
                         size_t gpu,
                         const char *more,
                         uint64_t number)
{
    size_t size;
    const char *labels = plain(page, gpu, &size);
    gpu_page_number(page, labels, size, more, number);
}

/* ---- GPUs ---------------------------------------------------------------- */

static void print_states(struct gpu_page *page)
{
    gpu_page_announce(page, "gpu_up",
                      "1 when the GPU answers; the label tells what it is "
                      "otherwise.",
                      "gauge");
    for (size_t i = 0; i < page->gpu_count; i++) {
        const struct gpu_record *gpu = &page->gpus[i];
        char more[64];
        if (gpu->parent != GPU_NONE)
            continue;
        const char *overall = page->settings->overall;
        snprintf(more, sizeof(more), "state=\"%s\"",
                 overall ? overall : gpu_state_names[gpu->state]);
        print_of_gpu(page, i, more, !overall && gpu->state == GPU_STATE_UP);
    }
}

static void print_lost(struct gpu_page *page)
{
    gpu_page_announce(page, "gpu_lost",
                      "1 for a GPU that was seen here and that the driver no "
                      "longer lists or calls lost.",
                      "gauge");
    for (size_t i = 0; i < page->gpu_count; i++)
        if (page->gpus[i].state == GPU_STATE_LOST)
            print_of_gpu(page, i, "", 1);
}

static void print_counts(struct gpu_page *page)
{
    gpu_page_announce(page, "gpu_expected",
                      "GPUs that were ever seen on this machine.", "gauge");
    gpu_page_number(page, "", 0, "", page->machine->expected);
    gpu_page_announce(page, "gpu_visible",
                      "GPUs that the driver lists at the moment.", "gauge");
    gpu_page_number(page, "", 0, "", page->machine->visible);
    gpu_page_announce(page, "gpu_driver_up",
                      "1 when a GPU driver answers; 0 while it is released or "
                      "there is none.",
                      "gauge");
    gpu_page_number(page, "", 0, "",
                    page->machine->trouble == 0 && !page->settings->overall);
}

static void print_xids(struct gpu_page *page)
{
    gpu_page_announce(page, "gpu_xid_errors_total",
                      "Errors that the driver reported, by their number; of "
                      "its events and the kernel log, each counted once.",
                      "counter");
    for (size_t i = 0; i < page->xid_count; i++) {
        const struct xid_record *xid = &page->xids[i];
        struct text more = TEXT_INIT;
        char code[16];
        snprintf(code, sizeof(code), "%u", xid->code);
        gpu_page_label(&more, "xid", code);
        gpu_page_label(&more, "meaning", gpu_page_text(page, xid->text));
        const char *text = text_str(&more);
        print_of_gpu(page, xid->gpu, text ? text : "", xid->count);
        text_deinit(&more);
    }
    gpu_page_announce(page, "gpu_xid_last_timestamp_seconds",
                      "When the driver last reported the error.", "gauge");
    for (size_t i = 0; i < page->xid_count; i++) {
        char more[32];
        snprintf(more, sizeof(more), "xid=\"%u\"", page->xids[i].code);
        print_of_gpu(page, page->xids[i].gpu, more,
                     (uint64_t)page->xids[i].last_s);
    }
}

/* ---- jobs ---------------------------------------------------------------- */

static const char *job_text(const struct gpu_page *page, snapshot_string string)
{
    return snapshot_text(page->snapshot, SNAPSHOT_GPU_USE, string);
}

/* "gpu", "UUID" and the instance, then the job's. */
static void add_job_labels(const struct gpu_page *page,
                           const struct gpu_job_record *job,
                           bool whole,
                           struct text *out)
{
    const struct gpu_record *gpu = &page->gpus[job->gpu];
    const struct gpu_record *card =
        gpu->parent == GPU_NONE ? gpu : &page->gpus[gpu->parent];
    char number[16];
    snprintf(number, sizeof(number), "%u", card->index);
    gpu_page_label(out, "gpu", number);
    gpu_page_label(out, "UUID", gpu_page_text(page, gpu->uuid));
    if (gpu->parent != GPU_NONE) {
        snprintf(number, sizeof(number), "%u", gpu->gpu_instance);
        gpu_page_label(out, "GPU_I_ID", number);
    }
    gpu_page_label(out, "job_id", job->job_id ? job_text(page, job->job) : "");
    if (!whole)
        return;
    gpu_page_label(out, "user", job_text(page, job->user));
    gpu_page_label(out, "account", job_text(page, job->account));
    gpu_page_label(out, "partition", job_text(page, job->partition));
    gpu_page_label(out, "job_name", job_text(page, job->name));
}

typedef bool (*job_choice)(const struct gpu_job_record *job,
                           uint64_t *ret_value);

static bool choose_info(const struct gpu_job_record *job, uint64_t *ret_value)
{
    *ret_value = 1;
    return job->job_id != 0 && !(job->flags & GPU_JOB_STALE);
}

static bool choose_holds(const struct gpu_job_record *job, uint64_t *ret_value)
{
    *ret_value = (job->flags & GPU_JOB_HOLDS) != 0;
    return job->job_id != 0 && !(job->flags & GPU_JOB_STALE);
}

static bool choose_processes(const struct gpu_job_record *job,
                             uint64_t *ret_value)
{
    *ret_value = job->processes;
    return !(job->flags & GPU_JOB_STALE);
}

static bool choose_memory(const struct gpu_job_record *job, uint64_t *ret_value)
{
    *ret_value = job->memory_bytes;
    return !(job->flags & GPU_JOB_STALE) && job->memory_bytes != UINT64_MAX;
}

static bool choose_idle(const struct gpu_job_record *job, uint64_t *ret_value)
{
    *ret_value = 1;
    return job->flags & GPU_JOB_IDLE;
}

static bool choose_foreign(const struct gpu_job_record *job,
                           uint64_t *ret_value)
{
    *ret_value = 1;
    return job->flags & GPU_JOB_FOREIGN;
}

static bool choose_stale(const struct gpu_job_record *job, uint64_t *ret_value)
{
    *ret_value = 1;
    return job->flags & GPU_JOB_STALE;
}

static const struct job_metric {
    const char *name, *help;
    job_choice choose;
    bool whole; /* all labels of the job */
} job_metrics[] = {
    {"slurm_gpu_job_info",
     "1 for each job on each GPU, with the job's names: to be joined with "
     "other "
     "metrics on gpu and UUID.",
     choose_info, true},
    {"slurm_gpu_job_allocated",
     "1 when the GPU is allocated to the job, 0 when the job only uses it.",
     choose_holds, false},
    {"slurm_gpu_job_processes",
     "Processes of the job on the GPU; without a job_id those of no job.",
     choose_processes, false},
    {"slurm_gpu_job_memory_bytes", "Memory of the GPU that they use.",
     choose_memory, false},
    {"slurm_gpu_held_idle",
     "1 for an allocated GPU on which its job has no process.", choose_idle,
     false},
    {"slurm_gpu_foreign_job",
     "1 for a job, or processes of none, on a GPU that another job holds.",
     choose_foreign, false},
    {"slurm_gpu_stale_job_file",
     "1 for a job that a file of a prolog names and that does not run here.",
     choose_stale, false},
};

static void print_jobs(struct gpu_page *page)
{
    for (size_t m = 0; m < array_size(job_metrics); m++) {
        const struct job_metric *metric = &job_metrics[m];
        gpu_page_announce(page, metric->name, metric->help, "gauge");
        for (size_t i = 0; i < page->job_count; i++) {
            uint64_t value;
            if (!gpu_page_shows(page, &page->gpus[page->jobs[i].gpu]) ||
                !metric->choose(&page->jobs[i], &value))
                continue;
            struct text labels = TEXT_INIT;
            add_job_labels(page, &page->jobs[i], metric->whole, &labels);
            const char *text = text_str(&labels);
            gpu_page_number(page, text ? text : "", text ? labels.size : 0, "",
                            value);
            text_deinit(&labels);
        }
    }
}

static void print_of_job(struct gpu_page *page,
                         const struct host_job_record *job,
                         const char *value)
{
    struct text labels = TEXT_INIT;
    gpu_page_label(&labels, "job_id", job_text(page, job->job));
    gpu_page_label(&labels, "user", job_text(page, job->user));
    const char *text = text_str(&labels);
    if (text)
        gpu_page_line(page, text, labels.size, "", value);
    text_deinit(&labels);
}

static void print_host_jobs(struct gpu_page *page)
{
    char value[32];
    gpu_page_announce(page, "slurm_node_job_cpu_seconds_total",
                      "Processor time of a job's processes on this node, since "
                      "they were first seen.",
                      "counter");
    for (size_t i = 0; i < page->host_job_count; i++) {
        uint64_t ms = page->host_jobs[i].cpu_ms;
        snprintf(value, sizeof(value), "%llu.%03llu",
                 (unsigned long long)ms / 1000, (unsigned long long)ms % 1000);
        print_of_job(page, &page->host_jobs[i], value);
    }
    gpu_page_announce(page, "slurm_node_job_memory_bytes",
                      "Resident memory of a job's processes on this node; what "
                      "they share counts for each.",
                      "gauge");
    for (size_t i = 0; i < page->host_job_count; i++) {
        snprintf(value, sizeof(value), "%llu",
                 (unsigned long long)page->host_jobs[i].memory_bytes);
        print_of_job(page, &page->host_jobs[i], value);
    }
}

static void print_processes(struct gpu_page *page)
{
    size_t shown = 0;
    gpu_page_announce(page, "gpu_process_memory_bytes",
                      "Memory of the GPU that a process uses.", "gauge");
    for (size_t i = 0;
         i < page->process_count && shown < page->settings->processes_max;
         i++) {
        const struct gpu_process_record *process = &page->processes[i];
        char pid[16];
        if (process->memory_bytes == UINT64_MAX)
            continue;
        struct text more = TEXT_INIT;
        snprintf(pid, sizeof(pid), "%u", process->pid);
        gpu_page_label(&more, "pid", pid);
        gpu_page_label(&more, "command", job_text(page, process->command));
        gpu_page_label(&more, "user", job_text(page, process->user));
        gpu_page_label(
            &more, "job_id",
            process->job_record == GPU_NONE
                ? ""
                : job_text(page, page->jobs[process->job_record].job));
        const char *text = text_str(&more);
        print_of_gpu(page, process->gpu, text ? text : "",
                     process->memory_bytes);
        text_deinit(&more);
        shown++;
    }
}

void gpu_page_print_own(struct gpu_page *page)
{
    print_counts(page);
    print_states(page);
    if (page->settings->overall)
        return;
    print_lost(page);
    print_xids(page);
    print_jobs(page);
    print_host_jobs(page);
    if (page->settings->processes)
        print_processes(page);
}
