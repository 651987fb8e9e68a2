/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/inventory.h"

#include "base/cleanup.h"
#include "cluster/inventory-private.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept back for the system and for our own programs: a fiftieth of
 * the memory, at least 256 MB and at most 16 GB, but never more than a quarter
 * of a small machine. */
enum {
    RESERVE_SHARE = 50,
    RESERVE_MIN_MB = 256,
    RESERVE_MAX_MB = 16384,
    RESERVE_SMALL_SHARE = 4,
    /* Kernels differ by a few megabytes in what they leave of the same
     * machine, which is no new hardware. */
    MEMORY_STEP_MB = 16
};

static uint64_t less_reserve(uint64_t memory_mb)
{
    uint64_t reserve = memory_mb / RESERVE_SHARE;
    reserve = reserve < RESERVE_MIN_MB ? RESERVE_MIN_MB : reserve;
    reserve = reserve > RESERVE_MAX_MB ? RESERVE_MAX_MB : reserve;
    if (reserve > memory_mb / RESERVE_SMALL_SHARE)
        reserve = memory_mb / RESERVE_SMALL_SHARE;
    uint64_t left = memory_mb - reserve;
    return left > MEMORY_STEP_MB ? left - left % MEMORY_STEP_MB : left;
}

/* The value of "KEY:" in TEXT, or NULL. */
static const char *find_value(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            line += length + 1;
            return line + strspn(line, " \t");
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

/* /proc/meminfo and /proc/self/status. */
static int read_proc(const char *root,
                     const char *name,
                     const char *key,
                     char *ret_value,
                     size_t size,
                     struct error *err)
{
    char path[PATH_MAX], text[8192];
    snprintf(path, sizeof(path), "%s/proc/%s", root, name);
    if (!file_read_small(path, text, sizeof(text)))
        return error_errno(err, errno ? errno : EIO, "%s: cannot read", path);
    const char *value = find_value(text, key);
    if (!value)
        return error_set(err, EBADMSG, "%s: tells no %s", path, key);
    snprintf(ret_value, size, "%.*s", (int)strcspn(value, "\n"), value);
    return 0;
}

static int take_memory(const char *root,
                       const struct cgroup_limits *limits,
                       struct inventory *inventory,
                       struct error *err)
{
    char value[64];
    int r = read_proc(root, "meminfo", "MemTotal", value, sizeof(value), err);
    if (r < 0)
        return r;
    uint64_t total_mb = strtoull(value, NULL, 10) >> 10; /* it is in kB */
    uint64_t limit_mb = limits->memory_bytes >> 20;
    inventory->machine_memory_mb = total_mb;
    inventory->memory_limited = limit_mb < total_mb;
    inventory->memory_mb =
        less_reserve(limit_mb < total_mb ? limit_mb : total_mb);
    return 0;
}

/* What the layout of a machine is worth when we have only a part of it. */
static void flatten(struct inventory *inventory)
{
    inventory->sockets = 1;
    inventory->cores_per_socket = inventory->cpus;
    inventory->threads_per_core = 1;
}

static int take_cpus(const char *root,
                     const struct cgroup_limits *limits,
                     struct inventory *inventory,
                     struct error *err)
{
    char list[4096];
    struct cpu_layout layout;
    int r = read_proc(root, "self/status", "Cpus_allowed_list", list,
                      sizeof(list), err);
    if (r < 0)
        return r;
    uint32_t allowed = cpu_list_count(list);
    if (allowed == 0)
        return error_set(err, EBADMSG, "no list of CPUs: \"%.60s\"", list);
    uint64_t quota = limits->cpus_milli / 1000;
    inventory->cpus = quota < allowed ? (uint32_t)quota : allowed;
    if (inventory->cpus == 0)
        inventory->cpus = 1;
    bool known = cpu_layout_read(root, &layout);
    uint32_t machine = known ? layout.sockets * layout.cores_per_socket *
                                   layout.threads_per_core
                             : allowed;
    inventory->cpus_limited = inventory->cpus < machine;
    if (!known || inventory->cpus != machine) {
        flatten(inventory);
        return 0;
    }
    inventory->sockets = layout.sockets;
    inventory->cores_per_socket = layout.cores_per_socket;
    inventory->threads_per_core = layout.threads_per_core;
    return 0;
}

int inventory_take(const char *root,
                   struct inventory *ret_inventory,
                   struct error *err)
{
    struct inventory inventory = {0};
    struct cgroup_limits limits;
    cgroup_limits_read(root, &limits);
    inventory.cgroup_visible = limits.visible;
    int r = take_memory(root, &limits, &inventory, err);
    if (r == 0)
        r = take_cpus(root, &limits, &inventory, err);
    if (r == 0)
        r = gpu_inventory_take(root, NULL, &inventory.gpus, err);
    if (r < 0)
        return r;
    *ret_inventory = inventory;
    return 0;
}

void inventory_deinit(struct inventory *inventory)
{
    gpu_inventory_deinit(&inventory->gpus);
    *inventory = (struct inventory){0};
}

static bool differ(struct error *ret_difference,
                   const char *what,
                   uint64_t before,
                   uint64_t now)
{
    if (before == now)
        return false;
    error_set(ret_difference, ESTALE, "%s: %" PRIu64 " before, %" PRIu64 " now",
              what, before, now);
    return true;
}

static bool gpus_equal(const struct gpu_inventory *a,
                       const struct gpu_inventory *b,
                       struct error *ret_difference)
{
    if (differ(ret_difference, "GPUs", a->count, b->count))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct gpu_device *before = &a->devices[i], *now = &b->devices[i];
        if (strcmp(before->type, now->type) == 0 &&
            strcmp(before->file, now->file) == 0)
            continue;
        error_set(ret_difference, ESTALE,
                  "GPU %zu: %s at %s before, %s at %s now", i, before->type,
                  before->file, now->type, now->file);
        return false;
    }
    return true;
}

bool inventory_equal(const struct inventory *a,
                     const struct inventory *b,
                     struct error *ret_difference)
{
    return !differ(ret_difference, "CPUs", a->cpus, b->cpus) &&
           !differ(ret_difference, "sockets", a->sockets, b->sockets) &&
           !differ(ret_difference, "cores in a socket", a->cores_per_socket,
                   b->cores_per_socket) &&
           !differ(ret_difference, "threads in a core", a->threads_per_core,
                   b->threads_per_core) &&
           !differ(ret_difference, "memory in MB", a->memory_mb,
                   b->memory_mb) &&
           gpus_equal(&a->gpus, &b->gpus, ret_difference);
}
