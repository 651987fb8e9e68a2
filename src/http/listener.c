/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accepting. When descriptors or memory run out, a waiting connection would
 * wake the loop again and again without being taken: all sockets then rest for
 * a tenth of a second.
 */
#include "http/listener.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>

enum {
    LISTENER_BATCH = 32 /* connections at once, then others have their turn */
};

#define LISTENER_REST_NS (100 * NS_PER_MS)

struct listener {
    struct http_listeners *all;
    int fd;
    struct loop_source *source;
    bool loopback;
    char address[HTTP_ADDRESS_TEXT_SIZE];
};

struct http_listeners {
    struct loop *loop;
    http_accept accepted;
    void *context;
    struct loop_source *rest_timer;
    size_t count;
    struct listener *items; /* not moved once they are in the loop */
};

static void set_events(struct http_listeners *all, uint32_t events)
{
    for (size_t i = 0; i < all->count; i++)
        loop_set_events(all->items[i].source, events);
}

static void end_rest(void *context, uint32_t events)
{
    (void)events;
    set_events(context, EPOLLIN);
}

static bool is_shortage(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS ||
           code == ENOMEM;
}

static void take_connections(void *context, uint32_t events)
{
    (void)events;
    struct listener *listener = context;
    struct http_listeners *all = listener->all;
    for (int i = 0; i < LISTENER_BATCH; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        int fd = accept4(listener->fd, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && is_shortage(errno)) {
            set_events(all, 0);
            loop_timer_set(all->rest_timer,
                           clock_monotonic_ns() + LISTENER_REST_NS);
        }
        if (fd < 0)
            return;
        all->accepted(all->context, fd, (struct sockaddr *)&address, size);
    }
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    if (address->ss_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Put the listening socket FD, which is taken over, into the loop. */
static int add_listener(struct http_listeners *all, int fd, struct error *err)
{
    struct listener *listener = &all->items[all->count];
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    *listener = (struct listener){.all = all, .fd = fd};
    if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) {
        int code = errno;
        close(fd);
        return error_errno(err, code, "listening");
    }
    http_address_format((struct sockaddr *)&name, listener->address);
    listener->loopback = is_loopback(&name);
    int r = loop_add_fd(all->loop, fd, EPOLLIN, take_connections, listener,
                        &listener->source, err);
    if (r < 0)
        close(fd);
    else
        all->count++;
    return r;
}

static int
add_address(struct http_listeners *all, const char *text, struct error *err)
{
    struct http_address address;
    int fds[HTTP_ADDRESS_SOCKETS_MAX];
    int r = http_address_parse(text, &address, err);
    if (r < 0)
        return r;
    int count = http_address_listen(&address, fds, err);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        if (r >= 0)
            r = add_listener(all, fds[i], err);
        else
            close(fds[i]);
    }
    return r;
}

static void free_listeners(struct http_listeners **listeners)
{
    http_listeners_free(*listeners);
}

int http_listeners_new(struct loop *loop,
                       const char *const *addresses,
                       size_t count,
                       http_accept accepted,
                       void *context,
                       struct http_listeners **ret_listeners,
                       struct error *err)
{
    _cleanup_(free_listeners) struct http_listeners *all =
        calloc(1, sizeof(*all));
    if (all)
        all->items =
            calloc(count * HTTP_ADDRESS_SOCKETS_MAX, sizeof(*all->items));
    if (!all || !all->items)
        return error_errno(err, ENOMEM, "listening");
    all->loop = loop;
    all->accepted = accepted;
    all->context = context;
    int r = loop_add_timer(loop, end_rest, all, &all->rest_timer, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_address(all, addresses[i], err);
    if (r < 0)
        return r;
    *ret_listeners = take_ptr(all);
    return 0;
}

struct http_listeners *http_listeners_free(struct http_listeners *listeners)
{
    if (!listeners)
        return NULL;
    loop_source_free(listeners->rest_timer);
    for (size_t i = 0; i < listeners->count; i++) {
        loop_source_free(listeners->items[i].source);
        close(listeners->items[i].fd);
    }
    free(listeners->items);
    free(listeners);
    return NULL;
}

bool http_listeners_are_loopback(const struct http_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (!listeners->items[i].loopback)
            return false;
    return true;
}

const char *http_listeners_address(const struct http_listeners *listeners,
                                   size_t index)
{
    return index < listeners->count ? listeners->items[index].address : NULL;
}
