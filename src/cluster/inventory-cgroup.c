/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A limit may stand anywhere above us, so the whole path counts. What is above
 * the mount of a container is not visible from inside; version 1 tells the
 * smallest memory limit of it all the same.
 */
#include "cluster/inventory-private.h"

#include "base/cleanup.h"
#include "base/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CGROUP_MOUNT "/sys/fs/cgroup"

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void lower(uint64_t *limit, uint64_t value)
{
    if (value < *limit)
        *limit = value;
}

static bool
read_file(const char *directory, const char *name, char *ret_text, size_t size)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (!file_read_small(path, ret_text, size))
        return false;
    ret_text[strcspn(ret_text, "\n")] = '\0';
    return true;
}

static bool
read_number(const char *directory, const char *name, uint64_t *ret_number)
{
    char text[64];
    return read_file(directory, name, text, sizeof(text)) &&
           number_parse(text, ret_number); /* not "max", not "-1" */
}

static void take_quota(uint64_t quota, uint64_t period, uint64_t *cpus_milli)
{
    if (period > 0 && quota < UINT64_MAX / 1000)
        lower(cpus_milli, quota * 1000 / period);
}

static void read_cpu_v1(const char *directory, struct cgroup_limits *limits)
{
    uint64_t quota, period;
    if (read_number(directory, "cpu.cfs_quota_us", &quota) &&
        read_number(directory, "cpu.cfs_period_us", &period))
        take_quota(quota, period, &limits->cpus_milli);
}

static void read_memory_v1(const char *directory, struct cgroup_limits *limits)
{
    static const char wanted[] = "hierarchical_memory_limit ";
    uint64_t bytes;
    char stat[8192];
    if (read_number(directory, "memory.limit_in_bytes", &bytes))
        lower(&limits->memory_bytes, bytes);
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/memory.stat", directory);
    if (!file_read_small(path, stat, sizeof(stat)))
        return;
    char *found = strstr(stat, wanted);
    if (!found)
        return;
    found += strlen(wanted);
    found[strcspn(found, "\n")] = '\0';
    if (number_parse(found, &bytes))
        lower(&limits->memory_bytes, bytes);
}

static void read_v2(const char *directory, struct cgroup_limits *limits)
{
    char text[64];
    uint64_t bytes, quota, period;
    if (read_number(directory, "memory.max", &bytes))
        lower(&limits->memory_bytes, bytes);
    if (!read_file(directory, "cpu.max", text, sizeof(text)))
        return;
    char *blank = strchr(text, ' ');
    if (!blank)
        return;
    *blank = '\0';
    if (number_parse(text, &quota) && number_parse(blank + 1, &period))
        take_quota(quota, period, &limits->cpus_milli);
}

typedef void reader(const char *directory, struct cgroup_limits *limits);

/* READ each folder from TOP/BELOW up to TOP. */
static void walk_up(char *top,
                    const char *below,
                    reader *read,
                    struct cgroup_limits *limits)
{
    char path[2 * PATH_MAX];
    size_t top_length = strlen(top);
    if ((size_t)snprintf(path, sizeof(path), "%s%s", top, below) >=
        sizeof(path))
        return;
    for (;;) {
        read(path, limits);
        char *slash = strrchr(path + top_length, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* Is NAME one of the names in LIST, which commas separate? */
static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p += length)
        if ((p == list || p[-1] == ',') &&
            (p[length] == '\0' || p[length] == ',' || p[length] == '\n'))
            return true;
    return false;
}

/* Where CONTROLLER ("" for version 2) has put us: the path in
 * /proc/self/cgroup. */
static bool
own_path(const char *root, const char *controller, char *ret_path, size_t size)
{
    char name[PATH_MAX], line[PATH_MAX];
    snprintf(name, sizeof(name), "%s/proc/self/cgroup", root);
    _cleanup_(close_file) FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        if (*controller ? !list_has(controllers, controller) : *controllers)
            continue;
        path[strcspn(path, "\n")] = '\0';
        snprintf(ret_path, size, "%s", strcmp(path, "/") == 0 ? "" : path);
        return true;
    }
    return false;
}

/* PATH as it is below a mount that shows MOUNT_ROOT of the hierarchy. What
 * leads out of it is not visible: then the top of the mount is ours. */
static const char *below_mount(const char *path, const char *mount_root)
{
    size_t length = strlen(mount_root);
    if (strstr(path, "/.."))
        return "";
    if (strcmp(mount_root, "/") == 0)
        return path;
    if (strncmp(path, mount_root, length) == 0 &&
        (path[length] == '/' || path[length] == '\0'))
        return path + length;
    return "";
}

struct mount {
    char root[PATH_MAX], point[PATH_MAX], type[32], options[256];
};

static bool parse_mount(const char *line, struct mount *ret_mount)
{
    const char *rest = strstr(line, " - ");
    return rest &&
           sscanf(line, "%*s %*s %*s %4095s %4095s", ret_mount->root,
                  ret_mount->point) == 2 &&
           sscanf(rest + 3, "%31s %*s %255s", ret_mount->type,
                  ret_mount->options) == 2;
}

static void read_mount(const char *root,
                       const struct mount *mount,
                       const char *controller,
                       reader *read,
                       struct cgroup_limits *limits)
{
    char own[PATH_MAX], top[2 * PATH_MAX];
    if (!own_path(root, controller, own, sizeof(own)))
        return;
    snprintf(top, sizeof(top), "%s%s", root, mount->point);
    walk_up(top, below_mount(own, mount->root), read, limits);
}

void cgroup_limits_read(const char *root, struct cgroup_limits *ret_limits)
{
    char path[PATH_MAX], line[4 * PATH_MAX];
    struct mount mount;
    *ret_limits = (struct cgroup_limits){.cpus_milli = UINT64_MAX,
                                         .memory_bytes = UINT64_MAX};
    snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
    _cleanup_(close_file) FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (!parse_mount(line, &mount))
            continue;
        if (strcmp(mount.point, CGROUP_MOUNT) == 0)
            ret_limits->visible = true;
        if (strcmp(mount.type, "cgroup2") == 0)
            read_mount(root, &mount, "", read_v2, ret_limits);
        if (strcmp(mount.type, "cgroup") != 0)
            continue;
        if (list_has(mount.options, "cpu"))
            read_mount(root, &mount, "cpu", read_cpu_v1, ret_limits);
        if (list_has(mount.options, "memory"))
            read_mount(root, &mount, "memory", read_memory_v1, ret_limits);
    }
}
