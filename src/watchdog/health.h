/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often nodes failed, for how long, and how long they lasted in between:
 * worked out from what is remembered of them (recorder-events.c). Of the time
 * in which nobody watched only its end is known, and counted as found then.
 */
#pragma once

#include "store/store.h"

enum {
    /* One that has just been resumed is silent for a moment, and any may be. */
    HEALTH_SILENCE_S = 60
};

enum health_state {
    HEALTH_UP,      /* Slurm may start jobs there */
    HEALTH_DRAINED, /* somebody, or a check, took it out of service */
    HEALTH_FAILED,  /* down, or silent for too long */
    HEALTH_GONE,    /* Slurm has it no more */
    HEALTH_SILENT,  /* it does not answer; only as what is added */
    HEALTH_STATES
};

extern const char *const health_state_names[HEALTH_STATES];

struct health_span {
    int64_t from_s; /* until the next one begins */
    enum health_state state;
};

struct health_node {
    const char *name;
    struct health_span *spans; /* owned; of the time looked at, oldest first */
    size_t count;
    uint32_t xids;     /* reported by its GPUs */
    uint32_t failures; /* times it failed, and was drained */
    uint32_t drains;
    int64_t seconds[HEALTH_STATES]; /* how long it was so */
};

struct health {
    int64_t from_s, to_s;      /* looked at */
    struct health_node *nodes; /* owned; in the order of their names */
    size_t count;
    struct health_note *notes; /* owned */
    size_t note_count, note_room;
    bool failed; /* memory ran out */
};

/* Begin with the time to be looked at. */
void health_init(struct health *health, int64_t from_s, int64_t to_s);
void health_deinit(struct health *health);

/* NODE went into STATE at TIME_S; before FROM_S, too. Of what happened in one
 * second the last is added first. */
void health_add(struct health *health,
                const char *node,
                int64_t time_s,
                enum health_state state);

/* A GPU of NODE reported an Xid at TIME_S. */
void health_add_xid(struct health *health, const char *node, int64_t time_s);

/* Work it out; -ENOMEM. What was added is used up. */
int health_finish(struct health *health);

/* Mean time between failures: how long it was up for each of them. 0: it has
 * not failed. */
int64_t health_between_failures_s(const struct health_node *node);
