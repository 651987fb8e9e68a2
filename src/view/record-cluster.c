/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster as one object: what the overview shows.
 */
#include "base/cleanup.h"
#include "model/state.h"
#include "model/tally.h"
#include "view/records.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    REASONS_MAX = 64,
    FREE_ON_MAX = 64,
    PROBLEMS_MAX = 200
};

/* ---- nodes ----------------------------------------------------------------
 */

struct word_count {
    char word[NODE_STATE_TEXT_SIZE];
    uint64_t count;
};

static void count_word(struct word_count *words, size_t *count, uint32_t state)
{
    char word[NODE_STATE_TEXT_SIZE];
    node_state_text(state, word);
    word[strcspn(word, "*~#!%$@^-+")] = '\0';
    size_t i = 0;
    while (i < *count && strcmp(words[i].word, word) != 0)
        i++;
    if (i == NODE_BASE_COUNT + NODE_FLAG_COUNT)
        return; /* sinfo has no more words */
    if (i == *count) {
        words[i] = (struct word_count){.count = 0};
        memcpy(words[i].word, word, sizeof(word));
        ++*count;
    }
    words[i].count++;
}

static void print_nodes(struct json *json, const struct record_source *source)
{
    struct word_count words[NODE_BASE_COUNT + NODE_FLAG_COUNT];
    size_t word_count = 0, count;
    if (!record_source_has(source, SNAPSHOT_NODES))
        return;
    const struct node_record *nodes =
        snapshot_array(source->snapshot, SNAPSHOT_NODES, 0, &count);
    for (size_t i = 0; i < count; i++)
        count_word(words, &word_count, nodes[i].state);
    json_begin_object(json, "nodes");
    json_u64(json, "total", count);
    json_begin_object(json, "by_state");
    for (size_t i = 0; i < word_count; i++)
        json_count(json, words[i].word, words[i].count);
    json_end_object(json);
    json_end_object(json);
}

/* ---- GPUs -----------------------------------------------------------------
 */

static void print_free_on(struct json *json,
                          const struct record_source *source,
                          const char *type)
{
    const struct rows *rows = source->rows->tables[TABLE_GPU_NODE];
    size_t shown = 0;
    bool hidden = record_is_hidden(&source->audience, PRIVATE_NODES, NULL);
    json_begin_array(json, "free_on");
    for (size_t i = 0;
         rows && !hidden && i < rows->count && shown < FREE_ON_MAX; i++) {
        const struct gpu_row *row = rows_at(rows, i);
        if (row->states[GRES_IDLE] == 0 ||
            strcmp(row->head.labels[1], type) != 0)
            continue;
        json_begin_object(json, NULL);
        json_text(json, "node", row->head.labels[0]);
        json_u64(json, "count", row->states[GRES_IDLE]);
        json_end_object(json);
        shown++;
    }
    json_end_array(json);
}

/* Absent where nothing is measured. */
static void print_uses(struct json *json,
                       const struct record_source *source,
                       const char *type)
{
    struct record_gpu_uses uses = record_count_uses(source, type);
    if (!uses.measured)
        return;
    json_u64(json, "measured", uses.measured);
    json_u64(json, "used",
             uses.by_use[GPU_USE_BUSY] + uses.by_use[GPU_USE_FOREIGN]);
    json_u64(json, "held_idle", uses.by_use[GPU_USE_IDLE]);
}

static void print_gpus(struct json *json, const struct record_source *source)
{
    const struct rows *rows = source->rows->tables[TABLE_GPU];
    json_begin_array(json, "gpus");
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct gpu_row *row = rows_at(rows, i);
        json_begin_object(json, NULL);
        json_text(json, "type", row->head.labels[0]);
        json_u64(json, "total", row->total);
        json_u64(json, "allocated", row->states[GRES_ALLOCATED]);
        json_u64(json, "free", row->states[GRES_IDLE]);
        json_u64(json, "unavailable",
                 row->states[GRES_DRAINED] + row->states[GRES_DOWN]);
        print_uses(json, source, row->head.labels[0]);
        print_free_on(json, source, row->head.labels[0]);
        json_end_object(json);
    }
    json_end_array(json);
}

/* ---- jobs -----------------------------------------------------------------
 */

struct reason_count {
    const char *reason;
    uint64_t tasks;
};

/* Not from the tally, whose reasons are by partition: a job that names several
 * is in each of them. */
static size_t gather_reasons(const struct record_source *source,
                             struct reason_count *counts)
{
    size_t count = 0, job_count;
    if (!record_source_has(source, SNAPSHOT_JOBS))
        return 0;
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &job_count);
    snapshot_string last = 0;
    size_t at = 0;
    for (size_t j = 0; j < job_count; j++) {
        if (job_state_shown(jobs[j].state) != JOB_SHOWN_PENDING)
            continue;
        if (!count || jobs[j].reason != last) {
            last = jobs[j].reason;
            const char *reason =
                snapshot_text(source->snapshot, SNAPSHOT_JOBS, last);
            for (at = 0; at < count; at++)
                if (strcmp(counts[at].reason, reason) == 0)
                    break;
            if (at == REASONS_MAX)
                at--; /* more than Slurm has: into the last */
            else if (at == count)
                counts[count++] = (struct reason_count){.reason = reason};
        }
        counts[at].tasks += jobs[j].task_count ? jobs[j].task_count : 1;
    }
    return count;
}

static void print_by_partition(struct json *json,
                               const struct record_source *source,
                               int64_t now_s)
{
    const struct rows *rows = source->rows->tables[TABLE_PARTITION_JOBS];
    json_begin_array(json, "by_partition");
    bool hidden = record_is_hidden(&source->audience, PRIVATE_PARTITIONS, NULL);
    for (size_t i = 0; rows && !hidden && i < rows->count; i++) {
        const struct partition_row *row = rows_at(rows, i);
        json_begin_object(json, NULL);
        json_text(json, "partition", row->head.labels[0]);
        json_u64(json, "running", row->jobs.base[JOB_BASE_RUNNING]);
        json_u64(json, "pending", row->jobs_pending);
        if (row->oldest_pending_s != ROW_ABSENT &&
            (int64_t)row->oldest_pending_s <= now_s)
            json_i64(json, "oldest_pending_s",
                     now_s - (int64_t)row->oldest_pending_s);
        json_end_object(json);
    }
    json_end_array(json);
}

static void
print_jobs(struct json *json, const struct record_source *source, int64_t now_s)
{
    const struct rows *rows = source->rows->tables[TABLE_QUEUE];
    if (!rows || rows->count == 0)
        return;
    const struct cluster_row *row = rows_at(rows, 0);
    struct reason_count reasons[REASONS_MAX];
    size_t count = gather_reasons(source, reasons);
    json_begin_object(json, "jobs");
    json_u64(json, "running", row->queue[JOB_SHOWN_RUNNING]);
    json_u64(json, "pending", row->queue[JOB_SHOWN_PENDING]);
    json_begin_object(json, "pending_by_reason");
    for (size_t i = 0; i < count; i++)
        json_count(json, *reasons[i].reason ? reasons[i].reason : "None",
                   reasons[i].tasks);
    json_end_object(json);
    print_by_partition(json, source, now_s);
    json_end_object(json);
}

/* ---- problems -------------------------------------------------------------
 */

/* What stands in the way of using NODE; NULL: nothing. */
static const char *node_trouble(const struct node_record *node, bool *ret_bad)
{
    *ret_bad = true;
    if (node_state_base(node->state) == NODE_BASE_DOWN)
        return "is down";
    if (node->state & NODE_FLAG(NOT_RESPONDING))
        return "does not answer";
    *ret_bad = false;
    if (node->state & NODE_FLAG(FAIL))
        return "is set to fail";
    if (node->state & NODE_FLAG(INVALID_REG))
        return "has not what slurm.conf says of it";
    if (node->state & NODE_FLAG(DRAIN))
        return "is drained: no new job starts there";
    return NULL;
}

static void print_node_problem(struct json *json,
                               const struct record_source *source,
                               const struct node_record *node,
                               const char *trouble,
                               bool bad)
{
    char text[1024];
    const char *name =
        snapshot_text(source->snapshot, SNAPSHOT_NODES, node->name);
    const char *reason =
        snapshot_text(source->snapshot, SNAPSHOT_NODES, node->state_reason);
    snprintf(text, sizeof(text), "%s %s%s%s", name, trouble,
             *reason ? ": " : "", reason);
    json_begin_object(json, NULL);
    json_text(json, "severity", bad ? "critical" : "warning");
    json_text(json, "kind", "node");
    json_text(json, "node", name);
    json_text(json, "text", text);
    json_time(json, "since_s", node->reason_time_s);
    json_end_object(json);
}

static void print_problems(struct json *json,
                           const struct record_source *source)
{
    size_t count = 0, shown = 0;
    const struct node_record *nodes = NULL;
    bool hidden = record_is_hidden(&source->audience, PRIVATE_NODES, NULL);
    if (record_source_has(source, SNAPSHOT_NODES) && !hidden)
        nodes = snapshot_array(source->snapshot, SNAPSHOT_NODES, 0, &count);
    json_begin_array(json, "problems");
    for (size_t i = 0; i < count && shown < PROBLEMS_MAX; i++) {
        bool bad;
        const char *trouble = node_trouble(&nodes[i], &bad);
        if (!trouble)
            continue;
        print_node_problem(json, source, &nodes[i], trouble, bad);
        shown++;
    }
    if (!hidden)
        record_print_gpu_problems(json, source, PROBLEMS_MAX - shown);
    json_end_array(json);
}

void record_print_cluster(struct json *json,
                          const struct record_source *source,
                          const struct record_cluster *cluster)
{
    if (source->snapshot) {
        json_text_known(json, "name", source->snapshot->header->cluster_name);
        json_text_known(json, "slurm_version",
                        source->snapshot->header->slurm_text);
    }
    json_bool(json, "up", cluster->up);
    if (cluster->recording)
        json_bool(json, "recording", true);
    json_text_known(json, "reason", cluster->reason);
    print_nodes(json, source);
    print_gpus(json, source);
    print_jobs(json, source, cluster->now_s);
    print_problems(json, source);
    record_print_fleet(json, source);
}
