/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attribution by processes: who holds and who uses, whom to believe.
 */
#include "source/test-gpu-jobs-tree.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_machine_without_jobs_has_no_records(void **state)
{
    (void)state;
    take();
    assert_int_equal(record_count(0), 0);
    assert_string_equal(gpu_jobs_trouble(jobs), "");
}

static void test_held_gpu_without_process_is_seen(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "1");
    take();
    assert_int_equal(record_count(0), 1);
    const struct gpu_job_record *job = record_of(17, 1);
    assert_int_equal(job->flags, HOLDS | ENVIRONMENT | IDLE);
    assert_int_equal(job->user_id, 1000);
    assert_int_equal(job->memory_bytes, UINT64_MAX);
    assert_string_equal(text_of(job->job), "17");
    assert_string_equal(text_of(job->account), "chem");
    assert_string_equal(text_of(job->partition), "gpu");
    assert_string_equal(text_of(job->name), "train");
}

static void test_descendants_use_the_gpu(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_process(110, 101, "python", 1000);
    put_process(111, 110, "python", 1000);
    add_use(0, 110);
    add_use(0, 111);
    take();
    const struct gpu_job_record *job = record_of(17, 0);
    assert_int_equal(job->flags, HOLDS | USES | ENVIRONMENT | PARENT);
    assert_int_equal(job->processes, 2);
    assert_int_equal(job->memory_bytes, 2000);
    assert_int_equal(job->since_s,
                     1700000000 + (1000 + 110) / sysconf(_SC_CLK_TCK));
    assert_string_equal(text_of(job->step), "batch");
    assert_int_equal(record_count(1), 2);
    size_t count;
    const struct gpu_process_record *process =
        snapshot_array(&taken->snapshot, SNAPSHOT_GPU_USE, 1, &count);
    assert_string_equal(text_of(process->command), "python");
    assert_int_equal(process->job_record, 0);
    assert_int_equal(process->user_id, 1000);
}

static void test_cgroup_wins_over_parent_and_environment(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_job(200, 18, 1001, "1");
    put_process(110, 201, "python", 1000);
    PUT("0::/system.slice/slurmstepd.scope/job_17/step_3/user/task_0\n",
        "proc/110/cgroup");
    put_environment(110, "SLURM_JOB_ID=18|");
    add_use(0, 110);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT | CGROUP);
    assert_string_equal(text_of(record_of(17, 0)->step), "3");
    assert_int_equal(flags_of(18, 1), HOLDS | ENVIRONMENT | IDLE);
}

static void test_sluid_leads_to_the_job(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    PUT("0::/system.slice/slurmstepd.scope/sA1B2C3D4E5F6G/step_batch/slurm\n",
        "proc/100/cgroup");
    put_process(110, 1, "python", 1000);
    PUT("0::/system.slice/slurmstepd.scope/sA1B2C3D4E5F6G/step_0/user\n",
        "proc/110/cgroup");
    add_use(0, 110);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT | CGROUP);
}

static void test_environment_counts_for_own_jobs_only(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_process(110, 1, "python", 1001);
    put_environment(110, "SLURM_JOB_ID=17|");
    put_process(111, 1, "python", 1000);
    put_environment(111, "SLURM_JOB_ID=17|SLURM_STEP_ID=2|");
    put_process(112, 1, "python", 1000);
    put_environment(112, "SLURM_JOB_ID=4711|");
    put_process(113, 1, "python", 1000);
    add_use(0, 110);
    add_use(0, 111);
    add_use(0, 112);
    add_use(0, 113);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT);
    assert_int_equal(record_of(17, 0)->processes, 1);
    assert_string_equal(text_of(record_of(17, 0)->step), "2");
    assert_int_equal(flags_of(0, 0), USES | GPU_JOB_FOREIGN);
    assert_int_equal(record_of(0, 0)->processes, 3);
    assert_string_equal(text_of(record_of(0, 0)->job), "");
}

static void test_title_of_users_is_not_believed(void **state)
{
    (void)state;
    put_process(100, 1, "slurmstepd", 1000);
    PUT("slurmstepd: [17.batch]", "proc/100/cmdline");
    put_process(101, 100, "python", 1000);
    put_environment(101, "SLURM_JOB_ID=17|SLURM_JOB_GPUS=0,1|");
    PUT("0::/user.slice/user-1000.slice/slurmstepd.scope/job_17/step_0\n",
        "proc/101/cgroup");
    if (geteuid() == 1000)
        return; /* then it may be a slurmstepd of ours */
    add_use(0, 101);
    take();
    assert_int_equal(record_count(0), 1);
    assert_int_equal(flags_of(0, 0), USES);
}

static void test_another_jobs_process_is_foreign(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_job(200, 18, 1001, "1");
    add_use(0, 201);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | ENVIRONMENT | IDLE);
    assert_int_equal(flags_of(18, 0), USES | PARENT | GPU_JOB_FOREIGN);
    assert_int_equal(flags_of(18, 1), HOLDS | ENVIRONMENT | IDLE);
}

static void test_number_of_a_dead_parent_leads_nowhere(void **state)
{
    (void)state;
    put_process(500, 700, "python", 1000);
    put_job(600, 17, 1000, "0");
    for (int i = 0; i < 5; i++)
        take();
    put_process(700, 601, "python", 1000); /* younger than its "child" */
    add_use(1, 500);
    take();
    assert_int_equal(flags_of(0, 1), USES);
}

static void test_shared_gpu_has_two_jobs(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_job(200, 18, 1001, "0");
    add_use(0, 101);
    add_use(0, 201);
    take();
    assert_int_equal(record_count(0), 2);
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT | PARENT);
    assert_int_equal(flags_of(18, 0), HOLDS | USES | ENVIRONMENT | PARENT);
}

static void test_steps_hold_what_they_were_given(void **state)
{
    (void)state;
    put_daemon(100, "slurmstepd: [17.0]");
    put_process(101, 100, "python", 1000);
    /* The batch script's node numbers others. */
    put_environment(101, "SLURM_JOB_ID=17|SLURM_JOB_GPUS=0|SLURM_STEP_GPUS=1|");
    put_daemon(200, "slurmstepd: [18.0]");
    put_process(201, 200, "python", 1000);
    put_environment(201, "SLURM_JOB_ID=18|SLURM_JOB_GPUS=0|");
    take();
    assert_int_equal(record_count(0), 1);
    assert_int_equal(flags_of(17, 1), HOLDS | ENVIRONMENT | IDLE);
}

static void test_fork_of_slurmstepd_is_no_daemon(void **state)
{
    (void)state;
    put_daemon(100, "slurmstepd: [17.0]");
    put_daemon(101, "slurmstepd: [17.0]");
    put_process(101, 100, "slurmstepd", 0);
    PUT("slurmstepd: [17.0]", "proc/101/cmdline");
    take();
    assert_int_equal(record_count(0), 0);
    put_process(101, 100, "python", 1000);
    put_environment(101, "SLURM_JOB_ID=17|SLURM_STEP_GPUS=0|");
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | ENVIRONMENT | IDLE);
}

static void test_arrays_and_het_jobs_are_named_as_users_do(void **state)
{
    (void)state;
    put_job(100, 19, 1000, NULL);
    put_environment(101, "SLURM_JOB_ID=19|SLURM_ARRAY_JOB_ID=17|"
                         "SLURM_ARRAY_TASK_ID=3|SLURM_JOB_GPUS=0|");
    put_job(200, 21, 1000, NULL);
    put_environment(201, "SLURM_JOB_ID=21|SLURM_HET_JOB_ID=20|"
                         "SLURM_HET_JOB_OFFSET=1|SLURM_JOB_GPUS=1|");
    /* A step on the node of the second component has the first one's number. */
    put_daemon(300, "slurmstepd: [32.0]");
    put_process(301, 300, "python", 1000);
    put_environment(301, "SLURM_JOB_ID=31|SLURM_JOB_ID_HET_GROUP_0=31|"
                         "SLURM_JOB_ID_HET_GROUP_1=32|SLURM_STEP_GPUS=1|"
                         "SLURM_JOB_GPUS=0|SLURM_JOB_PARTITION=all|"
                         "SLURM_JOB_PARTITION_HET_GROUP_1=gpu|");
    /* A step that nothing is known of. */
    put_daemon(400, "slurmstepd: [41.0]");
    put_process(401, 400, "python", 1000);
    put_environment(401, "SLURM_JOB_ID=4711|SLURM_JOB_GPUS=0|");
    add_use(0, 401);
    take();
    assert_string_equal(text_of(record_of(32, 1)->job), "31+1");
    assert_string_equal(text_of(record_of(32, 1)->partition), "gpu");
    assert_string_equal(text_of(record_of(41, 0)->job), "41");
    assert_string_equal(text_of(record_of(19, 0)->job), "17_3");
    assert_string_equal(text_of(record_of(21, 1)->job), "20+1");
}

/* ---- numbers ---- */

static void test_instances_are_counted_in_their_gpus_place(void **state)
{
    (void)state;
    gpu_scan_clear(&scan);
    add_gpu(0, 0, "GPU-a", "00000000:07:00.0");
    add_gpu(0, GPU_NONE, "MIG-1", "00000000:07:00.0");
    add_gpu(0, GPU_NONE, "MIG-2", "00000000:07:00.0");
    add_gpu(1, 1, "GPU-b", "00000000:0F:00.0");
    scan.devices[0].record.flags = GPU_FLAG_MIG;
    scan.devices[1].record.parent = scan.devices[2].record.parent = 0;
    scan.devices[1].record.gpu_instance = 7;
    scan.devices[2].record.gpu_instance = 8;
    put_job(100, 17, 1000, "1");
    put_job(200, 18, 1000, "2");
    add_use(0, 101); /* on the GPU of its instance */
    PUT("19\n", "mapping/none");
    mkdir(mapping, 0755);
    PUT("20\n", "mapping/0.7");
    put_job(300, 20, 1000, NULL);
    take();
    assert_int_equal(flags_of(17, 2), HOLDS | ENVIRONMENT);
    assert_int_equal(flags_of(17, 0), USES | PARENT);
    assert_int_equal(flags_of(18, 3), HOLDS | ENVIRONMENT | IDLE);
    assert_int_equal(flags_of(20, 1), HOLDS | IDLE | GPU_JOB_FROM_MAPPING_DIR);
}

static void test_order_is_learnt_from_use(void **state)
{
    (void)state;
    scan.devices[0].record.minor = 1;
    scan.devices[1].record.minor = 0;
    put_job(100, 17, 1000, "0");
    take();
    assert_int_equal(flags_of(17, 1), HOLDS | ENVIRONMENT | IDLE);
    add_use(0, 101);
    take();
    take();
    assert_int_equal(record_count(0), 1);
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT | PARENT);
}

/* ---- time and trouble ---- */

static void test_jobs_come_and_go(void **state)
{
    (void)state;
    char command[200];
    put_job(100, 17, 1000, "0");
    for (int i = 0; i < 10; i++)
        take();
    assert_int_equal(record_count(0), 1);
    snprintf(command, sizeof(command), "rm -r '%s/100' '%s/101'", proc, proc);
    assert_int_equal(system(command), 0);
    put_job(200, 18, 1000, "1");
    take();
    assert_int_equal(record_count(0), 1);
    assert_int_equal(flags_of(18, 1), HOLDS | ENVIRONMENT | IDLE);
}

static void test_vanished_process_is_no_error(void **state)
{
    (void)state;
    char path[200];
    put_job(100, 17, 1000, "0");
    put_process(110, 101, "python", 1000);
    snprintf(path, sizeof(path), "%s/110/stat", proc);
    assert_int_equal(unlink(path), 0);
    add_use(0, 110);
    add_use(0, 4711);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | ENVIRONMENT | IDLE);
    assert_int_equal(record_of(0, 0)->processes, 2);
}

static void test_hidden_processes_are_told(void **state)
{
    (void)state;
    add_use(0, 4711);
    take();
    assert_int_equal(flags_of(0, 0), USES);
    assert_string_equal(gpu_jobs_trouble(jobs), "");
    take();
    take();
    assert_non_null(strstr(gpu_jobs_trouble(jobs), "PID namespace"));
}

static void test_odd_names_of_programs_are_kept(void **state)
{
    (void)state;
    put_job(100, 17, 1000, "0");
    put_process(110, 101, "a) S \"\n1 (", 1000);
    add_use(0, 110);
    take();
    assert_int_equal(flags_of(17, 0), HOLDS | USES | ENVIRONMENT | PARENT);
    size_t count;
    const struct gpu_process_record *process =
        snapshot_array(&taken->snapshot, SNAPSHOT_GPU_USE, 1, &count);
    assert_string_equal(text_of(process->command), "a) S \"\n1 (");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machine_without_jobs_has_no_records),
        TEST(test_held_gpu_without_process_is_seen),
        TEST(test_descendants_use_the_gpu),
        TEST(test_cgroup_wins_over_parent_and_environment),
        TEST(test_sluid_leads_to_the_job),
        TEST(test_environment_counts_for_own_jobs_only),
        TEST(test_title_of_users_is_not_believed),
        TEST(test_another_jobs_process_is_foreign),
        TEST(test_number_of_a_dead_parent_leads_nowhere),
        TEST(test_shared_gpu_has_two_jobs),
        TEST(test_steps_hold_what_they_were_given),
        TEST(test_fork_of_slurmstepd_is_no_daemon),
        TEST(test_arrays_and_het_jobs_are_named_as_users_do),
        TEST(test_instances_are_counted_in_their_gpus_place),
        TEST(test_order_is_learnt_from_use),
        TEST(test_jobs_come_and_go),
        TEST(test_vanished_process_is_no_error),
        TEST(test_hidden_processes_are_told),
        TEST(test_odd_names_of_programs_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
