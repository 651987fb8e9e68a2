/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the smaller answers of the controller. */
#include "source/test-convert.h"

#include "base/cleanup.h"

#include <math.h>
#include <string.h>

/* ---- partitions -----------------------------------------------------------
 */

static void test_partitions(void **state)
{
    (void)state;
    static const struct {
        uint16_t state_up;
        enum partition_state state;
    } states[] = {{3, PARTITION_UP},
                  {1, PARTITION_DOWN},
                  {2, PARTITION_DRAIN},
                  {0, PARTITION_INACTIVE}};
    int32_t none[] = {-1}, two[] = {0, 4, 7, 7, -1};
    partition_info_t partitions[4] = {{.name = NULL}};
    for (size_t i = 0; i < 4; i++)
        partitions[i] = (partition_info_t){.name = chars("p"),
                                           .state_up = states[i].state_up,
                                           .max_time = INFINITE,
                                           .node_inx = i == 3 ? two : none};
    partitions[0].flags = PART_FLAG_DEFAULT;
    partitions[1].flags = PART_FLAG_HIDDEN;
    partitions[2].node_inx = NULL;
    partition_info_msg_t message = {.record_count = 4,
                                    .partition_array = partitions};
    assert_int_equal(
        slurm_partitions_convert(&convert_request, &message, &convert_error),
        0);
    convert_open();
    const struct partition_record *r =
        convert_records(SNAPSHOT_PARTITIONS, 0, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(r[i].state, states[i].state);
    assert_int_equal(r[0].flags, PARTITION_FLAG_DEFAULT);
    assert_int_equal(r[1].flags, PARTITION_FLAG_HIDDEN);
    assert_int_equal(r[0].max_time_minutes, UINT32_MAX);
    assert_int_equal(r[0].range_count, 0);
    assert_int_equal(r[3].range_count, 2);
    const struct node_range_record *ranges =
        convert_records(SNAPSHOT_PARTITIONS, 1, 2);
    assert_int_equal(ranges[0].first_slot, 0);
    assert_int_equal(ranges[0].last_slot, 4);
    assert_int_equal(ranges[1].first_slot, 7);
    assert_int_equal(ranges[1].last_slot, 7);
}

/* ---- statistics -----------------------------------------------------------
 */

static void test_statistics(void **state)
{
    (void)state;
    uint16_t types[] = {2003, 1, 60001};
    uint32_t type_counts[] = {5, 6, 7}, users[] = {0}, user_counts[] = {18};
    uint64_t type_times[] = {50, 60, 70}, user_times[] = {UINT64_C(1) << 40};
    stats_info_response_msg_t message = {
        .req_time = 1000,
        .req_time_start = 900,
        .schedule_cycle_sum = 4000000000U,
        .bf_cycle_sum = UINT64_C(1) << 40,
        .jobs_started = 3,
        .rpc_type_size = 3,
        .rpc_type_id = types,
        .rpc_type_cnt = type_counts,
        .rpc_type_time = type_times,
        .rpc_user_size = 1,
        .rpc_user_id = users,
        .rpc_user_cnt = user_counts,
        .rpc_user_time = user_times,
    };
    assert_int_equal(
        slurm_statistics_convert(&convert_request, &message, &convert_error),
        0);
    convert_open();
    const struct statistics_record *r =
        convert_records(SNAPSHOT_STATISTICS, 0, 1);
    assert_int_equal(r->reset_time_s, 900);
    assert_int_equal(r->schedule_cycle_sum_us, 4000000000U);
    assert_int_equal(r->backfill_cycle_sum_us, UINT64_C(1) << 40);
    assert_int_equal(r->jobs_started, 3);
    const struct rpc_record *rpcs = convert_records(SNAPSHOT_STATISTICS, 1, 3);
    assert_string_equal(convert_text(SNAPSHOT_STATISTICS, rpcs[0].name),
                        "REQUEST_JOB_INFO");
    assert_int_equal(rpcs[0].time_us, 50);
    assert_string_equal(convert_text(SNAPSHOT_STATISTICS, rpcs[1].name),
                        "RPC_1");
    assert_string_equal(convert_text(SNAPSHOT_STATISTICS, rpcs[2].name),
                        "RPC_60001");
    const struct rpc_record *by_user =
        convert_records(SNAPSHOT_STATISTICS, 2, 1);
    assert_string_equal(convert_text(SNAPSHOT_STATISTICS, by_user->name),
                        "root");
    assert_int_equal(by_user->time_us, UINT64_C(1) << 40);
}

/* Each name is found under its number, so the table's order is right. */
static void test_names_of_requests(void **state)
{
    (void)state;
    char buffer[SLURM_RPC_NAME_SIZE];
    size_t named = 0;
    for (unsigned int type = 0; type < 65536; type++)
        named += slurm_rpc_name(type, buffer) != buffer;
    assert_true(named > 200);
    assert_string_equal(slurm_rpc_name(1001, buffer),
                        "REQUEST_NODE_REGISTRATION_STATUS");
    assert_string_equal(slurm_rpc_name(2009, buffer), "REQUEST_PARTITION_INFO");
    assert_string_equal(slurm_rpc_name(2035, buffer), "REQUEST_STATS_INFO");
    assert_string_equal(slurm_rpc_name(65535, buffer), "RPC_65535");
}

/* ---- the slow ones --------------------------------------------------------
 */

static void test_reservations_and_licences(void **state)
{
    (void)state;
    reserve_info_t reservation = {.name = chars("maint"),
                                  .flags = RESERVE_FLAG_MAINT |
                                           RESERVE_FLAG_SPEC_NODES |
                                           RESERVE_FLAG_MAGNETIC,
                                  .node_cnt = 2,
                                  .core_cnt = NO_VAL,
                                  .start_time = 5};
    reserve_info_msg_t reservations = {.record_count = 1,
                                       .reservation_array = &reservation};
    slurm_license_info_t license = {
        .name = chars("matlab"), .total = 9, .in_use = 4, .available = 5};
    license_info_msg_t licenses = {.num_lic = 1, .lic_array = &license};
    assert_int_equal(slurm_reservations_convert(&convert_request, &reservations,
                                                &convert_error),
                     0);
    assert_int_equal(
        slurm_licenses_convert(&convert_request, &licenses, &convert_error), 0);
    convert_open();
    const struct reservation_record *r =
        convert_records(SNAPSHOT_RESERVATIONS, 0, 1);
    assert_string_equal(convert_text(SNAPSHOT_RESERVATIONS, r->flags),
                        "MAINT,SPEC_NODES,MAGNETIC");
    assert_int_equal(r->node_count, 2);
    assert_int_equal(r->core_count, 0);
    const struct license_record *l = convert_records(SNAPSHOT_LICENSES, 0, 1);
    assert_string_equal(convert_text(SNAPSHOT_LICENSES, l->name), "matlab");
    assert_int_equal(l->used, 4);
}

static void test_without_slurmdbd_there_are_no_associations(void **state)
{
    (void)state;
    assoc_mgr_info_msg_t message = {.tres_cnt = 0};
    assert_int_equal(
        slurm_associations_convert(&convert_request, &message, &convert_error),
        0);
    convert_open();
    convert_records(SNAPSHOT_ASSOCIATIONS, 0, 0);
    assert_true(snapshot_has(&convert_mapped->snapshot, SNAPSHOT_ASSOCIATIONS));
}

/* Converts one association and opens what came of it. */
static const struct association_record *
convert_association(slurmdb_assoc_rec_t *association)
{
    assoc_mgr_info_msg_t message = {.assoc_list = slurm_list_create(NULL)};
    slurm_list_append(message.assoc_list, association);
    assert_int_equal(
        slurm_associations_convert(&convert_request, &message, &convert_error),
        0);
    slurm_list_destroy(message.assoc_list);
    convert_open();
    return convert_records(SNAPSHOT_ASSOCIATIONS, 0, 1);
}

/* The limit of KIND of the only association; NULL when it has none. */
static const struct limit_record *
find_limit(const struct association_record *association, const char *kind)
{
    size_t count;
    const struct limit_record *limits = snapshot_array(
        &convert_mapped->snapshot, SNAPSHOT_ASSOCIATIONS, 1, &count);
    for (size_t i = 0; i < association->limit_count; i++) {
        const struct limit_record *limit =
            &limits[association->limit_first + i];
        if (!strcmp(convert_text(SNAPSHOT_ASSOCIATIONS, limit->kind), kind))
            return limit;
    }
    return NULL;
}

static slurmdb_assoc_rec_t association_without_limits(void)
{
    return (slurmdb_assoc_rec_t){.acct = chars("root"),
                                 .shares_raw = 1,
                                 .grp_jobs = INFINITE,
                                 .grp_submit_jobs = INFINITE,
                                 .grp_wall = INFINITE,
                                 .max_jobs = INFINITE,
                                 .max_submit_jobs = INFINITE,
                                 .max_wall_pj = INFINITE};
}

/* FAIR_TREE says 1 / NO_VAL, and a fair share worked out of that was 0. */
static void test_root_account_is_the_whole(void **state)
{
    (void)state;
    slurmdb_assoc_usage_t usage = {.shares_norm = 1.0 / NO_VAL,
                                   .usage_norm = (double)NO_VAL,
                                   .usage_efctv = 1};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.usage = &usage;
    const struct association_record *record = convert_association(&association);
    assert_true(record->shares_norm == 1);
    assert_true(record->usage_norm == 1);
}

/* Until slurmctld has first looked at the usage, which it does once a minute
 * at the most. */
static void test_usage_that_is_not_worked_out_is_absent(void **state)
{
    (void)state;
    slurmdb_assoc_usage_t usage = {.shares_norm = 0.5,
                                   .usage_norm = (double)NO_VAL,
                                   .usage_efctv = (double)NO_VAL};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.user = chars("alice");
    association.usage = &usage;
    const struct association_record *record = convert_association(&association);
    assert_true(record->shares_norm == 0.5);
    assert_true(isnan(record->usage_norm) && isnan(record->usage_effective));
}

/* Does an association with these shares get a level fair share? Slurm works one
 * out for all, an infinite one for those without shares of their own. */
static bool has_level(uint32_t shares_raw)
{
    slurmdb_assoc_usage_t usage = {.level_fs = INFINITY};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.user = chars("alice");
    association.shares_raw = shares_raw;
    association.usage = &usage;
    slurm_conf.priority_flags |= PRIORITY_FLAGS_FAIR_TREE;
    return convert_association(&association)->has & ASSOCIATION_HAS_LEVEL_FS;
}

static void test_shares_have_a_level(void **state)
{
    (void)state;
    assert_true(has_level(1));
}

static void test_parents_shares_have_no_level(void **state)
{
    (void)state;
    assert_false(has_level(SLURMDB_FS_USE_PARENT));
}

/* What it keeps is 0; vpenso's exporter and sshare show this. */
static void test_classic_factor_is_worked_out(void **state)
{
    (void)state;
    slurmdb_assoc_usage_t usage = {.shares_norm = 0.25, .usage_efctv = 1};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.user = chars("alice");
    association.usage = &usage;
    slurm_conf.priority_flags = 0;
    slurm_conf.fs_dampening_factor = 2;
    const struct association_record *record = convert_association(&association);
    assert_int_equal(record->has & ASSOCIATION_HAS_FACTOR,
                     ASSOCIATION_HAS_FACTOR);
    assert_true(record->fairshare_factor == 0.25);
}

static void test_users_use_up_limits_on_each_user(void **state)
{
    (void)state;
    slurmdb_assoc_usage_t usage = {.used_jobs = 3, .used_submit_jobs = 7};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.user = chars("alice");
    association.usage = &usage;
    association.max_jobs = 4;
    const struct association_record *record = convert_association(&association);
    const struct limit_record *limit = find_limit(record, "max_jobs");
    assert_int_equal(limit->has, LIMIT_HAS_LIMIT | LIMIT_HAS_USED);
    assert_true(limit->limit == 4 && limit->used == 3);
    assert_null(find_limit(record, "max_submit_jobs"));
}

static void test_accounts_do_not_use_up_limits_on_each_user(void **state)
{
    (void)state;
    slurmdb_assoc_usage_t usage = {.used_jobs = 30};
    slurmdb_assoc_rec_t association = association_without_limits();
    association.usage = &usage;
    association.max_jobs = 4;
    const struct association_record *record = convert_association(&association);
    assert_int_equal(find_limit(record, "max_jobs")->has, LIMIT_HAS_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONVERT_TEST(test_partitions),
        CONVERT_TEST(test_statistics),
        CONVERT_TEST(test_names_of_requests),
        CONVERT_TEST(test_reservations_and_licences),
        CONVERT_TEST(test_without_slurmdbd_there_are_no_associations),
        CONVERT_TEST(test_root_account_is_the_whole),
        CONVERT_TEST(test_usage_that_is_not_worked_out_is_absent),
        CONVERT_TEST(test_shares_have_a_level),
        CONVERT_TEST(test_parents_shares_have_no_level),
        CONVERT_TEST(test_classic_factor_is_worked_out),
        CONVERT_TEST(test_users_use_up_limits_on_each_user),
        CONVERT_TEST(test_accounts_do_not_use_up_limits_on_each_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
