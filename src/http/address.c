/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the sockets. For all addresses it is one socket that takes both IPv6
 * and IPv4, or an IPv4 one on machines without IPv6. Of the addresses of a name
 * those that this machine cannot have are passed over as long as one remains:
 * "localhost" often means ::1 too, where IPv6 is switched off.
 */
#include "http/address.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    LISTEN_BACKLOG = 512
};

static int refuse_form(struct error *err, const char *text)
{
    return error_set(err, EINVAL,
                     "listen address \"%s\" is not of the form HOST:PORT, "
                     "[IPV6]:PORT or :PORT with a port from 0 to 65535; "
                     "write for instance \"127.0.0.1:9341\" or \":9341\"",
                     text);
}

static bool port_is_valid(const char *port)
{
    size_t size = strlen(port);
    return size >= 1 && size <= 5 && strspn(port, "0123456789") == size &&
           atoi(port) <= 65535;
}

int http_address_parse(const char *text,
                       struct http_address *ret_address,
                       struct error *err)
{
    struct http_address address = {.host = ""};
    const char *colon = strrchr(text, ':');
    if (!colon || !port_is_valid(colon + 1))
        return refuse_form(err, text);
    const char *host = text;
    size_t size = (size_t)(colon - text);
    bool bracketed = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    if (bracketed) {
        host++;
        size -= 2;
    }
    bool has_colon = memchr(host, ':', size);
    if (size >= sizeof(address.host) || has_colon != bracketed ||
        memchr(host, '[', size) || memchr(host, ']', size))
        return refuse_form(err, text);
    if (!(size == 1 && host[0] == '*'))
        memcpy(address.host, host, size);
    snprintf(address.port, sizeof(address.port), "%s", colon + 1);
    *ret_address = address;
    return 0;
}

/* The address as the user wrote it, for messages. */
static void describe(const struct http_address *address, char ret_text[300])
{
    bool ipv6 = strchr(address->host, ':');
    snprintf(ret_text, 300, "%s%s%s:%s", ipv6 ? "[" : "", address->host,
             ipv6 ? "]" : "", address->port);
}

/* Say what a person can do about CODE of bind() or listen(). */
static int
refuse_bind(struct error *err, const struct http_address *address, int code)
{
    char name[300];
    describe(address, name);
    switch (code) {
    case EADDRINUSE:
        return error_set(err, code,
                         "listening on %s: another program has this port; "
                         "choose another, or see which with: "
                         "ss -ltnp sport = :%s",
                         name, address->port);
    case EADDRNOTAVAIL:
        return error_set(err, code,
                         "listening on %s: this machine does not have that "
                         "address; see those it has with: ip address",
                         name);
    case EACCES:
    case EPERM:
        return error_set(err, code,
                         "listening on %s: not permitted; ports below 1024 "
                         "need root or CAP_NET_BIND_SERVICE",
                         name);
    default:
        return error_errno(err, code, "listening on %s", name);
    }
}

/* A listening socket, or a negative errno. */
static int open_socket(int family,
                       const struct sockaddr *address,
                       socklen_t size,
                       bool only_ipv6)
{
    _cleanup_(close_fd) int fd =
        socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1, v6only = only_ipv6;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
        return -errno;
    if (bind(fd, address, size) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        return -errno;
    return take_fd(fd);
}

static int listen_everywhere(const struct http_address *address,
                             int *ret_fd,
                             struct error *err)
{
    in_port_t port = htons((uint16_t)atoi(address->port));
    struct sockaddr_in6 any6 = {
        .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = in6addr_any};
    struct sockaddr_in any4 = {.sin_family = AF_INET,
                               .sin_port = port,
                               .sin_addr.s_addr = htonl(INADDR_ANY)};
    int fd = open_socket(AF_INET6, (const struct sockaddr *)&any6, sizeof(any6),
                         false);
    if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        fd = open_socket(AF_INET, (const struct sockaddr *)&any4, sizeof(any4),
                         false);
    if (fd < 0)
        return refuse_bind(err, address, -fd);
    *ret_fd = fd;
    return 1;
}

static int resolve(const struct http_address *address,
                   struct addrinfo **ret_list,
                   struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    int r = getaddrinfo(address->host, address->port, &hints, ret_list);
    if (r == 0)
        return 0;
    return error_set(err, r == EAI_SYSTEM ? errno : ENOENT,
                     "listening on %s:%s: the name is not known (%s); use an "
                     "address of this machine, or \":%s\" for all",
                     address->host, address->port, gai_strerror(r),
                     address->port);
}

int http_address_listen(const struct http_address *address,
                        int ret_fds[HTTP_ADDRESS_SOCKETS_MAX],
                        struct error *err)
{
    if (address->host[0] == '\0')
        return listen_everywhere(address, &ret_fds[0], err);

    struct addrinfo *list;
    int r = resolve(address, &list, err);
    if (r < 0)
        return r;
    int count = 0;
    int passed_over = 0;
    for (const struct addrinfo *i = list;
         i && r >= 0 && count < HTTP_ADDRESS_SOCKETS_MAX; i = i->ai_next) {
        int fd = open_socket(i->ai_family, i->ai_addr, i->ai_addrlen, true);
        if (fd >= 0)
            ret_fds[count++] = fd;
        else if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
            passed_over = -fd;
        else
            r = refuse_bind(err, address, -fd);
    }
    freeaddrinfo(list);
    if (r >= 0 && count > 0)
        return count;
    if (r >= 0)
        r = refuse_bind(err, address, passed_over);
    while (count > 0)
        close(ret_fds[--count]);
    return r;
}

void http_address_format(const struct sockaddr *address,
                         char ret_text[HTTP_ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";
    snprintf(ret_text, HTTP_ADDRESS_TEXT_SIZE, "?");
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
        snprintf(ret_text, HTTP_ADDRESS_TEXT_SIZE, "%s:%d", host,
                 ntohs(in.sin_port));
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        if (mapped)
            inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], host, sizeof(host));
        else
            inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
        snprintf(ret_text, HTTP_ADDRESS_TEXT_SIZE, "%s%s%s:%d",
                 mapped ? "" : "[", host, mapped ? "" : "]",
                 ntohs(in6.sin6_port));
    }
}
