/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child's side that all collectors share: when a cycle begins, how long
 * the pause is, what is sent to the parent. What a cycle collects is the
 * source's own affair.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/collector-protocol.h"

#include <stdbool.h>

struct collector_cycle {
    const struct collector_message *settings;
    const struct snapshot *previous; /* NULL: there is none */
    struct snapshot_builder *builder;
    bool first; /* of this process */
    int channel;
};

struct collector_source {
    /*
     * Fill the builder with one cycle; the header's names, its versions and
     * "complete" are to be set as well, and the interval of parts that are
     * not asked for in each cycle. What cannot be had is carried from PREVIOUS.
     * A negative errno says that this process cannot go on.
     */
    int (*collect)(void *context,
                   struct collector_cycle *cycle,
                   struct error *err);
    /* Asked before each cycle but the first; true: this process knows a state
     * of affairs that is past, the parent shall start a new one. */
    bool (*outdated)(void *context);
    void *context;
};

/* Tell the parent which request begins, so that it can name the one that never
 * returned. */
void collector_child_ask(const struct collector_cycle *cycle,
                         enum snapshot_part_kind part);

/*
 * Take settings from the parent at CHILD_CHANNEL_FD and collect until the
 * channel closes. Returns what to exit with (enum collector_exit); reasons go
 * to standard error. child_follow_parent() has been called.
 */
int collector_child_run(const struct collector_source *source);

/* One line to standard error, as the parent understands it: "error: ...". */
void collector_child_complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
