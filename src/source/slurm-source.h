/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The collector of what Slurm's controller knows: the main function of the
 * hidden subcommand that src/source/collector.h runs as a child. Nothing else
 * of our programs links or calls libslurm for reading.
 */
#pragma once

/* Returns what to exit with, enum collector_exit; reasons go to standard
 * error. libslurm may also end the process by itself, and does. */
int slurm_collector_main(void);
