/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doctor makes of texts, as Slurm 22.05.8 and munge print them.
 */
#include "watchdog/doctor.h"

#include "base/test.h"

static const char low_memory[] =
    "NodeName=fat Arch=x86_64 CPUAlloc=0 NodeAddr=10.77.0.11 "
    "NodeHostName=worker1 OS=Linux 6.1 #1 SMP RealMemory=99999999 "
    "State=IDLE+DRAIN+DYNAMIC_NORM+INVALID_REG "
    "Reason=Low RealMemory (reported:24105 < 100.00% of configured:99999999) "
    "[slurm@2026-11-23T07:40:00] ";

static void test_fields_are_found_whole(void **state)
{
    char value[256];
    (void)state;
    assert_true(doctor_field(low_memory, "OS", value, sizeof(value)));
    assert_string_equal(value, "Linux 6.1 #1 SMP");
    assert_true(doctor_field(low_memory, "NodeAddr", value, sizeof(value)));
    assert_string_equal(value, "10.77.0.11");
    assert_false(doctor_field(low_memory, "Memory", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_false(doctor_field("", "State", value, sizeof(value)));
}

static void test_nodes_are_judged(void **state)
{
    char text[768], next[256];
    (void)state;
    assert_true(
        doctor_judge_node(low_memory, text, sizeof(text), next, sizeof(next)));
    assert_non_null(strstr(text, "less memory than"));
    assert_non_null(strstr(next, "gpu-watchdog leave fat --now"));
    assert_true(doctor_judge_node(
        "NodeName=w State=IDLE+DRAIN Reason=gres/gpu count reported lower than "
        "configured (0 < 2) [slurm@x]",
        text, sizeof(text), next, sizeof(next)));
    assert_non_null(strstr(text, "fewer GPUs"));
    assert_true(doctor_judge_node("NodeName=w State=IDLE*", text, sizeof(text),
                                  next, sizeof(next)));
    assert_non_null(strstr(text, "does not answer"));
    assert_false(doctor_judge_node("NodeName=w State=MIXED+DYNAMIC_NORM", text,
                                   sizeof(text), next, sizeof(next)));
    assert_false(doctor_judge_node("slurm_load_node error", text, sizeof(text),
                                   next, sizeof(next)));
}

static void test_gpus_are_counted(void **state)
{
    (void)state;
    assert_int_equal(doctor_gpu_count("gpu:h100:4(S:0-1),gpu:a100:2"), 6);
    assert_int_equal(doctor_gpu_count("gpu:3,mps:100"), 3);
    assert_int_equal(doctor_gpu_count("(null)"), 0);
    assert_int_equal(doctor_gpu_count(""), 0);
}

static void test_controller_is_read(void **state)
{
    char name[64], address[64];
    (void)state;
    assert_true(doctor_controller("ClusterName=c\nSlurmctldHost=h(10.0.0.1)\n",
                                  name, address, sizeof(name)));
    assert_string_equal(name, "h");
    assert_string_equal(address, "10.0.0.1");
    assert_true(
        doctor_controller("SlurmctldHost=h", name, address, sizeof(name)));
    assert_string_equal(address, "h");
    assert_false(
        doctor_controller("#SlurmctldHost=h\n", name, address, sizeof(name)));
}

static void test_munge_versions(void **state)
{
    (void)state;
    assert_int_equal(doctor_munge_leaks("0.5.15-2+deb12u1", true), DOCTOR_GOOD);
    assert_int_equal(doctor_munge_leaks("0.5.15-2", true), DOCTOR_WRONG);
    assert_int_equal(doctor_munge_leaks("0.5.15-2", false), DOCTOR_NOTE);
    assert_int_equal(doctor_munge_leaks("0.5.16-1", true), DOCTOR_NOTE);
    assert_int_equal(doctor_munge_leaks("0.5.18-1", true), DOCTOR_GOOD);
    assert_int_equal(doctor_munge_leaks("nonsense", true), DOCTOR_NOTE);
}

static void test_times_and_versions(void **state)
{
    (void)state;
    assert_int_equal(doctor_http_date_s("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan "
                                        "1970 00:01:00 GMT\r\n\r\n"),
                     60);
    assert_int_equal(doctor_http_date_s("HTTP/1.1 200 OK\r\n\r\n"), -1);
    assert_true(doctor_versions_agree(0x160508, 0x160508));
    assert_true(doctor_versions_agree(0x180b05, 0x160508));
    assert_false(doctor_versions_agree(0x160508, 0x180b05));
    assert_false(doctor_versions_agree(0x1a0500, 0x160508));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_found_whole),
        cmocka_unit_test(test_nodes_are_judged),
        cmocka_unit_test(test_gpus_are_counted),
        cmocka_unit_test(test_controller_is_read),
        cmocka_unit_test(test_munge_versions),
        cmocka_unit_test(test_times_and_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
