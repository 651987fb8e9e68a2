/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs as JSON: what the exporters of the nodes measure, beside what Slurm
 * says of them. A node whose exporter never answered has as many GPUs as Slurm
 * says, without readings.
 *
 * Readings are rounded to what a person reads: a GPU of which nothing visible
 * changed is not sent again.
 */
#include "model/state.h"
#include "view/records.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

static const char *node_text(const struct record_source *source,
                             snapshot_string string)
{
    return snapshot_text(source->snapshot, SNAPSHOT_NODES, string);
}

static bool same_letter(char a, char b)
{
    return (a | 0x20) == (b | 0x20);
}

/* "a100" is in "NVIDIA A100-SXM4-40GB". */
static bool contains(const char *text, const char *word)
{
    for (; *text; text++) {
        size_t i = 0;
        while (word[i] && text[i] && same_letter(text[i], word[i]))
            i++;
        if (!word[i])
            return true;
    }
    return false;
}

const char *record_gpu_type(const struct record_source *source,
                            const struct node_record *node,
                            const char *model)
{
    size_t count;
    const struct gres_record *gres =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 1, &count);
    const char *found = "";
    unsigned int types = 0;
    for (uint32_t i = 0; i < node->gres_count; i++) {
        const struct gres_record *one = &gres[node->gres_first + i];
        const char *type = node_text(source, one->type);
        if (strcmp(node_text(source, one->name), "gpu") != 0)
            continue;
        if (*type && contains(model, type))
            return type;
        types++;
        found = type;
    }
    return types == 1 ? found : "";
}

const char *record_gpu_trouble(const struct measured_gpu *gpu)
{
    static const char *const words[][2] = {
        {"lost", "is lost: the driver no longer lists it"},
        {"hung", "hangs: the driver does not return"},
        {"reset", "needs a reset"},
        {"failed", "does not answer"},
        {"released", "was let go of, for maintenance"},
    };
    if (!*gpu->state || strcmp(gpu->state, "up") == 0)
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], gpu->state) == 0)
            return words[i][1];
    return "is not up";
}

/* ---- what Slurm says of a whole node ------------------------------------- */

enum known_allocation {
    ALLOCATION_UNKNOWN,
    ALLOCATION_NONE,
    ALLOCATION_ALL
};

static enum known_allocation node_allocation(const struct record_source *source,
                                             const struct node_record *node,
                                             uint64_t *ret_total)
{
    size_t count;
    const struct gres_record *gres =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 1, &count);
    uint64_t total = 0, used = 0;
    for (uint32_t i = 0; i < node->gres_count; i++) {
        const struct gres_record *one = &gres[node->gres_first + i];
        if (strcmp(node_text(source, one->name), "gpu") != 0)
            continue;
        total += one->total;
        used += one->used;
    }
    *ret_total = total;
    if (used == 0)
        return ALLOCATION_NONE;
    return used >= total ? ALLOCATION_ALL : ALLOCATION_UNKNOWN;
}

/* Whether Slurm starts jobs on the node; a GPU is free of use without it. */
static void print_available(struct json *json, const struct node_record *node)
{
    const uint32_t away = NODE_FLAG(DRAIN) | NODE_FLAG(FAIL) |
                          NODE_FLAG(NOT_RESPONDING) | NODE_FLAG(INVALID_REG);
    json_bool(json, "available",
              node_state_base(node->state) != NODE_BASE_DOWN &&
                  !(node->state & away));
}

static void print_allocated(struct json *json, enum known_allocation known)
{
    if (known != ALLOCATION_UNKNOWN)
        json_bool(json, "allocated", known == ALLOCATION_ALL);
}

/* ---- one GPU ------------------------------------------------------------- */

static void print_readings(struct json *json, const struct measured_gpu *gpu)
{
    json_real(json, "utilization_percent", roundf(gpu->utilization_percent));
    json_real(json, "memory_used_mib", roundf(gpu->memory_used_mib));
    json_real(json, "memory_total_mib",
              roundf(gpu->memory_used_mib + gpu->memory_free_mib));
    json_real(json, "temperature_c", roundf(gpu->temperature_c));
    json_real(json, "power_watts", roundf(gpu->power_watts));
    json_real(json, "power_limit_watts", roundf(gpu->power_limit_watts));
    if (gpu->last_xid != MEASURED_NONE && gpu->last_xid != 0)
        json_u64(json, "last_xid", gpu->last_xid);
}

/* Of a job that is hidden it is said that there is one. */
static bool print_jobs(struct json *json,
                       const struct record_source *source,
                       const struct measured_node *node,
                       size_t gpu)
{
    bool held = false;
    json_begin_array(json, "jobs");
    for (size_t i = 0; i < node->job_count; i++) {
        const struct measured_job *job = &node->jobs[i];
        if (job->gpu != gpu)
            continue;
        held |= job->holds;
        json_begin_object(json, NULL);
        if (record_is_hidden(&source->audience, PRIVATE_JOBS, job->user)) {
            json_bool(json, "hidden", true);
        } else {
            json_text_known(json, "job", job->job);
            json_text_known(json, "user", job->user);
        }
        json_bool(json, "holds", job->holds);
        json_bool(json, "uses", job->uses);
        json_end_object(json);
    }
    json_end_array(json);
    return held;
}

static void print_state(struct json *json,
                        const struct fleet_node *node,
                        const struct measured_gpu *gpu)
{
    const char *trouble = record_gpu_trouble(gpu);
    if (node->answer == FLEET_SILENT) {
        json_text(json, "state", "silent");
        json_text_known(json, "trouble", node->trouble);
    } else {
        json_text(json, "state", *gpu->state ? gpu->state : "up");
        json_text_known(json, "trouble", trouble ? trouble : "");
    }
}

static void print_measured(struct json *json,
                           const struct record_source *source,
                           const struct fleet_node *node,
                           size_t at)
{
    const struct measured_gpu *gpu = &node->measured.gpus[at];
    const struct node_record *record =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 0, &(size_t){0});
    json_u64(json, "index", gpu->index);
    if (gpu->instance != MEASURED_NONE)
        json_u64(json, "instance", gpu->instance);
    json_text_known(json, "uuid", gpu->uuid);
    json_text_known(json, "model", gpu->model);
    json_text_known(json, "type",
                    record_gpu_type(source, &record[node->place], gpu->model));
    json_text_known(json, "profile", gpu->profile);
    print_state(json, node, gpu);
    if (gpu->flags & MEASURED_SIMULATED)
        json_bool(json, "simulated", true);
    if (!node->old)
        print_readings(json, gpu);
    bool held = print_jobs(json, source, &node->measured, at);
    uint64_t total;
    enum known_allocation known =
        node_allocation(source, &record[node->place], &total);
    if (gpu->flags & MEASURED_KNOWS_JOBS)
        known = held ? ALLOCATION_ALL : ALLOCATION_NONE;
    print_allocated(json, known);
    json_text(json, "use", gpu_use_names[fleet_gpu_use(node, at)]);
    print_available(json, &record[node->place]);
    if (gpu->flags & MEASURED_IDLE)
        json_time(json, "idle_since_s", gpu->idle_since_s);
}

static struct json *add_gpu(struct collection *collection,
                            const struct fleet_node *node,
                            const char *index)
{
    char id[320];
    snprintf(id, sizeof(id), "%s/%s", node->name, index);
    struct json *json = collection_add_named(collection, id);
    json_begin_object(json, NULL);
    json_text(json, "id", id);
    json_text(json, "node", node->name);
    return json;
}

static void add_measured(struct collection *collection,
                         const struct record_source *source,
                         const struct fleet_node *node)
{
    for (size_t i = 0; i < node->measured.gpu_count; i++) {
        const struct measured_gpu *gpu = &node->measured.gpus[i];
        char index[32];
        if (gpu->instance == MEASURED_NONE)
            snprintf(index, sizeof(index), "%u", gpu->index);
        else
            snprintf(index, sizeof(index), "%u.%u", gpu->index, gpu->instance);
        struct json *json = add_gpu(collection, node, index);
        print_measured(json, source, node, i);
        json_end_object(json);
    }
}

/* As many as Slurm says, of which nothing is measured. */
static void add_told(struct collection *collection,
                     const struct record_source *source,
                     const struct fleet_node *node)
{
    size_t count;
    const struct node_record *nodes =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 0, &count);
    const struct node_record *record = &nodes[node->place];
    uint64_t total;
    enum known_allocation known = node_allocation(source, record, &total);
    for (uint64_t i = 0; i < total && i < MEASURED_GPUS_MAX; i++) {
        char index[32];
        snprintf(index, sizeof(index), "%u", (unsigned int)i);
        struct json *json = add_gpu(collection, node, index);
        json_u64(json, "index", i);
        json_text_known(json, "type", record_gpu_type(source, record, ""));
        json_text(json, "state", "silent");
        json_text_known(json, "trouble", node->trouble);
        print_allocated(json, known);
        json_text(json, "use", gpu_use_names[GPU_USE_UNKNOWN]);
        print_available(json, record);
        json_end_object(json);
    }
}

void records_add_gpus(struct collection *collection,
                      const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_NODES) || !source->fleet ||
        record_is_hidden(&source->audience, PRIVATE_NODES, NULL))
        return;
    for (size_t i = 0; i < source->fleet->count; i++) {
        const struct fleet_node *node = source->fleet->nodes[i];
        if (!node->known)
            continue;
        if (node->measured.gpu_count)
            add_measured(collection, source, node);
        else
            add_told(collection, source, node);
    }
}

struct record_gpu_uses record_count_uses(const struct record_source *source,
                                         const char *type)
{
    struct record_gpu_uses uses = {.measured = 0};
    size_t count;
    if (!source->fleet || !record_source_has(source, SNAPSHOT_NODES))
        return uses;
    const struct node_record *nodes =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 0, &count);
    for (size_t n = 0; n < source->fleet->count; n++) {
        const struct fleet_node *node = source->fleet->nodes[n];
        if (!node->known || node->old)
            continue;
        for (size_t i = 0; i < node->measured.gpu_count; i++) {
            const struct measured_gpu *gpu = &node->measured.gpus[i];
            if (strcmp(record_gpu_type(source, &nodes[node->place], gpu->model),
                       type) != 0)
                continue;
            uses.by_use[fleet_gpu_use(node, i)]++;
            uses.measured++;
        }
    }
    return uses;
}
