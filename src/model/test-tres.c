/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TRES strings as Slurm prints them for jobs, nodes and limits. A case shows
 * what was read in one line, "name=value"; "!" stands where reading ended in
 * -EINVAL.
 */
#include "model/tres.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct tres_case {
    const char *string;
    const char *wanted;
};

static void show(const char *string, char *line, size_t size)
{
    struct tres_reader reader = tres_read(string);
    struct tres_item item;
    size_t used = 0;
    int r;
    *line = '\0';
    while ((r = tres_next(&reader, &item)) > 0) {
        char name[64];
        used += (size_t)snprintf(
            line + used, size - used, "%s%s=%" PRIu64, used ? " " : "",
            slice_copy(item.name, name, sizeof(name)), item.value);
    }
    if (r < 0) {
        assert_int_equal(r, -EINVAL);
        snprintf(line + used, size - used, used ? " !" : "!");
        assert_int_equal(tres_next(&reader, &item), 0);
    }
}

static void check(const struct tres_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char line[512];
        show(cases[i].string, line, sizeof(line));
        if (strcmp(line, cases[i].wanted) != 0)
            fail_msg("\"%s\" reads as \"%s\", not as \"%s\"",
                     cases[i].string ? cases[i].string : "NULL", line,
                     cases[i].wanted);
    }
}

static void nothing_is_read_from_nothing(void **state)
{
    (void)state;
    static const struct tres_case cases[] = {
        {NULL, ""},
        {"", ""},
        {"(null)", ""},
    };
    check(cases, array_size(cases));
}

static void each_resource_has_its_value(void **state)
{
    (void)state;
    static const struct tres_case cases[] = {
        {"cpu=4,mem=16G,node=1,billing=4,gres/gpu=2,gres/gpu:a100=2",
         "cpu=4 mem=16384 node=1 billing=4 gres/gpu=2 gres/gpu:a100=2"},
        {"cpu=1", "cpu=1"},
        {"cpu=1,", "cpu=1"},
        {"cpu=2K,gres/gpu=1M", "cpu=2048 gres/gpu=1048576"},
        {"license/matlab=3,license/ansys@db=1",
         "license/matlab=3 license/ansys@db=1"},
        {"gres/gpu:1g.10gb=7,gres/shard=32",
         "gres/gpu:1g.10gb=7 gres/shard=32"},
        {"fs/disk=0,energy=0,bb/cray=1T",
         "fs/disk=0 energy=0 bb/cray=1099511627776"},
        {"1=4,2=1000,4=1,1001=2", "1=4 2=1000 4=1 1001=2"},
        {"cpu=18446744073709551614", "cpu=18446744073709551614"},
    };
    check(cases, array_size(cases));
}

static void memory_is_in_mib_with_a_suffix_and_without(void **state)
{
    (void)state;
    static const struct tres_case cases[] = {
        {"mem=16384", "mem=16384"},
        {"mem=500M", "mem=500"},
        {"mem=16G", "mem=16384"},
        {"mem=16g", "mem=16384"},
        {"mem=1.50T", "mem=1572864"},
        {"mem=2P", "mem=2147483648"},
        {"mem=2048K", "mem=2"},
        {"mem=0", "mem=0"},
        {"mem=0M", "mem=0"},
        {"vmem=1M", "vmem=1048576"},
        {"memory=1M", "memory=1048576"},
    };
    check(cases, array_size(cases));
}

static void what_cannot_be_read_ends_the_reading(void **state)
{
    (void)state;
    static const struct tres_case cases[] = {
        {",", "!"},
        {"cpu", "!"},
        {"cpu=", "!"},
        {"=4", "!"},
        {"cpu=4,,mem=1", "cpu=4 !"},
        {"cpu=4,mem", "cpu=4 !"},
        {"cpu=four", "!"},
        {"cpu=4=5", "!"},
        {"cpu=-1", "!"},
        {"cpu=4 ", "!"},
        {"mem=99999999999P", "!"},
        {"cpu=18446744073709551616", "!"},
    };
    check(cases, array_size(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_from_nothing),
        cmocka_unit_test(each_resource_has_its_value),
        cmocka_unit_test(memory_is_in_mib_with_a_suffix_and_without),
        cmocka_unit_test(what_cannot_be_read_ends_the_reading),
    };
    return cmocka_run_group_tests_name("tres", tests, NULL, NULL);
}
