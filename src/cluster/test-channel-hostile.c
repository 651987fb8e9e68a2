/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels and ends that mean ill: other keys, other versions of TLS, no TLS,
 * frames that are none, many at once. test-channel-slow.c has those who take
 * their time. Peers with TLS of their own are GnuTLS without our code.
 */
#include "cluster/test-channel.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/channel-internal.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- TLS without our code -------------------------------------------------
 */

struct stranger {
    const char *versions;            /* "+VERS-TLS1.3" */
    const struct identity *identity; /* NULL: shows no certificate */
    gnutls_session_t session;
    gnutls_certificate_credentials_t none;
    int fd;
    int handshake;          /* 0, or how it failed */
    uint8_t received[4096]; /* the bytes on the wire, as they came */
    size_t received_size;
};

static ssize_t
record_bytes(gnutls_transport_ptr_t context, void *bytes, size_t size)
{
    struct stranger *s = context;
    ssize_t n = recv(s->fd, bytes, size, MSG_DONTWAIT);
    if (n > 0 && s->received_size + (size_t)n <= sizeof(s->received)) {
        memcpy(s->received + s->received_size, bytes, (size_t)n);
        s->received_size += (size_t)n;
    }
    return n;
}

static void stranger_begin(struct stranger *s, int fd, unsigned int end)
{
    char priority[64];
    snprintf(priority, sizeof(priority), "NORMAL:-VERS-ALL:%s", s->versions);
    s->fd = fd;
    s->handshake = GNUTLS_E_AGAIN;
    assert_int_equal(gnutls_init(&s->session, end | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_priority_set_direct(s->session, priority, NULL), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&s->none), 0);
    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE,
                           s->identity ? s->identity->credentials : s->none);
    gnutls_transport_set_ptr2(s->session, s, (void *)(intptr_t)fd);
    gnutls_transport_set_pull_function(s->session, record_bytes);
    gnutls_handshake_set_timeout(s->session, 0);
}

/* Go on with the handshake, and let the loop run, for a while. */
static void stranger_run(struct stranger *s)
{
    for (int i = 0; i < 100; i++) {
        if (s->handshake == GNUTLS_E_AGAIN)
            s->handshake = gnutls_handshake(s->session);
        bench_run_ms(3);
    }
}

static void stranger_end(struct stranger *s)
{
    gnutls_deinit(s->session);
    gnutls_certificate_free_credentials(s->none);
    close(s->fd);
}

/* A client of ours that wants the head's pin meets STRANGER instead. */
static void meet_as_server(struct stranger *s, struct end *client)
{
    int fd = raw_listen();
    bench_connect(client, &bench.head->pin);
    bench_run_ms(10);
    stranger_begin(s, accept(fd, NULL, NULL), GNUTLS_SERVER);
    close(fd);
    json_t *message = json_pack("{s:s}", "type", "secret");
    struct error err;
    assert_int_equal(channel_send(client->channel, message, &err), -ENOTCONN);
    json_decref(message);
    stranger_run(s);
}

static void meet_as_client(struct stranger *s)
{
    bench_listen(false);
    stranger_begin(s, raw_connect("127.0.0.1"), GNUTLS_CLIENT);
    stranger_run(s);
}

/* Of all that STRANGER got, the client's hello is the only record that may have
 * more in it than an alert does. */
static void assert_got_nothing_but_a_hello(const struct stranger *s)
{
    enum {
        HANDSHAKE = 22,
        HEADER = 5,
        ALERT_MAX = 24 /* encrypted */
    };
    size_t at = 0;
    for (unsigned int count = 0; at < s->received_size; count++) {
        assert_true(at + HEADER <= s->received_size);
        size_t size = (size_t)s->received[at + 3] << 8 | s->received[at + 4];
        if (count == 0)
            assert_int_equal(s->received[at], HANDSHAKE);
        else
            assert_true(size <= ALERT_MAX);
        at += HEADER + size;
    }
    assert_int_equal(at, s->received_size);
    assert_true(s->received_size > 0);
}

static void test_wrong_pin_sends_nothing(void **state)
{
    (void)state;
    struct stranger s = {.versions = "+VERS-TLS1.3", .identity = bench.worker};
    struct end client = {.channel = NULL};
    meet_as_server(&s, &client);
    bench_wait(&client.closed, 1);
    assert_int_equal(client.opened, 0);
    assert_non_null(strstr(client.reason.text, "another machine"));
    assert_int_not_equal(s.handshake, 0);
    assert_got_nothing_but_a_hello(&s);
    stranger_end(&s);
    end_release(&client);
}

static void test_right_pin_is_met(void **state)
{
    (void)state;
    /* What the test above would see if the pin were not looked at. */
    struct stranger s = {.versions = "+VERS-TLS1.3", .identity = bench.head};
    struct end client = {.channel = NULL};
    meet_as_server(&s, &client);
    bench_wait(&client.opened, 1);
    assert_int_equal(s.handshake, 0);
    stranger_end(&s);
    end_release(&client);
}

static void test_tls12_server_gets_nothing(void **state)
{
    (void)state;
    struct stranger s = {.versions = "+VERS-TLS1.2", .identity = bench.head};
    struct end client = {.channel = NULL};
    meet_as_server(&s, &client);
    stranger_end(&s);
    bench_wait(&client.closed, 1);
    assert_int_equal(client.opened, 0);
    assert_int_not_equal(s.handshake, 0);
    assert_got_nothing_but_a_hello(&s);
    end_release(&client);
}

static void test_tls12_client_is_refused(void **state)
{
    (void)state;
    struct stranger s = {.versions = "+VERS-TLS1.2", .identity = bench.worker};
    meet_as_client(&s);
    assert_int_not_equal(s.handshake, 0);
    assert_int_equal(bench.accepted, 0);
    stranger_end(&s);
}

static void test_client_without_certificate_is_refused(void **state)
{
    (void)state;
    struct stranger s = {.versions = "+VERS-TLS1.3"};
    meet_as_client(&s);
    assert_int_equal(bench.accepted, 0);
    raw_wait_closed(s.fd, NS_PER_S);
    stranger_end(&s);
}

static void test_client_with_any_certificate_is_known_by_it(void **state)
{
    (void)state;
    struct stranger s = {.versions = "+VERS-TLS1.3", .identity = bench.worker};
    meet_as_client(&s);
    assert_int_equal(s.handshake, 0);
    assert_int_equal(bench.accepted, 1);
    assert_memory_equal(channel_peer_pin(bench.served[0].channel),
                        &bench.worker->pin, sizeof(struct pin));
    stranger_end(&s);
}

/* Closing a socket with unread bytes resets the connection, which takes away
 * what was not read on the other side: a refusal and its reason, say. */
static void test_last_word_reaches_who_talks_on(void **state)
{
    (void)state;
    static const int small = 30000;
    struct stranger s = {.versions = "+VERS-TLS1.3", .identity = bench.worker};
    char bytes[16384] = "";
    size_t size = 0;
    bench.echoes = false;
    bench_listen(false);
    int fd = raw_connect("127.0.0.1");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    stranger_begin(&s, fd, GNUTLS_CLIENT);
    stranger_run(&s);
    assert_int_equal(bench.accepted, 1);
    end_send(&bench.served[0], 1, 200000);
    channel_finish(bench.served[0].channel);
    for (int i = 0; i < 10; i++)
        gnutls_record_send(s.session, bytes, 1000);
    for (int i = 0; i < 300 && size < 200000; i++) {
        bench_run_ms(2);
        ssize_t n = gnutls_record_recv(s.session, bytes, sizeof(bytes));
        size += n > 0 ? (size_t)n : 0;
    }
    assert_true(size > 200000);
    stranger_end(&s);
    bench_wait(&bench.served[0].closed, 1);
}

/* ---- no TLS ---------------------------------------------------------------
 */

static void test_garbage_is_hung_up_on(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "GET / HTTP/1.1\r\nHost: head\r\n\r\n",
        "{\"type\": \"hello\"} {\"type\": \"hello\"} {\"type\": \"hello\"}",
        "\x16\x03\x01\x01\x05hello, this is no handshake, is it",
        "\x17\x03\x03\x40\xff and so on and so on and so on and so on"};
    bench_listen(false);
    for (size_t i = 0; i < array_size(cases); i++) {
        int fd = raw_connect("127.0.0.1");
        assert_true(send(fd, cases[i], strlen(cases[i]), MSG_NOSIGNAL) > 0);
        shutdown(fd, SHUT_WR);
        raw_wait_closed(fd, NS_PER_S);
        close(fd);
    }
    assert_int_equal(bench.accepted, 0);
}

/* What comes instead of a frame. */
static void send_frame(const void *bytes, size_t size, const char *reason)
{
    unsigned int before = bench.accepted;
    int fd = raw_connect_local();
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
    bench_wait(&bench.accepted, before + 1);
    struct end *end = &bench.served[before];
    bench_wait(&end->closed, 1);
    assert_int_equal(end->received, 0);
    if (!strstr(end->reason.text, reason))
        fail_msg("%s", end->reason.text);
    close(fd);
}

static void test_frames_that_are_none(void **state)
{
    (void)state;
    bench_listen(true);
    send_frame("\xff\xff\xff\xff", 4, "at most");
    send_frame("\x00\x04\x00\x01", 4, "at most");
    send_frame("\x00\x00\x00\x00", 4, "at most");
    send_frame("\x00\x00\x00\x05{\"a\":", 9, "JSON");
    send_frame("\x00\x00\x00\x02[]", 6, "type");
    send_frame("\x00\x00\x00\x02{}", 6, "type");
    send_frame("\x00\x00\x00\x0a{\"type\":7}", 14, "type");
    send_frame("\x00\x00\x00\x12{\"type\":\"a\\u0000\"}", 22, "JSON");
    send_frame("\x00\x00\x00\x17{\"type\":\"a\",\"type\":\"b\"}", 27, "JSON");
}

static void test_peer_that_vanishes_in_a_message(void **state)
{
    (void)state;
    bench_listen(true);
    int fd = raw_connect_local();
    assert_int_equal(send(fd, "\x00\x00\x10\x00{\"type\"", 11, 0), 11);
    bench_wait(&bench.accepted, 1);
    close(fd);
    bench_wait(&bench.served[0].closed, 1);
    assert_int_equal(bench.served[0].received, 0);
}

static void test_peer_that_never_reads_loses_its_connection(void **state)
{
    (void)state;
    bench_listen(true);
    int fd = raw_connect_local();
    bench_wait(&bench.accepted, 1);
    struct end *end = &bench.served[0];
    struct error err = {""};
    char text[100001] = "";
    memset(text, 'x', sizeof(text) - 1);
    json_t *message = json_pack("{s:s, s:s}", "type", "long", "text", text);
    int sent = 0;
    while (channel_send(end->channel, message, &err) == 0)
        assert_in_range(sent++, 0, 200);
    json_decref(message);
    bench_wait(&end->closed, 1);
    assert_non_null(strstr(end->reason.text, "does not read"));
    close(fd);
}

/* ---- others on this machine -----------------------------------------------
 */

static void test_other_users_may_not_ask(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* nobody else to be */
    bench_listen(true);
    /* Even with a socket that somebody has opened to all. */
    assert_int_equal(chmod(bench.folder, 0755), 0);
    assert_int_equal(chmod(bench.path, 0666), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = raw_connect_local();
    assert_int_equal(seteuid(0), 0);
    raw_wait_closed(fd, NS_PER_S);
    close(fd);
    assert_int_equal(bench.accepted, 0);
}

/* ---- many -----------------------------------------------------------------
 */

static void test_more_than_allowed_are_closed(void **state)
{
    (void)state;
    enum {
        MAX = 5
    };
    const struct channel_listener_settings settings = {.address = ":0",
                                                       .connections_max = MAX};
    struct end clients[MAX] = {{.channel = NULL}};
    bench_listen_with(&settings);
    for (size_t i = 0; i < MAX; i++)
        bench_connect(&clients[i], &bench.head->pin);
    bench_wait(&bench.accepted, MAX);
    int fd = raw_connect("127.0.0.1");
    raw_wait_closed(fd, NS_PER_S);
    close(fd);
    /* One that goes makes room. */
    end_release(&clients[0]);
    bench_wait(&bench.served[0].closed, 1);
    bench_connect(&clients[0], &bench.head->pin);
    bench_wait(&bench.accepted, MAX + 1);
    for (size_t i = 0; i < MAX; i++)
        end_release(&clients[i]);
}

static void blame(const char *source)
{
    struct channel channel = {.fd = -1};
    snprintf(channel.peer, sizeof(channel.peer), "%s", source);
    channel_listener_blame(bench.listener, &channel);
}

static void test_blamed_source_costs_no_handshake(void **state)
{
    (void)state;
    const struct channel_listener_settings settings = {.address = ":0",
                                                       .faults_per_minute = 3};
    struct end client = {.channel = NULL};
    bench_listen_with(&settings);
    for (int i = 0; i < 3; i++) {
        int fd = raw_connect("127.0.0.2");
        char byte;
        bench_run_ms(10);
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1); /* it waits */
        close(fd);
        blame("127.0.0.2");
    }
    int fd = raw_connect("127.0.0.2");
    assert_true(raw_wait_closed(fd, NS_PER_S) < NS_PER_S / 2);
    close(fd);
    bench_connect(&client, &bench.head->pin); /* from 127.0.0.1 */
    bench_wait(&client.opened, 1);
    end_release(&client);
}

/* Whoever has many addresses uses up no memory, and does not make us forget
 * the one that was blamed last. */
static void test_sources_are_remembered_within_bounds(void **state)
{
    (void)state;
    const struct channel_listener_settings settings = {.address = ":0",
                                                       .faults_per_minute = 1};
    bench_listen_with(&settings);
    for (unsigned int i = 0; i < 5000; i++) {
        char source[32];
        snprintf(source, sizeof(source), "10.1.%u.%u", i / 250, i % 250);
        blame(source);
    }
    blame("127.0.0.2");
    int fd = raw_connect("127.0.0.2");
    raw_wait_closed(fd, NS_PER_S);
    close(fd);
}

static void test_running_out_of_descriptors_is_waited_out(void **state)
{
    (void)state;
    enum {
        COUNT = 20
    };
    struct rlimit before, few;
    struct end client = {.channel = NULL};
    int fds[COUNT];
    bench_listen(false);
    bench_connect(&client, &bench.head->pin);
    bench_wait(&bench.accepted, 1);
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = raw_connect("127.0.0.2");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)fds[COUNT - 1] + 4;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int64_t cpu_ns = clock_process_cpu_ns();
    bench_run_ms(500);
    cpu_ns = clock_process_cpu_ns() - cpu_ns;
    end_send(&client, 1, 10); /* who is connected goes on */
    bench_wait(&client.received, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_in_range(cpu_ns, 0, 250 * NS_PER_MS);
    struct end late = {.channel = NULL};
    bench_connect(&late, &bench.head->pin);
    bench_wait(&late.opened, 1);
    for (size_t i = 0; i < COUNT; i++)
        close(fds[i]);
    end_release(&late);
    end_release(&client);
}

/* A bad connection of kind NUMBER; some stay and say nothing. */
static int connect_badly(int number)
{
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    int fd = raw_connect("127.0.0.2");
    switch (number % 4) {
    case 0:
        send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
        break;
    case 1:
        send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL);
        break;
    case 2:
        close(fd);
        return -1;
    default:
        break;
    }
    return fd;
}

static void test_thousand_bad_ones_disturb_no_good_one(void **state)
{
    (void)state;
    enum {
        COUNT = 1000,
        KEPT = 300
    };
    struct end client = {.channel = NULL};
    int kept[KEPT];
    int64_t slowest_ns = 0;
    memset(kept, -1, sizeof(kept));
    bench_listen(false);
    bench_connect(&client, &bench.head->pin);
    bench_wait(&client.opened, 1);
    for (int i = 0; i < COUNT; i++) {
        close_fd(&kept[i % KEPT]);
        kept[i % KEPT] = connect_badly(i);
        int64_t begun_ns = clock_monotonic_ns();
        end_send(&client, i, 100);
        bench_wait(&client.received, (unsigned int)i + 1);
        int64_t took_ns = clock_monotonic_ns() - begun_ns;
        slowest_ns = took_ns > slowest_ns ? took_ns : slowest_ns;
        if (i % 200 != 100)
            continue;
        struct end another = {.channel = NULL};
        bench_connect(&another, &bench.head->pin);
        bench_wait(&another.opened, 1);
        end_release(&another);
    }
    assert_in_range(slowest_ns, 0, NS_PER_S);
    assert_int_equal(end_last_number(&client), COUNT - 1);
    for (size_t i = 0; i < KEPT; i++)
        close_fd(&kept[i]);
    end_release(&client);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(test_##name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(wrong_pin_sends_nothing),
        TEST(right_pin_is_met),
        TEST(tls12_server_gets_nothing),
        TEST(tls12_client_is_refused),
        TEST(client_without_certificate_is_refused),
        TEST(client_with_any_certificate_is_known_by_it),
        TEST(last_word_reaches_who_talks_on),
        TEST(garbage_is_hung_up_on),
        TEST(frames_that_are_none),
        TEST(peer_that_vanishes_in_a_message),
        TEST(peer_that_never_reads_loses_its_connection),
        TEST(other_users_may_not_ask),
        TEST(more_than_allowed_are_closed),
        TEST(blamed_source_costs_no_handshake),
        TEST(sources_are_remembered_within_bounds),
        TEST(running_out_of_descriptors_is_waited_out),
        TEST(thousand_bad_ones_disturb_no_good_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
