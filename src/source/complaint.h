/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a child complained of: the lines on its standard error, of which the
 * first and the last fatal: or error: line are kept. Two, because a library
 * names the cause first ("unrecognized key: x"), then each of its layers what
 * follows, up to "fatal: unable to process configuration file"; either alone
 * leaves a question open.
 *
 * A foreign library decides what is written there and how much, so the memory
 * is fixed and over-long lines are cut.
 */
#pragma once

#include <stddef.h>

enum {
    COMPLAINT_LINE_SIZE = 200
};

struct complaint {
    char line[COMPLAINT_LINE_SIZE * 2]; /* the line under way; cut when full */
    size_t used;
    /* "" when there was none. Complaints are kept without the writer's name,
     * a time or the word "error:" in front. */
    char first[COMPLAINT_LINE_SIZE];
    char last[COMPLAINT_LINE_SIZE];
    char other[COMPLAINT_LINE_SIZE]; /* last line of any other kind */
};

/* Take SIZE bytes as they came. */
void complaint_add(struct complaint *complaint, const char *data, size_t size);

/* No more bytes will come: a line without an end counts. */
void complaint_end(struct complaint *complaint);

/* Forget all but a line under way. */
void complaint_forget(struct complaint *complaint);

/* The reason as a person should read it, "LAST (FIRST)", or another line
 * when nothing was called an error; "" for none. Returns BUFFER. */
char *
complaint_reason(const struct complaint *complaint, char *buffer, size_t size);
