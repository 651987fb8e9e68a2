/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening side. A source that has shown too many wrong tokens is hung up
 * on before it costs a handshake; sources are remembered in a table of fixed
 * size, the one that has been quiet longest gives way. No source can have so
 * many connections that others find no room. A source is an address; of IPv6
 * too, since the nodes of one network share a /64.
 *
 * When descriptors run out, a waiting connection would wake the loop again and
 * again without being taken: the socket then rests for a tenth of a second.
 */
#include "cluster/channel-internal.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
    BACKLOG = 512,
    ACCEPTS_MAX = 32, /* at a time, so that the loop goes on */
    SOURCES_MAX = 512,
    CONNECTIONS_PER_SOURCE = 128
};

#define WINDOW_NS (60 * NS_PER_S)
#define REST_NS (100 * NS_PER_MS)

struct source {
    char address[64];
    unsigned int faults;
    int64_t since_ns, last_ns;
};

struct channel_listener {
    struct channel_listener_settings settings;
    struct loop *loop;
    int fd;
    struct loop_source *source, *rest;
    struct channel *first; /* not owned once they are handed over */
    unsigned int count;
    struct source sources[SOURCES_MAX];
};

/* ---- sources of wrong tokens ----------------------------------------------
 */

static struct source *find_source(struct channel_listener *l,
                                  const char *address)
{
    for (size_t i = 0; i < SOURCES_MAX; i++)
        if (strcmp(l->sources[i].address, address) == 0)
            return &l->sources[i];
    return NULL;
}

static struct source *take_source(struct channel_listener *l,
                                  const char *address)
{
    struct source *oldest = &l->sources[0];
    for (size_t i = 1; i < SOURCES_MAX; i++)
        if (l->sources[i].last_ns < oldest->last_ns)
            oldest = &l->sources[i];
    *oldest = (struct source){.since_ns = clock_monotonic_ns()};
    snprintf(oldest->address, sizeof(oldest->address), "%s", address);
    return oldest;
}

void channel_listener_blame(struct channel_listener *l,
                            const struct channel *channel)
{
    int64_t now_ns = clock_monotonic_ns();
    struct source *source = find_source(l, channel->peer);
    if (!source)
        source = take_source(l, channel->peer);
    if (now_ns - source->since_ns > WINDOW_NS) {
        source->faults = 0;
        source->since_ns = now_ns;
    }
    source->faults++;
    source->last_ns = now_ns;
}

static bool is_blocked(struct channel_listener *l, const char *peer)
{
    const struct source *source = find_source(l, peer);
    return source && l->settings.faults_per_minute > 0 &&
           source->faults >= l->settings.faults_per_minute &&
           clock_monotonic_ns() - source->since_ns <= WINDOW_NS;
}

static bool is_crowded(const struct channel_listener *l, const char *peer)
{
    unsigned int count = 0;
    for (const struct channel *c = l->first; c; c = c->next)
        count += strcmp(c->peer, peer) == 0;
    return count >= CONNECTIONS_PER_SOURCE;
}

/* ---- accepting ------------------------------------------------------------
 */

void channel_listener_forget(struct channel *c)
{
    struct channel_listener *l = c->listener;
    if (!l)
        return;
    if (c->previous)
        c->previous->next = c->next;
    else
        l->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->previous = c->next = NULL;
    c->listener = NULL;
    l->count--;
}

void channel_listener_hand_over(struct channel *c)
{
    const struct channel_listener_settings *settings = &c->listener->settings;
    c->waiting = false;
    c->context = settings->accepted(settings->context, c);
    if (!c->context)
        channel_free(c);
}

static void remember(struct channel_listener *l, struct channel *c)
{
    c->listener = l;
    c->waiting = true;
    c->next = l->first;
    if (c->next)
        c->next->previous = c;
    l->first = c;
    l->count++;
}

/* Root, and who we are, may ask us. */
static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static bool may_connect(struct channel_listener *l, int fd, const char *peer)
{
    if (l->count >= l->settings.connections_max)
        return false;
    return l->settings.path ? may_ask(fd)
                            : !is_blocked(l, peer) && !is_crowded(l, peer);
}

static void take(struct channel_listener *l,
                 int fd,
                 const struct sockaddr_storage *address,
                 socklen_t address_size)
{
    struct channel *c;
    struct error err;
    char peer[64] = "";
    bool local = l->settings.path;
    if (!local)
        channel_address_text(address, address_size, peer, sizeof(peer));
    if (!may_connect(l, fd, peer)) {
        close(fd);
        return;
    }
    if (channel_new(l->loop, CHANNEL_SERVER, fd, l->settings.handler, NULL, &c,
                    &err) < 0)
        return;
    remember(l, c);
    memcpy(c->peer, peer, sizeof(c->peer));
    int r = 0;
    if (!local) {
        channel_find_addresses(c);
        r = channel_make_session(c, l->settings.identity, &err);
    }
    if (r == 0)
        r = channel_begin(c, &err);
    if (r < 0)
        channel_free(c);
}

static void end_rest(void *context, uint32_t events)
{
    struct channel_listener *l = context;
    (void)events;
    loop_set_events(l->source, EPOLLIN);
}

static bool is_shortage(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS ||
           code == ENOMEM;
}

static void on_ready(void *context, uint32_t events)
{
    struct channel_listener *l = context;
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t size = sizeof(address);
        int fd = accept4(l->fd, (struct sockaddr *)&address, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && is_shortage(errno)) {
            loop_set_events(l->source, 0);
            loop_timer_set(l->rest, clock_monotonic_ns() + REST_NS);
        }
        if (fd < 0)
            return;
        take(l, fd, &address, size);
    }
}

/* ---- listening ------------------------------------------------------------
 */

static int listen_local(const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ENAMETOOLONG, "%s: too long a path", path);
    strcpy(address.sun_path, path);
    _cleanup_(close_fd) int fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, "a socket");
    /* Only of one that ended, which refuses, may it be removed. */
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
        errno == EAGAIN)
        return error_set(err, EADDRINUSE,
                         "a head or a worker runs on this machine already; "
                         "\"gpu-watchdog status\" shows it");
    unlink(path);
    mode_t before = umask(0177);
    int r = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(before);
    if (r < 0 || listen(fd, BACKLOG) < 0)
        return error_errno(err, errno, "%s", path);
    return take_fd(fd);
}

/* A socket at PORT of all addresses; -errno. */
static int open_everywhere(uint16_t port, sa_family_t family)
{
    static const int on = 1, off = 0;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {.any.sa_family = family};
    socklen_t size = family == AF_INET6 ? sizeof(to.v6) : sizeof(to.v4);
    if (family == AF_INET6)
        to.v6.sin6_port = htons(port);
    else
        to.v4.sin_port = htons(port);
    _cleanup_(close_fd) int fd =
        socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &to.any, size) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return take_fd(fd);
}

/* ":PORT", on all addresses. */
static int listen_network(const char *address, struct error *err)
{
    const char *port = address + 1;
    if (*address != ':' || !channel_port_is_valid(port))
        return error_set(err, EINVAL, "\"%.80s\" is no :PORT", address);
    int fd = open_everywhere((uint16_t)atoi(port), AF_INET6);
    if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        fd = open_everywhere((uint16_t)atoi(port), AF_INET);
    if (fd == -EADDRINUSE)
        return error_set(err, EADDRINUSE,
                         "port %s is in use (\"ss -ltnp sport = %s\" tells "
                         "by whom); name another with --join-port",
                         port, address);
    return fd < 0 ? error_errno(err, -fd, "port %s", port) : fd;
}

int channel_listener_new(struct loop *loop,
                         const struct channel_listener_settings *settings,
                         struct channel_listener **ret_listener,
                         struct error *err)
{
    struct channel_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ENOMEM, "out of memory");
    l->loop = loop;
    l->settings = *settings;
    l->fd = settings->path ? listen_local(settings->path, err)
                           : listen_network(settings->address, err);
    int r = l->fd;
    if (r >= 0)
        r = loop_add_fd(loop, l->fd, EPOLLIN, on_ready, l, &l->source, err);
    if (r >= 0)
        r = loop_add_timer(loop, end_rest, l, &l->rest, err);
    if (r < 0) {
        l->settings.path = NULL; /* not ours to remove */
        channel_listener_free(l);
        return r;
    }
    *ret_listener = l;
    return 0;
}

struct channel_listener *channel_listener_free(struct channel_listener *l)
{
    if (!l)
        return NULL;
    while (l->first) {
        struct channel *c = l->first;
        channel_listener_forget(c);
        if (c->waiting)
            channel_free(c);
    }
    loop_source_free(l->source);
    loop_source_free(l->rest);
    close_fd(&l->fd);
    if (l->settings.path)
        unlink(l->settings.path);
    free(l);
    return NULL;
}

uint16_t channel_listener_port(const struct channel_listener *l)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    getsockname(l->fd, (struct sockaddr *)&address, &size);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}
