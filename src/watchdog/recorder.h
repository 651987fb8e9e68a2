/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "serve" remembers: feeds the store (store/store.h) with series of what
 * is known, with events (what changed between two snapshots, or two answers of
 * a node), and with finished jobs and how well they used their GPUs.
 *
 * Without a folder that can be written nothing is remembered and the live view
 * goes on; recorder_trouble() says why.
 */
#pragma once

#include "store/store.h"
#include "view/records.h"
#include "watchdog/deputy.h"
#include "watchdog/health.h"
#include "watchdog/watch.h"

struct recorder;

enum {
    RECORDER_STEP_S = 15 /* between two readings of a series */
};

struct recorder_settings {
    const char *folder;          /* made when it is not there */
    int64_t keep_s[STORE_TIERS]; /* of series, by resolution; 0: none */
    int64_t keep_events_s;       /* and finished jobs */
};

/* FLEET and WATCH live longer. Never fails for want of a disk. */
int recorder_new(struct loop *loop,
                 const struct recorder_settings *settings,
                 struct watch *watch,
                 struct fleet *fleet,
                 struct recorder **ret_recorder,
                 struct error *err);

/* Writes what is in memory. Accepts NULL; returns NULL. */
struct recorder *recorder_free(struct recorder *recorder);

/* A snapshot came. */
void recorder_update(struct recorder *recorder);

/* Somebody did something with a job or a node: an event, unless it was refused
 * (the audit log has those, too). */
void recorder_add_deed(struct recorder *recorder,
                       const struct deed_record *deed);

/* What an event tells of its node's health; false: nothing. */
bool recorder_event_health(const struct store_event *event,
                           enum health_state *ret_state);

/* NULL while there is none. */
struct store *recorder_store(const struct recorder *recorder);

/* Rises with each event. */
uint64_t recorder_events(const struct recorder *recorder);

/* Why nothing is kept at the moment; "". */
const char *recorder_trouble(const struct recorder *recorder);
