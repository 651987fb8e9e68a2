/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Slurm gave of a node. Private to the fleet (fleet.c). */
#pragma once

#include "model/fleet.h"

struct fleet_given {
    uint32_t place;
    char job[24], user[32];
};

/* Write into a fresh answer of NODE who holds its GPUs, where that is known and
 * its exporter does not tell. */
void fleet_give(const struct fleet_node *node, struct measured_node *measured);
