/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of libslurm's jobs. */
#include "source/collector-protocol.h"
#include "source/test-convert.h"

#include "base/cleanup.h"

/* Exported, and needed by the test alone. */
extern bitstr_t *slurm_bit_alloc(bitoff_t bits);
extern void slurm_bit_set(bitstr_t *bits, bitoff_t bit);

static slurm_job_info_t plain_job(uint32_t id)
{
    return (slurm_job_info_t){.job_id = id,
                              .array_task_id = NO_VAL,
                              .name = chars("job"),
                              .user_name = chars("ada"),
                              .partition = chars("main"),
                              .num_nodes = 1,
                              .num_cpus = 2,
                              .time_limit = 60};
}

static void convert_jobs(slurm_job_info_t *jobs, uint32_t count)
{
    job_info_msg_t message = {
        .last_update = 88, .record_count = count, .job_array = jobs};
    assert_int_equal(
        slurm_jobs_convert(&convert_request, &message, &convert_error), 0);
    convert_open();
}

static void test_waiting_tasks_of_an_array_are_counted(void **state)
{
    static bitstr_t *bits; /* not freed: the library's way differs */
    (void)state;
    slurm_job_info_t jobs[3] = {plain_job(10), plain_job(11), plain_job(12)};
    jobs[0].array_job_id = 10;
    bits = slurm_bit_alloc(1000);
    for (int i = 0; i < 1000; i += 2)
        slurm_bit_set(bits, i);
    jobs[0].array_bitmap = bits;
    /* What the text says was cut short. */
    jobs[0].array_task_str = chars("0,2,4,6,8,...");
    jobs[1].array_job_id = 10;
    jobs[1].array_task_id = 0;
    convert_jobs(jobs, 3);
    const struct job_record *r = convert_records(SNAPSHOT_JOBS, 0, 3);
    assert_int_equal(r[0].task_count, 500);
    assert_int_equal(r[0].array_job_id, 10);
    assert_false(r[0].has & JOB_HAS_ARRAY_TASK);
    assert_int_equal(r[1].task_count, 1);
    assert_true(r[1].has & JOB_HAS_ARRAY_TASK);
    assert_int_equal(r[1].array_task_id, 0);
    assert_int_equal(r[2].task_count, 1);
    assert_int_equal(r[2].array_job_id, 0);
}

static void test_revoked_siblings_are_left_out(void **state)
{
    (void)state;
    slurm_job_info_t jobs[3] = {plain_job(1), plain_job(2), plain_job(3)};
    jobs[1].job_state = JOB_PENDING | JOB_REVOKED;
    convert_jobs(jobs, 3);
    const struct job_record *r = convert_records(SNAPSHOT_JOBS, 0, 2);
    assert_int_equal(r[0].job_id, 1);
    assert_int_equal(r[1].job_id, 3);
}

static void test_parts_of_a_het_job_are_told(void **state)
{
    (void)state;
    slurm_job_info_t jobs[2] = {plain_job(5), plain_job(6)};
    jobs[1].het_job_id = 5;
    jobs[1].het_job_offset = 1;
    convert_jobs(jobs, 2);
    const struct job_record *r = convert_records(SNAPSHOT_JOBS, 0, 2);
    assert_false(r[0].has & JOB_HAS_HET);
    assert_true(r[1].has & JOB_HAS_HET);
    assert_int_equal(r[1].het_job_id, 5);
    assert_int_equal(r[1].het_offset, 1);
}

static void test_a_user_without_a_name_is_asked_for(void **state)
{
    (void)state;
    slurm_job_info_t jobs[3] = {plain_job(1), plain_job(2), plain_job(3)};
    jobs[1].user_name = NULL;
    jobs[2].user_name = NULL;
    jobs[2].user_id = 4123456789; /* nobody's */
    convert_jobs(jobs, 3);
    const struct job_record *r = convert_records(SNAPSHOT_JOBS, 0, 3);
    assert_string_equal(convert_text(SNAPSHOT_JOBS, r[0].user), "ada");
    assert_string_equal(convert_text(SNAPSHOT_JOBS, r[1].user), "root");
    assert_string_equal(convert_text(SNAPSHOT_JOBS, r[2].user), "4123456789");
}

static void test_unlimited_and_unknown_are_not_numbers(void **state)
{
    (void)state;
    slurm_job_info_t jobs[2] = {plain_job(1), plain_job(2)};
    jobs[0].time_limit = INFINITE;
    jobs[0].max_nodes = NO_VAL;
    jobs[0].num_cpus = NO_VAL;
    jobs[0].priority = NO_VAL;
    jobs[1].time_limit = NO_VAL;
    jobs[1].start_time = (time_t)NO_VAL;
    convert_jobs(jobs, 2);
    const struct job_record *r = convert_records(SNAPSHOT_JOBS, 0, 2);
    assert_int_equal(r[0].time_limit_minutes, UINT32_MAX);
    assert_int_equal(r[0].nodes_max, 0);
    assert_int_equal(r[0].cpus, 0);
    assert_false(r[0].has & JOB_HAS_PRIORITY);
    assert_int_equal(r[1].time_limit_minutes, UINT32_MAX);
    assert_int_equal(r[1].start_time_s, 0);
}

static const struct {
    const char *name;
    uint32_t state;
    const char *requested;
    const char *allocated;
    const char *gres_total;
    const char *per_node;
    uint32_t nodes;
    uint64_t memory_mib;
    size_t count; /* kinds; the first is compared */
    const char *type;
    uint64_t total;
    uint64_t used;
} job_resources[] = {
    {"nothing but memory", JOB_PENDING, "cpu=1,mem=500M,node=1", NULL, NULL,
     NULL, 1, 500, 0, "", 0, 0},
    {"memory in GiB of both nodes", JOB_PENDING, "cpu=4,mem=16G,node=2", NULL,
     NULL, NULL, 2, 16384, 0, "", 0, 0},
    {"asked for and accounted", JOB_PENDING, "mem=1G,gres/gpu=2", NULL, NULL,
     "gres:gpu:2", 1, 1024, 1, "", 2, 0},
    {"typed by the request, counted by accounting", JOB_PENDING,
     "mem=1G,gres/gpu=6", NULL, NULL, "gres:gpu:h100:2", 3, 1024, 1, "h100", 6,
     0},
    {"two types asked for, one sum accounted", JOB_PENDING, "mem=1G,gres/gpu=3",
     NULL, NULL, "gres:gpu:h100:2,gres:gpu:a100:1", 1, 1024, 1, "", 3, 0},
    {"asked for on three nodes, not accounted", JOB_PENDING, "mem=1G", NULL,
     NULL, "gres:gpu:h100:2", 3, 1024, 1, "h100", 6, 0},
    {"the newer spelling", JOB_PENDING, "mem=1G", NULL, NULL, "gres/gpu:h100:2",
     1, 1024, 1, "h100", 2, 0},
    {"given, typed as asked for", JOB_RUNNING, "mem=1G,gres/gpu=2",
     "mem=2G,gres/gpu=2", "gpu:h100:2", NULL, 1, 2048, 1, "h100", 2, 2},
    {"given, typed by accounting only", JOB_RUNNING, "",
     "mem=2G,gres/gpu:h100=2,gres/gpu=2", "gpu:2", NULL, 1, 2048, 1, "h100", 2,
     2},
    {"given, accounting alone tells", JOB_RUNNING, "", "gres/gpu=3", NULL, NULL,
     1, 0, 1, "", 3, 3},
    {"two types and their sum", JOB_RUNNING, "",
     "gres/gpu=3,gres/gpu:a100=1,gres/gpu:h100=2", NULL, NULL, 1, 0, 2, "a100",
     1, 1},
    {"ended: told, not held", JOB_COMPLETE, "", "mem=1G,gres/gpu=3", "gpu:3",
     NULL, 1, 1024, 1, "", 3, 0},
    {"completing still holds", JOB_COMPLETE | JOB_COMPLETING, "",
     "mem=1G,gres/gpu=3", "gpu:3", NULL, 1, 1024, 1, "", 3, 3},
};

static void test_memory_and_gres_of_jobs(void **state)
{
    (void)state;
    slurm_job_info_t jobs[array_size(job_resources)];
    for (size_t i = 0; i < array_size(job_resources); i++) {
        jobs[i] = plain_job((uint32_t)i + 1);
        jobs[i].job_state = job_resources[i].state;
        jobs[i].tres_req_str = chars(job_resources[i].requested);
        jobs[i].tres_alloc_str = chars(job_resources[i].allocated);
        jobs[i].gres_total = chars(job_resources[i].gres_total);
        jobs[i].tres_per_node = chars(job_resources[i].per_node);
        jobs[i].num_nodes = job_resources[i].nodes;
    }
    convert_jobs(jobs, array_size(job_resources));
    const struct job_record *r =
        convert_records(SNAPSHOT_JOBS, 0, array_size(job_resources));
    size_t all;
    const struct gres_record *gres =
        snapshot_array(&convert_mapped->snapshot, SNAPSHOT_JOBS, 1, &all);
    for (size_t i = 0; i < array_size(job_resources); i++) {
        print_message("    %s\n", job_resources[i].name);
        assert_int_equal(r[i].memory_mib, job_resources[i].memory_mib);
        assert_int_equal(r[i].gres_count, job_resources[i].count);
        if (job_resources[i].count == 0)
            continue;
        const struct gres_record *first = &gres[r[i].gres_first];
        assert_string_equal(convert_text(SNAPSHOT_JOBS, first->name), "gpu");
        assert_string_equal(convert_text(SNAPSHOT_JOBS, first->type),
                            job_resources[i].type);
        assert_int_equal(first->total, job_resources[i].total);
        assert_int_equal(first->used, job_resources[i].used);
    }
}

static void test_gpus_that_jobs_were_given(void **state)
{
    (void)state;
    char *details[] = {chars("gpu:h100:2(IDX:0-1)"),
                       chars("craynetwork:1,gpu:a100:1(IDX:3),shard:4(2/8)")};
    slurm_job_info_t jobs[3] = {plain_job(1), plain_job(2), plain_job(3)};
    jobs[0].job_state = JOB_PENDING | JOB_REVOKED; /* is left out */
    for (int i = 1; i < 3; i++) {
        jobs[i].job_state = i == 1 ? JOB_RUNNING : JOB_COMPLETE;
        jobs[i].nodes = chars("n[07-08]");
        jobs[i].gres_detail_cnt = 2;
        jobs[i].gres_detail_str = details;
    }
    convert_request.wanted = COLLECTOR_WANTS_JOB_GPUS;
    convert_jobs(jobs, 3);
    const struct job_gpu_record *r = convert_records(SNAPSHOT_JOBS, 2, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].job, 0);
        assert_int_equal(r[i].place, i == 2 ? 3 : i);
        assert_string_equal(convert_text(SNAPSHOT_JOBS, r[i].node),
                            i == 2 ? "n08" : "n07");
    }
}

static void test_gpus_are_left_out_unless_wanted(void **state)
{
    (void)state;
    char *details[] = {chars("gpu:h100:2(IDX:0-1)")};
    slurm_job_info_t jobs[1] = {plain_job(1)};
    jobs[0].job_state = JOB_RUNNING;
    jobs[0].nodes = chars("n1");
    jobs[0].gres_detail_cnt = 1;
    jobs[0].gres_detail_str = details;
    convert_request.wanted = 0;
    convert_jobs(jobs, 1);
    convert_records(SNAPSHOT_JOBS, 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONVERT_TEST(test_waiting_tasks_of_an_array_are_counted),
        CONVERT_TEST(test_revoked_siblings_are_left_out),
        CONVERT_TEST(test_parts_of_a_het_job_are_told),
        CONVERT_TEST(test_a_user_without_a_name_is_asked_for),
        CONVERT_TEST(test_unlimited_and_unknown_are_not_numbers),
        CONVERT_TEST(test_memory_and_gres_of_jobs),
        CONVERT_TEST(test_gpus_that_jobs_were_given),
        CONVERT_TEST(test_gpus_are_left_out_unless_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
