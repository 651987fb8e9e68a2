/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person sees who waits for head, join or leave: a line a step with the
 * time since the beginning, on standard output. In colour on a terminal, unless
 * NO_COLOR is set. The log goes to standard error as always.
 */
#pragma once

#include "cluster/supervisor.h"

#include <stdarg.h>

/* Time runs from here. */
void progress_begin(void);

/* "  0.3 s  slurmctld is ready" */
void progress_step(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The last step, with a mark. */
void progress_done(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A line without a time, indented. */
void progress_note(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A step for each service that got ready since the last call, or failed. */
void progress_services(const struct supervisor *supervisor);
