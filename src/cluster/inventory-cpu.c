/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the processors of a machine are laid out. A core is known by the first
 * of its threads, since core_id repeats on machines with several dies.
 */
#include "cluster/inventory-private.h"

#include "base/cleanup.h"
#include "base/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CPUS_MAX = 8192,
    SOCKETS_MAX = 64
};

bool file_read_small(const char *path, char *ret_text, size_t size)
{
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t have = 0;
    for (ssize_t n; have < size - 1; have += (size_t)n) {
        n = read(fd, ret_text + have, size - 1 - have);
        if (n < 0)
            return false;
        if (n == 0)
            break;
    }
    ret_text[have] = '\0';
    return true;
}

/* Read "3" or "4-7" at *P and what separates it from the next. */
static bool next_range(const char **p, uint32_t *ret_first, uint32_t *ret_last)
{
    char *end;
    if (**p < '0' || **p > '9')
        return false;
    unsigned long first = strtoul(*p, &end, 10), last = first;
    if (*end == '-')
        last = strtoul(end + 1, &end, 10);
    if (last < first || last >= CPUS_MAX)
        return false;
    *ret_first = (uint32_t)first;
    *ret_last = (uint32_t)last;
    *p = end + (*end == ',');
    return true;
}

uint32_t cpu_list_count(const char *list)
{
    uint32_t count = 0, first, last;
    list += strspn(list, " \t");
    while (next_range(&list, &first, &last))
        count += last - first + 1;
    return *list == '\0' || *list == '\n' ? count : 0;
}

static bool read_topology(const char *root,
                          uint32_t cpu,
                          const char *name,
                          uint32_t *ret_first)
{
    char path[PATH_MAX], text[1024];
    uint32_t last;
    snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%u/topology/%s",
             root, (unsigned int)cpu, name);
    const char *p = text;
    return file_read_small(path, text, sizeof(text)) &&
           next_range(&p, ret_first, &last);
}

struct count {
    uint32_t cpus, cores, sockets;
    uint32_t packages[SOCKETS_MAX]; /* the ids that were seen */
};

static bool count_cpu(const char *root, uint32_t cpu, struct count *count)
{
    uint32_t package, sibling;
    if (!read_topology(root, cpu, "physical_package_id", &package) ||
        !read_topology(root, cpu, "thread_siblings_list", &sibling))
        return false;
    count->cpus++;
    count->cores += sibling == cpu;
    for (uint32_t i = 0; i < count->sockets; i++)
        if (count->packages[i] == package)
            return true;
    if (count->sockets == SOCKETS_MAX)
        return false;
    count->packages[count->sockets++] = package;
    return true;
}

bool cpu_layout_read(const char *root, struct cpu_layout *ret_layout)
{
    char path[PATH_MAX], online[4096];
    struct count count = {0};
    uint32_t first, last;
    snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/online", root);
    if (!file_read_small(path, online, sizeof(online)))
        return false;
    for (const char *p = online; next_range(&p, &first, &last);)
        for (uint32_t cpu = first; cpu <= last; cpu++)
            if (!count_cpu(root, cpu, &count))
                return false;
    if (count.cores == 0 || count.cores % count.sockets != 0 ||
        count.cpus % count.cores != 0)
        return false;
    *ret_layout = (struct cpu_layout){
        .sockets = count.sockets,
        .cores_per_socket = count.cores / count.sockets,
        .threads_per_core = count.cpus / count.cores,
    };
    return true;
}
