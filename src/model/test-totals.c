/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters across snapshots: they never fall, whatever slurmctld does to its
 * own, and no job's wait or run is counted twice.
 */
#include "base/cleanup.h"
#include "base/test.h"
#include "model/snapshot-build.h"
#include "model/test-cluster.h"
#include "model/test-sample.h"
#include "model/totals.h"

#include <math.h>
#include <string.h>

enum {
    ALL_PARTS = SAMPLE_ALL_PARTS
};

static int open_totals(void **state)
{
    struct totals *totals;
    if (totals_new(&totals) < 0)
        return -1;
    *state = totals;
    return 0;
}

static int close_totals(void **state)
{
    totals_free(*state);
    return 0;
}

static void look_at(struct totals *totals, enum cluster_moment moment)
{
    _cleanup_(free_ptr) void *data = NULL;
    struct snapshot snapshot;
    struct error err;
    if (cluster_open(moment, &data, &snapshot, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(totals_update(totals, &snapshot), 0);
}

/* One look at slurmctld's statistics and nothing else. */
static void look_at_statistics(struct totals *totals,
                               const struct statistics_record *statistics,
                               uint64_t rpc_count,
                               uint64_t rpc_time_us)
{
    struct snapshot_builder *b;
    struct error err;
    struct snapshot snapshot;
    _cleanup_(free_ptr) void *data = NULL;
    _cleanup_(close_fd) int fd = -1;
    void *record;
    size_t size;
    assert_int_equal(snapshot_builder_new(&b, &err), 0);
    assert_int_equal(
        snapshot_builder_begin(b, SNAPSHOT_STATISTICS, 1, &record, &err), 0);
    *(struct statistics_record *)record = *statistics;
    struct rpc_record *rpc = snapshot_builder_add(b, 1, NULL);
    assert_non_null(rpc);
    *rpc = (struct rpc_record){.name = snapshot_builder_string(b, 0, "PING"),
                               .id = 1008,
                               .count = rpc_count,
                               .time_us = rpc_time_us};
    assert_int_equal(snapshot_builder_end(b, 1, &err), 0);
    assert_int_equal(snapshot_builder_finish(b, &fd, &err), 0);
    snapshot_builder_free(b);
    assert_int_equal(sample_read(fd, &data, &size, &err), 0);
    assert_int_equal(snapshot_open(data, size, &snapshot, &err), 0);
    assert_int_equal(totals_update(totals, &snapshot), 0);
}

static const struct counters_row *counters_of(const struct totals *totals)
{
    struct metric_rows rows = {{NULL}};
    totals_fill(totals, ALL_PARTS, &rows);
    assert_int_equal(rows.tables[TABLE_COUNTERS]->count, 1);
    return rows_at(rows.tables[TABLE_COUNTERS], 0);
}

static const void *
find_row(const struct totals *totals, enum metric_table table, const char *name)
{
    struct metric_rows rows = {{NULL}};
    totals_fill(totals, ALL_PARTS, &rows);
    for (size_t i = 0; i < rows.tables[table]->count; i++) {
        const struct row_head *row = rows_at(rows.tables[table], i);
        if (strcmp(row->labels[0], name) == 0)
            return row;
    }
    return NULL;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-6))
        fail_msg("%g is not %g", value, expected);
}

/* ---- statistics -----------------------------------------------------------
 */

static void nothing_is_told_before_the_first_look(void **state)
{
    struct metric_rows rows = {{NULL}};
    totals_fill(*state, ALL_PARTS, &rows);
    assert_int_equal(rows.tables[TABLE_COUNTERS]->count, 0);
    assert_int_equal(rows.tables[TABLE_RPC]->count, 0);
    assert_int_equal(rows.tables[TABLE_HISTORY]->count, 0);
}

static void counters_go_on_across_midnight(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    assert_int_equal(counters_of(*state)->jobs_submitted, 1100);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    const struct counters_row *row = counters_of(*state);
    assert_int_equal(row->jobs_submitted, 1122);
    assert_int_equal(row->schedule_cycles, 4080);
    assert_near(row->schedule_seconds, 1.224);
    assert_int_equal(row->schedule_exits[0], 4080);
    assert_int_equal(row->backfill_exits[3], 102);
}

/* It alone is not set to zero at midnight. */
static void backfilled_jobs_count_from_the_controllers_start(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    assert_int_equal(counters_of(*state)->backfilled_jobs, 5003);
}

static void the_same_numbers_again_add_nothing(void **state)
{
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    assert_int_equal(counters_of(*state)->jobs_submitted, 22);
    const struct rpc_row *rpc = find_row(*state, TABLE_RPC, "REQUEST_JOB_INFO");
    assert_int_equal(rpc->requests, 30);
}

/* A busy controller may pass yesterday's number within one interval. */
static void a_reset_that_is_overtaken_is_noticed_by_its_time(void **state)
{
    look_at_statistics(
        *state,
        &(struct statistics_record){.reset_time_s = 1000, .jobs_submitted = 10},
        1, 1);
    look_at_statistics(
        *state,
        &(struct statistics_record){.reset_time_s = 2000, .jobs_submitted = 12},
        1, 1);
    assert_int_equal(counters_of(*state)->jobs_submitted, 22);
}

static void counters_never_fall(void **state)
{
    static const uint32_t values[] = {5, 9, 9, 2, 3, 0, 4};
    uint64_t before = 0;
    for (size_t i = 0; i < array_size(values); i++) {
        look_at_statistics(
            *state,
            &(struct statistics_record){.reset_time_s = 1000,
                                        .jobs_submitted = values[i],
                                        .backfilled_jobs = values[i]},
            values[i], values[i]);
        const struct counters_row *row = counters_of(*state);
        const struct rpc_row *rpc = find_row(*state, TABLE_RPC, "PING");
        assert_true(row->jobs_submitted >= before);
        before = row->jobs_submitted;
        assert_int_equal(row->backfilled_jobs, before);
        assert_int_equal(rpc->requests, before);
    }
    assert_int_equal(before, 9 + 3 + 4);
}

static void causes_of_ends_are_absent_where_slurm_does_not_tell(void **state)
{
    look_at_statistics(*state, &(struct statistics_record){.has = 0}, 1, 1);
    assert_true(counters_of(*state)->schedule_exits[0] == ROW_ABSENT);
    assert_true(counters_of(*state)->backfill_exits[5] == ROW_ABSENT);
}

/* ---- requests -------------------------------------------------------------
 */

static void requests_go_on_when_slurmctld_began_again(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    const struct rpc_row *rpc =
        find_row(*state, TABLE_RPC, "REQUEST_NODE_INFO");
    assert_int_equal(rpc->requests, 931);
    assert_near(rpc->seconds, 1.86);
    rpc = find_row(*state, TABLE_RPC, "RPC_9999");
    assert_int_equal(rpc->requests, 1);
}

static void users_who_fell_silent_keep_their_counts(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    const struct rpc_row *alice = find_row(*state, TABLE_RPC_USER, "alice");
    assert_int_equal(alice->requests, 100);
    const struct rpc_row *root = find_row(*state, TABLE_RPC_USER, "root");
    assert_int_equal(root->requests, 1740);
}

/* Fewer requests that took longer: the time starts from zero as well. */
static void the_time_of_requests_falls_with_their_number(void **state)
{
    const struct statistics_record none = {0};
    look_at_statistics(*state, &none, 10, 1000000);
    look_at_statistics(*state, &none, 2, 5000000);
    const struct rpc_row *rpc = find_row(*state, TABLE_RPC, "PING");
    assert_int_equal(rpc->requests, 12);
    assert_near(rpc->seconds, 6);
}

/* ---- waiting and running --------------------------------------------------
 */

static void what_was_before_the_first_look_is_not_counted(void **state)
{
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    assert_null(find_row(*state, TABLE_HISTORY, "batch"));
    assert_null(find_row(*state, TABLE_HISTORY, "gpu"));
}

static void starts_and_ends_in_between_are_counted(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    const struct history_row *gpu = find_row(*state, TABLE_HISTORY, "gpu");
    assert_int_equal(gpu->wait.count, 2);
    assert_near(gpu->wait.sum, 50 + 180);
    assert_int_equal(gpu->wait.buckets[2], 1); /* 10 to 60 s */
    assert_int_equal(gpu->wait.buckets[3], 1); /* 60 to 300 s */
    assert_int_equal(gpu->run.count, 1);
    assert_near(gpu->run.sum, 100);
}

static void a_job_cancelled_while_it_waited_did_neither(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    assert_null(find_row(*state, TABLE_HISTORY, "batch"));
}

static void no_start_is_counted_twice(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT); /* the clock was set back */
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    const struct history_row *gpu = find_row(*state, TABLE_HISTORY, "gpu");
    assert_int_equal(gpu->wait.count, 2);
    assert_int_equal(gpu->run.count, 1);
}

/* ---- withdrawing ----------------------------------------------------------
 */

static void stale_statistics_are_withdrawn_and_histograms_stay(void **state)
{
    look_at(*state, CLUSTER_BEFORE_MIDNIGHT);
    look_at(*state, CLUSTER_AFTER_MIDNIGHT);
    struct metric_rows rows = {{NULL}};
    totals_fill(*state, 0, &rows);
    assert_null(rows.tables[TABLE_COUNTERS]);
    assert_null(rows.tables[TABLE_RPC]);
    assert_null(rows.tables[TABLE_RPC_USER]);
    assert_int_equal(rows.tables[TABLE_HISTORY]->count, 1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_totals, close_totals)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_told_before_the_first_look),
        TEST(counters_go_on_across_midnight),
        TEST(backfilled_jobs_count_from_the_controllers_start),
        TEST(the_same_numbers_again_add_nothing),
        TEST(a_reset_that_is_overtaken_is_noticed_by_its_time),
        TEST(counters_never_fall),
        TEST(causes_of_ends_are_absent_where_slurm_does_not_tell),
        TEST(requests_go_on_when_slurmctld_began_again),
        TEST(users_who_fell_silent_keep_their_counts),
        TEST(the_time_of_requests_falls_with_their_number),
        TEST(what_was_before_the_first_look_is_not_counted),
        TEST(starts_and_ends_in_between_are_counted),
        TEST(a_job_cancelled_while_it_waited_did_neither),
        TEST(no_start_is_counted_twice),
        TEST(stale_statistics_are_withdrawn_and_histograms_stay),
    };
    return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
