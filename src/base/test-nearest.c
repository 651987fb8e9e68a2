/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of "did you mean".
 */
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/test.h"

static const char *const known[] = {
    "interval",        "jobs-interval", "slow-interval", "listen",
    "max-connections", "collect",       "no-collect",    "user",
};

static void a_mistyped_word_finds_the_nearest_known_one(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *found;
    } cases[] = {
        {"interval", "interval"},
        {"intervall", "interval"},
        {"intreval", "interval"},
        {"INTERVAL", "interval"},
        {"job-interval", "jobs-interval"},
        {"lisen", "listen"},
        {"lis", "listen"},
        {"max", "max-connections"},
        {"max-conections", "max-connections"},
        {"no-colect", "no-collect"},
        {"usr", "user"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct nearest nearest = {.word = cases[i].typed};
        for (size_t j = 0; j < array_size(known); j++)
            nearest_offer(&nearest, known[j]);
        assert_string_equal(nearest.best, cases[i].found);
    }
}

static void a_word_like_no_other_finds_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "x",
        "xyzzy",
        "us er name",
        "a-word-far-longer-than-any-option-of-ours-that-anybody-would-type",
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct nearest nearest = {.word = cases[i]};
        for (size_t j = 0; j < array_size(known); j++)
            nearest_offer(&nearest, known[j]);
        assert_string_equal(nearest.best, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_word_finds_the_nearest_known_one),
        cmocka_unit_test(a_word_like_no_other_finds_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
