/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the programs of munge and Slurm are, and what to type when one is not
 * there.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* NAME itself when it is nowhere, so that starting it tells so. Looks along
 * PATH and then where administrators' programs are. The result lives in one
 * place, until the next call. */
const char *program_find(const char *name);

/* Are the programs of a head (slurmctld) and of a node (slurmd) there, and is
 * Slurm new enough for dynamic nodes? ERR names what is missing and the line to
 * type on this system. Runs "slurmd -V" and waits for it. */
int programs_check(bool head, bool compute, struct error *err);
