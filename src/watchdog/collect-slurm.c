/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog collect-slurm": the collector of the exporter, run by it as a
 * child. It takes its settings over the channel, not from options.
 */
#include "source/slurm-source.h"
#include "watchdog/subcommand.h"

int collect_slurm_main(const struct settings *settings)
{
    (void)settings;
    return slurm_collector_main();
}
