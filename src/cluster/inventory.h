/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine has to give to Slurm: processors, memory, GPUs. A container
 * sees the processors and the memory of the machine underneath, which are not
 * its own, so the limits of its cgroup count as well as the machine, and the
 * smaller of both holds (bringup.md, facts 0.9).
 *
 * Processors and memory are rounded down, and a fiftieth of the memory (at
 * least 256 MB, at most 16 GB) is kept back for the system: a node that reports
 * less than it promised is drained by Slurm.
 */
#pragma once

#include "base/error.h"
#include "source/gpu-inventory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory {
    uint32_t cpus; /* that Slurm may hand out */
    uint32_t sockets, cores_per_socket, threads_per_core;
    bool cpus_limited; /* by a cgroup or an affinity. The topology above is
                        * then 1 socket with CPUS cores of 1 thread, as it is
                        * when the machine's is not regular */
    uint64_t machine_memory_mb; /* of the machine itself */
    uint64_t memory_mb;         /* that Slurm may hand out, reserve taken off */
    bool memory_limited;        /* by a cgroup */
    bool cgroup_visible;        /* /sys/fs/cgroup is mounted */
    struct gpu_inventory gpus;  /* owned */
};

/* Look at this machine; ROOT is put in front of every path of /proc, /sys and
 * /dev ("" outside tests). Fails only when /proc cannot be read. */
int inventory_take(const char *root,
                   struct inventory *ret_inventory,
                   struct error *err);

/* Accepts a zeroed one. */
void inventory_deinit(struct inventory *inventory);

/* The same machine as Slurm would see it? Says in words what differs. */
bool inventory_equal(const struct inventory *a,
                     const struct inventory *b,
                     struct error *ret_difference);
