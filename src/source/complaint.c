/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splitting a child's standard error into lines and finding the complaints
 * among them. libslurm writes "gpu-watchdog: error: text", with a time in
 * front where logging was set up so; only the text is of interest.
 */
#include "source/complaint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The text of a complaint, behind the word that makes it one; NULL for a line
 * that is none. */
static const char *complaint_text(const char *line)
{
    static const char *const words[] = {"fatal: ", "error: "};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *found = strstr(line, words[i]);
        if (found)
            return found + strlen(words[i]);
    }
    return NULL;
}

/* "If munged is up, restart with ..." comes before the cause. */
static bool is_advice(const char *text)
{
    return strncmp(text, "If ", 3) == 0;
}

static void copy(char *to, const char *from)
{
    snprintf(to, COMPLAINT_LINE_SIZE, "%.*s", COMPLAINT_LINE_SIZE - 1, from);
}

static void end_line(struct complaint *c)
{
    /* What is no plain text would spoil whoever prints the reason. */
    for (size_t i = 0; i < c->used; i++)
        if (c->line[i] < ' ' || c->line[i] > '~')
            c->line[i] = ' ';
    while (c->used > 0 && c->line[c->used - 1] == ' ')
        c->used--;
    c->line[c->used] = '\0';
    const char *text = complaint_text(c->line);
    if (text) {
        if (!c->first[0] && !is_advice(text))
            copy(c->first, text);
        copy(c->last, text);
    } else if (c->used > 0) {
        copy(c->other, c->line);
    }
    c->used = 0;
}

void complaint_add(struct complaint *c, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n')
            end_line(c);
        else if (c->used < sizeof(c->line) - 1)
            c->line[c->used++] = data[i];
    }
}

void complaint_end(struct complaint *c)
{
    if (c->used > 0)
        end_line(c);
}

void complaint_forget(struct complaint *c)
{
    c->first[0] = '\0';
    c->last[0] = '\0';
    c->other[0] = '\0';
}

char *complaint_reason(const struct complaint *c, char *buffer, size_t size)
{
    if (!c->last[0])
        snprintf(buffer, size, "%s", c->other);
    else if (!c->first[0] || strcmp(c->first, c->last) == 0)
        snprintf(buffer, size, "%s", c->last);
    else
        snprintf(buffer, size, "%s (%s)", c->last, c->first);
    return buffer;
}
