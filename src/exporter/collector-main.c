/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpu-collector: gpu-exporter's child as a program of its own, without what the
 * parent needs to serve. Nobody but gpu-exporter starts it.
 */
#include "exporter/exporter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
    static const struct option_command command = {
        .name = COLLECT_GPUS, .bit = COMMAND_COLLECT, .hidden = true};
    struct settings *settings;
    struct error err = {.text = ""};
    if (argc < 2 || strcmp(argv[1], COLLECT_GPUS) != 0) {
        fprintf(stderr, "gpu-collector is started by gpu-exporter itself, not "
                        "by hand: type \"gpu-exporter\"\n");
        return EXIT_USAGE;
    }
    if (settings_new(&command, argv + 2, &settings, &err) < 0) {
        fprintf(stderr, "error: %s\n", err.text);
        return EXIT_FAILURE;
    }
    log_init(program_invocation_short_name,
             (enum log_format)settings->log_format,
             settings_log_level(settings));
    int exit_code = collect_main(settings);
    settings_free(settings);
    return exit_code;
}
