/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of everything as JSON: what `status` shows and `status --json`
 * prints. Names of fields are a promise to scripts.
 */
#include "watchdog/head.h"

#include "base/clock.h"
#include "model/state.h"
#include "watchdog/services-status.h"
#include "watchdog/version.h"

#include <stdio.h>
#include <string.h>

#define JUST_JOINED_NS (10 * NS_PER_S)

static const char *text_of(const struct head *head, snapshot_string string)
{
    return snapshot_text(&head->snapshot->snapshot, SNAPSHOT_NODES, string);
}

static json_t *gres_write(const struct head *head,
                          const struct node_record *node)
{
    size_t count;
    const struct gres_record *gres =
        snapshot_array(&head->snapshot->snapshot, SNAPSHOT_NODES, 1, &count);
    json_t *gpus = json_array();
    for (uint32_t i = 0; i < node->gres_count; i++) {
        const struct gres_record *g = &gres[node->gres_first + i];
        if (strcmp(text_of(head, g->name), "gpu") == 0)
            json_array_append_new(gpus,
                                  json_pack("{s:s, s:I, s:I}", "type",
                                            text_of(head, g->type), "total",
                                            (json_int_t)g->total, "allocated",
                                            (json_int_t)g->used));
    }
    return gpus;
}

/* What Slurm says of one node. */
static json_t *node_write(const struct head *head,
                          const struct node_record *node)
{
    char state[NODE_STATE_TEXT_SIZE];
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "name",
        text_of(head, node->name), "address", text_of(head, node->address),
        "slurm_state", node_state_text(node->state, state), "reason",
        text_of(head, node->state_reason), "cpus", (json_int_t)node->cpus,
        "cpus_allocated", (json_int_t)node->cpus_allocated, "memory_mb",
        (json_int_t)node->memory_mib, "memory_allocated_mb",
        (json_int_t)node->memory_allocated_mib, "gpus", gres_write(head, node));
    return object;
}

/* A member that Slurm does not have at the moment. */
static json_t *missing_write(const struct member *member)
{
    /* slurmctld is asked every few seconds only. */
    bool just_joined =
        member->connection &&
        clock_monotonic_ns() - member->touched_ns < JUST_JOINED_NS;
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:[]}", "name",
                     member->name, "address", member->address, "slurm_state",
                     just_joined ? "joining" : "missing", "reason",
                     just_joined ? "" : "not in Slurm", "cpus", 0,
                     "cpus_allocated", 0, "memory_mb", 0, "memory_allocated_mb",
                     0, "gpus");
}

static bool is_simulated(const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->gpus.count; i++)
        if (inventory->gpus.devices[i].simulated)
            return true;
    return false;
}

/* What we know beside it. */
static void member_add(json_t *object, const struct member *member)
{
    const json_t *services = head_member_services(member);
    json_object_set_new(object, "member",
                        json_string(member_state_words[member->state]));
    json_object_set_new(object, "host", json_string(member->host));
    json_object_set_new(object, "seen_s", json_integer(member->seen_s));
    json_object_set_new(object, "simulated",
                        json_boolean(is_simulated(&member->inventory)));
    if (services)
        json_object_set(object, "services", (json_t *)(uintptr_t)services);
}

static json_t *nodes_write(const struct head *head)
{
    json_t *array = json_array();
    size_t count = 0;
    const struct node_record *nodes = NULL;
    if (head->snapshot)
        nodes = snapshot_array(&head->snapshot->snapshot, SNAPSHOT_NODES, 0,
                               &count);
    for (size_t i = 0; i < count; i++) {
        json_t *object = node_write(head, &nodes[i]);
        const char *name = text_of(head, nodes[i].name);
        const struct member *member = roster_find(&head->roster, name);
        if (member)
            member_add(object, member);
        else
            json_object_set_new(
                object, "member",
                json_string(strcmp(name, head->node) == 0 ? "head" : "other"));
        json_array_append_new(array, object);
    }
    for (size_t i = 0; i < head->roster.count; i++) {
        const struct member *member = head->roster.members[i];
        if (head_node_find(head, member->name))
            continue;
        json_t *object = missing_write(member);
        member_add(object, member);
        json_array_append_new(array, object);
    }
    return array;
}

/* null as long as Slurm has not told. */
static json_t *queue_write(const struct head *head)
{
    size_t count = 0;
    if (!head->snapshot ||
        !snapshot_has(&head->snapshot->snapshot, SNAPSHOT_JOBS))
        return json_null();
    const struct job_record *jobs =
        snapshot_array(&head->snapshot->snapshot, SNAPSHOT_JOBS, 0, &count);
    json_int_t running = 0, pending = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t base = jobs[i].state & JOB_BASE_MASK;
        running += base == JOB_BASE_RUNNING;
        pending +=
            base == JOB_BASE_PENDING ? (json_int_t)jobs[i].task_count : 0;
    }
    return json_pack("{s:I, s:I}", "running", running, "pending", pending);
}

static json_t *refusals_write(const struct head *head)
{
    json_t *array = json_array();
    uint64_t first = head->refusal_count > HEAD_REFUSALS_MAX
                         ? head->refusal_count - HEAD_REFUSALS_MAX
                         : 0;
    for (uint64_t i = first; i < head->refusal_count; i++) {
        const struct refusal *r = &head->refusals[i % HEAD_REFUSALS_MAX];
        json_array_append_new(array,
                              json_pack("{s:I, s:s, s:s, s:s}", "time_s",
                                        (json_int_t)r->time_s, "from", r->from,
                                        "host", r->host, "reason", r->reason));
    }
    return array;
}

json_t *head_status(const struct head *head)
{
    char metrics[128];
    struct text slurm = TEXT_INIT;
    slurm_version_format(head->slurm, &slurm);
    snprintf(metrics, sizeof(metrics), "http://%s:9341/metrics", head->address);
    json_t *status = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:o, s:o, "
        "s:o, s:o, s:o}",
        "role", "head", "cluster", head->cluster, "host", head->host, "address",
        head->address, "node", head->node, "version", PROJECT_VERSION, "slurm",
        text_str(&slurm), "started_s", (json_int_t)head->started_s,
        "state_directory", head->state, "shared_home", head->settings->home,
        "metrics_url", metrics, "services", services_status(head->supervisor),
        "nodes", nodes_write(head), "queue", queue_write(head), "waiting",
        head_joins_waiting(head), "refused", refusals_write(head));
    if (status) {
        json_object_set_new(status, "auth",
                            json_string(head->auth_slurm ? "slurm" : "munge"));
        json_object_set_new(status, "gpus_confined",
                            json_boolean(head->settings->confine_gpus));
    }
    if (status && head->collector)
        json_object_set_new(
            status, "slurm_reason",
            json_string(collector_status(head->collector)->reason));
    text_deinit(&slurm);
    return status;
}
