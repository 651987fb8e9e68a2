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

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(test_##name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(slow_senders_and_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
