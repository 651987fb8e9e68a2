/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpu-exporter: the table of its commands. Without one it serves.
 */
#include "base/cleanup.h"
#include "base/option-page.h"
#include "exporter/exporter.h"
#include "exporter/version.h"
#include "model/gpu-metric.h"

#include <stdio.h>
#include <string.h>

static int release_main(const struct settings *settings)
{
    return control_main(settings, "release");
}

static int resume_main(const struct settings *settings)
{
    return control_main(settings, "resume");
}

static int generate_main(const struct settings *settings);

static const struct command {
    struct option_command options;
    int (*run)(const struct settings *settings);
} commands[] = {
    {{.name = "serve",
      .program = "gpu-exporter",
      .arguments = "[release | resume]",
      .help = "Serve the metrics of this machine's GPUs to Prometheus.",
      .bit = COMMAND_SERVE},
     exporter_main},
    {{.name = "release",
      .help = "Let a running gpu-exporter let go of the GPUs' driver.",
      .bit = COMMAND_CONTROL},
     release_main},
    {{.name = "resume",
      .help = "Let it take the GPUs up again.",
      .bit = COMMAND_CONTROL},
     resume_main},
    {{.name = COLLECT_GPUS, .bit = COMMAND_COLLECT, .hidden = true},
     collect_main},
    {{.name = "generate",
      .arguments = "manual NAME | manual-file | completion | example | metrics",
      .bit = COMMAND_GENERATE,
      .hidden = true},
     generate_main},
};

static int complain(int exit_code, const char *text)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
    return exit_code;
}

static int print(struct text *out)
{
    const char *text = text_str(out);
    bool good = text && fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    text_deinit(out);
    return good ? EXIT_SUCCESS
                : complain(EXIT_FAILURE, "cannot write to standard output");
}

/* ---- papers -------------------------------------------------------------- */

/* The reference of metrics: the list of readings as a table. */
static void add_metrics(struct text *out)
{
    static const char *const groups[GPU_GROUP_COUNT] = {
        [GPU_GROUP_DCGM] = "As dcgm-exporter, on by default",
        [GPU_GROUP_DCGM_MORE] = "As DCGM, by --more or a collectors file",
        [GPU_GROUP_OWN] = "Ours",
        [GPU_GROUP_AMD] = "As AMD's exporter, for AMD's GPUs",
    };
    text_add(out,
             "# Metrics of gpu-exporter\n\n"
             "Made by `gpu-exporter generate metrics` from the list in "
             "`src/model/gpu-reading.h`;\nchange them there. A reading that "
             "the GPU does not have has no series: absent is not\nzero. What "
             "is told of GPUs' states, errors and jobs stands on\nits own "
             "HELP lines, and in [gpu-attribution.md](gpu-attribution.md).\n");
    for (unsigned int g = 0; g < GPU_GROUP_COUNT; g++) {
        text_addf(out, "\n### %s\n\n| name | type | meaning |\n|---|---|---|\n",
                  groups[g]);
        for (unsigned int i = 0; i < GPU_READING_COUNT; i++)
            if (gpu_readings[i].group == g)
                text_addf(
                    out, "| `%s`%s%s%s | %s | %s |\n", gpu_readings[i].name,
                    gpu_readings[i].new_name ? " (new: `" : "",
                    gpu_readings[i].new_name ? gpu_readings[i].new_name : "",
                    gpu_readings[i].new_name ? "`)" : "",
                    gpu_readings[i].counter ? "counter" : "gauge",
                    gpu_readings[i].help);
    }
    text_add(out, "\n### As dcgm-exporter computes them, by a collectors file\n"
                  "\n| name | type | meaning |\n|---|---|---|\n");
    const char *name, *help;
    for (size_t i = 0; gpu_metric_computed(i, &name, &help); i++)
        text_addf(out, "| `%s` | gauge | %s |\n", name, help);
    text_add(out, "\nHow a GPU's health is judged: "
                  "[gpu-health.md](gpu-health.md).\n");
}

static int generate_main(const struct settings *settings)
{
    char *const *words = settings->options.arguments;
    const char *paper = words[0] ? words[0] : "";
    const struct option_command *const all[] = {
        &commands[0].options, &commands[1].options, &commands[2].options, NULL};
    struct text out = TEXT_INIT;
    if (strcmp(paper, "manual") == 0)
        option_manual(&settings_table, &commands[0].options, &out);
    else if (strcmp(paper, "manual-file") == 0)
        option_manual_file(&settings_table, &out);
    else if (strcmp(paper, "completion") == 0)
        option_completion(&settings_table, all, &out);
    else if (strcmp(paper, "example") == 0)
        option_example(&settings->options, &out);
    else if (strcmp(paper, "metrics") == 0)
        add_metrics(&out);
    else
        return complain(EXIT_USAGE, "generate: no such paper");
    return print(&out);
}

/* ---- running ------------------------------------------------------------- */

static int run(const struct command *command, char *const arguments[])
{
    struct error err = {.text = ""};
    struct settings *settings = NULL;
    struct text out = TEXT_INIT;
    int r = settings_new(&command->options, arguments, &settings, &err);
    if (r < 0)
        return complain(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, err.text);
    int exit_code;
    log_init(program_invocation_short_name,
             (enum log_format)settings->log_format,
             settings_log_level(settings));
    if (settings->help) {
        option_help(&settings_table, &command->options, &out);
        exit_code = print(&out);
    } else if (settings->version) {
        text_addf(&out, "%s %s\n", settings_table.program, PROJECT_VERSION);
        exit_code = print(&out);
    } else if (settings->show_config) {
        option_show(&settings->options, &out);
        exit_code = print(&out);
    } else if (settings->check_config) {
        text_add(&out, "the configuration is good\n");
        exit_code = print(&out);
    } else if (command == &commands[0] &&
               settings->options.argument_count > 0) {
        exit_code =
            complain(EXIT_USAGE, "unknown command; there are release and "
                                 "resume, and without one it serves");
    } else {
        exit_code = command->run(settings);
    }
    settings_free(settings);
    return exit_code;
}

int main(int argc, char *argv[])
{
    if (argc < 1)
        return complain(EXIT_USAGE, "no program name was given");
    for (size_t i = 1; argc > 1 && i < array_size(commands); i++)
        if (strcmp(commands[i].options.name, argv[1]) == 0)
            return run(&commands[i], argv + 2);
    return run(&commands[0], argv + 1);
}
