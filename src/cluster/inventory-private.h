/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of inventory_take(): what the cgroups allow, and how the
 * processors are laid out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_limits {
    uint64_t cpus_milli;   /* thousandths; UINT64_MAX: no limit */
    uint64_t memory_bytes; /* UINT64_MAX: no limit */
    bool visible;          /* something is mounted at /sys/fs/cgroup */
};

/* The smallest limits on the way from our own cgroup up to the highest that is
 * visible, of version 1 and 2. */
void cgroup_limits_read(const char *root, struct cgroup_limits *ret_limits);

struct cpu_layout {
    uint32_t sockets, cores_per_socket, threads_per_core;
};

/* Of the CPUs that are online; false when sockets or cores are not alike, or
 * sysfs does not tell. */
bool cpu_layout_read(const char *root, struct cpu_layout *ret_layout);

/* How many CPUs "0-3,8" lists; 0 when it is no list. */
uint32_t cpu_list_count(const char *list);

/* The whole of a small file, zero-terminated, cut off at SIZE - 1 bytes; false
 * when it cannot be read. */
bool file_read_small(const char *path, char *ret_text, size_t size);
