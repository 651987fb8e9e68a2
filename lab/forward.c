// SPDX-License-Identifier: GPL-2.0-or-later
//
// lab-forward: lets ports of a lab host answer on the machine's 127.0.0.1.
//
// A socket belongs for ever to the network namespace in which it was made. So
// the listening sockets are made first, on the machine; then the process moves
// into the namespace of the host, and what it connects from then on is the
// host's loopback. Nothing on the machine has to be routed, translated or
// bridged for this.
//
// One thread, one epoll loop. Each link has one buffer per direction; a full
// buffer stops reading from its side until the other side has taken it.
// Half-closed connections stay half-closed. No timeouts: who is slow is slow to
// the service behind, which is what a test of that service wants to see.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINKS_MAX = 1024,
    LISTENERS_MAX = 16,
    BUFFER_BYTES = 16 * 1024,
    EVENTS_PER_WAIT = 64,
    NOBODY = 65534,
};

// One direction of a link: what was read from one side and not yet written to
// the other.
struct pump {
    char buffer[BUFFER_BYTES];
    size_t start;
    size_t end;
    bool eof;      // nothing more will be read
    bool finished; // and everything read was written and the end passed on
};

// Where an event came from. For a listener, link is NULL.
struct end {
    struct link *link;
    int fd;
    uint32_t
        watched; // what epoll reports for fd; 0: fd is not in the epoll set
    uint16_t remote_port;
};

// An accepted client (ends[0]) and its connection to the host (ends[1]);
// pumps[i] reads from ends[i].
struct link {
    struct end ends[2];
    struct pump pumps[2];
    bool connecting;
    bool dead;
    struct link *next_dead;
};

static int epoll_fd;
static struct end listeners[LISTENERS_MAX];
static size_t listener_count;
static size_t link_count;
static struct link *dead_links;

static void die(const char *what)
{
    fprintf(stderr, "lab-forward: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void die_usage(void)
{
    fputs("usage: lab-forward NETNS-FILE LOCAL-PORT=REMOTE-PORT...\n", stderr);
    exit(2);
}

// Makes epoll report EVENTS for an end. An end that waits for nothing leaves
// the set: epoll reports a hang-up even to those who asked for nothing, again
// and again.
static void end_watch(struct end *end, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = end};
    int operation = EPOLL_CTL_MOD;

    if (events == end->watched)
        return;
    if (events == 0)
        operation = EPOLL_CTL_DEL;
    else if (end->watched == 0)
        operation = EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_fd, operation, end->fd, &event) < 0)
        die("epoll_ctl");
    end->watched = events;
}

static void listeners_watch(uint32_t events)
{
    for (size_t i = 0; i < listener_count; i++)
        end_watch(&listeners[i], events);
}

// Closes both sides; the memory stays until the events of this round are
// handled.
static void link_close(struct link *link)
{
    if (link->dead)
        return;
    for (int side = 0; side < 2; side++) {
        if (link->ends[side].fd >= 0)
            close(link->ends[side].fd);
    }
    link->dead = true;
    link->next_dead = dead_links;
    dead_links = link;
    link_count--;
}

static void dead_links_free(void)
{
    while (dead_links) {
        struct link *next = dead_links->next_dead;

        free(dead_links);
        dead_links = next;
    }
    if (link_count < LINKS_MAX)
        listeners_watch(EPOLLIN);
}

static bool retry_later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// Moves what can be moved now from one side to the other; false when the link
// is broken.
static bool pump_run(struct pump *pump, int from, int to)
{
    ssize_t n;

    if (!pump->eof && pump->end == 0) {
        n = read(from, pump->buffer, sizeof(pump->buffer));
        if (n < 0 && !retry_later())
            return false;
        if (n == 0)
            pump->eof = true;
        if (n > 0)
            pump->end = (size_t)n;
    }
    if (pump->start < pump->end) {
        n = send(to, pump->buffer + pump->start, pump->end - pump->start,
                 MSG_NOSIGNAL);
        if (n < 0 && !retry_later())
            return false;
        if (n > 0)
            pump->start += (size_t)n;
        if (pump->start == pump->end)
            pump->start = pump->end = 0;
    }
    if (pump->eof && pump->end == 0 && !pump->finished) {
        shutdown(to, SHUT_WR);
        pump->finished = true;
    }
    return true;
}

static void link_watch(struct link *link)
{
    for (int side = 0; side < 2; side++) {
        const struct pump *in = &link->pumps[side];
        const struct pump *out = &link->pumps[1 - side];
        uint32_t events = 0;

        if (!in->eof && in->end == 0)
            events |= EPOLLIN;
        if (out->end > 0)
            events |= EPOLLOUT;
        end_watch(&link->ends[side], events);
    }
}

// Has the connection to the host come about? False when it has failed.
static bool link_connected(struct link *link)
{
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(link->ends[1].fd, SOL_SOCKET, SO_ERROR, &error, &length) <
            0 ||
        error)
        return false;
    link->connecting = false;
    return true;
}

static void link_run(struct link *link)
{
    if (link->dead)
        return;
    if (link->connecting && !link_connected(link)) {
        link_close(link);
        return;
    }
    for (int side = 0; side < 2; side++) {
        if (!pump_run(&link->pumps[side], link->ends[side].fd,
                      link->ends[1 - side].fd)) {
            link_close(link);
            return;
        }
    }
    if (link->pumps[0].finished && link->pumps[1].finished)
        link_close(link);
    else
        link_watch(link);
}

static struct sockaddr_in loopback_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

// Starts connecting to PORT of the host for an accepted client.
static void link_open(int client_fd, uint16_t port)
{
    struct sockaddr_in address = loopback_address(port);
    struct link *link = calloc(1, sizeof(*link));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (!link || fd < 0) {
        free(link);
        if (fd >= 0)
            close(fd);
        close(client_fd);
        return;
    }
    link->ends[0] = (struct end){.link = link, .fd = client_fd};
    link->ends[1] = (struct end){.link = link, .fd = fd};
    link_count++;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
        errno != EINPROGRESS) {
        link_close(link);
        return;
    }
    link->connecting = true;
    end_watch(&link->ends[1], EPOLLOUT);
}

static void listener_accept(struct end *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    link_open(fd, listener->remote_port);
    if (link_count >= LINKS_MAX)
        listeners_watch(0);
}

static void loop_run(void)
{
    struct epoll_event events[EVENTS_PER_WAIT];

    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS_PER_WAIT, -1);

        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            struct end *end = events[i].data.ptr;

            if (end->link)
                link_run(end->link);
            else
                listener_accept(end);
        }
        dead_links_free();
    }
}

// Reads a port and the character that must follow it; -1 when that is not
// there.
static int port_parse(const char *text, char terminator, const char **ret_rest)
{
    char *rest;
    long port;

    errno = 0;
    port = strtol(text, &rest, 10);
    if (rest == text || *rest != terminator || errno || port < 0 ||
        port > 65535)
        return -1;
    *ret_rest = rest + 1;
    return (int)port;
}

// Listens as "LOCAL=REMOTE" says and tells which port it has become: 0 asks for
// any.
static void listener_open(const char *rule)
{
    const char *rest = NULL;
    int local = port_parse(rule, '=', &rest);
    int remote = local < 0 ? -1 : port_parse(rest, '\0', &rest);
    struct sockaddr_in address = loopback_address((uint16_t)local);
    socklen_t length = sizeof(address);
    int on = 1;
    int fd;

    if (remote < 1 || listener_count == LISTENERS_MAX)
        die_usage();
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        die("socket");
    if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
        listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        fprintf(stderr, "lab-forward: 127.0.0.1:%d: %s\n", local,
                strerror(errno));
        exit(1);
    }
    listeners[listener_count++] =
        (struct end){.fd = fd, .remote_port = (uint16_t)remote};
    printf("%d=%d\n", ntohs(address.sin_port), remote);
}

// Moves this process into the network namespace that the file stands for, and
// gives up the rights that this took.
static void namespace_enter(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        die(path);
    close(fd);
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        die("giving up root's rights");
}

// Two descriptors a link, and some to spare.
static void descriptors_allow(void)
{
    struct rlimit limit = {2 * LINKS_MAX + 64, 2 * LINKS_MAX + 64};

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("setrlimit");
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die_usage();
    for (int i = 2; i < argc; i++)
        listener_open(argv[i]);
    descriptors_allow();
    namespace_enter(argv[1]);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    listeners_watch(EPOLLIN);
    puts("ready");
    if (fflush(stdout) != 0)
        die("standard output");
    loop_run();
}
