/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States by themselves: names are complete and proper label values, and the
 * word of a node follows Slurm's precedence at each of its steps. That the
 * words are Slurm's, test/slurm/test-state-text.c asks libslurm.
 */
#include "model/state.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N(name) NODE_FLAG(name)
#define J(name) JOB_FLAG(name)

static void check_names(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_non_null(names[i]);
        assert_true(names[i][0]);
        assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(names[i]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void every_state_and_flag_has_a_name_of_its_own(void **state)
{
    (void)state;
    check_names(node_base_names, NODE_BASE_COUNT);
    check_names(node_flag_names, NODE_FLAG_COUNT);
    check_names(job_base_names, JOB_BASE_COUNT);
    check_names(job_flag_names, JOB_FLAG_COUNT);
}

static void an_unknown_base_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(node_state_base(NODE_BASE_IDLE | N(DRAIN)),
                     NODE_BASE_IDLE);
    assert_int_equal(node_state_base(15 | N(DRAIN)), NODE_BASE_UNKNOWN);
    assert_int_equal(node_state_base(NODE_BASE_COUNT), NODE_BASE_UNKNOWN);
    assert_int_equal(job_state_base(JOB_BASE_RUNNING | J(COMPLETING)),
                     JOB_BASE_RUNNING);
    assert_int_equal(job_state_base(JOB_BASE_COUNT), JOB_BASE_COUNT);
    assert_int_equal(job_state_base(255), JOB_BASE_COUNT);
}

struct word_case {
    uint32_t state;
    const char *word;
};

static void check_words(const struct word_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char word[NODE_STATE_TEXT_SIZE];
        assert_ptr_equal(node_state_text(cases[i].state, word), word);
        if (strcmp(word, cases[i].word) != 0)
            fail_msg("state %#" PRIx32 " is \"%s\", not \"%s\"", cases[i].state,
                     word, cases[i].word);
    }
}

static void a_base_state_alone_is_its_own_word(void **state)
{
    (void)state;
    static const struct word_case cases[] = {
        {NODE_BASE_UNKNOWN, "unknown"}, {NODE_BASE_DOWN, "down"},
        {NODE_BASE_IDLE, "idle"},       {NODE_BASE_ALLOCATED, "allocated"},
        {NODE_BASE_ERROR, "unknown"},   {NODE_BASE_MIXED, "mixed"},
        {NODE_BASE_FUTURE, "future"},   {NODE_BASE_COUNT, "unknown"},
    };
    check_words(cases, array_size(cases));
}

static void some_flags_hide_the_base_state(void **state)
{
    (void)state;
    static const struct word_case cases[] = {
        {NODE_BASE_IDLE | N(INVALID_REG) | N(DRAIN) | N(MAINTENANCE), "inval"},
        {NODE_BASE_IDLE | N(MAINTENANCE) | N(RESERVED), "maint"},
        {NODE_BASE_IDLE | N(MAINTENANCE) | N(NOT_RESPONDING), "maint*"},
        {NODE_BASE_MIXED | N(MAINTENANCE), "mixed$"},
        {NODE_BASE_DOWN | N(MAINTENANCE), "down$"},
        {NODE_BASE_IDLE | N(MAINTENANCE) | N(DRAIN), "drained$"},
        {NODE_BASE_IDLE | N(REBOOT_ISSUED), "reboot^"},
        {NODE_BASE_IDLE | N(REBOOT_REQUESTED), "reboot"},
        {NODE_BASE_ALLOCATED | N(REBOOT_REQUESTED), "allocated@"},
        {NODE_BASE_DOWN | N(DRAIN), "drained"},
        {NODE_BASE_IDLE | N(DRAIN) | N(COMPLETING), "draining"},
        {NODE_BASE_MIXED | N(DRAIN), "draining"},
        {NODE_BASE_ALLOCATED | N(DRAIN) | N(NOT_RESPONDING), "draining*"},
        {NODE_BASE_IDLE | N(FAIL), "fail"},
        {NODE_BASE_MIXED | N(FAIL), "failing"},
        {NODE_BASE_IDLE | N(FAIL) | N(COMPLETING), "failing"},
        {N(CLOUD), "cloud"},
        {N(POWERED_DOWN), "powered_down"},
        {N(CLOUD) | N(POWERED_DOWN), "unknown"},
    };
    check_words(cases, array_size(cases));
}

static void an_idle_node_may_be_set_aside(void **state)
{
    (void)state;
    static const struct word_case cases[] = {
        {NODE_BASE_IDLE | N(RESERVED) | N(PLANNED), "reserved"},
        {NODE_BASE_IDLE | N(BLOCKED) | N(PLANNED), "blocked"},
        {NODE_BASE_IDLE | N(PLANNED), "planned"},
        {NODE_BASE_IDLE | N(PLANNED) | N(NOT_RESPONDING), "idle*"},
        {NODE_BASE_MIXED | N(PLANNED), "mixed-"},
        {NODE_BASE_ALLOCATED | N(PLANNED), "allocated"},
        {NODE_BASE_IDLE | N(COMPLETING), "completing"},
        {NODE_BASE_ALLOCATED | N(COMPLETING), "allocated+"},
    };
    check_words(cases, array_size(cases));
}

static void one_suffix_stands_for_many_flags(void **state)
{
    (void)state;
    static const struct word_case cases[] = {
        {NODE_BASE_IDLE | N(NOT_RESPONDING), "idle*"},
        {NODE_BASE_IDLE | N(POWERED_DOWN), "idle~"},
        {NODE_BASE_IDLE | N(POWERING_UP), "idle#"},
        {NODE_BASE_IDLE | N(POWERING_DOWN), "idle%"},
        {NODE_BASE_IDLE | N(POWER_DOWN), "idle!"},
        {NODE_BASE_IDLE | N(POWER_DOWN) | N(NOT_RESPONDING), "idle!"},
        {NODE_BASE_IDLE | N(CLOUD) | N(POWERED_DOWN), "idle~"},
        {NODE_BASE_IDLE | N(POWERING_UP) | N(POWERED_DOWN), "idle#"},
        {NODE_BASE_DOWN | N(NOT_RESPONDING), "down*"},
        {NODE_BASE_UNKNOWN | N(NOT_RESPONDING), "unknown*"},
    };
    check_words(cases, array_size(cases));
}

static void every_state_has_a_word_that_fits(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < UINT32_C(1) << 20; i++) {
        char word[NODE_STATE_TEXT_SIZE];
        uint32_t node = i * UINT32_C(2654435761); /* scattered over 32 bits */
        node_state_text(node, word);
        size_t size = strspn(word, "abcdefghijklmnopqrstuvwxyz_");
        if (size == 0 || strlen(word + size) > 1)
            fail_msg("state %#" PRIx32 " is \"%s\"", node, word);
    }
}

static void a_flag_wins_over_the_base_state_of_a_job(void **state)
{
    (void)state;
    static const struct {
        uint32_t state;
        enum job_shown wanted;
    } cases[] = {
        {JOB_BASE_PENDING, JOB_SHOWN_PENDING},
        {JOB_BASE_RUNNING, JOB_SHOWN_RUNNING},
        {JOB_BASE_OUT_OF_MEMORY, JOB_SHOWN_OUT_OF_MEMORY},
        {JOB_BASE_COUNT, JOB_SHOWN_OTHER},
        {JOB_BASE_MASK, JOB_SHOWN_OTHER},
        {JOB_BASE_RUNNING | J(COMPLETING), JOB_SHOWN_COMPLETING},
        {JOB_BASE_FAILED | J(COMPLETING) | J(STAGE_OUT), JOB_SHOWN_COMPLETING},
        {JOB_BASE_RUNNING | J(CONFIGURING), JOB_SHOWN_CONFIGURING},
        {JOB_BASE_RUNNING | J(CONFIGURING) | J(STAGE_OUT), JOB_SHOWN_OTHER},
        {JOB_BASE_RUNNING | J(CONFIGURING) | J(RESIZING),
         JOB_SHOWN_CONFIGURING},
        {JOB_BASE_PENDING | J(REQUEUED), JOB_SHOWN_OTHER},
        {JOB_BASE_PENDING | J(REVOKED), JOB_SHOWN_OTHER},
        {JOB_BASE_RUNNING | J(SIGNALING), JOB_SHOWN_OTHER},
        {JOB_BASE_PENDING | J(EXPEDITING), JOB_SHOWN_OTHER},
        {JOB_BASE_FAILED | J(LAUNCH_FAILED), JOB_SHOWN_FAILED},
        {JOB_BASE_COMPLETED | J(UPDATE_DB), JOB_SHOWN_COMPLETED},
        {JOB_BASE_PENDING | J(RECONFIG_FAIL), JOB_SHOWN_PENDING},
        {JOB_BASE_RUNNING | J(POWER_UP_NODE), JOB_SHOWN_RUNNING},
    };
    for (size_t i = 0; i < array_size(cases); i++)
        if (job_state_shown(cases[i].state) != cases[i].wanted)
            fail_msg("state %#" PRIx32 " shows as %u, not %u", cases[i].state,
                     job_state_shown(cases[i].state), cases[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_flag_has_a_name_of_its_own),
        cmocka_unit_test(an_unknown_base_is_told_apart),
        cmocka_unit_test(a_base_state_alone_is_its_own_word),
        cmocka_unit_test(some_flags_hide_the_base_state),
        cmocka_unit_test(an_idle_node_may_be_set_aside),
        cmocka_unit_test(one_suffix_stands_for_many_flags),
        cmocka_unit_test(every_state_has_a_word_that_fits),
        cmocka_unit_test(a_flag_wins_over_the_base_state_of_a_job),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
