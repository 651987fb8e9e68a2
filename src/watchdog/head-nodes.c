/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps Slurm's list of nodes true to the members. Slurm waits minutes before
 * it takes a silent node for down, forgets dynamic nodes with its state, and
 * (before 23.11) keeps the old address of one that moved; nothing of that mends
 * itself (bringup.md, facts 0.3 to 0.6). Here the heartbeat decides:
 *
 *   silent for --lost-after        set down: its jobs are queued again
 *   back, but down by our word     resumed
 *   connected, Slurm lacks it      its slurmd is started anew, and registers
 *   connected, another address     Slurm is told, its slurmd started anew
 *   lost for --forget-after        deleted, once no job or reservation names it
 *   leaving                        deleted and forgotten, once it is empty
 *
 * What others said (a drain, another's reason) is never touched: our reasons
 * begin with REASON.
 */
#include "watchdog/head.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/state.h"
#include "watchdog/subcommand.h"

#include <stdio.h>
#include <string.h>

#define REASON "gpu-watchdog: "

#define TICK_NS NS_PER_S
#define INTERVAL_NS (2 * NS_PER_S)
/* Slurm may take so long to show what was changed, before it is done again. */
#define PATIENCE_NS (3 * NS_PER_S)

/* ---- what Slurm knows -----------------------------------------------------
 */

static const char *text_of(const struct head *head, snapshot_string string)
{
    return snapshot_text(&head->snapshot->snapshot, SNAPSHOT_NODES, string);
}

const struct node_record *head_node_find(const struct head *head,
                                         const char *name)
{
    if (!head->snapshot)
        return NULL;
    size_t count;
    const struct node_record *nodes =
        snapshot_array(&head->snapshot->snapshot, SNAPSHOT_NODES, 0, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(text_of(head, nodes[i].name), name) == 0)
            return &nodes[i];
    return NULL;
}

static bool is_down(const struct node_record *node)
{
    return (node->state & NODE_BASE_MASK) == NODE_BASE_DOWN;
}

static bool is_empty(const struct node_record *node)
{
    uint32_t base = node->state & NODE_BASE_MASK;
    return node->cpus_allocated == 0 && base != NODE_BASE_ALLOCATED &&
           base != NODE_BASE_MIXED && !(node->state & NODE_FLAG(COMPLETING));
}

static bool reason_is_ours(const struct head *head,
                           const struct node_record *node)
{
    return strncmp(text_of(head, node->state_reason), REASON, strlen(REASON)) ==
           0;
}

/* The snapshot began after WHEN_NS (monotonic), so it shows what was done
 * then. */
static bool shows_since(const struct head *head, int64_t when_ns)
{
    return collector_status(head->collector)->snapshot_ns >
           when_ns + PATIENCE_NS;
}

/* ---- changing it ----------------------------------------------------------
 */

static int update_node(struct head *head,
                       const char *name,
                       const char *what,
                       const char *reason,
                       struct error *err)
{
    char node[JOIN_NAME_SIZE + 16];
    _cleanup_(text_deinit) struct text why = TEXT_INIT;
    snprintf(node, sizeof(node), "nodename=%s", name);
    if (reason)
        text_addf(&why, "reason=%s", reason);
    const char *const words[] = {"update", node, what,
                                 reason ? text_str(&why) : NULL, NULL};
    int r = actions_add(head->actions, name, words, NULL, err);
    collector_hurry(head->collector);
    return r;
}

static void try_update(struct head *head,
                       const char *name,
                       const char *what,
                       const char *reason)
{
    struct error err;
    if (update_node(head, name, what, reason, &err) < 0)
        log_warning("%s: %s: %s", name, what, err.text);
}

int head_node_delete(struct head *head,
                     const char *name,
                     action_done done,
                     struct error *err)
{
    char node[JOIN_NAME_SIZE + 16];
    snprintf(node, sizeof(node), "nodename=%s", name);
    const char *const words[] = {"delete", node, NULL};
    int r = actions_add(head->actions, name, words, done, err);
    collector_hurry(head->collector);
    return r;
}

/* A drain of somebody else's keeps its reason: by that we know that it is not
 * ours to lift. */
void head_member_down(struct head *head, struct member *member, const char *why)
{
    const struct node_record *node = head_node_find(head, member->name);
    char reason[256];
    member->state = MEMBER_LOST;
    if (!node || is_down(node))
        return;
    if (node->state & NODE_FLAG(DRAIN) && !reason_is_ours(head, node))
        snprintf(reason, sizeof(reason), "%s",
                 text_of(head, node->state_reason));
    else
        snprintf(reason, sizeof(reason), REASON "%s", why);
    member->downed = true;
    try_update(head, member->name, "state=down", reason);
}

int head_member_leave(struct head *head,
                      struct member *member,
                      bool now,
                      struct error *err)
{
    const struct node_record *node = head_node_find(head, member->name);
    member->leaving = true;
    member->state = MEMBER_LEAVING;
    log_notice("%s leaves%s", member->name, now ? " now" : "");
    if (!node)
        return 0;
    return update_node(head, member->name, now ? "state=down" : "state=drain",
                       REASON "leaves", err);
}

/* ---- one member at a tick -------------------------------------------------
 */

static void
on_left(void *context, const char *name, bool good, const char *said)
{
    struct head *head = context;
    struct member *member = roster_find(&head->roster, name);
    if (!member || !member->leaving)
        return;
    if (!good && head_node_find(head, name)) {
        head_tell(member, JOIN_PROGRESS, said);
        return; /* the next tick tries again */
    }
    log_notice("%s has left", name);
    head_tell(member, JOIN_LEFT, "");
    head_member_forget(head, member);
}

static void tick_leaving(struct head *head,
                         struct member *member,
                         const struct node_record *node)
{
    if (!node) {
        on_left(head, member->name, true, "");
        return;
    }
    if (!is_empty(node)) {
        head_tell(member, JOIN_PROGRESS, "waits for its jobs to end");
        return;
    }
    struct error err;
    if (head_node_delete(head, member->name, on_left, &err) < 0)
        log_warning("%s: %s", member->name, err.text);
}

static void restart_slurmd(struct member *member, const char *why)
{
    member->touched_ns = clock_monotonic_ns();
    log_notice("%s: %s: its slurmd is started anew", member->name, why);
    head_tell(member, JOIN_RESTART_SLURMD, why);
}

void head_member_moved(struct head *head, struct member *member)
{
    const struct node_record *node = head_node_find(head, member->name);
    char address[96];
    if (!node || strcmp(text_of(head, node->address), member->address) == 0)
        return;
    snprintf(address, sizeof(address), "nodeaddr=%s", member->address);
    try_update(head, member->name, address, NULL);
    restart_slurmd(member, "it has another address");
}

static void tick_present(struct head *head,
                         struct member *member,
                         const struct node_record *node)
{
    /* What Slurm shows may be older than what was done. */
    if (!head_member_slurmd_ready(member) ||
        !shows_since(head, member->touched_ns))
        return;
    if (!node) {
        restart_slurmd(member, "Slurm does not know it");
    } else if (strcmp(text_of(head, node->address), member->address) != 0) {
        head_member_moved(head, member);
    } else if (is_down(node) && reason_is_ours(head, node)) {
        member->touched_ns = clock_monotonic_ns();
        log_notice("%s is back in service", member->name);
        try_update(head, member->name, "state=resume", NULL);
    } else if (is_down(node) && member->downed) {
        /* Registering takes "down" away and leaves the drain. */
        restart_slurmd(member, "it was down, and is drained");
    }
    if (node && !is_down(node))
        member->downed = false;
}

static void tick_lost(struct head *head,
                      struct member *member,
                      const struct node_record *node,
                      int64_t silent_ns)
{
    /* With a node that somebody has drained, the drain would be forgotten. */
    bool kept =
        node && node->state & NODE_FLAG(DRAIN) && !reason_is_ours(head, node);
    if (!node || kept || silent_ns < head->settings->forget_after_ns ||
        !is_empty(node) || !shows_since(head, member->touched_ns))
        return;
    member->touched_ns = clock_monotonic_ns();
    head_forget(head, member->name);
}

static void tick_member(struct head *head, struct member *member)
{
    const struct node_record *node = head_node_find(head, member->name);
    char state[NODE_STATE_TEXT_SIZE];
    head_tell_state(member, node ? node_state_text(node->state, state) : "");
    int64_t silent_ns = clock_monotonic_ns() - member->seen_ns;
    bool silent = silent_ns > head->settings->lost_after_ns;
    if (member->leaving) {
        tick_leaving(head, member, node);
    } else if (member->connection && !silent) {
        tick_present(head, member, node);
    } else if (silent && member->state != MEMBER_LOST) {
        log_warning("%s is lost: no sign of life for %lld s", member->name,
                    (long long)(silent_ns / NS_PER_S));
        head_member_down(head, member, "no sign of life");
    } else if (member->state == MEMBER_LOST) {
        tick_lost(head, member, node, silent_ns);
    }
}

static void on_tick(void *context, uint32_t events)
{
    struct head *head = context;
    (void)events;
    /* A member may go while we walk. */
    for (size_t i = head->roster.count; head->snapshot && i > 0; i--)
        tick_member(head, head->roster.members[i - 1]);
    loop_timer_set(head->tick, clock_monotonic_ns() + TICK_NS);
}

static void on_snapshot(void *context, struct mapped_snapshot *snapshot)
{
    struct head *head = context;
    if (!snapshot_has(&snapshot->snapshot, SNAPSHOT_NODES))
        return;
    mapped_snapshot_unref(head->snapshot);
    head->snapshot = mapped_snapshot_ref(snapshot);
}

static void on_collector_changed(void *context)
{
    (void)context; /* the last snapshot stays good; status shows the reason */
}

int head_nodes_start(struct head *head, struct error *err)
{
    static const char *const arguments[] = {"gpu-watchdog", COLLECT_SLURM,
                                            NULL};
    const struct collector_settings settings = {
        .arguments = arguments,
        .interval_ns = INTERVAL_NS,
        .slow_interval_ns = 60 * NS_PER_S,
        .deadline_ns = 60 * NS_PER_S,
        /* Jobs for status alone: as often as their cost allows. */
        .parts = 1U << SNAPSHOT_NODES | 1U << SNAPSHOT_JOBS,
    };
    int r = collector_new(head->loop, &settings, on_snapshot,
                          on_collector_changed, head, &head->collector, err);
    if (r == 0)
        r = loop_add_timer(head->loop, on_tick, head, &head->tick, err);
    if (r == 0)
        loop_timer_set(head->tick, clock_monotonic_ns() + TICK_NS);
    return r;
}

void head_nodes_stop(struct head *head)
{
    head_forget_stop(head);
    head->tick = loop_source_free(head->tick);
    head->collector = collector_free(head->collector);
    head->snapshot = mapped_snapshot_unref(head->snapshot);
}
