/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion for bash. The script uses nothing but bash itself: it works
 * without the bash-completion package, and in zsh through bashcompinit. Words
 * of the table go into it unquoted and must be plain, which names are.
 */
#include "base/option-page.h"

#include <ctype.h>
#include <string.h>

/* The function's name for a program: "_gpu_watchdog". */
static void add_function_name(struct text *out, const char *program)
{
    text_add_char(out, '_');
    for (; *program; program++)
        text_add_char(out, isalnum((unsigned char)*program) ? *program : '_');
}

static void add_options(struct text *out,
                        const struct option_table *table,
                        const struct option_command *command)
{
    const char *dashes = command->single_dash ? "-" : "--";
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (!(row->commands & command->bit) || row->flags & OPTION_HIDDEN)
            continue;
        text_addf(out, " %s%s", dashes, row->name);
        if (row->type == OPTION_TYPE_BOOL &&
            !(row->flags & OPTION_COMMAND_LINE_ONLY))
            text_addf(out, " %sno-%s", dashes, row->name);
    }
}

static void add_words(struct text *out, const struct option_row *row)
{
    for (size_t i = 0; row->words[i]; i++)
        text_addf(out, " %s", row->words[i]);
}

/* One pattern of a case: ROW's spellings, with one dash or two. */
static void add_pattern(struct text *out, const struct option_row *row)
{
    text_addf(out, "    --%s | -%s", row->name, row->name);
    for (const char *at = row->alias; at && *at; at += strspn(at, " ")) {
        int size = (int)strcspn(at, " ");
        text_addf(out, " | --%.*s | -%.*s", size, at, size, at);
        at += size;
    }
    text_add(out, ")\n");
}

/* How the value behind each option is completed. Options of all subcommands
 * stand together: one name means one thing in the whole program. */
static void add_values(struct text *out, const struct option_table *table)
{
    text_add(out, "    case $previous in\n");
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (row->flags & OPTION_HIDDEN || row->type == OPTION_TYPE_BOOL)
            continue;
        add_pattern(out, row);
        if (row->type == OPTION_TYPE_FILE) {
            text_add(out, "        compopt -o filenames 2>/dev/null\n"
                          "        mapfile -t COMPREPLY < "
                          "<(compgen -f -- \"$current\")\n");
        } else if (row->words) {
            text_add(out, "        words='");
            add_words(out, row);
            text_add(out, "'\n        mapfile -t COMPREPLY < <(compgen "
                          "-P \"$before\" -W \"$words\" -- \"$last\")\n");
        }
        text_add(out, "        return\n        ;;\n");
    }
    text_add(out, "    esac\n");
}

/* The two words at the cursor (bash makes three of "--name=value"), and the
 * item of a list that is being written. */
static const char prologue[] =
    "()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} words=''\n"
    "    local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    if [[ $current == '=' ]]; then\n"
    "        current=''\n"
    "    elif [[ $previous == '=' ]] && ((COMP_CWORD > 1)); then\n"
    "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    local last=${current##*,}\n"
    "    local before=${current%\"$last\"}\n";

static void add_function(struct text *out,
                         const struct option_table *table,
                         const char *program)
{
    add_function_name(out, program);
    text_add(out, prologue);
    add_values(out, table);
}

static void add_end(struct text *out, const char *program)
{
    text_add(out, "    mapfile -t COMPREPLY < "
                  "<(compgen -W \"$words\" -- \"$current\")\n"
                  "}\n"
                  "complete -F ");
    add_function_name(out, program);
    text_addf(out, " %s\n", program);
}

static void add_main_function(struct text *out,
                              const struct option_table *table,
                              const struct option_command *const *commands)
{
    add_function(out, table, table->program);
    text_add(out, "    case ${COMP_WORDS[1]} in\n");
    for (; *commands; commands++) {
        const struct option_command *command = *commands;
        if (command->hidden || command->program)
            continue;
        text_addf(out, "    %s)\n        words='", command->name);
        add_options(out, table, command);
        text_add(out, "'\n        ;;\n");
    }
    text_add(out, "    esac\n");
}

static void add_first_words(struct text *out,
                            const struct option_command *const *commands)
{
    text_add(out, "    if ((COMP_CWORD == 1)); then\n        words='");
    for (; *commands; commands++)
        if (!(*commands)->hidden && !(*commands)->program)
            text_addf(out, " %s", (*commands)->name);
    text_add(out, " help --help --version'\n    fi\n");
}

void option_completion(const struct option_table *table,
                       const struct option_command *const *commands,
                       struct text *out)
{
    text_addf(out,
              "# shellcheck shell=bash\n"
              "# Completion of %s's command line, made by the program "
              "itself.\n\n",
              table->program);
    add_main_function(out, table, commands);
    add_first_words(out, commands);
    add_end(out, table->program);
    for (; *commands; commands++) {
        const struct option_command *command = *commands;
        if (command->hidden || !command->program)
            continue;
        text_add_char(out, '\n');
        add_function(out, table, command->program);
        text_add(out, "    words='");
        add_options(out, table, command);
        text_add(out, "'\n");
        add_end(out, command->program);
    }
}
