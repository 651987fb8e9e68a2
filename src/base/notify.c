/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One datagram for each word to the service manager.
 */
#include "base/notify.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Fill ADDRESS from the manager's PATH; a leading '@' is the abstract
 * namespace. Returns its length, or 0 when PATH is no such address. */
static socklen_t address_of(const char *path, struct sockaddr_un *address)
{
    size_t size = strlen(path);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((path[0] != '/' && path[0] != '@') || !path[1] ||
        size >= sizeof(address->sun_path))
        return 0;
    memcpy(address->sun_path, path, size);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    else
        size++;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static int notify_send(const char *state, struct error *err)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path)
        return 0;
    struct sockaddr_un address;
    socklen_t size = address_of(path, &address);
    if (size == 0)
        return error_set(err, EINVAL,
                         "NOTIFY_SOCKET=%.100s: not a socket that can be "
                         "written to",
                         path);
    _cleanup_(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno(err, errno, "service manager: socket");
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
               (const struct sockaddr *)&address, size) < 0)
        return error_errno(err, errno, "service manager: %.100s", path);
    return 0;
}

int notify_ready(const char *status, struct error *err)
{
    char state[256];
    snprintf(state, sizeof(state), "READY=1\nSTATUS=%s", status);
    return notify_send(state, err);
}

int notify_reloading(struct error *err)
{
    char state[64];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             clock_monotonic_ns() / NS_PER_US);
    return notify_send(state, err);
}

int notify_stopping(struct error *err)
{
    return notify_send("STOPPING=1", err);
}

int notify_watchdog(struct error *err)
{
    return notify_send("WATCHDOG=1", err);
}

int64_t notify_watchdog_interval_ns(void)
{
    const char *period = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    uint64_t us, pid;
    if (!period || !number_parse(period, &us) ||
        us > (uint64_t)(INT64_MAX / NS_PER_US))
        return 0;
    if (process && (!number_parse(process, &pid) || pid != (uint64_t)getpid()))
        return 0;
    return (int64_t)us * NS_PER_US / 2;
}
