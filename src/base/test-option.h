/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the options share: a small table with a row of every type,
 * and how a set is filled from a line and a text.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/option-value.h"
#include "base/option.h"
#include "base/test.h"

#include <stdio.h>
#include <string.h>

enum {
    RUN = 1U << 0,
    OTHER = 1U << 1
};

struct values {
    char *name;
    char *path;
    bool fast;
    bool now;
    int colour;
    uint32_t count;
    uint64_t memory;
    int64_t wait_ns;
    struct option_list hosts;
};

static int check_host(const char *text, struct error *err)
{
    if (strchr(text, '!'))
        return error_set(err, EINVAL, "\"%s\" shouts", text);
    return 0;
}

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct option_row rows[] = {
    {.name = "name",
     .group = "One",
     OPTION_STRING(struct values, name),
     .help = "A name",
     .unit = "NAME",
     .commands = RUN},
    {.name = "web.config.file",
     .group = "One",
     OPTION_FILE(struct values, path),
     .help = "A file",
     .unit = "FILE",
     .commands = RUN},
    {.name = "fast",
     .group = "One",
     OPTION_BOOL(struct values, fast),
     .initial = "true",
     .help = "Be fast",
     .commands = RUN},
    {.name = "now",
     .short_name = 'n',
     .group = "Two",
     OPTION_BOOL(struct values, now),
     .initial = "false",
     .help = "Do it now",
     .commands = RUN,
     .flags = OPTION_COMMAND_LINE_ONLY},
    {.name = "colour",
     .group = "Two",
     OPTION_CHOICE(struct values, colour),
     .initial = "green",
     .words = colours,
     .help = "A colour",
     .commands = RUN},
    {.name = "count",
     .short_name = 'c',
     .group = "Two",
     OPTION_U32(struct values, count),
     .initial = "3",
     .min = 1,
     .max = 10,
     .unit = "N",
     .help = "So many",
     .commands = RUN},
    {.name = "memory",
     .group = "Two",
     OPTION_SIZE(struct values, memory),
     .initial = "64k",
     .max = 1 << 20,
     .unit = "SIZE",
     .help = "So much",
     .commands = OTHER},
    {.name = "wait",
     .group = "Two",
     OPTION_DURATION(struct values, wait_ns),
     .initial = "15s",
     .min = NS_PER_S,
     .max = 60 * NS_PER_S,
     .unit = "TIME",
     .help = "So long",
     .commands = RUN},
    {.name = "hosts",
     .alias = "host machines",
     .group = "Two",
     OPTION_LIST(struct values, hosts),
     .initial = "alpha",
     .check = check_host,
     .unit = "HOST",
     .help = "On these",
     .commands = RUN},
};

static const struct option_table table = {
    .program = "prog",
    .rows = rows,
    .row_count = array_size(rows),
    .values_size = sizeof(struct values),
};

static const struct option_command run = {
    .name = "run", .help = "Run it.", .bit = RUN};
static const struct option_command run_with_words = {
    .name = "run", .help = "Run it.", .bit = RUN, .arguments = "FILE..."};
static const char *const drop_in_initial[] = {"hosts", "omega", NULL};
static const struct option_command drop_in = {.name = "run",
                                              .program = "drop-in",
                                              .help = "Run it.",
                                              .bit = RUN,
                                              .single_dash = true,
                                              .initial = drop_in_initial};

/* Values and set, from a command line of words and the text of a file. */
struct given {
    struct values values;
    struct option_set set;
    struct error err;
    char *words[16];
    char line[256];
};

static inline int give(struct given *given,
                       const struct option_command *command,
                       const char *line,
                       const char *file)
{
    *given = (struct given){.err = {.text = ""}};
    size_t count = 0;
    snprintf(given->line, sizeof(given->line), "%s", line);
    for (char *word = strtok(given->line, " "); word; word = strtok(NULL, " "))
        given->words[count++] = word;
    assert_true(count < array_size(given->words));
    assert_int_equal(
        option_set_init(&given->set, &table, command, &given->values, NULL), 0);
    int r = option_parse_command_line(&given->set, given->words, &given->err);
    if (r == 0 && file)
        r = option_load_text(&given->set, "f.yaml", file, strlen(file),
                             &given->err);
    return r;
}

/* The values of all rows in one line, as --show-config would give them. */
static inline const char *summary(const struct given *given)
{
    static char line[512];
    struct text out = TEXT_INIT;
    for (size_t i = 0; i < array_size(rows); i++) {
        text_addf(&out, "%s%s=", i ? " " : "", rows[i].name);
        option_value_format(rows + i, &given->values, &out);
    }
    snprintf(line, sizeof(line), "%s", text_str(&out));
    text_deinit(&out);
    return line;
}
