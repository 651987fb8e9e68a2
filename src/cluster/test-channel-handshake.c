/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that never become channels: ends that begin TLS and stop, and
 * those that speak something else; with the real deadlines.
 */
#include "cluster/test-channel.h"

#include "base/clock.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
        TEST(slow_handshakes),
        TEST(what_is_no_head_is_told_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
