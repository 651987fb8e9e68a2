/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding Slurm's configuration and noticing its changes. */
#include "base/test.h"

#include "source/slurm-config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void test_a_wrong_SLURM_CONF_is_told(void **state)
{
    struct slurm_config config;
    struct error err;
    (void)state;
    setenv("SLURM_CONF", "/nonexistent/slurm.conf", 1);
    assert_int_equal(slurm_config_find(&config, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/slurm.conf"));
    assert_non_null(strstr(err.text, "SLURM_CONF"));
}

static void test_changes_are_seen(void **state)
{
    struct slurm_config config;
    struct error err;
    char path[] = "/tmp/test-slurm-config.XXXXXX", other[64];
    (void)state;
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    setenv("SLURM_CONF", path, 1);
    assert_int_equal(slurm_config_find(&config, &err), 0);
    assert_string_equal(config.path, path);
    assert_false(slurm_config_changed(&config));

    write_file(path, "ClusterName=x\n");
    assert_true(slurm_config_changed(&config));

    /* Replaced by a file of the same size, as editors do. */
    assert_int_equal(slurm_config_find(&config, &err), 0);
    assert_false(slurm_config_changed(&config));
    snprintf(other, sizeof(other), "%s.new", path);
    write_file(other, "ClusterName=y\n");
    assert_int_equal(rename(other, path), 0);
    assert_true(slurm_config_changed(&config));

    assert_int_equal(slurm_config_find(&config, &err), 0);
    unlink(path);
    assert_false(slurm_config_changed(&config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wrong_SLURM_CONF_is_told),
        cmocka_unit_test(test_changes_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
