/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the overview shows of all GPUs together: power, problems, and the jobs
 * that hold GPUs and do not use them.
 */
#include "view/records.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WASTERS_MAX = 20
};

/* ---- problems ------------------------------------------------------------ */

static void print_problem(struct json *json,
                          const char *severity,
                          const struct fleet_node *node,
                          const struct measured_gpu *gpu,
                          const char *text)
{
    json_begin_object(json, NULL);
    json_text(json, "severity", severity);
    json_text(json, "kind", "gpu");
    json_text(json, "node", node->name);
    if (gpu) {
        char id[320];
        snprintf(id, sizeof(id), "%s/%u", node->name, gpu->index);
        json_text(json, "gpu", id);
    }
    json_text(json, "text", text);
    json_end_object(json);
}

static bool print_silent(struct json *json, const struct fleet_node *node)
{
    char text[512];
    if (node->answer != FLEET_SILENT)
        return false;
    snprintf(text, sizeof(text), "The GPU exporter of %s does not answer: %s",
             node->name, node->trouble);
    print_problem(json, "warning", node, NULL, text);
    return true;
}

static bool
print_gpu_problem(struct json *json, const struct fleet_node *node, size_t at)
{
    const struct measured_gpu *gpu = &node->measured.gpus[at];
    const char *trouble = record_gpu_trouble(gpu);
    char text[512];
    if (trouble) {
        snprintf(text, sizeof(text), "GPU %u of %s %s", gpu->index, node->name,
                 trouble);
        print_problem(json, "critical", node, gpu, text);
        return true;
    }
    if (fleet_gpu_use(node, at) == GPU_USE_FOREIGN) {
        snprintf(text, sizeof(text),
                 "GPU %u of %s is used by a process that Slurm did not give it "
                 "to",
                 gpu->index, node->name);
        print_problem(json, "warning", node, gpu, text);
        return true;
    }
    return false;
}

void record_print_gpu_problems(struct json *json,
                               const struct record_source *source,
                               size_t most)
{
    const struct fleet *fleet = source->fleet;
    for (size_t n = 0; fleet && n < fleet->count && most; n++) {
        const struct fleet_node *node = fleet->nodes[n];
        if (!node->known)
            continue;
        most -= print_silent(json, node);
        for (size_t i = 0; i < node->measured.gpu_count && most && !node->old;
             i++)
            most -= print_gpu_problem(json, node, i);
    }
}

/* ---- power and waste ----------------------------------------------------- */

static void print_power(struct json *json, const struct fleet *fleet)
{
    double power_watts = 0;
    bool known = false, simulated = false;
    uint64_t asked = 0, answering = 0;
    for (size_t n = 0; n < fleet->count; n++) {
        const struct fleet_node *node = fleet->nodes[n];
        if (!node->known || !node->has_gpus)
            continue;
        asked++;
        answering += node->answer == FLEET_UP;
        for (size_t i = 0; i < node->measured.gpu_count; i++) {
            const struct measured_gpu *gpu = &node->measured.gpus[i];
            simulated |= gpu->flags & MEASURED_SIMULATED;
            if (node->old || isnan(gpu->power_watts))
                continue;
            known = true;
            power_watts += gpu->power_watts;
        }
    }
    json_bool(json, "simulated", simulated);
    json_begin_object(json, "exporters");
    json_u64(json, "total", asked);
    json_u64(json, "up", answering);
    json_end_object(json);
    if (known)
        json_real(json, "power_watts", round(power_watts));
}

static int compare_waste(const void *a, const void *b)
{
    const struct fleet_job *x = *(const struct fleet_job *const *)a;
    const struct fleet_job *y = *(const struct fleet_job *const *)b;
    if (x->gpus_idle != y->gpus_idle)
        return x->gpus_idle > y->gpus_idle ? -1 : 1;
    return strcmp(x->job, y->job);
}

static void print_wasters(struct json *json,
                          const struct fleet_jobs *jobs,
                          const struct record_audience *audience)
{
    size_t count = 0;
    const struct fleet_job **idle = calloc(jobs->count + 1, sizeof(*idle));
    for (size_t i = 0; idle && i < jobs->count; i++)
        if (jobs->jobs[i].gpus_idle &&
            !record_is_hidden(audience, PRIVATE_JOBS, jobs->jobs[i].user))
            idle[count++] = &jobs->jobs[i];
    if (count)
        qsort(idle, count, sizeof(*idle), compare_waste);
    json_begin_array(json, "wasted");
    for (size_t i = 0; i < count && i < WASTERS_MAX; i++) {
        json_begin_object(json, NULL);
        json_text(json, "job", idle[i]->job);
        json_text_known(json, "user", idle[i]->user);
        json_u64(json, "gpus", idle[i]->gpus);
        json_u64(json, "gpus_idle", idle[i]->gpus_idle);
        json_time(json, "idle_since_s", idle[i]->idle_since_s);
        json_end_object(json);
    }
    json_end_array(json);
    free(idle);
}

void record_print_fleet(struct json *json, const struct record_source *source)
{
    if (!source->fleet || !source->fleet_jobs)
        return;
    print_power(json, source->fleet);
    print_wasters(json, source->fleet_jobs, &source->audience);
}
