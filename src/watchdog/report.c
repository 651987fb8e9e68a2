/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing for the short commands.
 */
#include "watchdog/report.h"

#include <stdio.h>
#include <stdlib.h>

int report_failure(const struct error *err)
{
    fprintf(stderr, "gpu-watchdog: %s\n", err->text);
    return EXIT_FAILURE;
}

void report_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
}
