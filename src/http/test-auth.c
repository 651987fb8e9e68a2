/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/auth.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char alice[] = "alice";
static char bob[] = "bob";

/* bcrypt of "secret", at the lowest cost. */
static const struct http_user users[] = {
    {alice, "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {bob, "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
};

#define ALICE_SECRET "Basic YWxpY2U6c2VjcmV0"
#define ALICE_WRONG "Basic YWxpY2U6d3Jvbmc="
#define CAROL_SECRET "Basic Y2Fyb2w6c2VjcmV0"
#define BOB_SECRET "Basic Ym9iOnNlY3JldA=="

struct fixture {
    struct loop *loop;
    struct http_auth *auth;
    unsigned int settled;
};

static void count_settled(void *context)
{
    struct fixture *f = context;
    f->settled++;
    loop_stop(f->loop, 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    int r = loop_new(&f->loop, NULL);
    return r < 0 ? r : http_auth_new(f->loop, count_settled, f, &f->auth, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_auth_free(f->auth);
    loop_free(f->loop);
    free(f);
    return 0;
}

/* Ask, and wait until the answer is there. */
static enum http_auth_verdict ask(struct fixture *f,
                                  const char *authorization,
                                  const struct http_user **ret_user)
{
    enum http_auth_verdict verdict;
    while ((verdict = http_auth_check(f->auth, users, 2, authorization,
                                      ret_user)) == HTTP_AUTH_PENDING)
        assert_int_equal(loop_run(f->loop), 0);
    return verdict;
}

static void test_right_password_is_granted_once_checked(void **state)
{
    struct fixture *f = *state;
    const struct http_user *user = NULL;
    assert_int_equal(http_auth_check(f->auth, users, 2, ALICE_SECRET, &user),
                     HTTP_AUTH_PENDING);
    assert_int_equal(http_auth_check(f->auth, users, 2, ALICE_SECRET, &user),
                     HTTP_AUTH_PENDING);
    assert_int_equal(ask(f, ALICE_SECRET, &user), HTTP_AUTH_GRANTED);
    assert_ptr_equal(user, &users[0]);
    assert_int_equal(http_auth_checks(f->auth), 1);
    assert_int_equal(ask(f, ALICE_SECRET, &user), HTTP_AUTH_GRANTED);
    assert_int_equal(http_auth_checks(f->auth), 1);
    assert_int_equal(ask(f, BOB_SECRET, &user), HTTP_AUTH_GRANTED);
    assert_ptr_equal(user, &users[1]);
    assert_int_equal(http_auth_checks(f->auth), 2);
}

static void test_wrong_ones_are_denied(void **state)
{
    struct fixture *f = *state;
    const struct http_user *user = NULL;
    assert_int_equal(ask(f, NULL, &user), HTTP_AUTH_DENIED);
    assert_int_equal(ask(f, "Bearer x", &user), HTTP_AUTH_DENIED);
    assert_int_equal(http_auth_checks(f->auth), 0);
    assert_int_equal(ask(f, ALICE_WRONG, &user), HTTP_AUTH_DENIED);
    assert_int_equal(ask(f, ALICE_WRONG, &user), HTTP_AUTH_DENIED);
    assert_int_equal(http_auth_checks(f->auth), 1);
    /* An unknown user costs the same, and his password may be anyone's. */
    assert_int_equal(ask(f, CAROL_SECRET, &user), HTTP_AUTH_DENIED);
    assert_int_equal(http_auth_checks(f->auth), 2);
    assert_null(user);
}

static void test_changed_hash_is_a_new_question(void **state)
{
    struct fixture *f = *state;
    const struct http_user *user = NULL;
    assert_int_equal(ask(f, ALICE_SECRET, &user), HTTP_AUTH_GRANTED);
    struct http_user changed = users[0];
    changed.hash[40] = changed.hash[40] == 'a' ? 'b' : 'a';
    assert_int_equal(http_auth_check(f->auth, &changed, 1, ALICE_SECRET, &user),
                     HTTP_AUTH_PENDING);
}

/* "Basic" and base64 of "alice:NUMBER". */
static void make_header(int number, char *ret_header, size_t size)
{
    char plain[32];
    gnutls_datum_t in = {.data = (unsigned char *)plain}, out;
    in.size = (unsigned int)snprintf(plain, sizeof(plain), "alice:%d", number);
    assert_int_equal(gnutls_base64_encode2(&in, &out), 0);
    snprintf(ret_header, size, "Basic %.*s", (int)out.size, out.data);
    gnutls_free(out.data);
}

static void test_flood_is_bounded_and_holds_up_no_known_one(void **state)
{
    struct fixture *f = *state;
    /* A quarter of a second each. */
    static const struct http_user slow = {
        alice, "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW"};
    const struct http_user *user = NULL;
    assert_int_equal(ask(f, ALICE_SECRET, &user), HTTP_AUTH_GRANTED);
    int counts[4] = {0};
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < 500; i++) {
        char header[64];
        make_header(i, header, sizeof(header));
        counts[http_auth_check(f->auth, &slow, 1, header, &user)]++;
        assert_int_equal(
            http_auth_check(f->auth, users, 2, ALICE_SECRET, &user),
            HTTP_AUTH_GRANTED);
    }
    assert_true(clock_monotonic_ns() - begun_ns < 100 * NS_PER_MS);
    assert_int_equal(counts[HTTP_AUTH_PENDING], 32);
    assert_int_equal(counts[HTTP_AUTH_BUSY], 500 - 32);
}

static void test_many_wrong_ones_push_no_right_one_out(void **state)
{
    struct fixture *f = *state;
    const struct http_user *user = NULL;
    assert_int_equal(ask(f, ALICE_SECRET, &user), HTTP_AUTH_GRANTED);
    for (int i = 0; i < 100; i++) {
        char header[64];
        make_header(i, header, sizeof(header));
        assert_int_equal(ask(f, header, &user), HTTP_AUTH_DENIED);
    }
    assert_int_equal(http_auth_check(f->auth, users, 2, ALICE_SECRET, &user),
                     HTTP_AUTH_GRANTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_right_password_is_granted_once_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_ones_are_denied, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_changed_hash_is_a_new_question,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_flood_is_bounded_and_holds_up_no_known_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_many_wrong_ones_push_no_right_one_out, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
