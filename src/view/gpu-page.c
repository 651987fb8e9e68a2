/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/gpu-page.h"

#include "base/cleanup.h"
#include "view/gpu-page-private.h"

#include <string.h>

const char *const gpu_state_names[GPU_STATE_COUNT] = {
    [GPU_STATE_UP] = "up",         [GPU_STATE_LOST] = "lost",
    [GPU_STATE_HUNG] = "hung",     [GPU_STATE_RESET] = "reset_required",
    [GPU_STATE_FAILED] = "failed", [GPU_STATE_RELEASED] = "released",
};

/* ---- labels -------------------------------------------------------------- */

const char *gpu_page_text(const struct gpu_page *page, snapshot_string string)
{
    return snapshot_text(page->snapshot, SNAPSHOT_GPUS, string);
}

void gpu_page_label(struct text *out, const char *name, const char *value)
{
    if (out->size > 0)
        text_add_char(out, ',');
    text_add(out, name);
    text_add_bytes(out, "=\"", 2);
    prometheus_add_label_value(out, value);
    text_add_char(out, '"');
}

/* What stands in front on each series of the GPU. */
static void add_identity(const struct gpu_page *page,
                         const struct gpu_record *gpu,
                         struct text *out)
{
    const struct gpu_record *card =
        gpu->parent == GPU_NONE ? gpu : &page->gpus[gpu->parent];
    const bool nvidia = gpu->vendor == GPU_VENDOR_NVIDIA;
    char text[96];
    snprintf(text, sizeof(text), "%u", card->index);
    gpu_page_label(out, "gpu", text);
    gpu_page_label(out, page->settings->old_namespace ? "uuid" : "UUID",
                   gpu_page_text(page, card->uuid));
    gpu_page_label(out, "pci_bus_id", gpu_page_text(page, card->pci_bus_id));
    snprintf(text, sizeof(text), "%s%u", nvidia ? "nvidia" : "amdgpu",
             card->index);
    gpu_page_label(out, "device", text);
    snprintf(text, sizeof(text), "%s", gpu_page_text(page, card->model));
    for (char *p = text; page->settings->replace_blanks && *p; p++)
        if (*p == ' ')
            *p = '-';
    gpu_page_label(out, "modelName", text);
}

static void add_instance(const struct gpu_page *page,
                         const struct gpu_record *gpu,
                         struct text *out)
{
    char id[16];
    if (gpu->parent == GPU_NONE)
        return;
    snprintf(id, sizeof(id), "%u", gpu->gpu_instance);
    gpu_page_label(out, "GPU_I_PROFILE", gpu_page_text(page, gpu->profile));
    gpu_page_label(out, "GPU_I_ID", id);
}

static const char *text_of_label(const struct gpu_page *page,
                                 const struct gpu_record *gpu,
                                 enum gpu_metric_text what)
{
    switch (what) {
    case GPU_TEXT_DRIVER_VERSION:
        return gpu_page_text(page, gpu->vendor == GPU_VENDOR_AMD
                                       ? page->machine->amd_driver_version
                                       : page->machine->driver_version);
    case GPU_TEXT_NVML_VERSION:
        return gpu_page_text(page, page->machine->nvml_version);
    case GPU_TEXT_CUDA_VERSION:
        return gpu_page_text(page, page->machine->cuda_version);
    case GPU_TEXT_BRAND:
        return gpu_page_text(page, gpu->brand);
    case GPU_TEXT_SERIAL:
        return gpu_page_text(page, gpu->serial);
    case GPU_TEXT_VBIOS:
        return gpu_page_text(page, gpu->vbios_version);
    case GPU_TEXT_INFOROM_IMAGE:
        return gpu_page_text(page, gpu->inforom_image);
    case GPU_TEXT_INFOROM_OEM:
        return gpu_page_text(page, gpu->inforom_oem);
    case GPU_TEXT_INFOROM_ECC:
        return gpu_page_text(page, gpu->inforom_ecc);
    case GPU_TEXT_INFOROM_POWER:
        return gpu_page_text(page, gpu->inforom_power);
    case GPU_TEXT_COUNT:
        break;
    }
    return "";
}

/* The labels that the collectors name, in the order of their names. */
static void add_chosen(const struct gpu_page *page,
                       const struct gpu_record *gpu,
                       struct text *out)
{
    const struct gpu_metrics *metrics = page->settings->metrics;
    const char *last = "";
    for (;;) {
        const struct gpu_metric *next = NULL;
        for (size_t i = 0; i < metrics->count; i++) {
            const struct gpu_metric *m = &metrics->metrics[i];
            if (m->type == GPU_TYPE_LABEL && strcmp(m->name, last) > 0 &&
                (!next || strcmp(m->name, next->name) < 0))
                next = m;
        }
        if (!next)
            return;
        last = next->name;
        const char *value = text_of_label(page, gpu, next->text);
        if (*value)
            gpu_page_label(out, next->name, value);
    }
}

static void make_labels(struct gpu_page *page)
{
    const struct gpu_page_settings *settings = page->settings;
    for (size_t i = 0; i < page->gpu_count; i++) {
        struct text *out = &page->labels[i];
        add_identity(page, &page->gpus[i], out);
        add_instance(page, &page->gpus[i], out);
        if (settings->hostname)
            gpu_page_label(out,
                           settings->hostname_lower ? "hostname" : "Hostname",
                           settings->hostname);
        page->plain_sizes[i] = out->size;
        add_chosen(page, &page->gpus[i], out);
    }
}

/* ---- lines --------------------------------------------------------------- */

void gpu_page_announce(struct gpu_page *page,
                       const char *name,
                       const char *help,
                       const char *type)
{
    size_t size = strlen(name);
    const size_t suffix = strlen("_total");
    page->name = name;
    page->begun = false;
    page->help = help;
    page->type = type;
    /* OpenMetrics announces a counter without its _total, and knows no counter
     * that lacks it. */
    page->announced_size = size;
    if (page->format != PROMETHEUS_OPENMETRICS || strcmp(type, "counter") != 0)
        return;
    if (size > suffix && strcmp(name + size - suffix, "_total") == 0)
        page->announced_size = size - suffix;
    else
        page->type = "unknown";
}

/* HELP and TYPE stand only where a line follows. */
static void begin_line(struct gpu_page *page)
{
    struct text *out = page->out;
    if (!page->begun) {
        page->begun = true;
        text_add(out, "# HELP ");
        text_add_bytes(out, page->name, page->announced_size);
        text_add_char(out, ' ');
        text_add(out, page->help);
        text_add(out, "\n# TYPE ");
        text_add_bytes(out, page->name, page->announced_size);
        text_add_char(out, ' ');
        text_add(out, page->type);
        text_add_char(out, '\n');
    }
    text_add(out, page->name);
}

void gpu_page_line(struct gpu_page *page,
                   const char *labels,
                   size_t size,
                   const char *more,
                   const char *value)
{
    struct text *out = page->out;
    begin_line(page);
    if (size > 0 || *more) {
        text_add_char(out, '{');
        text_add_bytes(out, labels, size);
        if (size > 0 && *more)
            text_add_char(out, ',');
        text_add(out, more);
        text_add_char(out, '}');
    }
    text_add_char(out, ' ');
    text_add(out, value);
    text_add_char(out, '\n');
}

void gpu_page_number(struct gpu_page *page,
                     const char *labels,
                     size_t size,
                     const char *more,
                     uint64_t number)
{
    char value[24];
    snprintf(value, sizeof(value), "%llu", (unsigned long long)number);
    gpu_page_line(page, labels, size, more, value);
}

/* ---- readings ------------------------------------------------------------ */

/* One line, or one for each job when jobs are to be labels. */
static void print_value(struct gpu_page *page, size_t gpu, const char *value)
{
    const char *labels = text_str(&page->labels[gpu]);
    size_t size = page->labels[gpu].size;
    bool printed = false;
    for (size_t i = 0; page->settings->hpc_job && i < page->job_count; i++) {
        const struct gpu_job_record *job = &page->jobs[i];
        if (job->gpu != gpu || job->job_id == 0 || job->flags & GPU_JOB_STALE)
            continue;
        struct text more = TEXT_INIT;
        gpu_page_label(
            &more, "hpc_job",
            snapshot_text(page->snapshot, SNAPSHOT_GPU_USE, job->job));
        const char *label = text_str(&more);
        gpu_page_line(page, labels ? labels : "", size, label ? label : "",
                      value);
        text_deinit(&more);
        printed = true;
    }
    if (!printed)
        gpu_page_line(page, labels ? labels : "", size, "", value);
}

static void print_reading(struct gpu_page *page, enum gpu_reading what)
{
    char value[64];
    for (size_t i = 0; i < page->gpu_count; i++) {
        const struct gpu_record *gpu = &page->gpus[i];
        if (!gpu_page_shows(page, gpu) || gpu->state != GPU_STATE_UP ||
            !gpu_has(gpu, what))
            continue;
        if (gpu_readings[what].kind == GPU_REAL)
            snprintf(value, sizeof(value), "%f", gpu->values[what].real);
        else
            snprintf(value, sizeof(value), "%llu",
                     (unsigned long long)gpu->values[what].integer);
        print_value(page, i, value);
    }
}

bool gpu_page_shows(const struct gpu_page *page, const struct gpu_record *gpu)
{
    if (gpu->parent != GPU_NONE)
        return page->settings->instances;
    return gpu->index < 64 ? page->settings->gpus >> gpu->index & 1
                           : page->settings->gpus == UINT64_MAX;
}

static void print_metric(struct gpu_page *page, const struct gpu_metric *metric)
{
    if (metric->type == GPU_TYPE_LABEL)
        return;
    gpu_page_announce(page, metric->name, metric->help,
                      gpu_type_names[metric->type]);
    if (metric->source == GPU_METRIC_READING)
        print_reading(page, metric->reading);
    else
        gpu_page_print_computed(page, metric->source);
}

/* ---- the whole ----------------------------------------------------------- */

void gpu_page_print(struct text *out,
                    const struct snapshot *snapshot,
                    const struct gpu_page_settings *settings,
                    enum prometheus_format format,
                    int64_t now_ns)
{
    static const struct gpu_machine_record no_machine;
    struct gpu_page page = {.out = out,
                            .snapshot = snapshot,
                            .settings = settings,
                            .format = format,
                            .now_ns = now_ns};
    size_t machines;
    page.gpus = snapshot_array(snapshot, SNAPSHOT_GPUS, 0, &page.gpu_count);
    page.xids = snapshot_array(snapshot, SNAPSHOT_GPUS, 1, &page.xid_count);
    page.events = snapshot_array(snapshot, SNAPSHOT_GPUS, 2, &page.event_count);
    page.machine = snapshot_array(snapshot, SNAPSHOT_GPUS, 3, &machines);
    page.jobs = snapshot_array(snapshot, SNAPSHOT_GPU_USE, 0, &page.job_count);
    page.processes =
        snapshot_array(snapshot, SNAPSHOT_GPU_USE, 1, &page.process_count);
    page.host_jobs =
        snapshot_array(snapshot, SNAPSHOT_GPU_USE, 2, &page.host_job_count);
    if (machines == 0)
        page.machine = &no_machine;
    page.labels = calloc(page.gpu_count + 1, sizeof(*page.labels));
    page.plain_sizes = calloc(page.gpu_count + 1, sizeof(*page.plain_sizes));
    if (!page.labels || !page.plain_sizes) {
        out->failed = true;
    } else {
        make_labels(&page);
        for (size_t i = 0; !settings->overall && i < settings->metrics->count;
             i++)
            print_metric(&page, &settings->metrics->metrics[i]);
        gpu_page_print_own(&page);
    }
    for (size_t i = 0; page.labels && i < page.gpu_count; i++)
        text_deinit(&page.labels[i]);
    free(page.labels);
    free(page.plain_sizes);
}
