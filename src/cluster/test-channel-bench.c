/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/test-channel.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>

#define PATIENCE_NS (10 * NS_PER_S)
#define TICK_NS (2 * NS_PER_MS)

struct bench bench;

/* ---- what an end is told --------------------------------------------------
 */

static void on_opened(void *context, struct channel *channel)
{
    struct end *end = context;
    assert_true(end->channel == NULL || end->channel == channel);
    end->channel = channel;
    end->opened++;
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct end *end = context;
    struct error err;
    bool served = end >= bench.served && end < bench.served + ENDS_MAX;
    end->received++;
    json_decref(end->last);
    end->last = json_deep_copy(message);
    if (bench.echoes && served)
        assert_int_equal(channel_send(channel, message, &err), 0);
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct end *end = context;
    assert_int_equal(end->closed, 0);
    end->closed++;
    end->reason = *reason;
    end->channel = channel_free(channel);
}

const struct channel_handler end_handler = {
    .opened = on_opened,
    .received = on_received,
    .closed = on_closed,
};

static void *on_accepted(void *context, struct channel *channel)
{
    (void)context;
    if (bench.accepted >= ENDS_MAX)
        return NULL;
    struct end *end = &bench.served[bench.accepted++];
    end->channel = channel;
    end->opened++;
    return end;
}

void end_send(struct end *end, int number, size_t size)
{
    struct error err = {""};
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    json_t *message = json_pack("{s:s, s:i, s:s}", "type", "number", "number",
                                number, "text", text);
    free(text);
    if (channel_send(end->channel, message, &err) < 0)
        fail_msg("sending: %s", err.text);
    json_decref(message);
}

int end_last_number(const struct end *end)
{
    return (int)json_integer_value(json_object_get(end->last, "number"));
}

void end_release(struct end *end)
{
    end->channel = channel_free(end->channel);
    json_decref(end->last);
    *end = (struct end){.channel = NULL};
}

/* ---- the bench ------------------------------------------------------------
 */

int bench_setup(void **state)
{
    (void)state;
    struct error err;
    char path[96];
    bench = (struct bench){.echoes = true};
    strcpy(bench.folder, "/tmp/test-channel.XXXXXX");
    if (!mkdtemp(bench.folder) || loop_new(&bench.loop, &err) < 0)
        return -1;
    snprintf(bench.path, sizeof(bench.path), "%s/socket", bench.folder);
    snprintf(path, sizeof(path), "%s/head.pem", bench.folder);
    if (identity_load(path, &bench.head, &err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/worker.pem", bench.folder);
    return identity_load(path, &bench.worker, &err);
}

int bench_teardown(void **state)
{
    (void)state;
    char command[100];
    for (size_t i = 0; i < ENDS_MAX; i++)
        end_release(&bench.served[i]);
    channel_listener_free(bench.listener);
    identity_free(bench.head);
    identity_free(bench.worker);
    loop_free(bench.loop);
    snprintf(command, sizeof(command), "rm -rf '%s'", bench.folder);
    return system(command);
}

void bench_listen_with(const struct channel_listener_settings *settings)
{
    struct error err = {""};
    struct channel_listener_settings all = *settings;
    all.identity = bench.head;
    all.handler = &end_handler;
    if (!all.accepted)
        all.accepted = on_accepted;
    if (!all.connections_max)
        all.connections_max = 1000;
    if (channel_listener_new(bench.loop, &all, &bench.listener, &err) < 0)
        fail_msg("listening: %s", err.text);
    if (!all.path)
        snprintf(bench.address, sizeof(bench.address), "127.0.0.1:%u",
                 channel_listener_port(bench.listener));
}

void bench_listen(bool local)
{
    const struct channel_listener_settings settings = {
        .address = local ? NULL : ":0", .path = local ? bench.path : NULL};
    bench_listen_with(&settings);
}

void bench_connect(struct end *end, const struct pin *pin)
{
    struct error err = {""};
    if (channel_connect(bench.loop, bench.address, bench.worker, pin,
                        &end_handler, end, &end->channel, &err) < 0)
        fail_msg("connecting: %s", err.text);
}

/* ---- waiting --------------------------------------------------------------
 */

struct wait {
    struct loop_source *tick;
    const unsigned int *count;
    unsigned int wanted;
    int fd;         /* or until this is at its end */
    int64_t due_ns; /* no longer than that */
    bool fulfilled;
};

static bool is_at_end(int fd)
{
    char bytes[4096];
    for (;;) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n <= 0)
            return n == 0 || (errno != EAGAIN && errno != EINTR);
    }
}

static void on_tick(void *context, uint32_t events)
{
    struct wait *wait = context;
    (void)events;
    wait->fulfilled = (wait->count && *wait->count >= wait->wanted) ||
                      (wait->fd >= 0 && is_at_end(wait->fd));
    if (wait->fulfilled || clock_monotonic_ns() >= wait->due_ns)
        loop_stop(bench.loop, 0);
    else
        loop_timer_set(wait->tick, clock_monotonic_ns() + TICK_NS);
}

static bool run(struct wait *wait)
{
    assert_int_equal(
        loop_add_timer(bench.loop, on_tick, wait, &wait->tick, NULL), 0);
    loop_timer_set(wait->tick, 1);
    assert_int_equal(loop_run(bench.loop), 0);
    loop_source_free(wait->tick);
    return wait->fulfilled;
}

void bench_wait_for(const unsigned int *count,
                    unsigned int wanted,
                    int64_t timeout_ns)
{
    struct wait wait = {.count = count,
                        .wanted = wanted,
                        .fd = -1,
                        .due_ns = clock_monotonic_ns() + timeout_ns};
    if (!run(&wait))
        fail_msg("waited for %u, got %u", wanted, *count);
}

void bench_wait(const unsigned int *count, unsigned int wanted)
{
    bench_wait_for(count, wanted, PATIENCE_NS);
}

void bench_run_ms(int64_t ms)
{
    struct wait wait = {.fd = -1,
                        .due_ns = clock_monotonic_ns() + ms * NS_PER_MS};
    run(&wait);
}

/* ---- plain sockets --------------------------------------------------------
 */

int raw_listen(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);
    inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    snprintf(bench.address, sizeof(bench.address), "127.0.0.1:%u",
             ntohs(name.sin_port));
    return fd;
}

int raw_connect(const char *source)
{
    struct sockaddr_in from = {.sin_family = AF_INET},
                       to = {.sin_family = AF_INET};
    to.sin_port = htons(channel_listener_port(bench.listener));
    inet_pton(AF_INET, source, &from.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int raw_connect_local(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", bench.path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int64_t raw_wait_closed(int fd, int64_t timeout_ns)
{
    int64_t begun_ns = clock_monotonic_ns();
    struct wait wait = {.fd = fd, .due_ns = begun_ns + timeout_ns};
    if (!run(&wait))
        fail_msg("it has not hung up");
    return clock_monotonic_ns() - begun_ns;
}
