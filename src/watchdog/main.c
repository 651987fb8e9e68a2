/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpu-watchdog: the table of its subcommands, and the way to one of them. To
 * add a subcommand: a row here, a bit in settings.h, a file with its function.
 */
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/option-page.h"
#include "watchdog/act.h"
#include "watchdog/subcommand.h"
#include "watchdog/version.h"

#include <stdio.h>
#include <string.h>

/* vpenso's exporter listens here by default, so its stand-in does. */
static const char *const drop_in_initial[] = {"listen", ":8080", NULL};

const struct subcommand subcommands[] = {
    {{.name = "head",
      .help = "Make this machine the head of a Slurm cluster, and keep it so.",
      .bit = COMMAND_HEAD},
     head_main},
    {{.name = "join",
      .arguments = "[HOST:PORT [TOKEN]]",
      .help = "Make this machine a node of a head's cluster, and keep it so.",
      .bit = COMMAND_JOIN},
     join_main},
    {{.name = "leave",
      .arguments = "[NODE]",
      .help = "Take this machine (on the head: a node) out of the cluster.",
      .bit = COMMAND_LEAVE},
     leave_main},
    {{.name = "token",
      .arguments = "[create | list | revoke ID | web]",
      .help = "Print the line with which a machine joins this head, or a "
              "link to its dashboard.",
      .bit = COMMAND_TOKEN},
     token_main},
    {{.name = "status",
      .help = "Show the cluster, its nodes, and the services of this machine.",
      .bit = COMMAND_STATUS},
     status_main},
    {{.name = "user",
      .arguments = "add NAME",
      .help = "Make a user with the same number on every node.",
      .bit = COMMAND_USER},
     user_main},
    {{.name = "key",
      .arguments = "rotate",
      .help = "Give all nodes a new key.",
      .bit = COMMAND_KEY},
     key_main},
    {{.name = "doctor",
      .help = "Find what is wrong with this head or worker, and what to do.",
      .bit = COMMAND_DOCTOR},
     doctor_main},
    {{.name = "exporter",
      .help = "Serve the metrics of a Slurm cluster to Prometheus.",
      .bit = COMMAND_EXPORTER},
     exporter_main},
    {{.name = "serve",
      .help = "Show the cluster in a browser, and serve its metrics.",
      .bit = COMMAND_SERVE},
     serve_main},
    {{.name = "exporter",
      .program = "prometheus-slurm-exporter",
      .help = "Serve the metrics of a Slurm cluster to Prometheus, in place of "
              "vpenso's program of this name.",
      .bit = COMMAND_EXPORTER,
      .single_dash = true,
      .initial = drop_in_initial},
     exporter_main},
    {{.name = "snapshot",
      .arguments = "save FILE | show FILE",
      .help = "Record all that is known of a cluster, or look at a recording.",
      .bit = COMMAND_SNAPSHOT},
     snapshot_main},
    {{.name = COLLECT_SLURM,
      .help = "Ask slurmctld for the exporter, which runs this itself.",
      .hidden = true},
     collect_slurm_main},
    {{.name = ACT_COMMAND,
      .help = "Act for who signed in to the dashboard, which runs this itself.",
      .bit = COMMAND_ACT,
      .hidden = true},
     act_main},
    {{.name = "generate",
      .arguments =
          "manual NAME | manual-file | completion | example | commands",
      .help = "Print what the build makes from the table of options.",
      .hidden = true},
     generate_main},
    {{.name = NULL}, NULL},
};

static const char main_help[] =
    "Usage: gpu-watchdog COMMAND [OPTION]...\n"
    "\n"
    "Make Slurm clusters of GPU machines, and watch them.\n"
    "\n"
    "Commands:\n";

static int complain(int exit_code, const char *text)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
    return exit_code;
}

/* Write OUT to standard output; the exit code tells whether that worked. */
static int print(struct text *out)
{
    const char *text = text_str(out);
    bool good = text && fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    text_deinit(out);
    return good ? EXIT_SUCCESS
                : complain(EXIT_FAILURE, "cannot write to standard output");
}

static int print_help(void)
{
    struct text out = TEXT_INIT;
    text_add(&out, main_help);
    for (const struct subcommand *s = subcommands; s->options.name; s++)
        if (!s->options.hidden && !s->options.program)
            text_addf(&out, "  %-12s %s\n", s->options.name, s->options.help);
    text_add(&out, "\n\"gpu-watchdog COMMAND --help\" tells more of each; "
                   "\"--version\" the version.\n"
                   "The manual: man gpu-watchdog\n");
    return print(&out);
}

static int print_command_help(const struct option_command *command)
{
    struct text out = TEXT_INIT;
    option_help(&settings_table, command, &out);
    return print(&out);
}

static int print_version(void)
{
    struct text out = TEXT_INIT;
    text_addf(&out, "%s %s\n", settings_table.program, PROJECT_VERSION);
    if (*SLURM_VERSION_TEXT)
        text_addf(&out, "built with Slurm %s\n", SLURM_VERSION_TEXT);
    return print(&out);
}

static int print_settings(const struct settings *settings)
{
    struct text out = TEXT_INIT;
    option_show(&settings->options, &out);
    return print(&out);
}

static int print_verdict(const struct settings *settings)
{
    struct text out = TEXT_INIT;
    if (settings->options.file)
        text_addf(&out, "%s: good\n", settings->options.file);
    else
        text_add(&out, "the configuration is good; there is no file\n");
    return print(&out);
}

/* The subcommand that goes by the program's own name, if it has one. */
static const struct subcommand *find_by_program(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    for (const struct subcommand *s = subcommands; s->options.name; s++)
        if (s->options.program && strcmp(s->options.program, base) == 0)
            return s;
    return NULL;
}

static const struct subcommand *find_by_name(const char *name)
{
    for (const struct subcommand *s = subcommands; s->options.name; s++)
        if (!s->options.program && strcmp(s->options.name, name) == 0)
            return s;
    return NULL;
}

static int refuse_command(const char *name)
{
    struct error err;
    struct nearest nearest = {.word = name};
    nearest_offer(&nearest, "help");
    for (const struct subcommand *s = subcommands; s->options.name; s++)
        if (!s->options.hidden && !s->options.program)
            nearest_offer(&nearest, s->options.name);
    if (nearest.best[0])
        error_set(&err, EINVAL,
                  "unknown command \"%.80s\"; did you mean \"%s\"?", name,
                  nearest.best);
    else
        error_set(&err, EINVAL,
                  "unknown command \"%.80s\"; \"gpu-watchdog help\" lists "
                  "those there are",
                  name);
    return complain(EXIT_USAGE, err.text);
}

/* "help", "help COMMAND", and options in the place of a command. */
static int run_without_command(char *const arguments[])
{
    const char *word = arguments[0];
    if (!word)
        return complain(EXIT_USAGE,
                        "no command; write for example \"gpu-watchdog "
                        "exporter\", or \"gpu-watchdog help\" for a list");
    if (strcmp(word, "--version") == 0)
        return print_version();
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help();
    if (strcmp(word, "help") != 0)
        return refuse_command(word);
    if (!arguments[1])
        return print_help();
    const struct subcommand *asked = find_by_name(arguments[1]);
    return asked ? print_command_help(&asked->options)
                 : refuse_command(arguments[1]);
}

static int run(const struct subcommand *command, char *const arguments[])
{
    struct error err = {.text = ""};
    struct settings *settings = NULL;
    int r = settings_new(&command->options, arguments, &settings, &err);
    if (r < 0)
        return complain(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, err.text);

    int exit_code;
    if (settings->help) {
        exit_code = print_command_help(&command->options);
    } else if (settings->version) {
        exit_code = print_version();
    } else if (settings->check_config) {
        exit_code = print_verdict(settings);
    } else if (settings->show_config) {
        exit_code = print_settings(settings);
    } else {
        log_init(program_invocation_short_name,
                 (enum log_format)settings->log_format,
                 settings_log_level(settings));
        exit_code = command->run(settings);
    }
    settings_free(settings);
    return exit_code;
}

int main(int argc, char *argv[])
{
    if (argc < 1)
        return complain(EXIT_USAGE, "no program name was given");
    const struct subcommand *command = find_by_program(argv[0]);
    if (command)
        return run(command, argv + 1);
    command = argc > 1 ? find_by_name(argv[1]) : NULL;
    if (command)
        return run(command, argv + 2);
    return run_without_command(argv + 1);
}
