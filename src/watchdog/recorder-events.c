/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events are differences: between two snapshots for nodes and jobs, between two
 * answers of a node for its GPUs. What happened between them and was undone is
 * not seen. When we begin, nodes are compared with the last that is remembered
 * of them.
 *
 * A job that has ended is kept with what its series say of its GPUs, so that a
 * restart of ours in the middle of a job costs nothing but the gap. One that
 * Slurm forgot before we saw its end is kept as "ended", without a verdict.
 */
#include "watchdog/recorder-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map32.h"
#include "model/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JOB_GPUS_MAX = 64,  /* of which each is remembered with a job */
    READINGS_MAX = 2000 /* of a series, to sum up a job; joined where more */
};

/* ---- nodes --------------------------------------------------------------- */

/* Each way a node can be, in the words of its events. */
static const struct node_health {
    const char *words, *severity;
    enum health_state state;
} node_healths[] = {
    {"is in service", "info", HEALTH_UP},
    {"is drained", "warning", HEALTH_DRAINED},
    {"is set to fail", "warning", HEALTH_DRAINED},
    {"does not answer", "critical", HEALTH_SILENT},
    {"is down", "critical", HEALTH_FAILED},
    {"joined the cluster", "info", HEALTH_UP},
    {"left the cluster", "info", HEALTH_GONE},
};

enum {
    NODE_IN_SERVICE,
    NODE_DRAINED,
    NODE_TO_FAIL,
    NODE_SILENT,
    NODE_DOWN,
    NODE_JOINED,
    NODE_LEFT
};

static const struct node_health *node_health(const struct node_record *node)
{
    if (node_state_base(node->state) == NODE_BASE_DOWN)
        return &node_healths[NODE_DOWN];
    if (node->state & NODE_FLAG(NOT_RESPONDING))
        return &node_healths[NODE_SILENT];
    if (node->state & NODE_FLAG(FAIL))
        return &node_healths[NODE_TO_FAIL];
    if (node->state & NODE_FLAG(DRAIN))
        return &node_healths[NODE_DRAINED];
    return &node_healths[NODE_IN_SERVICE];
}

bool recorder_event_health(const struct store_event *event,
                           enum health_state *ret_state)
{
    size_t size = strlen(event->node);
    if (strcmp(event->kind, "node") != 0 || size == 0 ||
        strlen(event->text) <= size)
        return false;
    const char *words = event->text + size + 1; /* behind the name */
    for (size_t i = 0; i < array_size(node_healths); i++)
        if (strncmp(words, node_healths[i].words,
                    strlen(node_healths[i].words)) == 0) {
            *ret_state = node_healths[i].state;
            return true;
        }
    return false;
}

static void tell_node(struct recorder *r,
                      const struct snapshot *s,
                      const struct node_record *node,
                      const struct node_health *health)
{
    const char *severity = health->severity;
    const char *name = snapshot_text(s, SNAPSHOT_NODES, node->name);
    const char *reason = snapshot_text(s, SNAPSHOT_NODES, node->state_reason);
    bool tells = *reason && strcmp(severity, "info") != 0;
    recorder_tell(r,
                  &(struct store_event){
                      .kind = "node", .severity = severity, .node = name},
                  "%s %s%s%s", name, health->words, tells ? ": " : "",
                  tells ? reason : "");
}

struct node_list {
    const struct snapshot *snapshot;
    const struct node_record *nodes;
    size_t count;
};

static struct node_list nodes_of(const struct mapped_snapshot *mapped)
{
    struct node_list list = {.snapshot = &mapped->snapshot};
    list.nodes = snapshot_array(list.snapshot, SNAPSHOT_NODES, 0, &list.count);
    return list;
}

static const char *node_name(const struct node_list *list, size_t at)
{
    return snapshot_text(list->snapshot, SNAPSHOT_NODES, list->nodes[at].name);
}

/* Both lists are in the controller's order: the search begins where the last
 * one ended. */
static const struct node_record *
find_node(const struct node_list *list, const char *name, size_t *next)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t at = (*next + i) % list->count;
        if (strcmp(node_name(list, at), name) == 0) {
            *next = at + 1;
            return &list->nodes[at];
        }
    }
    return NULL;
}

static void compare_nodes(struct recorder *r, const struct mapped_snapshot *now)
{
    struct node_list before = nodes_of(r->before), after = nodes_of(now);
    size_t next = 0;
    for (size_t i = 0; i < after.count; i++) {
        const struct node_record *latest = &after.nodes[i];
        const struct node_record *old =
            find_node(&before, node_name(&after, i), &next);
        const struct node_health *health = node_health(latest);
        if (!old)
            tell_node(r, after.snapshot, latest, &node_healths[NODE_JOINED]);
        else if (node_health(old) != health)
            tell_node(r, after.snapshot, latest, health);
    }
    next = 0;
    for (size_t i = 0; i < before.count; i++)
        if (!find_node(&after, node_name(&before, i), &next))
            tell_node(r, before.snapshot, &before.nodes[i],
                      &node_healths[NODE_LEFT]);
}

static void on_last(void *context, const struct store_event *event)
{
    (void)recorder_event_health(event, context);
}

/* What changed while we were not there is told now. Of a node that nothing is
 * remembered of, only what is wrong. */
static void find_nodes(struct recorder *r, const struct mapped_snapshot *now)
{
    const struct node_list list = nodes_of(now);
    for (size_t i = 0; i < list.count; i++) {
        const struct node_health *health = node_health(&list.nodes[i]);
        enum health_state last = HEALTH_UP;
        const struct store_event_filter filter = {
            .kind = "node", .node = node_name(&list, i), .limit = 1};
        if (store_events(r->store, &filter, on_last, &last, NULL) == 0 &&
            last != health->state)
            tell_node(r, list.snapshot, &list.nodes[i], health);
    }
}

/* ---- jobs ---------------------------------------------------------------- */

static bool has_begun(const struct job_record *job)
{
    enum job_base base = job_state_base(job->state);
    return base != JOB_BASE_PENDING && job->start_time_s > 0;
}

/* Whether there is a reading of then; of no series: always. */
static bool has_reading(const struct store_series *series, int64_t time_s)
{
    if (!series)
        return true;
    if (series->count == 0 || time_s < series->from_s)
        return false;
    size_t at = (size_t)((time_s - series->from_s) / series->step_s);
    return at < series->count && !isnan(series->values[at]);
}

/* Mean and greatest of a series while the job ran and, where given, another was
 * read; false without a reading. */
static bool read_series(struct recorder *r,
                        const struct store_key *key,
                        const struct job_record *when,
                        const struct store_series *along,
                        double *ret_mean,
                        double *ret_most)
{
    struct store_series series;
    double sum = 0, most = 0;
    size_t readings = 0;
    if (store_read(r->store, key, when->start_time_s, when->end_time_s,
                   READINGS_MAX, &series, NULL) < 0)
        return false;
    for (size_t i = 0; i < series.count; i++) {
        int64_t time_s = series.from_s + (int64_t)i * series.step_s;
        if (isnan(series.values[i]) || !has_reading(along, time_s))
            continue;
        sum += series.values[i];
        most = fmax(most, series.values[i]);
        readings++;
    }
    store_series_deinit(&series);
    *ret_mean = readings ? sum / (double)readings : 0;
    *ret_most = most;
    return readings > 0;
}

static bool read_job(struct recorder *r,
                     const char *name,
                     const char *metric,
                     const struct job_record *when,
                     double *ret_mean,
                     double *ret_most)
{
    const struct store_key key = {"job", name, metric};
    return read_series(r, &key, when, NULL, ret_mean, ret_most);
}

/* What each GPU that it had did in its time; how many they are. A GPU is read
 * before and after it, too: only what was read while it was seen to be the
 * job's counts, and that is when the job was read. */
static size_t work_out_gpus(struct recorder *r,
                            const struct job_record *job,
                            const char *name,
                            struct record_gpu_use uses[JOB_GPUS_MAX])
{
    const struct held_gpu *held;
    size_t count = held_gpus_find(&r->held, name, &held);
    if (count > JOB_GPUS_MAX)
        count = JOB_GPUS_MAX;
    const struct store_key seen = {"job", name, "gpus_used"};
    struct store_series along;
    if (store_read(r->store, &seen, job->start_time_s, job->end_time_s,
                   READINGS_MAX, &along, NULL) < 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct record_gpu_use *use = &uses[i];
        const struct store_key key = {"gpu", use->id, "utilization_percent"};
        double most;
        if (held[i].instance == MEASURED_NONE)
            snprintf(use->id, sizeof(use->id), "%.70s/%u", held[i].node->name,
                     held[i].index);
        else
            snprintf(use->id, sizeof(use->id), "%.70s/%u.%u",
                     held[i].node->name, held[i].index, held[i].instance);
        if (!read_series(r, &key, job, &along, &use->utilization_percent,
                         &most))
            use->utilization_percent = NAN;
    }
    store_series_deinit(&along);
    return count;
}

static struct record_efficiency
work_out(struct recorder *r, const struct job_record *job, const char *name)
{
    double mean, most;
    struct record_efficiency efficiency = {
        NAN, NAN, NAN, NAN, NAN, NAN, NULL, 0,
    };
    if (read_job(r, name, "gpu_utilization_percent", job, &mean, &most))
        efficiency.utilization_percent = mean;
    if (read_job(r, name, "gpus_used", job, &mean, &most))
        efficiency.gpus_used = mean;
    if (read_job(r, name, "gpu_memory_used_mib", job, &mean, &most))
        efficiency.memory_most_mib = most;
    if (read_job(r, name, "power_watts", job, &mean, &most))
        efficiency.energy_wh =
            mean * (double)(job->end_time_s - job->start_time_s) / 3600;
    if (read_job(r, name, "cpu_cores", job, &mean, &most))
        efficiency.cpu_cores = mean;
    if (read_job(r, name, "memory_used_mib", job, &mean, &most))
        efficiency.host_memory_most_mib = most;
    return efficiency;
}

static void keep_job(struct recorder *r,
                     const struct snapshot *snapshot,
                     const struct job_record *job,
                     const char *state)
{
    char name[JOB_NAME_SIZE];
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    const struct record_source source = {.snapshot = snapshot,
                                         .parts = UINT32_MAX};
    struct record_gpu_use gpus[JOB_GPUS_MAX];
    struct record_efficiency efficiency = work_out(r, job, job_name(job, name));
    efficiency.gpus = gpus;
    efficiency.gpu_count = work_out_gpus(r, job, name, gpus);
    record_print_finished(&json, &source, job, state, &efficiency);
    const char *record = text_str(&text), *type;
    const struct store_job kept = {
        .job_id = job->job_id,
        .submit_s = job->submit_time_s,
        .end_s = job->end_time_s,
        .user = snapshot_text(snapshot, SNAPSHOT_JOBS, job->user),
        .account = snapshot_text(snapshot, SNAPSHOT_JOBS, job->account),
        .partition = snapshot_text(snapshot, SNAPSHOT_JOBS, job->partition),
        .state = state,
        .record = record,
        .start_s = job->start_time_s,
        .gpus = (double)record_job_gpus(&source, job, &type),
        .gpus_used = efficiency.gpus_used,
    };
    if (record)
        store_add_job(r->store, &kept);
    text_deinit(&text);
    if (job_state_base(job->state) == JOB_BASE_NODE_FAIL)
        recorder_tell(r,
                      &(struct store_event){.kind = "job",
                                            .severity = "warning",
                                            .job = job->job_id},
                      "job %s of %s ended because a node failed",
                      job_name(job, name), kept.user);
}

static void on_kept(void *context, const struct store_job *job)
{
    (void)job;
    *(bool *)context = true;
}

/* Kept by an earlier run of ours. */
static bool is_kept(struct recorder *r, const struct job_record *job)
{
    bool kept = false;
    const struct store_job_filter filter = {
        .job_id = job->job_id, .from_s = job->end_time_s, .limit = 1};
    store_jobs(r->store, &filter, on_kept, &kept, NULL);
    return kept;
}

struct job_list {
    const struct job_record *jobs;
    size_t count;
    struct map32 by_id; /* to place + 1 */
};

static struct job_list jobs_of(const struct mapped_snapshot *mapped)
{
    struct job_list list = {.jobs = NULL};
    if (mapped)
        list.jobs =
            snapshot_array(&mapped->snapshot, SNAPSHOT_JOBS, 0, &list.count);
    for (size_t i = 0; i < list.count; i++)
        map32_add(&list.by_id, list.jobs[i].job_id, (uint32_t)i);
    return list;
}

static const struct job_record *find_job(const struct job_list *list,
                                         uint32_t id)
{
    uint32_t at;
    return map32_find(&list->by_id, id, &at) ? &list->jobs[at] : NULL;
}

static void compare_jobs(struct recorder *r, const struct mapped_snapshot *now)
{
    struct job_list before = jobs_of(r->before), after = jobs_of(now);
    for (size_t i = 0; i < after.count; i++) {
        const struct job_record *job = &after.jobs[i];
        if (!record_job_is_over(job) || !has_begun(job))
            continue;
        const struct job_record *old = find_job(&before, job->job_id);
        if (old ? !record_job_is_over(old) : !is_kept(r, job))
            keep_job(r, &now->snapshot, job, record_job_state(job));
    }
    for (size_t i = 0; i < before.count; i++) {
        struct job_record job = before.jobs[i];
        if (record_job_is_over(&job) || !has_begun(&job) ||
            find_job(&after, job.job_id))
            continue;
        job.end_time_s = clock_realtime_ns() / NS_PER_S;
        keep_job(r, &r->before->snapshot, &job, "ended");
    }
    map32_deinit(&before.by_id);
    map32_deinit(&after.by_id);
}

void recorder_compare(struct recorder *r)
{
    struct mapped_snapshot *now = watch_snapshot(r->watch);
    if (!now || !r->store || !snapshot_has(&now->snapshot, SNAPSHOT_NODES) ||
        !snapshot_has(&now->snapshot, SNAPSHOT_JOBS))
        return;
    if (r->before)
        compare_nodes(r, now);
    else
        find_nodes(r, now);
    compare_jobs(r, now);
    mapped_snapshot_unref(r->before);
    r->before = mapped_snapshot_ref(now);
}

/* ---- GPUs ---------------------------------------------------------------- */

static const struct measured_gpu *find_gpu(const struct measured_node *node,
                                           const struct measured_gpu *like)
{
    for (size_t i = 0; i < node->gpu_count; i++)
        if (node->gpus[i].index == like->index &&
            node->gpus[i].instance == like->instance)
            return &node->gpus[i];
    return NULL;
}

static void compare_gpu(struct recorder *r,
                        const struct fleet_node *node,
                        const struct measured_gpu *old,
                        const struct measured_gpu *latest)
{
    char id[STORE_TEXT_SIZE];
    snprintf(id, sizeof(id), "%s/%u", node->name, latest->index);
    struct store_event event = {.kind = "gpu", .node = node->name, .gpu = id};
    if (strcmp(old->state, latest->state) != 0) {
        const char *trouble = record_gpu_trouble(latest);
        event.severity = trouble ? "critical" : "info";
        recorder_tell(r, &event, "GPU %u of %s %s", latest->index, node->name,
                      trouble ? trouble : "answers again");
    }
    /* The same code again is seen by the count of all. */
    if ((latest->last_xid != old->last_xid ||
         latest->xid_count > old->xid_count) &&
        latest->last_xid != MEASURED_NONE && latest->last_xid != 0) {
        event.kind = "xid";
        event.severity = "warning";
        recorder_tell(r, &event, "GPU %u of %s reported Xid %u", latest->index,
                      node->name, latest->last_xid);
    }
}

static void on_takes(void *context,
                     const struct fleet_node *node,
                     const struct measured_node *measured)
{
    struct recorder *r = context;
    if (node->answer == FLEET_SILENT)
        recorder_tell(r,
                      &(struct store_event){.kind = "gpu",
                                            .severity = "info",
                                            .node = node->name},
                      "the GPU exporter of %s answers", node->name);
    for (size_t i = 0; i < measured->gpu_count; i++) {
        const struct measured_gpu *old =
            find_gpu(&node->measured, &measured->gpus[i]);
        if (old)
            compare_gpu(r, node, old, &measured->gpus[i]);
    }
}

static void
on_fails(void *context, const struct fleet_node *node, const char *trouble)
{
    if (node->answer == FLEET_UP)
        recorder_tell(
            context,
            &(struct store_event){
                .kind = "gpu", .severity = "warning", .node = node->name},
            "the GPU exporter of %s does not answer: %s", node->name, trouble);
}

void recorder_observe(struct recorder *r)
{
    r->fleet->observer =
        (struct fleet_observer){.takes = on_takes,
                                .fails = on_fails,
                                .recalls = recorder_recall_idle,
                                .context = r};
}

/* ---- what people do ------------------------------------------------------
 */

static const char *const deeds_done[ACTION_VERB_COUNT] = {
    [ACTION_CANCEL] = "cancelled", [ACTION_HOLD] = "held",
    [ACTION_RELEASE] = "released", [ACTION_REQUEUE] = "requeued",
    [ACTION_DRAIN] = "drained",    [ACTION_RESUME] = "resumed",
    [ACTION_SUBMIT] = "submitted",
};

void recorder_add_deed(struct recorder *r, const struct deed_record *deed)
{
    bool of_nodes = deed->verb == ACTION_DRAIN || deed->verb == ACTION_RESUME;
    bool one = !strchr(deed->targets, ',');
    const char *targets = *deed->job ? deed->job : deed->targets;
    if (deed->state != DEED_DONE || deed->verb == ACTION_SCRIPT)
        return;
    recorder_tell(
        r,
        &(struct store_event){
            .kind = "action",
            .severity = "info",
            .node = of_nodes && one ? deed->targets : "",
            /* Of several the first: what is private of one hides all. */
            .job = of_nodes ? 0 : (uint32_t)strtoul(targets, NULL, 10),
        },
        "%s %s %s %.200s", deed->who, deeds_done[deed->verb],
        of_nodes ? (one ? "node" : "nodes")
                 : (one || *deed->job ? "job" : "jobs"),
        targets);
}
