/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/target.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The target's parts in one line: "path [name=value] [name=value]". */
static void show(const struct http_target *t, char *ret_line, size_t size)
{
    size_t used = (size_t)snprintf(ret_line, size, "%s", t->path);
    for (size_t i = 0; i < t->parameter_count; i++)
        used += (size_t)snprintf(ret_line + used, size - used, " [%s=%s]",
                                 t->parameters[i].name, t->parameters[i].value);
}

static void test_good_targets(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *wanted;
    } cases[] = {
        {"/", "/"},
        {"/metrics", "/metrics"},
        {"/metrics?", "/metrics"},
        {"/metrics?collect[]=a&collect[]=b",
         "/metrics [collect[]=a] [collect[]=b]"},
        {"/metrics?collect%5B%5D=a", "/metrics [collect[]=a]"},
        {"/a%20b+c?d+e=f+g%2bh", "/a b+c [d e=f g+h]"},
        {"/x?a=b%26c=d&e", "/x [a=b&c=d] [e=]"},
        {"/x?&&a&&=&", "/x [a=] [=]"},
        {"/x?a=b=c", "/x [a=b=c]"},
        {"/x?a=b?c", "/x [a=b?c]"},
        {"/x#fragment?a", "/x"},
        {"//x/../y", "//x/../y"},
        {"/%2e%2E/", "/../"},
        {"http://host:80/metrics?a=1", "/metrics [a=1]"},
        {"HTTPS://[::1]/x", "/x"},
        {"http://host", "/"},
        {"http://host?a=1", "/ [a=1]"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_target target;
        char line[256];
        assert_int_equal(http_target_parse(cases[i].raw, &target), 0);
        show(&target, line, sizeof(line));
        assert_string_equal(line, cases[i].wanted);
        http_target_deinit(&target);
    }
}

static void test_bad_targets_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",     "*",     "metrics", "ftp://x/", "/%",       "/%4",
        "/%zz", "/a%00", "/?a=%0",  "/?%=1",    "/?a=%00b", "/?a&%g1"};
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_target target = HTTP_TARGET_INIT;
        if (http_target_parse(cases[i], &target) != -EINVAL)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_null(target.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_targets),
        cmocka_unit_test(test_bad_targets_are_refused),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
