/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog exporter". Its body is not in this tree yet and it says so;
 * its options, --check-config and --show-config work.
 */
#include "watchdog/subcommand.h"

#include <stdlib.h>

int exporter_main(const struct settings *settings)
{
    (void)settings;
    log_error("exporter: this build has no collector and no server yet");
    return EXIT_FAILURE;
}
