/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Daemons that outlived their supervisor. When we are killed, munged, slurmctld
 * and slurmd go on, and the cluster with them; whoever is started in our place
 * ends each of them and starts its own. A file for each says which process it
 * is, by number and time of its start, so that no other one is ever hit.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Remember PID in the file PATH (its folder is made, 0700). Failing means only
 * that a leftover would not be found. */
void leftover_record(const char *path, pid_t pid);
void leftover_forget(const char *path);

/* Does the process in PATH still run? It gets SIGNAL_NUMBER then, unless that
 * is 0. */
bool leftover_signal(const char *path, int signal_number);

/* Would steps of jobs (slurmstepd) run on here when we end now? Not below a
 * first process, with which all end. */
bool leftover_steps(void);
