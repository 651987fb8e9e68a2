/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP client that measures: how long one answer takes, how many answers a
 * second there are, how long a server takes from its start to a good answer.
 *
 * It is made to cost as little as it can beside the server, on a machine of few
 * cores: one thread, one request on each of its connections at a time. Under
 * load, bodies are counted and dropped in the kernel; a single answer is read
 * to the last byte. It knows what these servers send and no more of HTTP: no
 * chunks, no redirections.
 */
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    CONNECTIONS_MAX = 512,
    HEADER_MAX = 8192,
    REQUEST_MAX = 1024,
    BODY_MAX = 64 << 20,
    DROP_AT_ONCE = 4 << 20,
    TRY_AGAIN_US = 1000
};

static const char usage[] =
    "usage: http-client [OPTION]... get|load PORT PATH\n"
    "       http-client [OPTION]... start PORT PATH TEXT COMMAND...\n"
    "\n"
    "  get    one request behind the other, on one connection; prints for "
    "each\n"
    "         milliseconds, status and size of the body\n"
    "  load   as many requests as are answered; prints their number, seconds,\n"
    "         and bytes of bodies\n"
    "  start  runs COMMAND, asks until a good answer contains TEXT, ends\n"
    "         COMMAND; prints the milliseconds from its start on\n"
    "\n"
    "  --header LINE    another line of the request's header\n"
    "  --count N        so many requests (get: 1)\n"
    "  --pause MS       between two requests (get: none)\n"
    "  --connections N  so many at a time (load: 1)\n"
    "  --seconds N      for so long (load: 3; start gives up then: 30)\n"
    "\n"
    "The server is on 127.0.0.1.\n";

struct settings {
    const char *header;
    unsigned int count;
    unsigned int pause_ms;
    unsigned int connections;
    unsigned int seconds;
};

/* One connection and the answer that comes over it. */
struct client {
    int fd;
    char header[HEADER_MAX];
    size_t header_size; /* received so far */
    bool in_body;
    unsigned int status;
    size_t body_size;
    size_t body_left;
    char *body; /* of BODY_MAX bytes; NULL while bodies are dropped */
};

static struct sockaddr_in server;
static char request[REQUEST_MAX];
static size_t request_size;

/* ---- one connection ------------------------------------------------------
 */

/* False when nobody listens. */
static bool client_connect(struct client *client)
{
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        error(EXIT_FAILURE, errno, "socket");
    if (connect(client->fd, (struct sockaddr *)&server, sizeof(server)) == 0)
        return true;
    close(client->fd);
    return false;
}

static void client_ask(struct client *client)
{
    client->header_size = 0;
    client->in_body = false;
    if (send(client->fd, request, request_size, MSG_NOSIGNAL) !=
        (ssize_t)request_size)
        error(EXIT_FAILURE, errno, "sending a request");
}

/* Look into the header that ends at END; what follows it is of the body. */
static void client_begin_body(struct client *client, const char *end)
{
    const char *length = strcasestr(client->header, "\r\nContent-Length:");
    if (sscanf(client->header, "HTTP/1.1 %u", &client->status) != 1 || !length)
        error(EXIT_FAILURE, 0, "an answer without status or length: %.60s",
              client->header);
    length = strchr(length, ':') + 1;
    client->body_size = strtoul(length, NULL, 10);
    size_t here = client->header_size - (size_t)(end - client->header);
    client->body_left = client->body_size - here;
    client->in_body = true;
    if (!client->body)
        return;
    if (client->body_size >= BODY_MAX)
        error(EXIT_FAILURE, 0, "a body of %zu bytes", client->body_size);
    memcpy(client->body, end, here);
    client->body[client->body_size] = '\0';
}

static void client_read_header(struct client *client)
{
    char *at = client->header + client->header_size;
    size_t room = sizeof(client->header) - 1 - client->header_size;
    ssize_t n = recv(client->fd, at, room, 0);
    if (n <= 0)
        error(EXIT_FAILURE, n < 0 ? errno : 0, "no answer");
    client->header_size += (size_t)n;
    client->header[client->header_size] = '\0';
    const char *end = strstr(client->header, "\r\n\r\n");
    if (end)
        client_begin_body(client, end + strlen("\r\n\r\n"));
}

static void client_read_body(struct client *client)
{
    char *at = client->body;
    if (at)
        at += client->body_size - client->body_left;
    size_t most = at ? client->body_left : DROP_AT_ONCE;
    if (most > client->body_left)
        most = client->body_left;
    ssize_t n = recv(client->fd, at, most, at ? 0 : MSG_TRUNC);
    if (n <= 0)
        error(EXIT_FAILURE, n < 0 ? errno : 0, "half an answer");
    client->body_left -= (size_t)n;
}

/* Read what has come; true when the answer is whole. */
static bool client_read(struct client *client)
{
    if (client->in_body)
        client_read_body(client);
    else
        client_read_header(client);
    return client->in_body && client->body_left == 0;
}

static void require_good(const struct client *client)
{
    if (client->status != 200)
        error(EXIT_FAILURE, 0, "the server answers with status %u",
              client->status);
}

/* ---- get -----------------------------------------------------------------
 */

/* Memory that is there already, so that no page of it is fetched while the
 * clock runs. */
static char *body_new(void)
{
    char *body = malloc(BODY_MAX);
    if (!body)
        error(EXIT_FAILURE, errno, "%d bytes", BODY_MAX);
    return memset(body, 1, BODY_MAX);
}

static double ms_since(int64_t then_ns)
{
    return (double)(clock_monotonic_ns() - then_ns) / (double)NS_PER_MS;
}

static void run_get(const struct settings *settings)
{
    static struct client client;
    client.body = body_new();
    int64_t began = clock_monotonic_ns();
    if (!client_connect(&client))
        error(EXIT_FAILURE, errno, "port %u", ntohs(server.sin_port));
    for (unsigned int i = 0; i < settings->count; i++) {
        client_ask(&client);
        while (!client_read(&client))
            ;
        printf("%.3f %u %zu\n", ms_since(began), client.status,
               client.body_size);
        if (settings->pause_ms)
            usleep(settings->pause_ms * 1000);
        began = clock_monotonic_ns();
    }
    free(client.body);
}

/* ---- load ----------------------------------------------------------------
 */

static struct client clients[CONNECTIONS_MAX];

static int load_begin(unsigned int count)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned int i = 0; i < count; i++) {
        struct client *client = &clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (!client_connect(client) ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
            error(EXIT_FAILURE, errno, "connection %u", i + 1);
        client_ask(client);
    }
    return epoll;
}

static void run_load(const struct settings *settings)
{
    int epoll = load_begin(settings->connections);
    int64_t began = clock_monotonic_ns();
    int64_t end = began + settings->seconds * NS_PER_S;
    uint64_t answers = 0, bytes = 0;
    struct epoll_event events[16];
    while (clock_monotonic_ns() < end) {
        int ready = epoll_wait(epoll, events, 16, 1000);
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            if (!client_read(client))
                continue;
            require_good(client);
            answers++;
            bytes += client->body_size;
            client_ask(client);
        }
    }
    printf("%lu %.3f %lu\n", answers, ms_since(began) / 1e3, bytes);
    close(epoll);
}

/* ---- start ---------------------------------------------------------------
 */

/* Is there a server, and is its answer good? */
static bool try_once(struct client *client, const char *text)
{
    if (!client_connect(client))
        return false;
    client_ask(client);
    while (!client_read(client))
        ;
    close(client->fd);
    return client->status == 200 && strstr(client->body, text);
}

static void
run_start(const struct settings *settings, const char *text, char **command)
{
    static struct client client;
    client.body = body_new();
    int64_t began = clock_monotonic_ns();
    pid_t pid = fork();
    if (pid < 0)
        error(EXIT_FAILURE, errno, "fork");
    if (pid == 0) {
        execvp(command[0], command);
        error(127, errno, "%s", command[0]);
    }
    int64_t end = began + settings->seconds * NS_PER_S;
    bool good = false;
    while (!good && clock_monotonic_ns() < end) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            error(EXIT_FAILURE, 0, "%s has ended", command[0]);
        good = try_once(&client, text);
        if (!good)
            usleep(TRY_AGAIN_US);
    }
    double ms = ms_since(began);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (!good)
        error(EXIT_FAILURE, 0, "no answer with \"%s\" in %u s", text,
              settings->seconds);
    printf("%.3f\n", ms);
}

/* ---- command line --------------------------------------------------------
 */

static unsigned int number_parse(const char *text, unsigned long max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end || n == 0 || n > max)
        error(EXIT_USAGE, 0, "\"%.40s\": write a number from 1 to %lu", text,
              max);
    return (unsigned int)n;
}

static void options_parse(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        {"header", required_argument, NULL, 'h'},
        {"count", required_argument, NULL, 'n'},
        {"pause", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'h')
            settings->header = optarg;
        else if (option == 'n')
            settings->count = number_parse(optarg, 1000000);
        else if (option == 'p')
            settings->pause_ms = number_parse(optarg, 60000);
        else if (option == 'c')
            settings->connections = number_parse(optarg, CONNECTIONS_MAX);
        else if (option == 's')
            settings->seconds = number_parse(optarg, 600);
        else
            error(EXIT_USAGE, 0, "%s", usage);
    }
}

static void
prepare(const char *port, const char *path, const struct settings *settings)
{
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)number_parse(port, 65535));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int n = snprintf(request, sizeof(request),
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s\r\n", path,
                     settings->header ? settings->header : "",
                     settings->header ? "\r\n" : "");
    if (n < 0 || (size_t)n >= sizeof(request))
        error(EXIT_USAGE, 0, "the request is too long");
    request_size = (size_t)n;
}

int main(int argc, char **argv)
{
    struct settings settings = {.count = 1, .connections = 1, .seconds = 0};
    options_parse(argc, argv, &settings);
    argc -= optind;
    argv += optind;
    const char *verb = argc >= 3 ? argv[0] : "";
    bool start = strcmp(verb, "start") == 0;
    if (settings.seconds == 0)
        settings.seconds = start ? 30 : 3;
    if (argc >= 3)
        prepare(argv[1], argv[2], &settings);
    if (argc == 3 && strcmp(verb, "get") == 0)
        run_get(&settings);
    else if (argc == 3 && strcmp(verb, "load") == 0)
        run_load(&settings);
    else if (argc >= 5 && start)
        run_start(&settings, argv[3], argv + 4);
    else
        error(EXIT_USAGE, 0, "%s", usage);
    return EXIT_SUCCESS;
}
