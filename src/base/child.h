/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process that is this same program again, under a hidden subcommand,
 * or one that does only that, with nothing inherited but standard error (a pipe
 * to us) and one socket. fork and exec rather than fork alone: the child starts
 * with no threads, no locks and no descriptors of the parent's, and what a
 * foreign library does to it (exit, hang, leak) ends with it.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    /* The socket to the parent, in the child: a SOCK_SEQPACKET pair's end. */
    CHILD_CHANNEL_FD = 3
};

struct child {
    pid_t pid;      /* 0 when none runs */
    int pid_fd;     /* readable when the child has ended */
    int channel_fd; /* our end of the socket, non-blocking */
    int stderr_fd;  /* what the child writes to standard error, non-blocking */
};

#define CHILD_INIT                                                             \
    {                                                                          \
        .pid = 0, .pid_fd = -1, .channel_fd = -1, .stderr_fd = -1              \
    }

/* Run PROGRAM, or with NULL this program, with ARGUMENTS (argv[0] included,
 * NULL at the end). The child gets default signal handling and an empty signal
 * mask.
 */
int child_spawn(struct child *child,
                const char *program,
                const char *const arguments[],
                struct error *err);

/* A copy of ARGUMENTS to keep, texts included; NULL when memory ran out. Free
 * accepts NULL. */
const char **child_arguments_copy(const char *const arguments[]);
void child_arguments_free(const char **arguments);

/* Kill (SIGKILL) and reap a child that still runs, close all descriptors; safe
 * on CHILD_INIT. Does not block longer than the kernel needs to end a process,
 * except for one in an uninterruptible call, which is left to be reaped by
 * init when we exit. */
void child_deinit(struct child *child);

/* Reap an ended child without blocking. True when it has ended; RET_STATUS is
 * then what waitpid() says, or 0 when the kernel reaped it for us because we
 * were started with SIGCHLD ignored. */
bool child_reap(struct child *child, int *ret_status);

/* For whoever reaps every child of this process (base/process.h): PID, if it is
 * a child of ours, has ended with STATUS and is reaped; child_reap() tells so
 * from now on. False: not one of ours. */
bool child_take_status(pid_t pid, int status);

/* In the child, first thing in main: die when the parent dies. Returns false
 * when the parent is gone already. */
bool child_follow_parent(void);
