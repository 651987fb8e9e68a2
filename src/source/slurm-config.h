/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where libslurm's configuration is, asked before libslurm is: without one it
 * retries for a minute, silently, and then ends the process. And whether it
 * changed since, for libslurm reads it once only.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct slurm_config {
    char path[4096]; /* "" when it comes from the controller */
    struct stat stamp;
};

/*
 * Find the configuration that libslurm will use. -ENOENT with what to do when
 * there is none.
 */
int slurm_config_find(struct slurm_config *ret_config, struct error *err);

/* True when the file is another one now, or was changed. A file that has gone
 * is no change: what libslurm knows is still the last truth. */
bool slurm_config_changed(const struct slurm_config *config);
