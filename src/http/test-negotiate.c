/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/negotiate.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define OPENMETRICS "application/openmetrics-text;version=1.0.0"
#define TEXT "text/plain;version=0.0.4"

static void test_accept_chooses_the_type_wanted_most(void **state)
{
    (void)state;
    static const char *const offers[] = {TEXT, OPENMETRICS};
    static const struct {
        const char *accept;
        int wanted;
    } cases[] = {
        {NULL, 0},
        {"", 0},
        {"  ", 0},
        {"*/*", 0},
        {"text/*", 0},
        {"application/*", 1},
        {"text/html", -1},
        {"text/html, */*;q=0.1", 0},
        {OPENMETRICS, 1},
        {"application/openmetrics-text", 1},
        {"application/openmetrics-text;version=0.0.1", -1},
        {"application/openmetrics-text; version=\"1.0.0\"", 1},
        /* Prometheus 2 */
        {"application/openmetrics-text;version=1.0.0,"
         "application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         1},
        /* Prometheus 3 */
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
         "q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;"
         "version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;"
         "q=0.3,*/*;q=0.2",
         1},
        {"text/plain;version=0.0.4;q=1,*/*;q=0.1", 0},
        /* The closest range counts, wherever it stands. */
        {"*/*;q=1, text/plain;q=0.1, application/*;q=0.2", 1},
        {"text/plain;version=0.0.4;q=0.3, text/plain;q=1, "
         "application/*;q=0.5",
         1},
        {"text/plain;q=0, */*", 1},
        {"text/plain;q=0, */*;q=0", -1},
        /* Malformed ranges are passed over. */
        {"text/plain;q=2, " OPENMETRICS ";q=0.1", 1},
        {"text/plain;q=-1", -1},
        {"text/plain;q=0.1234", -1},
        {",,,;;;=,", -1},
        {"TEXT/PLAIN", 0},
        {"text/plain ;q=0.5 , " OPENMETRICS " ; q=0.9", 1},
        {"x/y;a=\"q,\\\"\", text/plain", 0},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        int chosen = http_accept_choose(cases[i].accept, offers, 2);
        if (chosen != cases[i].wanted)
            fail_msg("\"%s\": %d", cases[i].accept, chosen);
    }
}

static void test_gzip_is_sent_to_who_takes_it(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool gzip;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"deflate, br", false},
        {"deflate, gzip;q=1.0, *;q=0.5", true},
        {"gzip;q=0", false},
        {"gzip;q=0.0", false},
        {"gzip;q=0.001", true},
        {"*", true},
        {"*;q=0", false},
        {"*, gzip;q=0", false},
        {"identity", false},
        {"identity;q=0.5, gzip;q=0.2", false},
        {"identity;q=0.5, gzip;q=0.5", true},
        {"identity, gzip", true},
        {"gzipped", false},
        {"x-gzip", false},
        {"gzip;", true},
        {"gzip;q=", false},
    };
    for (size_t i = 0; i < array_size(cases); i++)
        if (http_accepts_gzip(cases[i].header) != cases[i].gzip)
            fail_msg("\"%s\"", cases[i].header);
}

static void test_quality_is_in_thousandths(void **state)
{
    (void)state;
    assert_int_equal(http_accept_quality("a/b;q=0.123", "a/b"), 123);
    assert_int_equal(http_accept_quality("a/b;q=1.000", "a/b"), 1000);
    assert_int_equal(http_accept_quality("a/b;q=1.001", "a/b"), 0);
    assert_int_equal(http_accept_quality("a/b", "a/c"), 0);
    assert_int_equal(http_encoding_quality("gzip;q=0.5", "identity"), 1);
    assert_int_equal(http_encoding_quality("*;q=0.5", "identity"), 500);
    assert_int_equal(http_encoding_quality("br", "gzip"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_chooses_the_type_wanted_most),
        cmocka_unit_test(test_gzip_is_sent_to_who_takes_it),
        cmocka_unit_test(test_quality_is_in_thousandths),
    };
    return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
