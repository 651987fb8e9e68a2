/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written from a table of options: for people, for the shell and for
 * the program itself. All append to OUT; ask text_failed() at the end.
 */
#pragma once

#include "base/option.h"
#include "base/text.h"

/* --show-config: the values that SET's command takes, as a complete
 * configuration file; a comment says where each came from. */
void option_show(const struct option_set *set, struct text *out);

/* --help of COMMAND, 80 columns wide. */
void option_help(const struct option_table *table,
                 const struct option_command *command,
                 struct text *out);

/* The options of COMMAND as a fragment of a scdoc manual page. */
void option_manual(const struct option_table *table,
                   const struct option_command *command,
                   struct text *out);

/* The keys of the configuration file as a fragment of a scdoc manual page. */
void option_manual_file(const struct option_table *table, struct text *out);

/* An example of the configuration file: every key of the table, commented out,
 * at the value it has in SET, which holds defaults only. */
void option_example(const struct option_set *set, struct text *out);

/* Completion for bash, of all COMMANDS (NULL at the end) that are not hidden,
 * under the program's name and their own. */
void option_completion(const struct option_table *table,
                       const struct option_command *const *commands,
                       struct text *out);
