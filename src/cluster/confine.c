/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks by trying: a mount may be read-only, or its files not ours to write.
 */
#include "cluster/confine.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Denying nothing that was allowed: what /dev/null may be read for. */
static int try_rule(const char *directory)
{
    static const char rule[] = "c 1:3 r";
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/devices.allow", directory);
    _cleanup_(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, rule, strlen(rule)) < 0)
        return -errno;
    return 0;
}

int confine_check(const char *directory, struct error *err)
{
    char path[PATH_MAX - 32];
    snprintf(path, sizeof(path), "%s/gpu-watchdog-%d", directory,
             (int)getpid());
    if (access(directory, F_OK) < 0)
        return error_set(
            err, ENOTSUP,
            "there are no cgroups of version 1 with the controller "
            "\"devices\" here (%s)",
            directory);
    if (mkdir(path, 0755) < 0)
        return error_set(err, ENOTSUP,
                         "no cgroup can be made in %s here (%s): is it mounted "
                         "read-only?",
                         directory, strerror(errno));
    int r = try_rule(path);
    rmdir(path);
    if (r < 0)
        return error_set(err, ENOTSUP,
                         "%s here is no hierarchy of devices that can be "
                         "written to (%s)",
                         directory, strerror(-r));
    return 0;
}
