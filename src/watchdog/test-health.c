/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How nodes' failures are counted. */
#include "watchdog/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct health health;

static int set_up(void **state)
{
    (void)state;
    health_init(&health, 1000, 2000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    health_deinit(&health);
    return 0;
}

static const struct health_node *finish(const char *name)
{
    assert_int_equal(health_finish(&health), 0);
    for (size_t i = 0; i < health.count; i++)
        if (strcmp(health.nodes[i].name, name) == 0)
            return &health.nodes[i];
    fail_msg("%s is not there", name);
    return NULL;
}

static void failures_and_the_time_between_them(void **state)
{
    (void)state;
    /* In any order, as the store tells the newest first. */
    health_add(&health, "b", 1900, HEALTH_UP);
    health_add(&health, "b", 1800, HEALTH_FAILED);
    health_add(&health, "b", 1300, HEALTH_UP);
    health_add(&health, "b", 1200, HEALTH_FAILED);
    health_add(&health, "a", 1500, HEALTH_DRAINED);
    const struct health_node *b = finish("b");
    assert_int_equal(b->failures, 2);
    assert_int_equal(b->drains, 0);
    assert_int_equal(b->count, 5);
    assert_int_equal(b->seconds[HEALTH_UP], 800);
    assert_int_equal(b->seconds[HEALTH_FAILED], 200);
    assert_int_equal(health_between_failures_s(b), 400);
    assert_string_equal(health.nodes[0].name, "a");
    assert_int_equal(health.nodes[0].drains, 1);
    assert_int_equal(health.nodes[0].seconds[HEALTH_DRAINED], 500);
    assert_int_equal(health_between_failures_s(&health.nodes[0]), 0);
}

static void what_was_so_before_is_no_failure_of_this_time(void **state)
{
    (void)state;
    health_add(&health, "a", 100, HEALTH_FAILED);
    health_add(&health, "a", 200, HEALTH_UP);
    health_add(&health, "a", 300, HEALTH_FAILED);
    health_add(&health, "a", 1400, HEALTH_UP);
    const struct health_node *a = finish("a");
    assert_int_equal(a->failures, 0);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->spans[0].from_s, 1000);
    assert_int_equal(a->spans[0].state, HEALTH_FAILED);
    assert_int_equal(a->seconds[HEALTH_FAILED], 400);
    assert_int_equal(a->seconds[HEALTH_UP], 600);
}

static void one_that_came_or_went_is_known_for_that_long(void **state)
{
    (void)state;
    health_add(&health, "a", 1200, HEALTH_UP);
    health_add(&health, "a", 1700, HEALTH_GONE);
    const struct health_node *a = finish("a");
    assert_int_equal(a->seconds[HEALTH_UP], 500);
    assert_int_equal(a->seconds[HEALTH_GONE], 300);
    assert_int_equal(a->failures, 0);
}

/* Slurm drains what has failed, and a node is often told to be drained, then
 * down, then in service within one moment. */
static void one_trouble_counts_once(void **state)
{
    (void)state;
    health_add(&health, "a", 1100, HEALTH_FAILED);
    health_add(&health, "a", 1200, HEALTH_DRAINED);
    health_add(&health, "a", 1300, HEALTH_UP);
    health_add(&health, "a", 1400, HEALTH_UP);
    health_add(&health, "a", 1400, HEALTH_DRAINED);
    const struct health_node *a = finish("a");
    assert_int_equal(a->failures, 1);
    assert_int_equal(a->drains, 0);
    assert_int_equal(a->seconds[HEALTH_DRAINED], 100);
    assert_int_equal(a->seconds[HEALTH_UP], 800);
}

/* A node that has been resumed does not answer until slurmctld has asked it. */
static void a_short_silence_is_no_failure(void **state)
{
    (void)state;
    health_add(&health, "a", 1100, HEALTH_SILENT);
    health_add(&health, "a", 1101, HEALTH_UP);
    health_add(&health, "a", 1200, HEALTH_SILENT);
    health_add(&health, "a", 1300, HEALTH_UP);
    health_add(&health, "a", 1400, HEALTH_SILENT);
    health_add(&health, "a", 1410, HEALTH_FAILED);
    health_add(&health, "a", 1500, HEALTH_UP);
    health_add(&health, "a", 1990, HEALTH_SILENT);
    const struct health_node *a = finish("a");
    assert_int_equal(a->failures, 2);
    assert_int_equal(a->seconds[HEALTH_FAILED], 200);
    assert_int_equal(a->seconds[HEALTH_UP], 800);
    assert_int_equal(a->count, 5);
}

static void xids_are_counted(void **state)
{
    (void)state;
    health_add_xid(&health, "a", 900);
    health_add_xid(&health, "a", 1100);
    health_add_xid(&health, "a", 1100);
    const struct health_node *a = finish("a");
    assert_int_equal(a->xids, 2);
    assert_int_equal(a->count, 0);
}

static void of_nothing_nothing_is_known(void **state)
{
    (void)state;
    assert_int_equal(health_finish(&health), 0);
    assert_int_equal(health.count, 0);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failures_and_the_time_between_them),
        TEST(what_was_so_before_is_no_failure_of_this_time),
        TEST(one_that_came_or_went_is_known_for_that_long),
        TEST(one_trouble_counts_once),
        TEST(a_short_silence_is_no_failure),
        TEST(xids_are_counted),
        TEST(of_nothing_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
