/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments of manual pages in scdoc's notation, for tools/make-manual to put
 * into the pages written by hand.
 */
#include "base/cleanup.h"
#include "base/option-page.h"
#include "base/option-value.h"

#include <stdio.h>
#include <string.h>

enum {
    KEY_SIZE = 64
};

/* Append TEXT so that scdoc takes none of it for its own marks. */
static void add_plain(struct text *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("*_\\#[]~<>|", *text))
            text_add_char(out, '\\');
        text_add_char(out, *text);
    }
}

static void add_marked(struct text *out, char mark, const char *text)
{
    text_add_char(out, mark);
    add_plain(out, text);
    text_add_char(out, mark);
}

static void add_unit(struct text *out, const struct option_row *row)
{
    if (row->type == OPTION_TYPE_CHOICE) {
        for (size_t i = 0; row->words[i]; i++) {
            text_add(out, i ? "|" : "");
            add_marked(out, '*', row->words[i]);
        }
    } else {
        add_marked(out, '_', row->unit ? row->unit : "VALUE");
    }
}

static void add_spelling(struct text *out,
                         const struct option_row *row,
                         const char *dashes,
                         const char *name)
{
    bool negatable = row->type == OPTION_TYPE_BOOL &&
                     !(row->flags & OPTION_COMMAND_LINE_ONLY);
    text_addf(out, "*%s", dashes);
    add_plain(out, negatable ? "[no-]" : "");
    add_plain(out, name);
    text_add_char(out, '*');
    if (row->type != OPTION_TYPE_BOOL) {
        text_add_char(out, ' ');
        add_unit(out, row);
    }
}

/* All spellings of ROW, on one line. */
static void add_spellings(struct text *out,
                          const struct option_row *row,
                          const char *dashes)
{
    char alias[KEY_SIZE];
    if (row->short_name)
        text_addf(out, "*-%c*, ", row->short_name);
    add_spelling(out, row, dashes, row->name);
    for (const char *at = row->alias; at && *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        snprintf(alias, sizeof(alias), "%.*s", (int)size, at);
        text_add(out, ", ");
        add_spelling(out, row, dashes, alias);
        at += size;
    }
    text_add_char(out, '\n');
}

static void add_bound(struct text *out,
                      const struct option_row *row,
                      const char *words,
                      int64_t bound)
{
    _cleanup_(text_deinit) struct text number = TEXT_INIT;
    if (bound == 0)
        return;
    option_number_format(row, bound, &number);
    const char *shown = text_str(&number);
    text_addf(out, "; %s ", words);
    add_marked(out, '_', shown ? shown : "");
}

static void add_default(struct text *out,
                        const struct option_row *row,
                        const struct option_command *command)
{
    const char *initial = option_initial(row, command);
    if (row->type == OPTION_TYPE_BOOL && !*initial)
        initial = "false";
    text_add(out, "\tDefault: ");
    if (*initial)
        add_marked(out, '_', initial);
    else
        text_add(out, "none");
    add_bound(out, row, "at least", row->min);
    add_bound(out, row, "at most", row->max);
    if (row->type == OPTION_TYPE_LIST)
        text_add(out, "; a list, separated by commas");
    text_add(out, ".\n");
}

/* What may be in a list. */
static void add_words(struct text *out, const struct option_row *row)
{
    text_add(out, "\tThere are ");
    for (size_t i = 0; row->words[i]; i++) {
        text_add(out, i == 0 ? "" : row->words[i + 1] ? ", " : " and ");
        add_marked(out, '*', row->words[i]);
    }
    text_add(out, ".\n");
}

/* The indented text below an option or a key. */
static void add_description(struct text *out,
                            const struct option_row *row,
                            const struct option_command *command)
{
    text_add_char(out, '\t');
    add_plain(out, row->help);
    text_add(out, ".\n");
    if (row->about) {
        text_add_char(out, '\t');
        add_plain(out, row->about);
        text_add_char(out, '\n');
    }
    if (row->type == OPTION_TYPE_LIST && row->words)
        add_words(out, row);
    if (row->flags & OPTION_COMMAND_LINE_ONLY && row->type == OPTION_TYPE_BOOL)
        return;
    add_default(out, row, command);
    if (row->flags & OPTION_COMMAND_LINE_ONLY)
        text_add(out, "\tHas no key in the configuration file.\n");
    else if (row->flags & OPTION_RELOADABLE)
        text_add(out, "\tCan be changed by a reload.\n");
}

static void
add_group(struct text *out, const struct option_row *row, const char **group)
{
    if (!row->group || (*group && strcmp(*group, row->group) == 0))
        return;
    *group = row->group;
    text_addf(out, "## %s\n\n", *group);
}

void option_manual(const struct option_table *table,
                   const struct option_command *command,
                   struct text *out)
{
    const char *group = NULL;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (!(row->commands & command->bit) || row->flags & OPTION_HIDDEN)
            continue;
        add_group(out, row, &group);
        add_spellings(out, row, command->single_dash ? "-" : "--");
        add_description(out, row, command);
        text_add_char(out, '\n');
    }
}

void option_manual_file(const struct option_table *table, struct text *out)
{
    char key[KEY_SIZE];
    const char *group = NULL;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (row->flags & (OPTION_COMMAND_LINE_ONLY | OPTION_HIDDEN))
            continue;
        add_group(out, row, &group);
        add_marked(out, '*', option_key(row, key, sizeof(key)));
        text_add(out, "*:* ");
        if (row->type == OPTION_TYPE_BOOL)
            text_add(out, "*true*|*false*");
        else
            add_unit(out, row);
        text_add_char(out, '\n');
        add_description(out, row, NULL);
        text_add_char(out, '\n');
    }
}
