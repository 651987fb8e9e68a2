/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which GPUs a job had, when it has them no more. */
#include "watchdog/recorder-held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GPU(n) "gpu_up{gpu=\"" #n "\",state=\"up\"} 1\n"
#define HELD(n, job)                                                           \
    "slurm_gpu_job_allocated{gpu=\"" #n "\",job_id=\"" job "\"} 1\n"

static struct fleet_node nodes[2];
static struct fleet_node *places[2] = {&nodes[0], &nodes[1]};
static struct fleet fleet = {.nodes = places, .count = 2};
static struct held_gpus held;
static char name_a[] = "a", name_b[] = "b";

static void answer(int node, const char *page)
{
    measured_node_deinit(&nodes[node].measured);
    assert_int_equal(
        measured_node_parse(page, strlen(page), &nodes[node].measured), 0);
}

static int set_up(void **state)
{
    (void)state;
    nodes[0] =
        (struct fleet_node){.name = name_a, .known = true, .answer = FLEET_UP};
    nodes[1] =
        (struct fleet_node){.name = name_b, .known = true, .answer = FLEET_UP};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    held_gpus_deinit(&held);
    for (int i = 0; i < 2; i++)
        measured_node_deinit(&nodes[i].measured);
    return 0;
}

/* "a/0 b/1" for JOB. */
static void expect(const char *job, const char *expected)
{
    const struct held_gpu *gpus;
    char text[128] = "";
    size_t count = held_gpus_find(&held, job, &gpus);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s/%u",
                 i ? " " : "", gpus[i].node->name, gpus[i].index);
    assert_string_equal(text, expected);
}

static void a_job_has_gpus_on_several_nodes(void **state)
{
    (void)state;
    answer(0, GPU(0) GPU(1) HELD(1, "17") HELD(0, "17") HELD(0, "4"));
    answer(1, GPU(0) GPU(1) HELD(1, "17_3") HELD(0, "17"));
    held_gpus_update(&held, &fleet, 1000);
    expect("17", "a/0 a/1 b/0");
    expect("17_3", "b/1");
    expect("4", "a/0");
    expect("1", "");
    held_gpus_update(&held, &fleet, 1015);
    expect("17", "a/0 a/1 b/0");
}

static void what_is_told_no_more_is_kept_for_a_while(void **state)
{
    (void)state;
    answer(0, GPU(0) HELD(0, "17"));
    held_gpus_update(&held, &fleet, 1000);
    answer(0, GPU(0) HELD(0, "18"));
    held_gpus_update(&held, &fleet, 1000 + HELD_KEPT_S);
    expect("17", "a/0");
    expect("18", "a/0");
    held_gpus_update(&held, &fleet, 1001 + HELD_KEPT_S);
    expect("17", "");
    expect("18", "a/0");
}

static void a_silent_node_tells_nothing_new(void **state)
{
    (void)state;
    answer(0, GPU(0) HELD(0, "17"));
    nodes[0].answer = FLEET_SILENT;
    held_gpus_update(&held, &fleet, 1000);
    expect("17", "");
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_has_gpus_on_several_nodes),
        TEST(what_is_told_no_more_is_kept_for_a_while),
        TEST(a_silent_node_tells_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
