/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list and the command lines; that they work is keep-services' to show.
 */
#include "cluster/services.h"

#include "base/text.h"

#include <string.h>

#include "base/test.h"

static const char *const serve_arguments[] = {"--dashboard-listen", ":8080",
                                              NULL};

static const struct services_settings head = {
    .head = true,
    .compute = true,
    .state = "/var/lib/gpu-watchdog",
    .munge_user = "munge",
    .slurm_user = "slurm",
    .address = "10.0.0.1",
    .node = "n1",
    .node_conf = "CPUs=2 RealMemory=1000",
    .program = "/opt/gpu-watchdog",
    .exporter_listen = ":9341",
    .serve_arguments = serve_arguments,
};

static struct services *make(const struct services_settings *settings)
{
    struct services *services = NULL;
    assert_int_equal(services_new(settings, &services, NULL), 0);
    return services;
}

/* The arguments of service INDEX, each with a bar behind, without the path of
 * the program; and its name is NAME. */
static void assert_command(const struct services *services,
                           size_t index,
                           const char *name,
                           const char *expected)
{
    size_t count;
    const struct service_spec *specs = services_specs(services, &count);
    struct text text = TEXT_INIT;
    assert_true(index < count);
    assert_string_equal(specs[index].name, name);
    const char *const *words = specs[index].command(specs[index].context);
    for (size_t i = 1; words[i]; i++)
        text_addf(&text, "%s|", words[i]);
    assert_string_equal(text_str(&text), expected);
    text_deinit(&text);
}

static void test_head_runs_four_in_order(void **state)
{
    (void)state;
    struct services *services = make(&head);
    size_t count;
    const struct service_spec *specs = services_specs(services, &count);
    assert_int_equal(count, 4);
    assert_string_equal(specs[0].user, "munge");
    assert_command(services, 0, "munged",
                   "--foreground|"
                   "--socket=/run/gpu-watchdog/munge/munge.socket|"
                   "--key-file=/run/gpu-watchdog/munge/munge.key|"
                   "--pid-file=/run/gpu-watchdog/munge/munged.pid|"
                   "--seed-file=/run/gpu-watchdog/munge/munged.seed|"
                   "--num-threads=2|--origin=10.0.0.1|");
    assert_command(services, 1, "slurmctld", "-D|");
    assert_command(services, 2, "slurmd",
                   "-D|-Z|-N|n1|--conf|CPUs=2 RealMemory=1000|");
    assert_command(services, 3, "serve",
                   "serve|--state|/var/lib/gpu-watchdog|--listen|:9341|"
                   "--dashboard-listen|:8080|--log-format|journal|--user|"
                   "slurm|");
    services_free(services);
}

static void test_worker_runs_two_and_is_renamed(void **state)
{
    (void)state;
    struct services_settings settings = head;
    settings.head = false;
    struct services *services = make(&settings);
    size_t count;
    services_specs(services, &count);
    assert_int_equal(count, 2);
    assert_int_equal(services_set_node(services, "n2", NULL, NULL), 0);
    assert_command(services, 1, "slurmd", "-D|-Z|-N|n2|");
    services_free(services);
    assert_null(services_free(NULL));
}

static void test_auth_slurm_needs_no_munged(void **state)
{
    (void)state;
    struct services_settings settings = head;
    settings.auth_slurm = true;
    struct services *services = make(&settings);
    size_t count;
    const struct service_spec *specs = services_specs(services, &count);
    assert_int_equal(count, 3);
    assert_string_equal(specs[0].name, "slurmctld");
    assert_null(specs[0].needs[0]);
    assert_string_equal(specs[1].name, "slurmd");
    assert_string_equal(specs[1].needs[0], "slurmctld");
    services_free(services);
    settings.head = false;
    services = make(&settings);
    specs = services_specs(services, &count);
    assert_int_equal(count, 1);
    assert_null(specs[0].needs[0]);
    services_free(services);
    assert_string_equal(services_key_name(true), "slurm.key");
    assert_string_equal(services_key_name(false), "munge.key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_runs_four_in_order),
        cmocka_unit_test(test_worker_runs_two_and_is_renamed),
        cmocka_unit_test(test_auth_slurm_needs_no_munged),
    };
    return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
