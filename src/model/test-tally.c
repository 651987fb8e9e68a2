/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting the tests' cluster (test-cluster.c): what must hold for any cluster,
 * as sums, and what the old exporters counted wrongly, case by case.
 */
#include "base/cleanup.h"
#include "base/test.h"
#include "model/snapshot-build.h"
#include "model/tally.h"
#include "model/test-cluster.h"
#include "model/test-sample.h"

#include <math.h>
#include <string.h>

enum {
    ALL_PARTS = SAMPLE_ALL_PARTS
};

struct counted {
    void *data;
    struct snapshot snapshot;
    struct tally *tally;
    struct metric_rows rows;
};

static void count(struct counted *c, const struct tally_settings *settings)
{
    c->tally = tally_free(c->tally);
    assert_int_equal(tally_new(&c->snapshot, settings, &c->tally), 0);
    c->rows = (struct metric_rows){{NULL}};
    tally_fill(c->tally, &c->rows);
}

static int open_cluster(void **state)
{
    struct error err;
    struct counted *c = test_calloc(1, sizeof(*c));
    if (cluster_open(CLUSTER_AFTER_MIDNIGHT, &c->data, &c->snapshot, &err) < 0)
        fail_msg("%s", err.text);
    count(c, &(struct tally_settings){
                 .now_s = cluster_time_s(CLUSTER_AFTER_MIDNIGHT),
                 .parts = ALL_PARTS});
    *state = c;
    return 0;
}

static int close_cluster(void **state)
{
    struct counted *c = *state;
    tally_free(c->tally);
    free(c->data);
    test_free(c);
    return 0;
}

/* The row of TABLE with these labels; an empty one ends them. */
static const void *find_row(const struct counted *c,
                            enum metric_table table,
                            const char *first,
                            const char *second)
{
    const struct rows *rows = c->rows.tables[table];
    assert_non_null(rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct row_head *row = rows_at(rows, i);
        if (first && strcmp(row->labels[0], first) != 0)
            continue;
        if (second && strcmp(row->labels[1], second) != 0)
            continue;
        return row;
    }
    return NULL;
}

static const struct cluster_row *cluster_of(const struct counted *c)
{
    return find_row(c, TABLE_CLUSTER, NULL, NULL);
}

static const struct partition_row *partition_of(const struct counted *c,
                                                const char *name)
{
    return find_row(c, TABLE_PARTITION, name, NULL);
}

static uint64_t sum(const uint64_t *values, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += values[i];
    return total;
}

/* ---- nodes ----------------------------------------------------------------
 */

static void each_node_is_in_one_bucket_and_one_base_state(void **state)
{
    const struct cluster_row *all = cluster_of(*state);
    assert_int_equal(all->nodes.nodes, 22);
    assert_int_equal(sum(all->node_buckets, NODE_BUCKET_COUNT), 22);
    assert_int_equal(sum(all->nodes.base, NODE_BASE_COUNT), 22);
}

static void words_of_sinfo_choose_the_bucket(void **state)
{
    static const uint64_t expected[NODE_BUCKET_COUNT] = {
        [NODE_BUCKET_ALLOC] = 2, /* cpu-2, cloud-2 */
        [NODE_BUCKET_COMP] = 1,
        [NODE_BUCKET_DOWN] = 1,  /* gpu-4; broken-1 is drained */
        [NODE_BUCKET_DRAIN] = 3, /* gpu-2 draining, gpu-3, broken-1 */
        [NODE_BUCKET_FAIL] = 1,
        [NODE_BUCKET_IDLE] = 4, /* cpu-1, cloud-1, cloud-3, the long name */
        [NODE_BUCKET_MAINT] = 1,
        [NODE_BUCKET_MIX] = 2,
        [NODE_BUCKET_RESV] = 1,
        [NODE_BUCKET_PLANNED] = 1,
        [NODE_BUCKET_BLOCKED] = 1,
        [NODE_BUCKET_INVAL] = 1,
        [NODE_BUCKET_REBOOT] = 1,
        [NODE_BUCKET_FUTURE] = 1,
        [NODE_BUCKET_UNKNOWN] = 1,
    };
    const struct cluster_row *all = cluster_of(*state);
    for (int i = 0; i < NODE_BUCKET_COUNT; i++)
        if (all->node_buckets[i] != expected[i])
            fail_msg("bucket %d has %d nodes", i, (int)all->node_buckets[i]);
}

static void free_cpus_of_drained_and_down_nodes_are_other(void **state)
{
    const struct counted *c = *state;
    const struct rows *nodes = c->rows.tables[TABLE_NODE];
    struct cpu_counts total = {0};
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node_row *node = rows_at(nodes, i);
        assert_int_equal(node->cpus.allocated + node->cpus.idle +
                             node->cpus.other,
                         node->cpus.total);
        assert_true(node->cpus.idle == 0 || node->cpus.other == 0);
        total.other += node->cpus.other;
        total.total += node->cpus.total;
    }
    const struct cluster_row *all = cluster_of(c);
    assert_int_equal(all->cpus.total, total.total);
    assert_int_equal(all->cpus.other, 96 + 96 + 64);
    assert_int_equal(total.other, all->cpus.other);
    assert_int_equal(all->cpus.allocated, 64 + 24 + 96 + 8 + 8);
}

static void cpus_kept_for_the_system_are_not_free_for_jobs(void **state)
{
    const struct node_row *node = find_row(*state, TABLE_NODE, "cpu-1", NULL);
    assert_int_equal(node->cpus.idle, 64);
    assert_int_equal(node->cpus_free, 62);
}

static void what_nobody_measured_is_absent(void **state)
{
    const struct node_row *down = find_row(*state, TABLE_NODE, "gpu-4", NULL);
    assert_true(isnan(down->cpu_load));
    assert_true(down->memory_free_bytes == ROW_ABSENT);
    assert_true(down->boot_time_s == ROW_ABSENT);
    const struct node_row *idle = find_row(*state, TABLE_NODE, "cpu-1", NULL);
    assert_true(fabs(idle->cpu_load - 0.07) < 1e-9);
    assert_int_equal(idle->memory_free_bytes, UINT64_C(256000) << 20);
}

static void each_flag_is_a_row_and_counts(void **state)
{
    const struct cluster_row *all = cluster_of(*state);
    const struct counted *c = *state;
    assert_int_equal(c->rows.tables[TABLE_NODE_FLAG]->count,
                     sum(all->nodes.flag, NODE_FLAG_COUNT));
    assert_non_null(find_row(c, TABLE_NODE_FLAG, "kept-2", "maintenance"));
    assert_non_null(find_row(c, TABLE_NODE_FLAG, "kept-2", "reserved"));
    assert_non_null(find_row(c, TABLE_NODE_FLAG, "mig-1", "planned"));
}

/* Slurm's own count of drain leaves out those that are draining. */
static void drained_and_draining_make_up_drain(void **state)
{
    const struct native_nodes *nodes = &cluster_of(*state)->nodes;
    assert_int_equal(nodes->draining, 1);
    assert_int_equal(nodes->drained, 2);
    assert_int_equal(nodes->flag[NODE_FLAG_BIT_DRAIN - NODE_FLAG_BIT_FIRST], 3);
}

/* Slurm serves the number of those that power down under both names. */
static void powering_up_and_down_are_told_apart(void **state)
{
    const struct native_nodes *nodes = &cluster_of(*state)->nodes;
    assert_int_equal(
        nodes->flag[NODE_FLAG_BIT_POWERING_UP - NODE_FLAG_BIT_FIRST], 1);
    assert_int_equal(
        nodes->flag[NODE_FLAG_BIT_POWERING_DOWN - NODE_FLAG_BIT_FIRST], 1);
}

static void reasons_come_with_who_and_when(void **state)
{
    const struct node_reason_row *row =
        find_row(*state, TABLE_NODE_REASON, "gpu-2", "fan 3 slow");
    assert_non_null(row);
    assert_string_equal(row->head.labels[2], "root");
    assert_string_equal(row->head.labels[3], "draining");
    assert_int_equal(row->since_s, CLUSTER_MIDNIGHT_S - 86400);
}

/* ---- GPUs -----------------------------------------------------------------
 */

static void states_of_gpus_make_up_what_is_configured(void **state)
{
    static const enum metric_table tables[] = {TABLE_GPU, TABLE_GPU_NODE,
                                               TABLE_GPU_PARTITION};
    const struct counted *c = *state;
    for (size_t t = 0; t < array_size(tables); t++) {
        const struct rows *rows = c->rows.tables[tables[t]];
        for (size_t i = 0; i < rows->count; i++) {
            const struct gpu_row *row = rows_at(rows, i);
            assert_int_equal(sum(row->states, GRES_STATE_COUNT), row->total);
        }
    }
    const struct cluster_row *all = cluster_of(c);
    assert_int_equal(all->gpus_total, 8 + 8 + 4 + 4 + 7 + 2 + 2 + 1);
    assert_int_equal(all->gpus_allocated + all->gpus_idle + all->gpus_other,
                     all->gpus_total);
    assert_true(fabs(all->gpus_utilization - 13.0 / 36) < 1e-9);
}

static void gpus_are_counted_by_type(void **state)
{
    const struct gpu_row *a100 = find_row(*state, TABLE_GPU, "a100", NULL);
    assert_int_equal(a100->states[GRES_ALLOCATED], 8);
    assert_int_equal(a100->states[GRES_IDLE], 5);
    assert_int_equal(a100->states[GRES_DRAINED], 3);
    const struct gpu_row *h100 = find_row(*state, TABLE_GPU, "h100", NULL);
    assert_int_equal(h100->states[GRES_DRAINED], 4);
    assert_int_equal(h100->states[GRES_DOWN], 4 + 1); /* not responding */
    const struct gpu_row *slice =
        find_row(*state, TABLE_GPU, "a100_1g.10gb", NULL);
    assert_int_equal(slice->states[GRES_ALLOCATED], 3);
    const struct gpu_row *untyped = find_row(*state, TABLE_GPU, "", NULL);
    assert_int_equal(untyped->states[GRES_IDLE], 2);
}

static void shards_are_not_gpus(void **state)
{
    const struct gres_row *shard =
        find_row(*state, TABLE_GRES, "shard", "a100");
    assert_int_equal(shard->states[GRES_ALLOCATED], 4);
    assert_int_equal(shard->states[GRES_IDLE], 28);
}

static void owners_have_gpus_and_ask_for_them_by_type(void **state)
{
    const struct gpu_owner_row *row =
        find_row(*state, TABLE_GPU_USER, "carol", "a100");
    assert_int_equal(row->allocated, 1);
    assert_int_equal(row->pending, 100); /* an array of 100 tasks */
    row = find_row(*state, TABLE_GPU_USER, "carol", "a100_3g.40gb");
    assert_int_equal(row->allocated, 2);
    row = find_row(*state, TABLE_GPU_ACCOUNT, "ml", "a100");
    assert_int_equal(row->allocated, 3);
    row = find_row(*state, TABLE_GPU_ACCOUNT, "physics", "");
    assert_int_equal(row->pending, 2);
    /* Ended jobs have none. */
    const struct owner_row *urgent =
        find_row(*state, TABLE_QOS, "urgent", NULL);
    assert_int_equal(urgent->jobs.gpus_allocated, 2);
}

/* ---- partitions -----------------------------------------------------------
 */

static void partitions_count_the_nodes_of_their_ranges(void **state)
{
    assert_int_equal(cluster_of(*state)->partitions, 4);
    assert_int_equal(partition_of(*state, "batch")->nodes.nodes, 13);
    /* Slots 2 to 8 without the hidden one. */
    assert_int_equal(partition_of(*state, "gpu")->nodes.nodes, 6);
    assert_int_equal(partition_of(*state, "all")->nodes.nodes, 19);
    assert_int_equal(partition_of(*state, "empty")->nodes.nodes, 0);
}

static void shared_nodes_count_in_each_partition(void **state)
{
    const struct gpu_row *gpu =
        find_row(*state, TABLE_GPU_PARTITION, "gpu", "a100");
    const struct gpu_row *all =
        find_row(*state, TABLE_GPU_PARTITION, "all", "a100");
    assert_int_equal(gpu->total, 16);
    assert_int_equal(all->total, 16);
    assert_null(find_row(*state, TABLE_GPU_PARTITION, "batch", "a100"));
}

/* vpenso's exporter counts such jobs nowhere, SckyzO's as a partition "a,b". */
static void a_job_waiting_for_two_partitions_counts_in_each(void **state)
{
    assert_int_equal(partition_of(*state, "gpu")->jobs_pending, 100 + 10 + 1);
    assert_int_equal(partition_of(*state, "batch")->jobs_pending,
                     10 + 1 + 1 + 1 + 1 + 1);
    assert_null(find_row(*state, TABLE_PARTITION, "batch,gpu", NULL));
    const struct owner_row *alice = find_row(*state, TABLE_USER, "alice", NULL);
    assert_int_equal(alice->pending, 10 + 1 + 1 + 1);
    const struct reason_row *reason =
        find_row(*state, TABLE_REASON, "gpu", "Resources");
    assert_int_equal(reason->tasks, 10 + 1);
}

static void held_jobs_do_not_make_a_partition_look_late(void **state)
{
    const struct partition_row *batch = partition_of(*state, "batch");
    assert_int_equal(batch->oldest_pending_s, CLUSTER_MIDNIGHT_S - 800);
    assert_int_equal(batch->jobs.hold, 2);
    assert_int_equal(batch->job_nodes_max, 500);
    assert_int_equal(partition_of(*state, "all")->oldest_pending_s, ROW_ABSENT);
}

/* Slurm tests the reason as if its number were a mask. */
static void only_the_node_limit_counts_as_the_node_limit(void **state)
{
    assert_int_equal(partition_of(*state, "batch")->wait_node_limit, 1);
    assert_int_equal(partition_of(*state, "gpu")->wait_node_limit, 0);
}

/* ---- jobs -----------------------------------------------------------------
 */

static void each_job_is_in_one_count_of_the_queue(void **state)
{
    const struct cluster_row *all = cluster_of(*state);
    assert_int_equal(sum(all->queue, JOB_SHOWN_COUNT), all->jobs.jobs);
    assert_int_equal(sum(all->jobs.base, JOB_BASE_COUNT), all->jobs.jobs);
    /* Tasks one by one; a job whose partition is gone still waits. */
    assert_int_equal(all->queue[JOB_SHOWN_PENDING], 100 + 10 + 2 + 6);
    assert_int_equal(all->jobs.base[JOB_BASE_PENDING], 100 + 10 + 2 + 7);
    assert_int_equal(all->queue[JOB_SHOWN_RUNNING], 4 + 4);
    assert_int_equal(all->jobs.base[JOB_BASE_RUNNING], 4 + 4 + 2);
    for (int shown = JOB_SHOWN_CANCELLED; shown <= JOB_SHOWN_OUT_OF_MEMORY;
         shown++)
        assert_int_equal(all->queue[shown], 1);
}

static void only_the_very_reason_is_a_dependency(void **state)
{
    assert_int_equal(cluster_of(*state)->queue_pending_dependency, 1);
}

/* As squeue shows them; Slurm's own counts go by the base state. */
static void completing_and_configuring_hide_running_from_owners(void **state)
{
    const struct owner_row *alice = find_row(*state, TABLE_USER, "alice", NULL);
    assert_int_equal(alice->running, 1);
    assert_int_equal(alice->cpus_running, 64);
    assert_int_equal(alice->jobs.base[JOB_BASE_RUNNING], 3);
    assert_int_equal(alice->jobs.cpus_allocated, 64 + 4 + 8);
    assert_int_equal(alice->jobs.started, 3 + 1 + 8 + 1);
    assert_int_equal(alice->jobs.finished, 1 + 8 + 1);
}

static void sums_over_tasks_are_of_all_tasks(void **state)
{
    const struct owner_row *ml = find_row(*state, TABLE_ACCOUNT, "ml", NULL);
    assert_int_equal(ml->pending, 100);
    assert_int_equal(ml->cpus_pending, 400);
    assert_int_equal(ml->jobs.memory_allocated_bytes, UINT64_C(3 * 64000)
                                                          << 20);
}

static void a_job_without_an_account_has_squeues_null(void **state)
{
    const struct owner_row *none =
        find_row(*state, TABLE_ACCOUNT, "(null)", NULL);
    assert_int_equal(none->suspended, 1);
}

static void rows_of_jobs_are_running_ones_up_to_the_cap(void **state)
{
    struct counted *c = *state;
    assert_int_equal(c->rows.tables[TABLE_JOB]->count, 0);
    count(c, &(struct tally_settings){.parts = ALL_PARTS, .job_series_max = 3});
    assert_int_equal(c->rows.tables[TABLE_JOB]->count, 3);
    const struct job_row *job = find_row(c, TABLE_JOB, "102", "carol");
    assert_int_equal(job->gpus, 5);
    assert_int_equal(job->start_s, CLUSTER_MIDNIGHT_S - 100);
    count(c,
          &(struct tally_settings){.parts = ALL_PARTS, .job_series_max = 1000});
    assert_int_equal(c->rows.tables[TABLE_JOB]->count,
                     cluster_of(c)->jobs.base[JOB_BASE_RUNNING]);
}

/* ---- the rest -------------------------------------------------------------
 */

/* vpenso's exporter says 0 for each account under FAIR_TREE, and 1 for root
 * since the user root overwrites it. */
static void fair_share_of_accounts_is_computed(void **state)
{
    const struct share_row *row =
        find_row(*state, TABLE_FAIRSHARE, "physics", NULL);
    assert_true(fabs(row->factor - 0.25) < 1e-9); /* 2^-(0.5 / 0.25) */
    row = find_row(*state, TABLE_FAIRSHARE, "root", NULL);
    assert_true(fabs(row->factor - 0.5) < 1e-9);
    const struct counted *c = *state;
    assert_int_equal(c->rows.tables[TABLE_FAIRSHARE]->count, 3);
}

static void shares_from_the_parent_are_not_ones_own(void **state)
{
    const struct share_row *row =
        find_row(*state, TABLE_SHARE, "physics", "alice");
    assert_true(row->shares_raw == ROW_ABSENT);
    assert_true(fabs(row->factor - 0.4) < 1e-9);
    row = find_row(*state, TABLE_SHARE, "root", "");
    assert_true(isnan(row->level_fs));
}

/* It was vpenso's factor, which is of another kind than that of users. */
static void accounts_have_no_factor_under_fair_tree(void **state)
{
    const struct share_row *row = find_row(*state, TABLE_SHARE, "physics", "");
    assert_true(isnan(row->factor));
}

static void limits_and_usage_are_absent_apart(void **state)
{
    const struct limit_row *row =
        find_row(*state, TABLE_LIMIT_ASSOCIATION, "ml", NULL);
    assert_true(isnan(row->limit));
    assert_true(fabs(row->used - 3) < 1e-9);
    row = find_row(*state, TABLE_LIMIT_QOS, "normal", NULL);
    assert_true(isnan(row->used));
    assert_true(fabs(row->limit - 512) < 1e-9);
}

static void a_reservation_is_active_between_its_times(void **state)
{
    const struct reservation_row *row =
        find_row(*state, TABLE_RESERVATION, "upgrade", NULL);
    assert_int_equal(row->active, 1);
    row = find_row(*state, TABLE_RESERVATION, "course", NULL);
    assert_int_equal(row->active, 0);
}

static void means_are_of_what_was_counted(void **state)
{
    const struct statistics_row *row =
        find_row(*state, TABLE_STATISTICS, NULL, NULL);
    assert_true(fabs(row->schedule_mean_us - 300) < 1e-9);
    assert_true(fabs(row->backfill_mean_us - 1500) < 1e-9);
    /* 80 cycles in four minutes. */
    assert_true(fabs(row->schedule_cycles_per_minute - 20) < 1e-9);
}

static void tables_of_withdrawn_parts_are_not_there(void **state)
{
    struct counted *c = *state;
    count(c, &(struct tally_settings){.parts =
                                          ALL_PARTS & ~(1U << SNAPSHOT_JOBS)});
    assert_null(c->rows.tables[TABLE_QUEUE]);
    assert_null(c->rows.tables[TABLE_USER]);
    assert_null(c->rows.tables[TABLE_PARTITION_JOBS]);
    assert_non_null(c->rows.tables[TABLE_PARTITION]);
    count(c, &(struct tally_settings){.parts = 0});
    for (int i = 0; i < TABLE_COUNT; i++)
        assert_null(c->rows.tables[i]);
}

static void parts_that_were_never_loaded_have_no_tables(void **state)
{
    struct counted *c = *state;
    struct error err;
    size_t size;
    free(c->data);
    assert_int_equal(sample_new(0, 0, &c->data, &size, &err), 0);
    assert_int_equal(snapshot_open(c->data, size, &c->snapshot, &err), 0);
    count(c, &(struct tally_settings){.parts = ALL_PARTS});
    for (int i = 0; i < TABLE_COUNT; i++)
        assert_null(c->rows.tables[i]);
}

/* Whatever a snapshot holds, counting it must not fail. */
static void any_snapshot_can_be_counted(void **state)
{
    struct counted *c = *state;
    struct error err;
    size_t size;
    free(c->data);
    assert_int_equal(sample_new(ALL_PARTS, 300, &c->data, &size, &err), 0);
    assert_int_equal(snapshot_open(c->data, size, &c->snapshot, &err), 0);
    count(c,
          &(struct tally_settings){.parts = ALL_PARTS, .job_series_max = 100});
    assert_int_equal(cluster_of(c)->nodes.nodes, 300);
    assert_int_equal(cluster_of(c)->jobs.jobs, 300);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_cluster, close_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_node_is_in_one_bucket_and_one_base_state),
        TEST(words_of_sinfo_choose_the_bucket),
        TEST(free_cpus_of_drained_and_down_nodes_are_other),
        TEST(cpus_kept_for_the_system_are_not_free_for_jobs),
        TEST(what_nobody_measured_is_absent),
        TEST(each_flag_is_a_row_and_counts),
        TEST(drained_and_draining_make_up_drain),
        TEST(powering_up_and_down_are_told_apart),
        TEST(reasons_come_with_who_and_when),
        TEST(states_of_gpus_make_up_what_is_configured),
        TEST(gpus_are_counted_by_type),
        TEST(shards_are_not_gpus),
        TEST(owners_have_gpus_and_ask_for_them_by_type),
        TEST(partitions_count_the_nodes_of_their_ranges),
        TEST(shared_nodes_count_in_each_partition),
        TEST(a_job_waiting_for_two_partitions_counts_in_each),
        TEST(held_jobs_do_not_make_a_partition_look_late),
        TEST(only_the_node_limit_counts_as_the_node_limit),
        TEST(each_job_is_in_one_count_of_the_queue),
        TEST(only_the_very_reason_is_a_dependency),
        TEST(completing_and_configuring_hide_running_from_owners),
        TEST(sums_over_tasks_are_of_all_tasks),
        TEST(a_job_without_an_account_has_squeues_null),
        TEST(rows_of_jobs_are_running_ones_up_to_the_cap),
        TEST(fair_share_of_accounts_is_computed),
        TEST(shares_from_the_parent_are_not_ones_own),
        TEST(accounts_have_no_factor_under_fair_tree),
        TEST(limits_and_usage_are_absent_apart),
        TEST(a_reservation_is_active_between_its_times),
        TEST(means_are_of_what_was_counted),
        TEST(tables_of_withdrawn_parts_are_not_there),
        TEST(parts_that_were_never_loaded_have_no_tables),
        TEST(any_snapshot_can_be_counted),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
