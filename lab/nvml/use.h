/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses the simulated GPUs, and how much. A program that does (lab/burn.c)
 * leaves a file PID.START in a folder where everybody may, START being when
 * the kernel started the process, and touches it for as long as it lives:
 *
 *     started-ms 1795000000000
 *     device 0              (/dev/nvidia0; or a UUID, of an instance too)
 *     utilization 80        (percent)
 *     pattern constant      (or sine, burst, idle)
 *     memory-mib 20000
 *
 * A file counts only if it belongs to the user whose process PID is: nobody can
 * put work down to others. Files of processes that have ended stay, because
 * their energy has been spent; so every reader, whenever it looks, finds the
 * same sums, and no process has to keep them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    USES_MAX = 256,
    USE_DEVICES_MAX = 16,
    USE_DEVICE_SIZE = 64
};

enum use_pattern {
    USE_CONSTANT,
    USE_SINE,  /* up and down within a minute */
    USE_BURST, /* ten seconds on, ten off */
    USE_IDLE
};

struct use {
    uint32_t pid;
    bool alive;
    char devices[USE_DEVICES_MAX][USE_DEVICE_SIZE];
    size_t device_count;
    enum use_pattern pattern;
    double level; /* 0 to 1 */
    uint64_t memory_mib;
    double started_s, ended_s; /* real time; ended: when last heard of */
};

/* Fill USES from FOLDER; returns how many there are. */
size_t uses_read(const char *folder, struct use uses[USES_MAX]);

/* How long a GPU has been busy for USE until UNTIL_S: the integral of its
 * utilisation. While the process lives, it goes on to any UNTIL_S. */
double use_busy_seconds(const struct use *use, double until_s);

/* The same, but never less than it was: until last heard of, at most. */
double use_spent_seconds(const struct use *use);
