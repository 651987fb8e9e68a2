/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const health_state_names[HEALTH_STATES] = {
    [HEALTH_UP] = "up",         [HEALTH_DRAINED] = "drained",
    [HEALTH_FAILED] = "failed", [HEALTH_GONE] = "gone",
    [HEALTH_SILENT] = "silent",
};

/* What was added, until it is worked out. */
struct health_note {
    char *node; /* owned */
    int64_t time_s;
    size_t order; /* rises with what was added */
    enum health_state state;
    bool xid;
};

void health_init(struct health *health, int64_t from_s, int64_t to_s)
{
    *health = (struct health){.from_s = from_s, .to_s = to_s};
}

void health_deinit(struct health *health)
{
    for (size_t i = 0; i < health->count; i++)
        free(health->nodes[i].spans);
    for (size_t i = 0; i < health->note_count; i++)
        free(health->notes[i].node);
    free(health->nodes);
    free(health->notes);
    *health = (struct health){.nodes = NULL};
}

static void add(struct health *health,
                const char *node,
                int64_t time_s,
                enum health_state state,
                bool xid)
{
    if (health->note_count == health->note_room) {
        size_t room = health->note_room ? health->note_room * 2 : 64;
        void *grown = reallocarray(health->notes, room, sizeof(*health->notes));
        if (!grown) {
            health->failed = true;
            return;
        }
        health->notes = grown;
        health->note_room = room;
    }
    struct health_note *note = &health->notes[health->note_count];
    *note = (struct health_note){
        .node = strdup(node),
        .time_s = time_s,
        .order = health->note_count,
        .state = state,
        .xid = xid,
    };
    if (note->node)
        health->note_count++;
    else
        health->failed = true;
}

void health_add(struct health *health,
                const char *node,
                int64_t time_s,
                enum health_state state)
{
    add(health, node, time_s, state, false);
}

void health_add_xid(struct health *health, const char *node, int64_t time_s)
{
    if (time_s >= health->from_s)
        add(health, node, time_s, HEALTH_UP, true);
}

static int compare_notes(const void *a, const void *b)
{
    const struct health_note *x = a, *y = b;
    int names = strcmp(x->node, y->node);
    if (names)
        return names;
    if (x->time_s != y->time_s)
        return x->time_s < y->time_s ? -1 : 1;
    /* The newest was added first. */
    return x->order > y->order ? -1 : x->order < y->order;
}

/* The node is in STATE from TIME_S on. */
static void
add_span(struct health_node *node, int64_t time_s, enum health_state state)
{
    /* What was so for no time was not so. */
    if (node->count && node->spans[node->count - 1].from_s == time_s)
        node->count--;
    if (node->count && node->spans[node->count - 1].state == state)
        return;
    node->spans[node->count++] =
        (struct health_span){.from_s = time_s, .state = state};
}

static int64_t
end_of(const struct health *health, const struct health_node *node, size_t span)
{
    return span + 1 < node->count ? node->spans[span + 1].from_s : health->to_s;
}

/* A silence that was long, or ended with the node down, was a failure; any
 * other was none. */
static void judge_silence(const struct health *health, struct health_node *node)
{
    struct health_node judged = {.spans = node->spans};
    for (size_t i = 0; i < node->count; i++) {
        struct health_span span = node->spans[i];
        bool down =
            i + 1 < node->count && node->spans[i + 1].state == HEALTH_FAILED;
        if (span.state == HEALTH_SILENT)
            span.state = down || end_of(health, node, i) - span.from_s >=
                                     HEALTH_SILENCE_S
                             ? HEALTH_FAILED
                             : HEALTH_UP;
        /* It writes behind where it reads. */
        add_span(&judged, span.from_s, span.state);
    }
    node->count = judged.count;
}

/* What was before the time looked at is left out. */
static void cut(const struct health *health, struct health_node *node)
{
    size_t past = 0;
    while (past < node->count && end_of(health, node, past) <= health->from_s)
        past++;
    node->count -= past;
    memmove(node->spans, node->spans + past,
            node->count * sizeof(*node->spans));
    if (node->count && node->spans[0].from_s < health->from_s)
        node->spans[0].from_s = health->from_s;
}

static void sum_up(const struct health *health, struct health_node *node)
{
    enum health_state before = HEALTH_UP;
    for (size_t i = 0; i < node->count; i++) {
        const struct health_span *span = &node->spans[i];
        bool begins = span->from_s > health->from_s;
        node->failures += begins && span->state == HEALTH_FAILED;
        /* Slurm, or its administrator, drains what has failed. */
        node->drains +=
            begins && span->state == HEALTH_DRAINED && before != HEALTH_FAILED;
        node->seconds[span->state] += end_of(health, node, i) - span->from_s;
        before = span->state;
    }
}

/* The notes of one node, COUNT of them in the order of time. */
static bool take_node(const struct health *health,
                      const struct health_note *notes,
                      size_t count,
                      struct health_node *node)
{
    node->name = notes->node;
    node->spans = calloc(count + 1, sizeof(*node->spans));
    if (!node->spans)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct health_note *note = &notes[i];
        node->xids += note->xid;
        if (note->xid)
            continue;
        /* Only changes are remembered: what failed was up before. */
        if (!node->count && note->time_s > health->from_s &&
            note->state != HEALTH_UP && note->state != HEALTH_GONE)
            add_span(node, health->from_s, HEALTH_UP);
        add_span(node, note->time_s, note->state);
    }
    judge_silence(health, node);
    cut(health, node);
    sum_up(health, node);
    return true;
}

int health_finish(struct health *health)
{
    size_t count = health->note_count;
    if (health->failed)
        return -ENOMEM;
    health->nodes = calloc(count + 1, sizeof(*health->nodes));
    if (!health->nodes)
        return -ENOMEM;
    if (count > 0)
        qsort(health->notes, count, sizeof(*health->notes), compare_notes);
    for (size_t i = 0, end; i < count; i = end) {
        end = i + 1;
        while (end < count &&
               strcmp(health->notes[i].node, health->notes[end].node) == 0)
            end++;
        if (!take_node(health, &health->notes[i], end - i,
                       &health->nodes[health->count++]))
            return -ENOMEM;
    }
    return 0;
}

int64_t health_between_failures_s(const struct health_node *node)
{
    return node->failures ? node->seconds[HEALTH_UP] / node->failures : 0;
}
