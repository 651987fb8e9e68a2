/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is no hierarchy of devices; that a real one is found is a scenario.
 */
#include "cluster/confine.h"

#include "base/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_none(const char *directory, const char *words)
{
    struct error err = {""};
    assert_int_equal(confine_check(directory, &err), -ENOTSUP);
    if (!strstr(err.text, words))
        fail_msg("%s", err.text);
}

static void test_what_is_no_hierarchy_of_devices(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-confine-XXXXXX";
    expect_none("/nonexistent", "no cgroups of version 1");
    expect_none("/proc", "no cgroup can be made");
    /* A folder that anybody could make; it is left as it was. */
    assert_non_null(mkdtemp(directory));
    expect_none(directory, "no hierarchy of devices");
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_hierarchy_of_devices),
    };
    return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
