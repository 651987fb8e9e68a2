/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog user add NAME" on the head: a user with the same number on
 * every node. "gpu-watchdog key rotate": a new key everywhere.
 */
#include "watchdog/control.h"
#include "watchdog/report.h"
#include "watchdog/subcommand.h"

#include <stdio.h>
#include <string.h>

static bool verb_is(const struct option_set *options,
                    const char *verb,
                    size_t argument_count)
{
    return options->argument_count == argument_count &&
           strcmp(options->arguments[0], verb) == 0;
}

int user_main(const struct settings *settings)
{
    const struct option_set *options = &settings->options;
    json_t *answer;
    struct error err;
    if (!verb_is(options, "add", 2)) {
        fputs("gpu-watchdog: write \"gpu-watchdog user add NAME\"\n", stderr);
        return EXIT_USAGE;
    }
    const char *name = options->arguments[1];
    if (control_ask(
            json_pack("{s:s, s:s}", "type", CONTROL_USER_ADD, "name", name),
            NULL, &answer, &err) < 0)
        return report_failure(&err);
    json_decref(answer);
    printf("user %s is on all nodes that are connected\n", name);
    printf("the others get it when they are back\n");
    return EXIT_SUCCESS;
}

int key_main(const struct settings *settings)
{
    json_t *answer;
    struct error err;
    if (!verb_is(&settings->options, "rotate", 1)) {
        fputs("gpu-watchdog: write \"gpu-watchdog key rotate\"\n", stderr);
        return EXIT_USAGE;
    }
    if (control_ask(json_pack("{s:s}", "type", CONTROL_KEY_ROTATE), NULL,
                    &answer, &err) < 0)
        return report_failure(&err);
    long long away = json_integer_value(json_object_get(answer, "away"));
    json_decref(answer);
    printf("the cluster has a new key\n");
    if (away > 0)
        printf("%lld nodes are away and get it when they are back\n", away);
    return EXIT_SUCCESS;
}
