/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a channel asks of the socket underneath: to find out that the other
 * side is gone, and the addresses of both ends.
 */
#include "cluster/channel-internal.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

enum {
    USER_TIMEOUT_MS = 20 * 1000
};

void channel_keep_alive(int fd)
{
    static const int on = 1, idle_s = 10, interval_s = 5, count = 3,
                     timeout_ms = USER_TIMEOUT_MS;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
               sizeof(timeout_ms));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* getaddrinfo() would take 65616 for 80. */
bool channel_port_is_valid(const char *port)
{
    size_t size = strlen(port);
    return size >= 1 && size <= 5 && strspn(port, "0123456789") == size &&
           atoi(port) <= UINT16_MAX;
}

void channel_address_text(const struct sockaddr_storage *address,
                          socklen_t address_size,
                          char *ret_text,
                          size_t size)
{
    static const char mapped[] = "::ffff:";
    char text[64];
    *ret_text = '\0';
    if (getnameinfo((const struct sockaddr *)address, address_size, text,
                    sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
        return;
    bool is_v4 =
        strncmp(text, mapped, strlen(mapped)) == 0 && strchr(text, '.');
    const char *from = is_v4 ? text + strlen(mapped) : text;
    memcpy(ret_text, from, strnlen(from, size - 1) + 1);
    ret_text[size - 1] = '\0';
}

void channel_find_addresses(struct channel *c)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getpeername(c->fd, (struct sockaddr *)&address, &size) == 0)
        channel_address_text(&address, size, c->peer, sizeof(c->peer));
    size = sizeof(address);
    if (getsockname(c->fd, (struct sockaddr *)&address, &size) == 0)
        channel_address_text(&address, size, c->own, sizeof(c->own));
}
