/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs, run and reaped. One table a program: it takes SIGCHLD, reaps
 * every child, also those that are not in it (orphans that fall to us as the
 * first process of a container or as a subreaper), and tells the owner of those
 * that are. For children of our own kind that die with us see base/child.h; the
 * status of one of those is handed over there.
 *
 * Every program gets a session of its own, so that a terminal's interrupt ends
 * us and not those that we want to stop in order.
 */
#pragma once

#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_table;

/* SUBREAPER: become the parent of orphaned grandchildren (prctl). */
int process_table_new(struct loop *loop,
                      bool subreaper,
                      struct process_table **ret_table,
                      struct error *err);

/* Every process must have been freed. Accepts NULL; returns NULL. */
struct process_table *process_table_free(struct process_table *table);

struct process;
struct process_spec {
    const char *const *arguments;   /* argv, found along PATH; NULL ends */
    const char *const *environment; /* whole; NULL: ours */
    const char *user;               /* to become, with its groups; NULL: stay */
    const char *input; /* to its standard input, then end of file; NULL: none */
    /* One line that it wrote to standard output or error, without newline;
     * over-long ones in pieces. Or NULL: both go where ours go. */
    void (*line)(void *context, const char *line);
    /* STATUS is waitpid()'s; every line has been told before. It may free the
     * process. Or NULL. */
    void (*ended)(void *context, struct process *process, int status);
    void *context;
    /* Monotonic; then SIGKILL to it and its children; 0: none. */
    int64_t deadline_ns;
    int parent_death_signal; /* that it gets when we die; 0: none */
};

/* Fails with the reason when the program cannot be found, executed, or made to
 * run as the user; ended() is not called then. */
int process_start(struct process_table *table,
                  const struct process_spec *spec,
                  struct process **ret_process,
                  struct error *err);

/* 0 once it has ended. */
pid_t process_pid(const struct process *process);

/* A signal to it alone; no error when it is gone. */
void process_signal(struct process *process, int signal_number);

/* Forget it: a running one goes on, its lines are read and thrown away (a
 * closed pipe would kill it), and it is reaped silently. Needed after ended()
 * as well. Accepts NULL; returns NULL. */
struct process *process_free(struct process *process);

/* Of waitpid()'s STATUS: "ended with code 1", "was killed by SIGSEGV". */
void process_status_text(int status, char *ret_text, size_t size);
