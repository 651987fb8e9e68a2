/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's side of the proof: a port that says one thing and hangs up.
 */
#include "cluster/probe.h"

#include "base/cleanup.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

enum {
    BACKLOG = 16
};

struct probe_answer {
    int fd;
    uint16_t port;
    struct loop_source *source;
    char nonce[JOIN_NONCE_SIZE];
};

void probe_nonce(char ret_nonce[JOIN_NONCE_SIZE])
{
    uint8_t bytes[JOIN_NONCE_SIZE - 1];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        abort(); /* the kernel has no randomness: no key here is safe */
    for (size_t i = 0; i < sizeof(bytes); i++)
        ret_nonce[i] = (char)('a' + bytes[i] % 26);
    ret_nonce[sizeof(bytes)] = '\0';
}

static void answer_ready(void *context, uint32_t events)
{
    struct probe_answer *answer = context;
    (void)events;
    int fd = accept4(answer->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    /* A fresh connection takes so few bytes at once. */
    ssize_t written =
        send(fd, answer->nonce, strlen(answer->nonce), MSG_NOSIGNAL);
    (void)written;
    close(fd);
}

/* IPv6 with IPv4 in it, or IPv4 where the kernel has no IPv6. */
static int open_socket(uint16_t port)
{
    static const int on = 1, off = 0;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    socklen_t size = sizeof(address.v6);
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    _cleanup_(close_fd) int fd = socket(AF_INET6, type, 0);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    } else {
        fd = socket(AF_INET, type, 0);
        address.v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                          .sin_port = htons(port)};
        size = sizeof(address.v4);
    }
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &address.any, size) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return take_fd(fd);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    getsockname(fd, (struct sockaddr *)&address, &size);
    /* The port is at the same place in both families. */
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int probe_answer_new(struct loop *loop,
                     uint16_t port,
                     const char *nonce,
                     struct probe_answer **ret_answer,
                     struct error *err)
{
    struct probe_answer *answer = calloc(1, sizeof(*answer));
    if (!answer)
        return error_set(err, ENOMEM, "out of memory");
    memcpy(answer->nonce, nonce, strnlen(nonce, JOIN_NONCE_SIZE - 1));
    answer->fd = open_socket(port);
    int r = answer->fd;
    if (r == -EADDRINUSE)
        error_set(err, EADDRINUSE,
                  "port %u is in use here; is another slurmd running? (\"ss "
                  "-ltnp sport = :%u\" tells)",
                  port, port);
    else if (r < 0)
        error_errno(err, -r, "port %u", port);
    else
        r = loop_add_fd(loop, answer->fd, EPOLLIN, answer_ready, answer,
                        &answer->source, err);
    if (r < 0) {
        probe_answer_free(answer);
        return r;
    }
    answer->port = port_of(answer->fd);
    *ret_answer = answer;
    return 0;
}

uint16_t probe_answer_port(const struct probe_answer *answer)
{
    return answer->port;
}

struct probe_answer *probe_answer_free(struct probe_answer *answer)
{
    if (!answer)
        return NULL;
    loop_source_free(answer->source);
    close_fd(&answer->fd);
    free(answer);
    return NULL;
}
