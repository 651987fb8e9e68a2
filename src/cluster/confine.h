/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can this machine keep a job to the GPUs that it asked for? Slurm does that
 * with cgroups of version 1 and their controller "devices": slurmd makes one
 * for each job and denies it the device files of the others' GPUs. Without them
 * a job is told which GPUs are its own (CUDA_VISIBLE_DEVICES), and can reach
 * all.
 *
 * Not version 2: there it takes a program in the kernel (BPF), for which a
 * container needs rights that can only be found out by loading one.
 */
#pragma once

#include "base/error.h"

/* Of the hierarchy of the controller "devices". */
#define CONFINE_DIRECTORY "/sys/fs/cgroup/devices"

/* DIRECTORY: CONFINE_DIRECTORY, or a test's own. Found by making a cgroup and
 * writing to it. -ENOTSUP: it cannot; ERR tells why. */
int confine_check(const char *directory, struct error *err);
