/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each accessor of slurm-compat.h on an empty record, and those that call the
 * library on a made one. Its first use is to be compiled and linked against
 * every libslurm of the matrix: a field that moved or a function that is gone
 * shows here, by name.
 */
#include "source/slurm-compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Exported, and needed by the test alone. */
extern bitstr_t *slurm_bit_alloc(bitoff_t bits);
extern void slurm_bit_set(bitstr_t *bits, bitoff_t bit);

static void version_is_named_as_slurm_names_it(void **state)
{
    char text[COMPAT_VERSION_TEXT_SIZE];
    uint32_t version = compat_slurm_version();
    unsigned int major, minor, micro;

    (void)state;
    assert_ptr_equal(compat_slurm_version_text(text), text);
    assert_int_equal(sscanf(text, "%u.%2u.%u", &major, &minor, &micro), 3);
    assert_int_equal(major << 16 | minor << 8 | micro, version);
    assert_null(compat_cluster_name());
}

static void empty_node_has_nothing_allocated(void **state)
{
    node_info_t node = {.cpus = 0};
    time_t last_busy = 1;

    (void)state;
    assert_int_equal(compat_node_cpus_allocated(&node), 0);
    assert_int_equal(compat_node_memory_allocated_mib(&node), 0);
    assert_int_equal(compat_node_cpus_effective(&node), 0);
    assert_null(compat_node_reservation(&node));
    if (compat_node_last_busy(&node, &last_busy))
        assert_int_equal(last_busy, 0);
    else
        assert_int_equal(last_busy, 1);
}

static void node_bits_mean_what_the_model_means(void **state)
{
    uint32_t idle = NODE_STATE_IDLE | NODE_STATE_DRAIN | NODE_STATE_NO_RESPOND;

    (void)state;
    assert_int_equal(compat_node_state(idle), NODE_BASE_IDLE |
                                                  NODE_FLAG(DRAIN) |
                                                  NODE_FLAG(NOT_RESPONDING));
#ifdef NODE_STATE_NET
    assert_int_equal(compat_node_state(NODE_STATE_MIXED | NODE_STATE_NET),
                     NODE_BASE_MIXED);
#endif
#ifdef NODE_STATE_EXTERNAL
    assert_int_equal(compat_node_state(NODE_STATE_EXTERNAL),
                     NODE_FLAG(EXTERNAL));
#endif
#ifdef NODE_STATE_POWER_SAVE
    assert_int_equal(compat_node_state(NODE_STATE_POWER_SAVE),
                     NODE_FLAG(POWERED_DOWN));
#endif
#ifdef NODE_STATE_PLANNED
    assert_int_equal(compat_node_state(NODE_STATE_PLANNED), NODE_FLAG(PLANNED));
    assert_int_equal(compat_node_state(NODE_STATE_DYNAMIC_NORM),
                     NODE_FLAG(DYNAMIC_NORMAL));
#endif
#ifdef NODE_STATE_BLOCKED
    assert_int_equal(compat_node_state(NODE_STATE_BLOCKED), NODE_FLAG(BLOCKED));
#endif
}

static void job_bits_mean_what_the_model_means(void **state)
{
    uint32_t running = JOB_RUNNING | JOB_COMPLETING;

    (void)state;
    assert_int_equal(compat_job_state(running),
                     JOB_BASE_RUNNING | JOB_FLAG(COMPLETING));
#ifdef JOB_REQUEUE_CRON
    assert_int_equal(compat_job_state(JOB_REQUEUE_CRON), JOB_BASE_PENDING);
#endif
#ifdef JOB_EXPEDITING
    assert_int_equal(compat_job_state(JOB_EXPEDITING), JOB_FLAG(EXPEDITING));
#endif
}

static void empty_job_is_one_task_without_reason(void **state)
{
    slurm_job_info_t job = {.job_id = 0};

    (void)state;
    assert_int_equal(compat_job_tasks(&job), 1);
    assert_string_equal(compat_job_reason(&job), "None");
    assert_null(compat_job_licenses(&job));
    job.state_reason = WAIT_PRIORITY;
    assert_string_equal(compat_job_reason(&job), "Priority");
}

static void job_array_counts_its_waiting_tasks(void **state)
{
    static bitstr_t *bits; /* not freed: the library's way differs */
    slurm_job_info_t job = {.job_id = 0};

    (void)state;
    bits = slurm_bit_alloc(1000);
    job.array_bitmap = bits;
    assert_int_equal(compat_job_tasks(&job), 1);
    for (int task = 0; task < 1000; task += 2)
        slurm_bit_set(bits, task);
    assert_int_equal(compat_job_tasks(&job), 500);
}

static void empty_statistics_have_no_exits(void **state)
{
    stats_info_response_msg_t stats = {.req_time = 0};
    const uint32_t *counts = NULL;
    uint32_t count = 0;
    bool main_known, backfill_known;

    (void)state;
    main_known = compat_stats_schedule_exits(&stats, &counts, &count);
    assert_int_equal(count, 0);
    backfill_known = compat_stats_backfill_exits(&stats, &counts, &count);
    assert_int_equal(count, 0);
    assert_int_equal(main_known, backfill_known);
}

static void nothing_is_freed_without_harm(void **state)
{
    (void)state;
    compat_stats_free(NULL);
    compat_partitions_free(NULL);
}

static void license_without_nodes_is_the_clusters(void **state)
{
    slurm_license_info_t row = {.total = 1};

    (void)state;
    assert_null(compat_license_nodes(&row));
}

static void count_item(void *item, void *context)
{
    *(int *)context += *(int *)item;
}

static void lists_are_walked_and_null_is_empty(void **state)
{
    int items[] = {1, 2, 4}, sum = 0;
    compat_list list = slurm_list_create(NULL);

    (void)state;
    compat_list_each(NULL, count_item, &sum);
    compat_list_each(list, count_item, &sum);
    assert_int_equal(sum, 0);
    for (size_t i = 0; i < 3; i++)
        slurm_list_append(list, &items[i]);
    compat_list_each(list, count_item, &sum);
    assert_int_equal(sum, 7);
    slurm_list_destroy(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_named_as_slurm_names_it),
        cmocka_unit_test(empty_node_has_nothing_allocated),
        cmocka_unit_test(node_bits_mean_what_the_model_means),
        cmocka_unit_test(job_bits_mean_what_the_model_means),
        cmocka_unit_test(empty_job_is_one_task_without_reason),
        cmocka_unit_test(job_array_counts_its_waiting_tasks),
        cmocka_unit_test(empty_statistics_have_no_exits),
        cmocka_unit_test(nothing_is_freed_without_harm),
        cmocka_unit_test(license_without_nodes_is_the_clusters),
        cmocka_unit_test(lists_are_walked_and_null_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
