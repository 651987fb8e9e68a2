/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog generate": prints the papers that come from the table of
 * options, for the build. Hidden, since nobody else needs it; part of the
 * program, so that what is printed is what it does.
 */
#include "base/cleanup.h"
#include "base/option-page.h"
#include "watchdog/subcommand.h"

#include <stdio.h>
#include <string.h>

/* The options of the command or the program called NAME. */
static int add_manual(const char *name, struct text *out)
{
    for (const struct subcommand *s = subcommands; s->options.name; s++) {
        const struct option_command *command = &s->options;
        const char *called =
            command->program ? command->program : command->name;
        if (strcmp(called, name) == 0) {
            option_manual(&settings_table, command, out);
            return 0;
        }
    }
    return -ENOENT;
}

/* The list of commands, for gpu-watchdog(1). */
static void add_commands(struct text *out)
{
    for (const struct subcommand *s = subcommands; s->options.name; s++)
        if (!s->options.hidden && !s->options.program)
            text_addf(out, "*%s*\n\t%s See *gpu-watchdog-%s*(8).\n\n",
                      s->options.name, s->options.help, s->options.name);
}

static int add_completion(struct text *out)
{
    size_t count = 0;
    while (subcommands[count].options.name)
        count++;
    _cleanup_(free_ptr) const struct option_command **commands =
        calloc(count + 1, sizeof(*commands));
    if (!commands)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        commands[i] = &subcommands[i].options;
    option_completion(&settings_table, commands, out);
    return 0;
}

static int add_paper(const struct settings *settings, struct text *out)
{
    char *const *words = settings->options.arguments;
    const char *paper = words[0] ? words[0] : "";
    int r = 0;
    if (strcmp(paper, "manual") == 0 && words[1])
        r = add_manual(words[1], out);
    else if (strcmp(paper, "manual-file") == 0)
        option_manual_file(&settings_table, out);
    else if (strcmp(paper, "commands") == 0)
        add_commands(out);
    else if (strcmp(paper, "completion") == 0)
        r = add_completion(out);
    else if (strcmp(paper, "example") == 0)
        option_example(&settings->options, out);
    else
        r = -ENOENT;
    return r;
}

int generate_main(const struct settings *settings)
{
    _cleanup_(text_deinit) struct text out = TEXT_INIT;
    int r = add_paper(settings, &out);
    const char *text = text_str(&out);
    if (r == -ENOENT) {
        log_error("generate: no such paper; write manual NAME, manual-file, "
                  "commands, completion or example");
        return EXIT_USAGE;
    }
    if (r < 0 || !text || fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        log_error("generate: cannot write to standard output");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
