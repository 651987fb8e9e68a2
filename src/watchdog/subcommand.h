/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of gpu-watchdog. Each has a file of its own with one entry
 * function, which gets valid settings and a log, and returns the exit code.
 */
#pragma once

#include "watchdog/settings.h"

enum {
    EXIT_USAGE = 2
};

struct subcommand {
    struct option_command options; /* name, help and options it takes */
    int (*run)(const struct settings *settings);
};

/* The table, in main.c; a row without a name ends it. */
extern const struct subcommand subcommands[];

int exporter_main(const struct settings *settings);

/* The exporter with the dashboard beside it. */
int serve_main(const struct settings *settings);

/* Recordings of a cluster: "save FILE", "show FILE". */
int snapshot_main(const struct settings *settings);

/* Making and keeping a cluster: head.h, worker.h. */
int head_main(const struct settings *settings);
int join_main(const struct settings *settings);

/* Asking the head or the worker of this machine: control.h. */
int token_main(const struct settings *settings);
int leave_main(const struct settings *settings);
int status_main(const struct settings *settings);
int user_main(const struct settings *settings);
int key_main(const struct settings *settings);

/* Testing what can be wrong with a head or a worker: doctor.h. */
int doctor_main(const struct settings *settings);

/* The child that asks slurmctld (source/slurm-source.h); hidden. */
#define COLLECT_SLURM "collect-slurm"
int collect_slurm_main(const struct settings *settings);

/* The child that acts for people (act.h); hidden. */
int act_main(const struct settings *settings);

/* What the build makes from the table of options: manual pages, completion,
 * the example file. */
int generate_main(const struct settings *settings);
