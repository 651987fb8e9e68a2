/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The talk between a collector and its parent: messages of one fixed size on a
 * SOCK_SEQPACKET pair, some with a descriptor. Both ends are the same program,
 * so there is no version and no byte order; still the parent believes nothing
 * that it has not checked.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

enum collector_message_kind {
    COLLECTOR_SETTINGS = 1, /* to the child; the last snapshot may ride along */
    COLLECTOR_NOW,          /* to the child: begin a cycle at once */
    COLLECTOR_BEGIN,        /* to the parent: a cycle starts */
    COLLECTOR_ASK,          /* to the parent: the request for PART starts */
    COLLECTOR_SNAPSHOT,     /* to the parent: with the sealed snapshot */
    COLLECTOR_MESSAGE_END
};

struct collector_message {
    uint32_t kind; /* enum collector_message_kind */
    uint32_t part; /* ASK: enum snapshot_part_kind */
    /* SETTINGS: as in struct collector_settings. */
    uint32_t parts;
    uint32_t wanted; /* COLLECTOR_WANTS_* */
    int64_t interval_ns;
    int64_t jobs_interval_ns;
    int64_t slow_interval_ns;
};

enum {
    /* Which GPUs each job was given: makes the controller's answer longer. */
    COLLECTOR_WANTS_JOB_GPUS = 1 << 0
};

/* How a child ends on its own account. */
enum collector_exit {
    COLLECTOR_EXIT_DONE = 0,   /* the parent closed the channel */
    COLLECTOR_EXIT_FAILED = 1, /* the reason is on standard error */
    COLLECTOR_EXIT_USAGE = 2,  /* started by hand */
    COLLECTOR_EXIT_RENEW = 75  /* start me anew: the configuration changed */
};

/* Send MESSAGE, with a copy of descriptor FD unless that is -1. -EAGAIN when a
 * non-blocking channel is full; -EPIPE when the other end is gone. */
int collector_send(int channel,
                   const struct collector_message *message,
                   int fd,
                   struct error *err);

/*
 * Take the next message. 1: there is one, and *RET_FD is the descriptor that
 * came with it, the caller's, or -1. 0: the other end is gone. -EAGAIN: none
 * is waiting. -EPROTO: what came is not a message.
 */
int collector_receive(int channel,
                      struct collector_message *ret_message,
                      int *ret_fd,
                      struct error *err);
