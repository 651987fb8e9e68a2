/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processor time and memory of jobs: what is counted once, and only once, while
 * their processes come, end, and are waited for by this one or that.
 */
#include "base/test.h"
#include "source/test-gpu-jobs-tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DAEMON = 100, /* slurmstepd of job 17 */
    SCRIPT = 101
};

/* A process with OWN and CHILD ticks of time, and PAGES of memory. */
static void
put_use(int pid, int parent, const char *command, int own, int child, int pages)
{
    char text[300];
    snprintf(text, sizeof(text),
             "%d (%s) S %d 1 1 0 -1 0 0 0 0 0 %d 1 %d 0 20 0 1 0 %d 1 %d 1\n",
             pid, command, parent, own - 1, child, 1000 + pid, pages);
    PUT(text, "proc/%d/stat", pid);
}

static void end_process(int pid)
{
    char command[200];
    snprintf(command, sizeof(command), "rm -r '%s/%d'", proc, pid);
    assert_int_equal(system(command), 0);
}

static int begin(void **state)
{
    int r = tree_set_up(state);
    put_job(DAEMON, 17, 1000, "0");
    put_use(DAEMON, 1, "slurmstepd", 900, 0, 900);
    put_use(SCRIPT, DAEMON, "slurm_script", 10, 0, 3);
    return r;
}

static const struct host_job_record *usage(void)
{
    size_t count;
    take();
    const struct host_job_record *record =
        snapshot_array(&taken->snapshot, SNAPSHOT_GPU_USE, 2, &count);
    assert_int_equal(count, 1);
    assert_int_equal(record->job_id, 17);
    return record;
}

static void assert_ticks(unsigned int ticks)
{
    assert_int_equal(usage()->cpu_ms,
                     ticks * 1000 / (unsigned int)sysconf(_SC_CLK_TCK));
}

static void test_processes_are_summed_and_slurmstepd_is_not(void **state)
{
    (void)state;
    put_process(110, SCRIPT, "python", 1000);
    put_use(110, SCRIPT, "python", 200, 5, 40);
    assert_ticks(215);
    const struct host_job_record *record = usage();
    assert_int_equal(record->processes, 2);
    assert_int_equal(record->memory_bytes, 43 * sysconf(_SC_PAGESIZE));
    assert_string_equal(text_of(record->job), "17");
    put_use(110, SCRIPT, "python", 260, 5, 10);
    assert_ticks(275);
    assert_int_equal(usage()->memory_bytes, 13 * sysconf(_SC_PAGESIZE));
}

static void test_time_of_an_ended_child_counts_once(void **state)
{
    (void)state;
    put_process(110, SCRIPT, "python", 1000);
    put_use(110, SCRIPT, "python", 200, 0, 1);
    assert_ticks(210);
    end_process(110);
    put_use(SCRIPT, DAEMON, "slurm_script", 10, 230, 3);
    assert_ticks(240);
}

static void test_a_child_between_two_looks_counts(void **state)
{
    (void)state;
    assert_ticks(10);
    put_use(SCRIPT, DAEMON, "slurm_script", 10, 50, 3);
    assert_ticks(60);
}

static void test_a_parent_that_tells_a_look_later_is_no_news(void **state)
{
    (void)state;
    put_process(110, SCRIPT, "python", 1000);
    put_use(110, SCRIPT, "python", 200, 0, 1);
    assert_ticks(210);
    end_process(110);
    assert_ticks(210);
    put_use(SCRIPT, DAEMON, "slurm_script", 10, 200, 3);
    assert_ticks(210);
}

static void test_nothing_counted_is_lost_with_an_orphan(void **state)
{
    (void)state;
    put_process(110, 1, "python", 1000);
    put_process(110, SCRIPT, "python", 1000);
    put_use(110, SCRIPT, "python", 200, 0, 1);
    assert_ticks(210);
    end_process(110);
    assert_ticks(210);
    assert_ticks(210);
    /* Children of later are news again. */
    put_use(SCRIPT, DAEMON, "slurm_script", 10, 30, 3);
    assert_ticks(240);
}

static void test_a_step_that_ends_leaves_its_time(void **state)
{
    (void)state;
    put_daemon(200, "slurmstepd: [17.0]");
    put_process(201, 200, "task", 1000);
    put_use(201, 200, "task", 300, 0, 1);
    assert_ticks(310);
    end_process(201);
    put_use(200, 1, "slurmstepd", 5, 320, 1);
    assert_ticks(330);
    end_process(200);
    assert_ticks(330);
    end_process(SCRIPT);
    end_process(DAEMON);
    take();
    assert_int_equal(record_count(2), 0);
}

static void test_many_processes_are_read_in_turn(void **state)
{
    (void)state;
    for (int pid = 1000; pid < 2000; pid++) {
        put_process(pid, SCRIPT, "worker", 1000);
        put_use(pid, SCRIPT, "worker", 1, 0, 1);
    }
    assert_ticks(1010);
    for (int pid = 1000; pid < 2000; pid++)
        put_use(pid, SCRIPT, "worker", 3, 0, 1);
    for (int i = 0; i < 6; i++)
        take();
    assert_ticks(3010);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_processes_are_summed_and_slurmstepd_is_not),
        TEST(test_time_of_an_ended_child_counts_once),
        TEST(test_a_child_between_two_looks_counts),
        TEST(test_a_parent_that_tells_a_look_later_is_no_news),
        TEST(test_nothing_counted_is_lost_with_an_orphan),
        TEST(test_a_step_that_ends_leaves_its_time),
        TEST(test_many_processes_are_read_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
