/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which metrics are served: the built-in choice, and collectors files as they
 * are found in the field and as they are misspelt.
 */
#include "model/gpu-metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, struct gpu_metrics *ret, struct error *err)
{
    return gpu_metrics_parse("f.csv", text, strlen(text), ret, err);
}

static void a_file_is_read_as_dcgm_exporter_reads_it(void **state)
{
    (void)state;
    struct gpu_metrics metrics;
    struct error err;
    assert_int_equal(parse("# Format\n"
                           "\n"
                           "DCGM_FI_DEV_GPU_TEMP, gauge, GPU (in C).\r\n"
                           "  DCGM_FI_DRIVER_VERSION ,label,Driver Version\n"
                           "DCGM_FI_DEV_GPU_UTIL_RATIO,gauge,a, b\n"
                           "DCGM_EXP_XID_ERRORS_COUNT, counter, x",
                           &metrics, &err),
                     0);
    assert_int_equal(metrics.count, 4);
    assert_string_equal(metrics.metrics[0].help, "GPU (in C).");
    assert_int_equal(metrics.metrics[0].reading, GPU_TEMPERATURE_C);
    assert_int_equal(metrics.metrics[1].type, GPU_TYPE_LABEL);
    assert_string_equal(metrics.metrics[2].name, "DCGM_FI_DEV_GPU_UTIL_RATIO");
    assert_string_equal(metrics.metrics[2].help, "a, b");
    assert_int_equal(metrics.metrics[3].source, GPU_METRIC_XID_WINDOW);
    gpu_metrics_deinit(&metrics);
}

static void a_bad_file_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "f.csv: names no field"},
        {"\nDCGM_FI_DEV_GPU_TMEP, gauge, x\n",
         "f.csv:2: there is no field DCGM_FI_DEV_GPU_TMEP; did you mean "
         "DCGM_FI_DEV_GPU_TEMP?"},
        {"DCGM_FI_DEV_GPU_TEMP gauge\n", "f.csv:1: a line is FIELD"},
        {"DCGM_FI_DEV_GPU_TEMP, guage, x\n", "f.csv:1: the type is gauge"},
        {"DCGM_FI_DEV_GPU_TEMP, label, x\n", "f.csv:1: a text can only"},
        {"DCGM_FI_DRIVER_VERSION, gauge, x\n", "f.csv:1: a text can only"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct gpu_metrics metrics;
        struct error err;
        assert_int_equal(parse(bad[i].text, &metrics, &err), -EBADMSG);
        if (strncmp(err.text, bad[i].says, strlen(bad[i].says)) != 0)
            fail_msg("%s", err.text);
    }
}

static size_t count_names(enum gpu_names names, bool more, const char *prefix)
{
    struct gpu_metrics metrics;
    size_t count = 0;
    assert_int_equal(gpu_metrics_default(names, more, &metrics, NULL), 0);
    for (size_t i = 0; i < metrics.count; i++)
        count += strncmp(metrics.metrics[i].name, prefix, strlen(prefix)) == 0;
    gpu_metrics_deinit(&metrics);
    return count;
}

static void names_of_before_and_since_dcgm_4_6(void **state)
{
    (void)state;
    assert_int_equal(count_names(GPU_NAMES_OLD, false, "DCGM_FI_DEV_GPU_TEMP"),
                     1);
    assert_int_equal(
        count_names(GPU_NAMES_NEW, false, "DCGM_FI_DEV_GPU_TEMP_CELSIUS"), 1);
    assert_int_equal(count_names(GPU_NAMES_BOTH, false, "DCGM_FI_DEV_GPU_TEMP"),
                     2);
    assert_int_equal(count_names(GPU_NAMES_OLD, false, "DCGM_FI_DEV_ECC"), 0);
    assert_int_equal(count_names(GPU_NAMES_OLD, true, "DCGM_FI_DEV_ECC"), 4);
}

static void every_reading_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < GPU_READING_COUNT; i++) {
        assert_non_null(gpu_readings[i].name);
        assert_true(strlen(gpu_readings[i].help) > 8);
        for (unsigned int k = 0; k < i; k++)
            assert_string_not_equal(gpu_readings[i].name, gpu_readings[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_as_dcgm_exporter_reads_it),
        cmocka_unit_test(a_bad_file_is_refused_with_its_line),
        cmocka_unit_test(names_of_before_and_since_dcgm_4_6),
        cmocka_unit_test(every_reading_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
