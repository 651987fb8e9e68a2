/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program itself prints from the table: help, the configuration in
 * force, an example of a configuration file.
 */
#include "base/option-page.h"

#include "base/cleanup.h"
#include "base/option-value.h"
#include "base/utf8.h"

#include <string.h>

enum {
    PAGE_WIDTH = 80,
    HELP_COLUMN = 27,   /* where the words of --help begin */
    ORIGIN_COLUMN = 40, /* where the comments of --show-config begin */
    KEY_SIZE = 64
};

/* Append TEXT in lines that begin with MARGIN, from COLUMN of the first one
 * on. A word is never cut. */
static void
add_wrapped(struct text *out, const char *text, const char *margin, int column)
{
    bool fresh = true; /* at the beginning of a line: no space is due */
    while (*text) {
        int size = (int)strcspn(text, " ");
        if (!fresh && column + 1 + size >= PAGE_WIDTH) {
            text_addf(out, "\n%s", margin);
            column = (int)strlen(margin);
            fresh = true;
        }
        text_addf(out, "%s%.*s", fresh ? "" : " ", size, text);
        column += size + !fresh;
        fresh = false;
        text += size;
        text += strspn(text, " ");
    }
    text_add_char(out, '\n');
}

static void pad_to(struct text *out, size_t line_start, size_t column)
{
    do
        text_add_char(out, ' ');
    while (!text_failed(out) && out->size - line_start < column);
}

/* What stands for ROW's value: "ADDR", "auto|json"; "" for a switch. */
static void add_unit(struct text *out, const struct option_row *row)
{
    if (row->unit)
        text_add(out, row->unit);
    else if (row->type == OPTION_TYPE_CHOICE)
        for (size_t i = 0; row->words[i]; i++)
            text_addf(out, "%s%s", i ? "|" : "", row->words[i]);
    else if (row->type != OPTION_TYPE_BOOL)
        text_add(out, "VALUE");
}

/* "-h, --help", "--[no-]gpus-acct", "--listen ADDR". */
static void add_spelling(struct text *out,
                         const struct option_row *row,
                         const struct option_command *command)
{
    bool negatable = row->type == OPTION_TYPE_BOOL &&
                     !(row->flags & OPTION_COMMAND_LINE_ONLY);
    if (row->short_name)
        text_addf(out, "-%c, ", row->short_name);
    text_addf(out, "%s%s%s", command->single_dash ? "-" : "--",
              negatable ? "[no-]" : "", row->name);
    if (row->type != OPTION_TYPE_BOOL) {
        text_add_char(out, ' ');
        add_unit(out, row);
    }
}

/* "Serve here; repeatable (default: :9341)" */
static void add_summary(struct text *out,
                        const struct option_row *row,
                        const struct option_command *command)
{
    const char *initial = option_initial(row, command);
    text_add(out, row->help);
    if (row->type == OPTION_TYPE_LIST)
        text_add(out, "; repeatable");
    if (row->type == OPTION_TYPE_BOOL)
        initial = strcmp(initial, "true") == 0 ? "on" : "";
    if (*initial)
        text_addf(out, " (default: %s)", initial);
}

static void add_help_row(struct text *out,
                         const struct option_row *row,
                         const struct option_command *command)
{
    static const char margin[] = "                           ";
    _Static_assert(sizeof(margin) == HELP_COLUMN + 1, "the margin's width");
    _cleanup_(text_deinit) struct text summary = TEXT_INIT;

    size_t line_start = out->size;
    text_add(out, "  ");
    add_spelling(out, row, command);
    if (out->size - line_start > HELP_COLUMN - 2)
        text_addf(out, "\n%s", margin);
    else
        pad_to(out, line_start, HELP_COLUMN);
    add_summary(&summary, row, command);
    const char *words = text_str(&summary);
    add_wrapped(out, words ? words : "", margin, HELP_COLUMN);
}

/* Append a heading when ROW begins a new group after *GROUP. */
static bool is_new_group(const struct option_row *row, const char **group)
{
    if (!row->group || (*group && strcmp(*group, row->group) == 0))
        return false;
    *group = row->group;
    return true;
}

void option_help(const struct option_table *table,
                 const struct option_command *command,
                 struct text *out)
{
    if (command->program)
        text_addf(out, "Usage: %s", command->program);
    else
        text_addf(out, "Usage: %s %s", table->program, command->name);
    text_addf(out, " [OPTION]...%s%s\n\n", command->arguments ? " " : "",
              command->arguments ? command->arguments : "");
    add_wrapped(out, command->help, "", 0);

    const char *group = NULL;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (!(row->commands & command->bit) || row->flags & OPTION_HIDDEN)
            continue;
        if (is_new_group(row, &group))
            text_addf(out, "\n%s:\n", group);
        add_help_row(out, row, command);
    }
    text_addf(out, "\nThe manual: man %s%s%s\n",
              command->program ? command->program : table->program,
              command->program ? "" : "-",
              command->program ? "" : command->name);
}

/* Codes that YAML 1.1 lets stand in a file, control characters aside. */
static bool is_yaml_printable(uint32_t code)
{
    return (code >= ' ' && code <= '~') || code == 0x85 ||
           (code >= 0xa0 && code <= 0xfffd && code != 0xfeff &&
            code != 0x2028 && code != 0x2029) ||
           code >= 0x10000;
}

static void add_yaml_string(struct text *out, const char *string)
{
    text_add_char(out, '"');
    while (*string) {
        uint32_t code;
        size_t size = utf8_decode(string, &code);
        if (size == 0)
            text_addf(out, "\\x%02x", (unsigned char)*string);
        else if (!is_yaml_printable(code) || code == 0x85)
            text_addf(out, "\\u%04x", (unsigned int)code);
        else if (code == '"' || code == '\\')
            text_addf(out, "\\%c", (char)code);
        else
            text_add_bytes(out, string, size);
        string += size ? size : 1;
    }
    text_add_char(out, '"');
}

static void add_yaml_value(struct text *out,
                           const struct option_row *row,
                           const void *values)
{
    const void *field = option_value_field(row, values);
    if (row->type == OPTION_TYPE_STRING || row->type == OPTION_TYPE_FILE) {
        add_yaml_string(out, *(char *const *)field);
    } else if (row->type == OPTION_TYPE_LIST) {
        const struct option_list *list = field;
        text_add_char(out, '[');
        for (size_t i = 0; i < list->count; i++) {
            text_add(out, i ? ", " : "");
            add_yaml_string(out, list->items[i]);
        }
        text_add_char(out, ']');
    } else {
        option_value_format(row, values, out);
    }
}

void option_show(const struct option_set *set, struct text *out)
{
    char key[KEY_SIZE], origin[512];
    for (size_t i = 0; i < set->table->row_count; i++) {
        const struct option_row *row = set->table->rows + i;
        if (!(row->commands & set->command->bit) ||
            row->flags & OPTION_COMMAND_LINE_ONLY)
            continue;
        size_t line_start = out->size;
        text_addf(out, "%s: ", option_key(row, key, sizeof(key)));
        add_yaml_value(out, row, set->values);
        pad_to(out, line_start, ORIGIN_COLUMN);
        text_addf(out, "# %s\n",
                  option_origin_text(set, row, origin, sizeof(origin)));
    }
}

static void add_comment(struct text *out, const char *text)
{
    text_add(out, "# ");
    add_wrapped(out, text, "# ", 2);
}

static void add_example_row(struct text *out,
                            const struct option_set *set,
                            const struct option_row *row)
{
    char key[KEY_SIZE];
    text_add_char(out, '\n');
    _cleanup_(text_deinit) struct text comment = TEXT_INIT;
    text_addf(&comment, "%s.", row->help);
    if (row->about)
        text_addf(&comment, " %s", row->about);
    const char *words = text_str(&comment);
    add_comment(out, words ? words : "");
    text_addf(out, "#%s: ", option_key(row, key, sizeof(key)));
    add_yaml_value(out, row, set->values);
    text_add_char(out, '\n');
}

void option_example(const struct option_set *set, struct text *out)
{
    _cleanup_(text_deinit) struct text head = TEXT_INIT;
    text_addf(&head,
              "The configuration of %s. Every key stands here with its "
              "default; remove the # before those to change. Each is also an "
              "option on the command line, which outranks this file. The "
              "manual is %s.yaml(5); a file is tried with --check-config.",
              set->table->program, set->table->program);
    const char *words = text_str(&head);
    add_comment(out, words ? words : "");

    const char *group = NULL;
    for (size_t i = 0; i < set->table->row_count; i++) {
        const struct option_row *row = set->table->rows + i;
        if (row->flags & (OPTION_COMMAND_LINE_ONLY | OPTION_HIDDEN))
            continue;
        if (is_new_group(row, &group))
            text_addf(out, "\n# ---- %s ----\n", group);
        add_example_row(out, set, row);
    }
}
