/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Prometheus is asked, and what is made of its answers. That it
 * understands the questions is tested on a real one
 * (dashboard-prometheus.bats).
 */
#include "source/prometheus.h"

#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_query(const struct prometheus_wanted *wanted,
                         const char *expected)
{
    struct text text = TEXT_INIT;
    bool good = prometheus_query_write(wanted, &text);
    if (good != (expected != NULL))
        fail_msg("%s: %s", wanted->metric, good ? "known" : "not known");
    if (good)
        assert_string_equal(text_str(&text), expected);
    text_deinit(&text);
}

static void a_question_names_the_ids_and_the_site(void **state)
{
    (void)state;
    static const char *const nodes[] = {"n1", "n2.example"};
    static const char *const gpus[] = {"n1/0", "n2/3.1"};
    expect_query(
        &(struct prometheus_wanted){"cluster", "jobs_running", NULL, 0, "", 15},
        "max(slurm_queue_running{})");
    expect_query(
        &(struct prometheus_wanted){"node", "cpu_load", nodes, 2, "", 15},
        "max by (node) (slurm_node_load1{node=~\"(n1|"
        "n2\\\\.example)\"})");
    expect_query(&(struct prometheus_wanted){"node", "cpu_load", nodes, 1,
                                             "cluster=\"a\"", 3600},
                 "avg_over_time((max by (node) (slurm_node_load1{node=~\"(n1)"
                 "\",cluster=\"a\"}))[3600s:300s])");
    expect_query(
        &(struct prometheus_wanted){"gpu", "power_watts", gpus, 2, "", 60},
        "avg_over_time((max by (Hostname, gpu, GPU_I_ID) "
        "(DCGM_FI_DEV_POWER_USAGE{Hostname=~\"(n1|n2)(\\\\..*)?\"}))"
        "[60s:15s])");
    expect_query(
        &(struct prometheus_wanted){"partition", "gpus_allocated_h100",
                                    (const char *const[]){"all"}, 1, "", 15},
        "max by (partition) (slurm_partition_gpus_by_state{state=\"allocated\","
        "type=\"h100\",partition=~\"(all)\"})");
}

static void nothing_but_a_name_gets_into_a_question(void **state)
{
    (void)state;
    static const char *const evil[] = {
        "a\"} or up{x=\"", "a|b", ".*\\", "", "(", "a\nb", "n1/0",
    };
    for (size_t i = 0; i < array_size(evil); i++)
        expect_query(&(struct prometheus_wanted){"node", "cpu_load", &evil[i],
                                                 1, "", 15},
                     NULL);
    static const char *const some[] = {"x\"", "n1"};
    expect_query(
        &(struct prometheus_wanted){"node", "cpu_load", some, 2, "", 15},
        "max by (node) (slurm_node_load1{node=~\"(n1)\"})");
    static const char *const all = "all";
    expect_query(&(struct prometheus_wanted){"partition",
                                             "gpus_allocated_\"} or up", &all,
                                             1, "", 15},
                 NULL);
    expect_query(&(struct prometheus_wanted){"node", "fans", some, 2, "", 15},
                 NULL);
    expect_query(
        &(struct prometheus_wanted){"gpu", "power_watts", some, 2, "", 15},
        NULL);
}

/* Two GPUs on three steps of a minute from 600 on. */
static int read_answer(const char *text, float values[2][3], struct error *err)
{
    struct prometheus_series series[] = {
        {"n1/0", "power_watts", 600, 60, 3, values[0]},
        {"n1/1.2", "power_watts", 600, 60, 3, values[1]},
    };
    for (size_t i = 0; i < 6; i++)
        values[i / 3][i % 3] = NAN;
    return prometheus_answer_read(text, strlen(text), "gpu", series, 2, err);
}

static void values_find_their_place(void **state)
{
    (void)state;
    float values[2][3];
    assert_int_equal(
        read_answer(
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
            "\"result\":["
            "{\"metric\":{\"Hostname\":\"n1.example\",\"gpu\":\"0\"},"
            "\"values\":[[660,\"1.5\"],[780,\"3\"],[840,\"9\"],[600,\"9\"]]},"
            "{\"metric\":{\"Hostname\":\"n1\",\"gpu\":\"1\","
            "\"GPU_I_ID\":\"2\"},"
            "\"values\":[[720,\"7\"],[660,\"NaN\"],[780,\"+Inf\"]]},"
            "{\"metric\":{\"Hostname\":\"n11\",\"gpu\":\"0\"},"
            "\"values\":[[660,\"99\"],[720,\"99\"]]}]}}",
            values, NULL),
        0);
    assert_float_equal(values[0][0], 1.5, 0);
    assert_true(isnan(values[0][1]));
    assert_float_equal(values[0][2], 3, 0);
    assert_true(isnan(values[1][0]));
    assert_float_equal(values[1][1], 7, 0);
    assert_true(isnan(values[1][2]));
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "not that of Prometheus"},
        {"<html>", "not that of Prometheus"},
        {"{\"status\":\"success\"}", "not that of Prometheus"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
         "\"result\":[]}}",
         "not that of Prometheus"},
        {"{\"status\":\"error\",\"error\":\"parse error: no\"}",
         "it refused: parse error: no"},
        {"{\"status\":\"error\"}", "without a reason"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        float values[2][3];
        struct error err;
        assert_int_equal(read_answer(cases[i].text, values, &err), -EBADMSG);
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_names_the_ids_and_the_site),
        cmocka_unit_test(nothing_but_a_name_gets_into_a_question),
        cmocka_unit_test(values_find_their_place),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
