/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's side of a source: keeps one collector child running, takes its
 * snapshots, and owns the deadline. A child that is dead, stuck or talks
 * nonsense is killed and replaced with back-off; what happened is data in
 * struct collector_status, never an exit of ours.
 *
 * The child is this program under a hidden subcommand. The talk over the
 * channel (one SOCK_SEQPACKET message each; collector-protocol.h):
 *   parent -> child   SETTINGS (with the last snapshot's descriptor, if any)
 *   parent -> child   COLLECT NOW (a reload, a person waiting)
 *   child -> parent   BEGIN (a cycle starts: the deadline runs)
 *   child -> parent   SNAPSHOT (with the sealed descriptor)
 */
#pragma once

#include "base/loop.h"
#include "source/mapped-snapshot.h"

#include <stdbool.h>

struct collector;

struct collector_settings {
    const char *program; /* NULL: this program; lives as long as we do */
    const char *const *arguments; /* argv of the child, NULL at the end */
    int64_t interval_ns;      /* wanted; stretched to 5 x a cycle's duration */
    int64_t jobs_interval_ns; /* 0: chosen from what the job request costs */
    int64_t slow_interval_ns; /* reservations, licences, associations */
    int64_t deadline_ns;      /* longest cycle before the child is killed */
    uint32_t parts;           /* 1 << enum snapshot_part_kind: what to ask */
};

enum collector_end {
    COLLECTOR_END_RENEWED,  /* asked for it: the configuration changed */
    COLLECTOR_END_EXITED,   /* ended by itself */
    COLLECTOR_END_KILLED,   /* by a signal that was not ours */
    COLLECTOR_END_DEADLINE, /* stuck: we killed it */
    COLLECTOR_END_NONSENSE, /* sent what cannot be: we killed it */
    COLLECTOR_END_COUNT
};

struct collector_status {
    bool running;
    int64_t cycle_began_ns; /* monotonic; 0: between cycles */
    int64_t snapshot_ns;    /* monotonic arrival of the last; 0: none yet */
    uint64_t snapshots;     /* taken over since our start */
    uint64_t ends[COLLECTOR_END_COUNT];
    enum collector_end last_end; /* while ENDS counts any */
    double cpu_seconds;          /* of all children, ended ones included */
    /* Outcomes of requests, summed over all children. */
    uint64_t requests[SNAPSHOT_PART_COUNT][SNAPSHOT_OUTCOME_COUNT];
    double request_seconds[SNAPSHOT_PART_COUNT];
    /* The reason of the last failure as a person should read it, taken from
     * the child's last fatal: or error: line or from how it ended; "" when no
     * part of the last cycle failed. */
    char reason[256];
};

/* Called for each snapshot that arrived; takes a reference if it keeps it. */
typedef void (*collector_publish)(void *context,
                                  struct mapped_snapshot *snapshot);

/* Called when STATUS changed without a snapshot (a child ended). */
typedef void (*collector_changed)(void *context);

int collector_new(struct loop *loop,
                  const struct collector_settings *settings,
                  collector_publish publish,
                  collector_changed changed,
                  void *context,
                  struct collector **ret_collector,
                  struct error *err);

/* Ends the child. Accepts NULL; returns NULL. */
struct collector *collector_free(struct collector *collector);

/* Lives as long as the collector. */
const struct collector_status *
collector_status(const struct collector *collector);

/* Begin a cycle now instead of at the end of the interval. */
void collector_hurry(struct collector *collector);

/* What is to be collected beside the usual, COLLECTOR_WANTS_*, from the next
 * cycle on and with whichever settings; nothing at first. */
void collector_want(struct collector *collector, uint32_t wanted);

/* The new settings hold from the next cycle on. */
int collector_reconfigure(struct collector *collector,
                          const struct collector_settings *settings,
                          struct error *err);
