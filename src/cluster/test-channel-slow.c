/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends that take their time: the deadlines of channels, with the real times,
 * all at once so that it takes no longer than the longest.
 */
#include "cluster/test-channel.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

static int accept_local(struct end **ret_end)
{
    unsigned int before = bench.accepted;
    int fd = raw_connect_local();
    bench_wait(&bench.accepted, before + 1);
    *ret_end = &bench.served[before];
    return fd;
}

static void test_slow_senders_and_readers(void **state)
{
    (void)state;
    struct end *silent, *stuck, *trickling, *deaf;
    bench_listen(true);
    bench.echoes = false;
    int fds[] = {accept_local(&silent), accept_local(&stuck),
                 accept_local(&trickling), accept_local(&deaf)};
    assert_int_equal(send(fds[1], "\0\0", 2, 0), 2);
    assert_int_equal(send(fds[2], "\0\0\2\0", 4, 0), 4);
    for (int i = 0; i < 20; i++)
        end_send(deaf, i, 200000);
    int64_t begun_ns = clock_monotonic_ns();
    while (!deaf->closed) {
        int64_t now_ns = clock_monotonic_ns() - begun_ns;
        assert_in_range(now_ns, 0, 33 * NS_PER_S);
        /* A byte a second does not put the deadline off. */
        send(fds[2], " ", 1, MSG_NOSIGNAL);
        assert_int_equal(stuck->closed, trickling->closed);
        assert_true(stuck->closed || now_ns < 12 * NS_PER_S);
        assert_false(stuck->closed && now_ns < 9 * NS_PER_S);
        bench_run_ms(500);
    }
    assert_true(clock_monotonic_ns() - begun_ns > 29 * NS_PER_S);
    assert_non_null(strstr(stuck->reason.text, "too slow"));
    assert_non_null(strstr(trickling->reason.text, "too slow"));
    assert_non_null(strstr(deaf->reason.text, "too slow"));
    /* Who has begun no message may be silent as long as he likes. */
    assert_int_equal(silent->closed, 0);
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
}

static void test_slow_handshakes(void **state)
{
    (void)state;
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    bench_listen(false);
    int silent = raw_connect("127.0.0.1");
    int begun = raw_connect("127.0.0.1");
    assert_true(send(begun, hello, sizeof(hello) - 1, MSG_NOSIGNAL) > 0);
    int64_t took_ns = raw_wait_closed(silent, 12 * NS_PER_S);
    assert_true(took_ns > 9 * NS_PER_S);
    raw_wait_closed(begun, NS_PER_S);
    close(silent);
    close(begun);
    assert_int_equal(bench.accepted, 0);
}

/* A client meets what is no head and begins with SPEECH; is told WORDS of it
 * within 3 s. */
static void meet_stranger(const char *speech, bool hangs_up, const char *words)
{
    struct end client = {.channel = NULL};
    int listening = raw_listen();
    bench_connect(&client, &bench.head->pin);
    int fd = accept(listening, NULL, NULL);
    assert_true(fd >= 0);
    bench_run_ms(10);
    send(fd, speech, strlen(speech), MSG_NOSIGNAL);
    if (hangs_up)
        shutdown(fd, SHUT_RDWR);
    int64_t begun_ns = clock_monotonic_ns();
    bench_wait(&client.closed, 1);
    assert_in_range(clock_monotonic_ns() - begun_ns, 0, 3 * NS_PER_S);
    assert_int_equal(client.opened, 0);
    if (!strstr(client.reason.text, words))
        fail_msg("%s", client.reason.text);
    close(fd);
    close(listening);
    end_release(&client);
}

static void test_what_is_no_head_is_told_soon(void **state)
{
    (void)state;
    meet_stranger("", false, "says nothing");
    meet_stranger("\x16\x03\x03", false, "too slow");
    meet_stranger("SSH-2.0-OpenSSH_9.2\r\n", false, "an SSH server");
    meet_stranger("HTTP/1.1 400 Bad Request\r\n\r\n", true, "a web server");
    meet_stranger("* OK ready\r\n", false, "speaks no TLS");
    meet_stranger("", true, "hung up");
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(test_##name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(slow_senders_and_readers),
        TEST(slow_handshakes),
        TEST(what_is_no_head_is_told_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
