/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the state is kept. Addresses need a network of their own: the scenarios
 * of head and join try them.
 */
#include "cluster/place.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Who starts head with umask 077 got a folder that slurmctld could not enter.
 */
static void test_folders_whatever_the_umask(void **state)
{
    char root[] = "/tmp/test-place-XXXXXX", above[64], path[80];
    struct error err;
    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(above, sizeof(above), "%s/above", root);
    snprintf(path, sizeof(path), "%s/state", above);
    mode_t old = umask(077);
    assert_int_equal(place_make(path, 0711, &err), 0);
    umask(old);
    assert_int_equal(mode_of(above), 0755);
    assert_int_equal(mode_of(path), 0711);

    /* What was there stays as it was. */
    assert_int_equal(chmod(above, 0700), 0);
    assert_int_equal(place_make(path, 0755, &err), 0);
    assert_int_equal(mode_of(above), 0700);
    assert_int_equal(mode_of(path), 0711);
    rmdir(path);
    rmdir(above);
    rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders_whatever_the_umask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
