/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop of a program: one thread, one epoll. Everything that may
 * block lives in a child process, never in a callback of this loop.
 *
 * A callback may add and free any source, its own included.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/epoll.h>

struct loop;
struct loop_source; /* a watched descriptor, a timer or a signal */

/* EVENTS is epoll's set; for timers and signals it is EPOLLIN. */
typedef void (*loop_callback)(void *context, uint32_t events);

int loop_new(struct loop **ret_loop, struct error *err);

/* Every source must have been freed before. Accepts NULL. */
void loop_free(struct loop *loop);

/* Watch FD (level-triggered) until the source is freed; FD stays the caller's
 * and must be closed after that. */
int loop_add_fd(struct loop *loop,
                int fd,
                uint32_t events,
                loop_callback callback,
                void *context,
                struct loop_source **ret_source,
                struct error *err);

/* Change what is watched; only for sources of loop_add_fd. */
int loop_set_events(struct loop_source *source, uint32_t events);

/* A timer, not running yet. */
int loop_add_timer(struct loop *loop,
                   loop_callback callback,
                   void *context,
                   struct loop_source **ret_source,
                   struct error *err);

/* Let TIMER call back once at DUE_NS of the monotonic clock (a past time: at
 * once); 0 stops it. */
void loop_timer_set(struct loop_source *timer, int64_t due_ns);

/* Take SIGNAL_NUMBER out of its usual course and call back instead. */
int loop_add_signal(struct loop *loop,
                    int signal_number,
                    loop_callback callback,
                    void *context,
                    struct loop_source **ret_source,
                    struct error *err);

/* Accepts NULL; returns NULL. */
struct loop_source *loop_source_free(struct loop_source *source);

/* Dispatch until loop_stop(); returns its EXIT_CODE, or a negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int exit_code);
