/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the recorder, shared by recorder.c (life and series),
 * recorder-events.c (what changed, and which jobs ended) and recorder-idle.c
 * (since when GPUs are idle).
 */
#pragma once

#include "watchdog/recorder-held.h"
#include "watchdog/recorder.h"

struct recorder {
    struct loop *loop;
    struct watch *watch;
    struct fleet *fleet;
    struct store *store;               /* NULL: none can be opened */
    char *folder;                      /* owned */
    struct recorder_settings settings; /* its folder is FOLDER */
    struct loop_source *timer;
    int part; /* of the store, to be written next */
    uint64_t events;
    struct held_gpus held;
    /* The last in which nodes and jobs were known; a reference. */
    struct mapped_snapshot *before;
    struct error trouble; /* of opening */
};

/* Compare what is known now with what was; ends with the new BEFORE. */
void recorder_compare(struct recorder *recorder);

/* The fleet's observer, and the one of its functions that looks back. */
void recorder_observe(struct recorder *recorder);
int64_t recorder_recall_idle(void *context,
                             const struct fleet_node *node,
                             const struct measured_gpu *gpu,
                             const char *job,
                             int64_t now_s);

__attribute__((format(printf, 3, 4))) void
recorder_tell(struct recorder *recorder,
              const struct store_event *like,
              const char *format,
              ...);
