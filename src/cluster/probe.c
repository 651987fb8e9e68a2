/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head's side of the proof: all ports at once, one deadline.
 */
#include "cluster/probe.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct port {
    struct probe *probe;
    uint16_t number;
    int fd;
    struct loop_source *source;
    char heard[JOIN_NONCE_SIZE];
    size_t heard_size;
    bool good;
};

struct probe {
    struct loop *loop;
    char address[64];
    char nonce[JOIN_NONCE_SIZE];
    struct port ports[PROBE_PORTS_MAX];
    size_t port_count;
    struct loop_source *timer;
    bool over;
    struct error reason;
    void (*done)(void *context, const struct error *reason);
    void *context;
};

static void port_close(struct port *port)
{
    port->source = loop_source_free(port->source);
    close_fd(&port->fd);
    port->fd = -1;
}

/* Call back from the timer, so that the owner may free us in any case. */
static void finish(struct probe *probe)
{
    for (size_t i = 0; i < probe->port_count; i++)
        port_close(&probe->ports[i]);
    probe->over = true;
    loop_timer_set(probe->timer, 1);
}

static void fail(struct port *port, const char *what)
{
    struct probe *probe = port->probe;
    if (probe->over)
        return;
    error_set(&probe->reason, EHOSTUNREACH,
              "the head cannot reach this machine: %s port %u: %s. Slurm needs "
              "TCP to port 6818 and to ports 60001-60100 of every node, "
              "straight, without NAT; open them, or join over a network where "
              "that is so",
              probe->address, port->number, what);
    finish(probe);
}

static void check_all(struct probe *probe)
{
    for (size_t i = 0; i < probe->port_count; i++)
        if (!probe->ports[i].good)
            return;
    finish(probe);
}

static void port_hear(struct port *port)
{
    size_t room = sizeof(port->heard) - 1 - port->heard_size;
    ssize_t n = recv(port->fd, port->heard + port->heard_size, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        fail(port, strerror(errno));
        return;
    }
    port->heard_size += (size_t)n;
    size_t wanted = strlen(port->probe->nonce);
    if (n > 0 && port->heard_size < wanted)
        return;
    if (port->heard_size != wanted ||
        memcmp(port->heard, port->probe->nonce, wanted) != 0) {
        fail(port, "another machine answers there (this one is behind NAT)");
        return;
    }
    port->good = true;
    port_close(port);
    check_all(port->probe);
}

static void port_ready(void *context, uint32_t events)
{
    struct port *port = context;
    int code = 0;
    socklen_t size = sizeof(code);
    (void)events;
    getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0)
        fail(port, strerror(code));
    else
        port_hear(port);
}

static void timer_due(void *context, uint32_t events)
{
    struct probe *probe = context;
    (void)events;
    for (size_t i = 0; i < probe->port_count && !probe->over; i++)
        if (!probe->ports[i].good)
            fail(&probe->ports[i], "no answer (a firewall drops it)");
    /* fail() has only set the timer anew. */
    loop_timer_set(probe->timer, 0);
    probe->done(probe->context, *probe->reason.text ? &probe->reason : NULL);
}

static int port_connect(struct port *port, struct error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {.v4 = {.sin_family = AF_INET}};
    const char *address = port->probe->address;
    socklen_t size = sizeof(to.v4);
    if (inet_pton(AF_INET, address, &to.v4.sin_addr) != 1) {
        to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
        size = sizeof(to.v6);
        if (inet_pton(AF_INET6, address, &to.v6.sin6_addr) != 1)
            return error_set(err, EINVAL, "\"%s\" is no address", address);
    }
    /* At the same place in both families. */
    to.v4.sin_port = htons(port->number);
    port->fd =
        socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (port->fd < 0)
        return error_errno(err, errno, "a socket");
    if (connect(port->fd, &to.any, size) < 0 && errno != EINPROGRESS)
        fail(port, strerror(errno));
    else
        return loop_add_fd(port->probe->loop, port->fd, EPOLLIN, port_ready,
                           port, &port->source, err);
    return 0;
}

int probe_new(struct loop *loop,
              const struct probe_target *target,
              void (*done)(void *context, const struct error *reason),
              void *context,
              struct probe **ret_probe,
              struct error *err)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        return error_set(err, ENOMEM, "out of memory");
    probe->loop = loop;
    probe->done = done;
    probe->context = context;
    probe->port_count = target->port_count;
    snprintf(probe->address, sizeof(probe->address), "%s", target->address);
    memcpy(probe->nonce, target->nonce,
           strnlen(target->nonce, sizeof(probe->nonce) - 1));
    for (size_t i = 0; i < probe->port_count; i++)
        probe->ports[i] =
            (struct port){.probe = probe, .number = target->ports[i], .fd = -1};
    int r = loop_add_timer(loop, timer_due, probe, &probe->timer, err);
    if (r >= 0)
        loop_timer_set(probe->timer, clock_monotonic_ns() + target->timeout_ns);
    for (size_t i = 0; r >= 0 && i < probe->port_count && !probe->over; i++)
        r = port_connect(&probe->ports[i], err);
    if (r < 0) {
        probe_free(probe);
        return r;
    }
    *ret_probe = probe;
    return 0;
}

struct probe *probe_free(struct probe *probe)
{
    if (!probe)
        return NULL;
    for (size_t i = 0; i < probe->port_count; i++)
        port_close(&probe->ports[i]);
    loop_source_free(probe->timer);
    free(probe);
    return NULL;
}
