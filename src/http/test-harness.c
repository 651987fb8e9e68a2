/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/test-harness.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <zlib.h>

#include <cmocka.h>

struct harness_private {
    pthread_t thread;
    sem_t ready, reloaded, called;
    struct http_settings *settings;
    struct loop *loop;
    struct http_server *server;
    int command_fd; /* 1: stop, 2: reload, 3: call */
    void (*call)(void *context);
    void *context;
    struct error err;
    int result;
};

static void take_command(void *context, uint32_t events)
{
    (void)events;
    struct harness_private *p = context;
    eventfd_t command = 0;
    eventfd_read(p->command_fd, &command);
    if (command == 1) {
        loop_stop(p->loop, 0);
        return;
    }
    if (command == 3) {
        p->call(p->context);
        sem_post(&p->called);
        return;
    }
    p->err = (struct error){""};
    p->result = http_server_reload(p->server, &p->err);
    sem_post(&p->reloaded);
}

static void *serve(void *context)
{
    struct harness *harness = context;
    struct harness_private *p = harness->private;
    struct loop_source *command = NULL;
    p->result = loop_new(&p->loop, &p->err);
    if (p->result == 0)
        p->result = http_server_new(p->loop, p->settings, &p->server, &p->err);
    if (p->result == 0)
        p->result = loop_add_fd(p->loop, p->command_fd, EPOLLIN, take_command,
                                p, &command, &p->err);
    if (p->result == 0) {
        const char *address = http_server_address(p->server, 0);
        sscanf(strrchr(address, ':'), ":%u", &harness->port);
    }
    int result = p->result;
    sem_post(&p->ready);
    if (result < 0)
        return NULL;
    loop_run(p->loop);
    harness->statistics = *http_server_statistics(p->server);
    memcpy(harness->rows, harness->statistics.routes,
           harness->statistics.route_count * sizeof(harness->rows[0]));
    loop_source_free(command);
    http_server_free(p->server);
    loop_free(p->loop);
    return NULL;
}

void harness_start(struct harness *harness, struct http_settings *settings)
{
    static const char *const addresses[] = {"127.0.0.1:0"};
    struct harness_private *p = calloc(1, sizeof(*p));
    *harness = (struct harness){.private = p};
    settings->addresses = addresses;
    settings->address_count = 1;
    p->settings = settings;
    p->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sem_init(&p->ready, 0, 0);
    sem_init(&p->reloaded, 0, 0);
    sem_init(&p->called, 0, 0);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, harness), 0);
    sem_wait(&p->ready);
    if (p->result < 0)
        fail_msg("the server did not start: %s", p->err.text);
}

void harness_stop(struct harness *harness)
{
    struct harness_private *p = harness->private;
    eventfd_write(p->command_fd, 1);
    pthread_join(p->thread, NULL);
    close(p->command_fd);
    sem_destroy(&p->ready);
    sem_destroy(&p->reloaded);
    sem_destroy(&p->called);
    free(p);
    harness->private = NULL;
}

int harness_reload(struct harness *harness, struct error *err)
{
    struct harness_private *p = harness->private;
    eventfd_write(p->command_fd, 2);
    sem_wait(&p->reloaded);
    *err = p->err;
    return p->result;
}

void harness_call(struct harness *harness,
                  void (*call)(void *context),
                  void *context)
{
    struct harness_private *p = harness->private;
    p->call = call;
    p->context = context;
    eventfd_write(p->command_fd, 3);
    sem_wait(&p->called);
}

int harness_connect(const struct harness *harness)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)harness->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

void send_string(int fd, const char *string)
{
    ssize_t sent = send(fd, string, strlen(string), MSG_NOSIGNAL);
    (void)sent; /* a server that has closed shows in the answer */
}

/* Read up to SIZE bytes more; false at the end of the stream. */
static bool read_some(int fd, struct text *t, size_t size)
{
    char *at = text_reserve(t, size);
    ssize_t got = recv(fd, at, size, 0);
    if (got > 0)
        t->size += (size_t)got;
    return got > 0;
}

void read_answer(int fd, bool has_body, struct answer *ret_answer)
{
    *ret_answer = (struct answer){.status = 0};
    struct text *head = &ret_answer->head;
    while (!strstr(text_str(head), "\r\n\r\n"))
        if (!read_some(fd, head, 1))
            return;
    sscanf(text_str(head), "HTTP/1.%*d %u", &ret_answer->status);
    const char *length = strcasestr(text_str(head), "\r\nContent-Length:");
    if (!has_body || !length)
        return;
    size_t wanted = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    while (ret_answer->body.size < wanted)
        if (!read_some(fd, &ret_answer->body, wanted - ret_answer->body.size))
            return;
    text_str(&ret_answer->body);
}

void answer_deinit(struct answer *answer)
{
    text_deinit(&answer->head);
    text_deinit(&answer->body);
}

void fetch(const struct harness *harness,
           const char *method_and_target,
           const char *headers,
           struct answer *ret_answer)
{
    struct text request = TEXT_INIT;
    text_addf(&request, "%s HTTP/1.1\r\nHost: test\r\n%s\r\n",
              method_and_target, headers);
    int fd = harness_connect(harness);
    send_string(fd, text_str(&request));
    read_answer(fd, strncmp(method_and_target, "HEAD", 4) != 0, ret_answer);
    close(fd);
    text_deinit(&request);
}

bool answer_has(const struct answer *answer, const char *line)
{
    _cleanup_(text_deinit) struct text wanted = TEXT_INIT;
    text_addf(&wanted, "\r\n%s\r\n", line);
    return answer->head.data &&
           strcasestr(answer->head.data, text_str(&wanted));
}

void gunzip(const struct text *packed, struct text *ret_plain)
{
    *ret_plain = (struct text)TEXT_INIT;
    z_stream z = {.next_in = (unsigned char *)packed->data,
                  .avail_in = (uInt)packed->size};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    int r = Z_OK;
    while (r == Z_OK) {
        char *at = text_reserve(ret_plain, 65536);
        z.next_out = (unsigned char *)at;
        z.avail_out = 65536;
        r = inflate(&z, Z_NO_FLUSH);
        ret_plain->size += 65536 - z.avail_out;
    }
    assert_int_equal(r, Z_STREAM_END); /* the checksum was right too */
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
}

int64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}
