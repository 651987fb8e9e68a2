/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the programs of munge and Slurm are, and what to type when one is not
 * there.
 */
#pragma once

#include "base/error.h"
#include "cluster/slurm-files.h"

#include <stdbool.h>

/* NAME itself when it is nowhere, so that starting it tells so. Looks along
 * PATH and then where administrators' programs are. The result lives in one
 * place, until the next call. */
const char *program_find(const char *name);

/* Are the programs of a head (slurmctld) and of a node (slurmd) there, munged
 * where it is to authenticate, and is
 * Slurm new enough for dynamic nodes? ERR names what is missing and the line to
 * type on this system. Runs "slurmd -V" and waits for it. */
int programs_check(bool head, bool compute, bool munge, struct error *err);

/* Is there a plugin "auth_slurm" of the Slurm that is installed? */
bool programs_have_plugin(const char *name);

/* Can Slurm of VERSION as it is installed here authenticate by its own
 * auth/slurm? -ENOTSUP: it is too old, or the plugin is not there; ERR says
 * which. */
int programs_check_auth(slurm_version version, struct error *err);
