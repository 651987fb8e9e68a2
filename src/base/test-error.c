/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_failing_line_is_message_and_result(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, EINVAL, "node %s: %d", "n1", 5), -EINVAL);
    assert_string_equal(err.text, "node n1: 5");
    assert_int_equal(error_errno(&err, ENOENT, "file %s", "x"), -ENOENT);
    assert_string_equal(err.text, "file x: No such file or directory");
}

static void test_nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, EIO, "lost"), -EIO);
    assert_int_equal(error_errno(NULL, EIO, "lost"), -EIO);
    error_prefix(NULL, "context");
}

static void test_context_comes_in_front(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, EIO, "broken");
    error_prefix(&err, "node %s", "n17");
    error_prefix(&err, "nodes");
    assert_string_equal(err.text, "nodes: node n17: broken");
}

static void test_foreign_text_stays_one_line(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, EIO, "%s", "a\nb\r\tc\x7f\x1b[31m");
    assert_string_equal(err.text, "a b  c  [31m");
}

static void test_overlong_text_loses_its_tail(void **state)
{
    (void)state;
    struct error err;
    char text[2000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, EIO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_prefix(&err, "front");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "front: aaa", 10);
    error_errno(&err, EIO, "%s", text);
    error_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_line_is_message_and_result),
        cmocka_unit_test(test_nobody_needs_to_listen),
        cmocka_unit_test(test_context_comes_in_front),
        cmocka_unit_test(test_foreign_text_stays_one_line),
        cmocka_unit_test(test_overlong_text_loses_its_tail),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
