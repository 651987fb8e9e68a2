/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a process_spec to a running program: the part of base/process.c that
 * lies between fork and exec. Knows nothing of tables and loops.
 */
#pragma once

#include "base/process.h"

/* RET_OUTPUT_FD gets the end to read what it writes, non-blocking, or -1 when
 * SPEC has no line(). Returns once the program has been executed. */
int process_fork(const struct process_spec *spec,
                 pid_t *ret_pid,
                 int *ret_output_fd,
                 struct error *err);
