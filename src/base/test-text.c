/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include "base/cleanup.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct text *t, const char *wanted)
{
    assert_string_equal(text_str(t), wanted);
    assert_int_equal(t->size, strlen(wanted));
    text_clear(t);
}

static void test_empty_text_is_an_empty_string(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    assert_text(&t, "");
    text_add_bytes(&t, "", 0);
    text_add(&t, "");
    assert_text(&t, "");
}

static void test_pieces_stand_in_order(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    text_add(&t, "a");
    text_add_char(&t, 'b');
    text_add_bytes(&t, "cde", 2);
    text_addf(&t, "%s-%d", "e", 7);
    assert_text(&t, "abcde-7");
}

static void test_integers_are_exact(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    static const int64_t values[] = {
        0,  1,   -1,        9,         10,        -10,
        99, 100, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < array_size(values); i++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "%" PRId64, values[i]);
        text_add_i64(&t, values[i]);
        assert_text(&t, wanted);
    }
    text_add_u64(&t, UINT64_MAX);
    assert_text(&t, "18446744073709551615");
}

static void test_integers_of_each_length(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    char wanted[32];
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        const uint64_t values[] = {power - 1, power, power + 1};
        for (size_t i = 0; i < array_size(values); i++) {
            text_add_u64(&t, values[i]);
            snprintf(wanted, sizeof(wanted), "%" PRIu64, values[i]);
            assert_text(&t, wanted);
        }
    }
}

static void test_doubles_read_back_the_same(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    static const struct {
        double value;
        const char *wanted; /* NULL: any that reads back */
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {-12, "-12"},
        {0.5, "0.5"},
        {0.1, "0.1"},
        {1e14, "100000000000000"},
        {1.5e300, "1.5e+300"},
        {NAN, "NaN"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {1.0 / 3, NULL},
        {DBL_MAX, NULL},
        {DBL_MIN, NULL},
        {5e-324, NULL},
        {1e15 + 0.5, NULL},
        {123456789.123456789, NULL},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        text_add_double(&t, cases[i].value);
        if (cases[i].wanted)
            assert_text(&t, cases[i].wanted);
        else
            assert_true(strtod(text_str(&t), NULL) == cases[i].value);
        text_clear(&t);
    }
}

static void test_grows_and_keeps_what_is_there(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    for (int i = 0; i < 100000; i++)
        text_addf(&t, "%05d,", i);
    assert_int_equal(t.size, 600000);
    assert_memory_equal(text_str(&t), "00000,00001,", 12);
    assert_memory_equal(t.data + 599994, "99999,", 6);
    size_t capacity = t.capacity;
    text_clear(&t);
    assert_int_equal(t.capacity, capacity);
}

static void test_failure_is_remembered(void **state)
{
    (void)state;
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    text_add(&t, "begun");
    assert_null(text_reserve(&t, SIZE_MAX));
    assert_true(text_failed(&t));
    assert_null(text_str(&t));
    text_clear(&t);
    assert_false(text_failed(&t));
    text_add(&t, "anew");
    assert_text(&t, "anew");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_text_is_an_empty_string),
        cmocka_unit_test(test_pieces_stand_in_order),
        cmocka_unit_test(test_integers_are_exact),
        cmocka_unit_test(test_integers_of_each_length),
        cmocka_unit_test(test_doubles_read_back_the_same),
        cmocka_unit_test(test_grows_and_keeps_what_is_there),
        cmocka_unit_test(test_failure_is_remembered),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
