/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log goes to standard error, a line a message, for programs only: library
 * rooms return errors instead. Where standard error is the journal's (systemd
 * tells with JOURNAL_STREAM) a line carries its priority as "<N>", which the
 * journal takes off; in a file, a pipe, on a terminal it does not. A message
 * that repeats at once is held back for a minute; the next line that is written
 * tells its count first. Control characters become spaces, so a message is
 * always one line. errno stays as it was.
 */
#pragma once

#include <stdbool.h>

/* The journal's (syslog's) numbers. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

enum log_format {
    LOG_FORMAT_AUTO,   /* priority prefix for the journal, plain elsewhere */
    LOG_FORMAT_JSON,   /* {"time":..., "level":..., "message":...} */
    LOG_FORMAT_JOURNAL /* priority prefix, for who reads it from a pipe */
};

/* PROGRAM is put in front of plain lines; must outlive the process. */
void log_init(const char *program, enum log_format format, enum log_level max);

void log_message(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)
