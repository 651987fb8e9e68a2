/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/credentials.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_good_credentials(void **state)
{
    (void)state;
    static const struct {
        const char *header, *user, *password;
    } cases[] = {
        {"Basic YWxpY2U6c2VjcmV0", "alice", "secret"},
        {"basic   YWxpY2U6c2VjcmV0", "alice", "secret"},
        {"Basic YTpiOmM=", "a", "b:c"},
        {"Basic Og==", "", ""},
        {"Basic YTo=", "a", ""},
        {"Basic w6Q6w7Y=", "\xc3\xa4", "\xc3\xb6"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_credentials c;
        assert_true(http_credentials_parse(cases[i].header, &c));
        assert_string_equal(c.user, cases[i].user);
        assert_string_equal(c.password, cases[i].password);
        http_credentials_wipe(&c);
        assert_string_equal(c.password, "");
    }
}

static void test_bad_credentials_are_refused(void **state)
{
    (void)state;
    char overlong[4096] = "Basic ";
    memset(overlong + 6, 'Y', sizeof(overlong) - 7);
    static const char *const cases[] = {
        "",           "Basic",          "Basic ",     "Bearer YTpi",
        "Basic YQ==", "Basic YQA6Yg==", "Basic ****", "BasicYTpi",
        "Basic YTpi*"};
    struct http_credentials c;
    for (size_t i = 0; i < array_size(cases); i++)
        if (http_credentials_parse(cases[i], &c))
            fail_msg("\"%s\" was taken", cases[i]);
    assert_false(http_credentials_parse(NULL, &c));
    assert_false(http_credentials_parse(overlong, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_credentials),
        cmocka_unit_test(test_bad_credentials_are_refused),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
