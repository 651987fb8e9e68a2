/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the proof that a worker can be reached, over loopback.
 */
#include "cluster/probe.h"

#include "base/clock.h"
#include "base/test.h"

#include <string.h>

struct fixture {
    struct loop *loop;
    struct probe *probe;
    struct error reason;
    bool good;
    unsigned int calls;
};

static void on_done(void *context, const struct error *reason)
{
    struct fixture *f = context;
    f->calls++;
    f->good = !reason;
    if (reason)
        f->reason = *reason;
    f->probe = probe_free(f->probe);
    loop_stop(f->loop, 0);
}

static void
run_probe(struct fixture *f, const char *nonce, uint16_t first, uint16_t second)
{
    const struct probe_target target = {
        .address = "127.0.0.1",
        .ports = {first, second},
        .port_count = 2,
        .nonce = nonce,
        .timeout_ns = NS_PER_S / 2,
    };
    struct error err;
    f->calls = 0;
    assert_int_equal(probe_new(f->loop, &target, on_done, f, &f->probe, &err),
                     0);
    loop_run(f->loop);
    assert_int_equal(f->calls, 1);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.loop = NULL};
    *state = &f;
    return loop_new(&f.loop, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_free(f->loop);
    return 0;
}

static void both_ports_answer(void **state)
{
    struct fixture *f = *state;
    struct probe_answer *a, *b;
    struct error err;
    char nonce[JOIN_NONCE_SIZE];
    probe_nonce(nonce);
    assert_int_equal(strlen(nonce), 32);
    assert_int_equal(probe_answer_new(f->loop, 0, nonce, &a, &err), 0);
    assert_int_equal(probe_answer_new(f->loop, 0, nonce, &b, &err), 0);
    run_probe(f, nonce, probe_answer_port(a), probe_answer_port(b));
    assert_true(f->good);

    struct probe_answer *taken;
    assert_int_equal(
        probe_answer_new(f->loop, probe_answer_port(a), nonce, &taken, &err),
        -EADDRINUSE);
    assert_non_null(strstr(err.text, "ss -ltnp"));
    probe_answer_free(a);
    probe_answer_free(b);
}

static void another_machine_answers(void **state)
{
    struct fixture *f = *state;
    struct probe_answer *a, *b;
    struct error err;
    char nonce[JOIN_NONCE_SIZE], other[JOIN_NONCE_SIZE];
    probe_nonce(nonce);
    probe_nonce(other);
    assert_int_equal(probe_answer_new(f->loop, 0, nonce, &a, &err), 0);
    assert_int_equal(probe_answer_new(f->loop, 0, other, &b, &err), 0);
    run_probe(f, nonce, probe_answer_port(a), probe_answer_port(b));
    assert_false(f->good);
    assert_non_null(strstr(f->reason.text, "NAT"));
    probe_answer_free(a);
    probe_answer_free(b);
}

static void nobody_answers(void **state)
{
    struct fixture *f = *state;
    struct probe_answer *a;
    struct error err;
    char nonce[JOIN_NONCE_SIZE];
    probe_nonce(nonce);
    assert_int_equal(probe_answer_new(f->loop, 0, nonce, &a, &err), 0);
    run_probe(f, nonce, probe_answer_port(a), 1);
    assert_false(f->good);
    assert_non_null(strstr(f->reason.text, "port 1: Connection refused"));
    probe_answer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ports_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_machine_answers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_answers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
