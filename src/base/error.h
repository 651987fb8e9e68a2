/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error doctrine: a function that can fail returns 0 or a negative
 * errno value; where a person will read the reason it also takes a caller-owned
 * struct error as its last argument. The text is set once, where the fault is
 * seen, and gets context in front on its way up ("nodes: node n17: ...").
 * Libraries never log and never exit; main and the event loop do.
 */
#pragma once

#include <errno.h>

struct error {
    char text[512]; /* one line, no newline at the end; "" when none is set */
};

/* Set ERR's text (ERR may be NULL) and return -CODE; CODE is a positive errno.
 * So a failing line reads: return error_set(err, EINVAL, "...", ...); */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like error_set, with ": " and the system's text for CODE appended. */
int error_errno(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " in front of ERR's text; over-long texts lose their tail. */
void error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
