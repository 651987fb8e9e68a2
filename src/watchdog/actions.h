/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to Slurm: each is one scontrol, run as a child with a deadline, one
 * after the other in the order they were asked for. Slurm's own command, since
 * libslurm may end the process that calls it, and so that the log can show what
 * a person would have typed.
 */
#pragma once

#include "base/process.h"

#include <stdbool.h>

struct actions;

/* OUTPUT: its lines, as one text; "" when it said nothing. */
typedef void (*action_done)(void *context,
                            const char *node,
                            bool good,
                            const char *output);

int actions_new(struct loop *loop,
                struct process_table *table,
                void *context,
                struct actions **ret_actions,
                struct error *err);

/* What waits is dropped. Accepts NULL; returns NULL. */
struct actions *actions_free(struct actions *actions);

/* Run "scontrol WORDS..." for NODE (both copied); DONE may be NULL. The same
 * words that wait already are not queued again: 0 all the same, and DONE is not
 * called for them. */
int actions_add(struct actions *actions,
                const char *node,
                const char *const words[],
                action_done done,
                struct error *err);
