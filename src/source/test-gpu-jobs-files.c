/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attribution by the files that prologs leave.
 */
#include "source/test-gpu-jobs-tree.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

static void make_old(const char *path)
{
    char full[200];
    struct utimbuf long_ago = {1000, 1000};
    snprintf(full, sizeof(full), "%s/%s", root, path);
    assert_int_equal(utime(full, &long_ago), 0);
}

static void test_hook_binds(void **state)
{
    (void)state;
    PUT("SLURM_JOB_ID=17\nSLURM_JOB_UID=1000\nSLURM_JOB_USER=ann\n"
        "SLURM_JOB_GPUS=0\n",
        "hooks/17");
    put_job(100, 17, 1000, "0,1"); /* claims more than it was given */
    put_job(200, 18, 1001, "0,1"); /* was given nothing by a hook */
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | HOOK | IDLE);
    assert_string_equal(text_of(record_of(17, 0)->user), "ann");
    /* The prolog is not told these. */
    assert_string_equal(text_of(record_of(17, 0)->account), "chem");
    assert_string_equal(text_of(record_of(17, 0)->name), "train");
    assert_int_equal(flags_of(18, 1), HOLDS | ENVIRONMENT | IDLE);
    assert_int_equal(record_count(0), 2);
}

static void test_hook_without_steps_holds_while_it_is_young(void **state)
{
    (void)state;
    PUT("SLURM_JOB_ID=17\nSLURM_JOB_UID=1000\nSLURM_JOB_GPUS=0\n"
        "CUDA_VISIBLE_DEVICES=GPU-b\n",
        "hooks/17");
    put_job(100, 18, 1000, NULL);
    take();
    assert_int_equal(flags_of(17, 1), HOLDS | HOOK | IDLE);
    make_old("hooks/17");
    take();
    assert_int_equal(flags_of(17, 1), HOOK | GPU_JOB_STALE);
}

static void test_hook_of_strangers_is_passed_over(void **state)
{
    (void)state;
    char path[200];
    PUT("SLURM_JOB_ID=17\nSLURM_JOB_GPUS=0\n", "hooks/17");
    snprintf(path, sizeof(path), "%s/17", hooks);
    assert_int_equal(chmod(path, 0666), 0);
    take();
    assert_int_equal(record_count(0), 0);
}

static void test_files_of_other_prologs_are_read(void **state)
{
    (void)state;
    put_job(100, 17, 1000, NULL);
    put_job(200, 18, 1001, NULL);
    PUT("17\n\nnothing\n99999999999999999999\n", "mapping/0");
    PUT("garbage", "mapping/1");
    PUT("17\n", "mapping/0x");
    PUT("17\n", "mapping/9");
    PUT("18 1001\n", "gpustat/GPU-b");
    PUT("18 1001\n", "gpustat/1");
    PUT("19 1001\n", "gpustat/0");
    take();
    assert_int_equal(flags_of(19, 0), HOLDS | IDLE | GPU_JOB_FROM_GPUSTAT);
    make_old("gpustat/0");
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | IDLE | GPU_JOB_FROM_MAPPING_DIR);
    assert_int_equal(flags_of(18, 1), HOLDS | IDLE | GPU_JOB_FROM_GPUSTAT);
    assert_int_equal(flags_of(19, 0), GPU_JOB_STALE | GPU_JOB_FROM_GPUSTAT);
    assert_int_equal(record_count(0), 3);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hook_binds),
        TEST(test_hook_without_steps_holds_while_it_is_young),
        TEST(test_hook_of_strangers_is_passed_over),
        TEST(test_files_of_other_prologs_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
