/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becoming connected as a client: by TCP to the first address of a name that
 * answers, or to a UNIX socket.
 */
#include "cluster/channel-internal.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define CONNECT_NS (10 * NS_PER_S)

/* ---- TCP ------------------------------------------------------------------
 */

/* "HOST:PORT", "[ADDRESS]:PORT". */
static int
resolve(const char *address, struct addrinfo **ret_addresses, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICSERV,
                                   .ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    char host[256];
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || !channel_port_is_valid(colon + 1) ||
        (size_t)(colon - address) >= sizeof(host))
        return error_set(err, EINVAL, "\"%.80s\" is no HOST:PORT", address);
    bool bracketed = *address == '[' && colon[-1] == ']';
    snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - 2 * bracketed,
             address + bracketed);
    int r = getaddrinfo(host, colon + 1, &hints, ret_addresses);
    if (r != 0)
        return error_set(err, EHOSTUNREACH, "%.80s: %s", host, gai_strerror(r));
    return 0;
}

/* The time that is left, shared among the addresses that are: one that never
 * answers must not use up what the others need. */
static int64_t due_of(const struct channel *c, const struct addrinfo *address)
{
    int64_t now_ns = clock_monotonic_ns(), count = 0;
    for (; address; address = address->ai_next)
        count++;
    return now_ns + (c->connect_due_ns - now_ns) / count;
}

/* One try. -errno: not this one. */
static int try_address(struct channel *c, const struct addrinfo *address)
{
    struct error err;
    c->source = loop_source_free(c->source);
    close_fd(&c->fd);
    c->fd = socket(address->ai_family,
                   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return -errno;
    if (connect(c->fd, address->ai_addr, address->ai_addrlen) < 0 &&
        errno != EINPROGRESS)
        return -errno;
    gnutls_transport_set_int(c->session, c->fd);
    c->phase_due_ns = due_of(c, address);
    channel_update_timer(c);
    return channel_begin(c, &err);
}

void channel_connect_next(struct channel *c)
{
    while (c->next_address) {
        const struct addrinfo *address = c->next_address;
        c->next_address = address->ai_next;
        int r = try_address(c, address);
        if (r == 0)
            return;
        error_set(&c->connect_error, -r, "%s", strerror(-r));
    }
    channel_close(c, &c->connect_error);
}

int channel_connect(struct loop *loop,
                    const char *address,
                    const struct identity *identity,
                    const struct pin *pin,
                    const struct channel_handler *handler,
                    void *context,
                    struct channel **ret_channel,
                    struct error *err)
{
    struct channel *c;
    int r = channel_new(loop, CHANNEL_CLIENT, -1, handler, context, &c, err);
    if (r < 0)
        return r;
    c->pin = *pin;
    r = channel_make_session(c, identity, err);
    if (r == 0)
        r = resolve(address, &c->addresses, err);
    if (r < 0) {
        channel_free(c);
        return r;
    }
    c->next_address = c->addresses;
    c->connect_due_ns = clock_monotonic_ns() + CONNECT_NS;
    channel_connect_next(c);
    *ret_channel = c;
    return 0;
}

/* ---- UNIX -----------------------------------------------------------------
 */

int channel_connect_local(struct loop *loop,
                          const char *path,
                          const struct channel_handler *handler,
                          void *context,
                          struct channel **ret_channel,
                          struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ENAMETOOLONG, "%s: too long a path", path);
    strcpy(address.sun_path, path);
    _cleanup_(close_fd) int fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_errno(err, errno, "%s", path);
    struct channel *c;
    int r = channel_new(loop, CHANNEL_CLIENT, take_fd(fd), handler, context, &c,
                        err);
    if (r < 0)
        return r;
    *ret_channel = c;
    r = channel_begin(c, err);
    if (r < 0)
        *ret_channel = channel_free(c);
    return r;
}
