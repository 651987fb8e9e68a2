/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of numbers with units: what is taken, and that it is written back so
 * that it reads the same.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/test.h"
#include "base/unit.h"

static void durations_are_read_with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
        const char *back;
    } cases[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"15s", 15 * NS_PER_S, "15s"},
        {"2m", 120 * NS_PER_S, "2m"},
        {"90s", 90 * NS_PER_S, "1m30s"},
        {"1h30m", 5400 * NS_PER_S, "1h30m"},
        {"500ms", 500 * NS_PER_MS, "500ms"},
        {"1m1ms", 60 * NS_PER_S + NS_PER_MS, "1m1ms"},
        {"7us", 7 * NS_PER_US, "7us"},
        {"9223372036854775807ns", INT64_MAX, "106751d23h47m16s854ms775us807ns"},
        {"106751d23h47m16s854ms775us807ns", INT64_MAX,
         "106751d23h47m16s854ms775us807ns"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct text back = TEXT_INIT;
        int64_t ns = -1;
        assert_int_equal(duration_parse(cases[i].text, &ns, NULL), 0);
        assert_true(ns == cases[i].ns);
        duration_format(ns, &back);
        assert_string_equal(text_str(&back), cases[i].back);
        text_deinit(&back);
    }
}

static void durations_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"15", "\"15\" has no unit; write for example 15s or 15m"},
        {"", "\"\" is no duration; write for example 15s, 1m30s or 500ms"},
        {"s", "\"s\" is no duration; write for example 15s, 1m30s or 500ms"},
        {"5x", "\"5x\" is no duration; write for example 15s, 1m30s or 500ms"},
        {"5 s", NULL},
        {"-5s", NULL},
        {"+5s", NULL},
        {"1.5s", NULL},
        {"1s1m", NULL}, /* the longest unit comes first */
        {"1s1s", NULL},
        {"1m5", NULL},
        {"5S", NULL},
        {"106752d", "\"106752d\" is too long a time"},
        {"9223372036854775808ns", "\"9223372036854775808ns\" is too long a "
                                  "time"},
        {"99999999999999999999s", NULL},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct error err = {.text = ""};
        int64_t ns = -1;
        assert_int_equal(duration_parse(cases[i].text, &ns, &err), -EINVAL);
        assert_true(ns == -1);
        if (cases[i].reason)
            assert_string_equal(err.text, cases[i].reason);
    }
}

static void sizes_are_read_in_powers_of_1024(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *back;
    } cases[] = {
        {"0", 0, "0"},
        {"1000", 1000, "1000"},
        {"12B", 12, "12"},
        {"64k", 65536, "64k"},
        {"64K", 65536, "64k"},
        {"64KiB", 65536, "64k"},
        {"1536k", 1572864, "1536k"},
        {"10MB", 10485760, "10M"},
        {"1024M", UINT64_C(1) << 30, "1G"},
        {"15E", UINT64_C(15) << 60, "15E"},
        {"18446744073709551615", UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct text back = TEXT_INIT;
        uint64_t bytes = 1;
        assert_int_equal(size_parse(cases[i].text, &bytes, NULL), 0);
        assert_true(bytes == cases[i].bytes);
        size_format(bytes, &back);
        assert_string_equal(text_str(&back), cases[i].back);
        text_deinit(&back);
    }
}

static void sizes_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "k", "1x", "1 k", "-1", "1kk", "1Bk", "16E", "99999999999999999999",
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        uint64_t bytes = 1;
        assert_int_equal(size_parse(cases[i], &bytes, NULL), -EINVAL);
        assert_true(bytes == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_with_their_units),
        cmocka_unit_test(durations_that_are_none_are_refused),
        cmocka_unit_test(sizes_are_read_in_powers_of_1024),
        cmocka_unit_test(sizes_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
