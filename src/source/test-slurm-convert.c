/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libslurm's records become, without a controller: records filled by
 * hand, converted, sealed, opened again and compared.
 */
#include "base/test.h"

#include "base/cleanup.h"
#include "model/state.h"
#include "source/mapped-snapshot.h"
#include "source/slurm-parts.h"

#include <stdlib.h>
#include <string.h>

/* Exported, and needed by the test alone. */
extern bitstr_t *slurm_bit_alloc(bitoff_t bits);
extern void slurm_bit_set(bitstr_t *bits, bitoff_t bit);

static struct error err;
static struct slurm_request request;
static struct mapped_snapshot *mapped;

static int set_up(void **state)
{
    (void)state;
    request = (struct slurm_request){.users = user_names_new()};
    user_names_begin(request.users);
    mapped = NULL;
    return snapshot_builder_new(&request.builder, &err);
}

static int tear_down(void **state)
{
    (void)state;
    snapshot_builder_free(request.builder);
    user_names_free(request.users);
    mapped_snapshot_unref(mapped);
    return 0;
}

/* Seal what was converted, and open it as a reader would. */
static void open_snapshot(void)
{
    int fd;
    assert_int_equal(snapshot_builder_finish(request.builder, &fd, &err), 0);
    assert_int_equal(mapped_snapshot_new(fd, true, &mapped, &err), 0);
}

static const void *
records(enum snapshot_part_kind kind, unsigned int array, size_t count)
{
    size_t found;
    const void *data = snapshot_array(&mapped->snapshot, kind, array, &found);
    assert_int_equal(found, count);
    return data;
}

static const char *text(enum snapshot_part_kind kind, snapshot_string string)
{
    return snapshot_text(&mapped->snapshot, kind, string);
}

/* A field of libslurm's that wants a char *. */
static char *chars(const char *string)
{
    return (char *)(uintptr_t)string;
}

/* ---- nodes ----------------------------------------------------------------
 */

static node_info_t plain_node(const char *name)
{
    return (node_info_t){.name = chars(name),
                         .node_state = NODE_STATE_IDLE,
                         .cpus = 8,
                         .real_memory = 1000,
                         .cpu_load = NO_VAL,
                         .free_mem = NO_VAL64,
                         .reason_uid = NO_VAL};
}

static void convert_nodes(node_info_t *nodes, uint32_t count)
{
    node_info_msg_t message = {
        .last_update = 77, .record_count = count, .node_array = nodes};
    assert_int_equal(slurm_nodes_convert(&request, &message, &err), 0);
    open_snapshot();
    assert_int_equal(
        snapshot_part(&mapped->snapshot, SNAPSHOT_NODES)->updated_s, 77);
}

static void test_nameless_slots_are_skipped_and_others_keep_theirs(void **state)
{
    (void)state;
    node_info_t nodes[4] = {plain_node("a"), plain_node(NULL), plain_node(""),
                            plain_node("b")};
    convert_nodes(nodes, 4);
    const struct node_record *r = records(SNAPSHOT_NODES, 0, 2);
    assert_string_equal(text(SNAPSHOT_NODES, r[0].name), "a");
    assert_int_equal(r[0].slot, 0);
    assert_string_equal(text(SNAPSHOT_NODES, r[1].name), "b");
    assert_int_equal(r[1].slot, 3);
}

static void test_readings_may_be_absent(void **state)
{
    (void)state;
    node_info_t nodes[2] = {plain_node("a"), plain_node("b")};
    nodes[1].cpu_load = 0;
    nodes[1].free_mem = 0;
    nodes[1].boot_time = 5;
    convert_nodes(nodes, 2);
    const struct node_record *r = records(SNAPSHOT_NODES, 0, 2);
    assert_int_equal(r[0].has, 0);
    assert_int_equal(r[1].has, NODE_HAS_CPU_LOAD | NODE_HAS_MEMORY_FREE);
    assert_int_equal(r[1].boot_time_s, 5);
}

static void test_a_reason_has_its_user(void **state)
{
    (void)state;
    node_info_t nodes[2] = {plain_node("a"), plain_node("b")};
    nodes[0].reason = chars("broken fan");
    nodes[0].reason_uid = 0;
    nodes[0].reason_time = 9;
    nodes[1].reason_uid = 0; /* without a reason it means nothing */
    nodes[1].reason_time = 9;
    convert_nodes(nodes, 2);
    const struct node_record *r = records(SNAPSHOT_NODES, 0, 2);
    assert_string_equal(text(SNAPSHOT_NODES, r[0].state_reason), "broken fan");
    assert_string_equal(text(SNAPSHOT_NODES, r[0].reason_user), "root");
    assert_int_equal(r[0].reason_time_s, 9);
    assert_int_equal(r[1].reason_user, 0);
    assert_int_equal(r[1].reason_time_s, 0);
}

static const struct {
    const char *gres;
    const char *used;
    size_t count; /* kinds; the first is compared */
    const char *name;
    const char *type;
    uint64_t total;
    uint64_t in_use;
} node_gres[] = {
    {NULL, NULL, 0, "", "", 0, 0},
    {"(null)", "", 0, "", "", 0, 0},
    {"gpu:4", "gpu:1", 1, "gpu", "", 4, 1},
    {"gpu:a100:4(S:0-1)", "gpu:a100:2(IDX:0,3)", 1, "gpu", "a100", 4, 2},
    {"gpu:a100:4(S:0-1)", "gpu:a100:0(IDX:N/A)", 1, "gpu", "a100", 4, 0},
    /* the used string without the type */
    {"gpu:a100:4", "gpu:(null):0(IDX:N/A)", 1, "gpu", "a100", 4, 0},
    {"gpu:a100:4", "gpu:3", 1, "gpu", "a100", 4, 3},
    {"gpu:a100:4,gpu:v100:2", "gpu:a100:4(IDX:0-3),gpu:v100:1(IDX:5)", 2, "gpu",
     "a100", 4, 4},
    {"gpu:1g.10gb:7,shard:28", "shard:3(1/4,2/4),gpu:1g.10gb:0", 2, "gpu",
     "1g.10gb", 7, 0},
    /* the same twice, told in two sockets */
    {"gpu:a100:2(S:0),gpu:a100:2(S:1)", "gpu:a100:1(IDX:0)", 1, "gpu", "a100",
     4, 1},
};

static void test_gres_of_nodes(void **state)
{
    (void)state;
    node_info_t nodes[array_size(node_gres)];
    for (size_t i = 0; i < array_size(node_gres); i++) {
        nodes[i] = plain_node("n");
        nodes[i].gres = chars(node_gres[i].gres);
        nodes[i].gres_used = chars(node_gres[i].used);
    }
    convert_nodes(nodes, array_size(node_gres));
    const struct node_record *r =
        records(SNAPSHOT_NODES, 0, array_size(node_gres));
    size_t all;
    const struct gres_record *gres =
        snapshot_array(&mapped->snapshot, SNAPSHOT_NODES, 1, &all);
    for (size_t i = 0; i < array_size(node_gres); i++) {
        print_message("    %s used %s\n", node_gres[i].gres, node_gres[i].used);
        assert_int_equal(r[i].gres_count, node_gres[i].count);
        if (node_gres[i].count == 0)
            continue;
        const struct gres_record *first = &gres[r[i].gres_first];
        assert_string_equal(text(SNAPSHOT_NODES, first->name),
                            node_gres[i].name);
        assert_string_equal(text(SNAPSHOT_NODES, first->type),
                            node_gres[i].type);
        assert_int_equal(first->total, node_gres[i].total);
        assert_int_equal(first->used, node_gres[i].in_use);
    }
}

static void test_like_neighbours_share_their_gres(void **state)
{
    (void)state;
    node_info_t nodes[3];
    for (size_t i = 0; i < 3; i++) {
        nodes[i] = plain_node("n");
        nodes[i].gres = strdup("gpu:h100:8");
        nodes[i].gres_used = strdup("gpu:h100:0(IDX:N/A)");
    }
    convert_nodes(nodes, 3);
    records(SNAPSHOT_NODES, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        free(nodes[i].gres);
        free(nodes[i].gres_used);
    }
}

/* ---- jobs -----------------------------------------------------------------
 */

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
    assert_int_equal(slurm_jobs_convert(&request, &message, &err), 0);
    open_snapshot();
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
    const struct job_record *r = records(SNAPSHOT_JOBS, 0, 3);
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
    const struct job_record *r = records(SNAPSHOT_JOBS, 0, 2);
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
    const struct job_record *r = records(SNAPSHOT_JOBS, 0, 2);
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
    const struct job_record *r = records(SNAPSHOT_JOBS, 0, 3);
    assert_string_equal(text(SNAPSHOT_JOBS, r[0].user), "ada");
    assert_string_equal(text(SNAPSHOT_JOBS, r[1].user), "root");
    assert_string_equal(text(SNAPSHOT_JOBS, r[2].user), "4123456789");
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
    const struct job_record *r = records(SNAPSHOT_JOBS, 0, 2);
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
        records(SNAPSHOT_JOBS, 0, array_size(job_resources));
    size_t all;
    const struct gres_record *gres =
        snapshot_array(&mapped->snapshot, SNAPSHOT_JOBS, 1, &all);
    for (size_t i = 0; i < array_size(job_resources); i++) {
        print_message("    %s\n", job_resources[i].name);
        assert_int_equal(r[i].memory_mib, job_resources[i].memory_mib);
        assert_int_equal(r[i].gres_count, job_resources[i].count);
        if (job_resources[i].count == 0)
            continue;
        const struct gres_record *first = &gres[r[i].gres_first];
        assert_string_equal(text(SNAPSHOT_JOBS, first->name), "gpu");
        assert_string_equal(text(SNAPSHOT_JOBS, first->type),
                            job_resources[i].type);
        assert_int_equal(first->total, job_resources[i].total);
        assert_int_equal(first->used, job_resources[i].used);
    }
}

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
    assert_int_equal(slurm_partitions_convert(&request, &message, &err), 0);
    open_snapshot();
    const struct partition_record *r = records(SNAPSHOT_PARTITIONS, 0, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(r[i].state, states[i].state);
    assert_int_equal(r[0].flags, PARTITION_FLAG_DEFAULT);
    assert_int_equal(r[1].flags, PARTITION_FLAG_HIDDEN);
    assert_int_equal(r[0].max_time_minutes, UINT32_MAX);
    assert_int_equal(r[0].range_count, 0);
    assert_int_equal(r[3].range_count, 2);
    const struct node_range_record *ranges = records(SNAPSHOT_PARTITIONS, 1, 2);
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
    assert_int_equal(slurm_statistics_convert(&request, &message, &err), 0);
    open_snapshot();
    const struct statistics_record *r = records(SNAPSHOT_STATISTICS, 0, 1);
    assert_int_equal(r->reset_time_s, 900);
    assert_int_equal(r->schedule_cycle_sum_us, 4000000000U);
    assert_int_equal(r->backfill_cycle_sum_us, UINT64_C(1) << 40);
    assert_int_equal(r->jobs_started, 3);
    const struct rpc_record *rpcs = records(SNAPSHOT_STATISTICS, 1, 3);
    assert_string_equal(text(SNAPSHOT_STATISTICS, rpcs[0].name),
                        "REQUEST_JOB_INFO");
    assert_int_equal(rpcs[0].time_us, 50);
    assert_string_equal(text(SNAPSHOT_STATISTICS, rpcs[1].name), "RPC_1");
    assert_string_equal(text(SNAPSHOT_STATISTICS, rpcs[2].name), "RPC_60001");
    const struct rpc_record *by_user = records(SNAPSHOT_STATISTICS, 2, 1);
    assert_string_equal(text(SNAPSHOT_STATISTICS, by_user->name), "root");
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
    assert_int_equal(slurm_reservations_convert(&request, &reservations, &err),
                     0);
    assert_int_equal(slurm_licenses_convert(&request, &licenses, &err), 0);
    open_snapshot();
    const struct reservation_record *r = records(SNAPSHOT_RESERVATIONS, 0, 1);
    assert_string_equal(text(SNAPSHOT_RESERVATIONS, r->flags),
                        "MAINT,SPEC_NODES,MAGNETIC");
    assert_int_equal(r->node_count, 2);
    assert_int_equal(r->core_count, 0);
    const struct license_record *l = records(SNAPSHOT_LICENSES, 0, 1);
    assert_string_equal(text(SNAPSHOT_LICENSES, l->name), "matlab");
    assert_int_equal(l->used, 4);
}

static void test_without_slurmdbd_there_are_no_associations(void **state)
{
    (void)state;
    assoc_mgr_info_msg_t message = {.tres_cnt = 0};
    assert_int_equal(slurm_associations_convert(&request, &message, &err), 0);
    open_snapshot();
    records(SNAPSHOT_ASSOCIATIONS, 0, 0);
    assert_true(snapshot_has(&mapped->snapshot, SNAPSHOT_ASSOCIATIONS));
}

static void test_an_empty_cluster_is_one(void **state)
{
    (void)state;
    convert_nodes(NULL, 0);
    records(SNAPSHOT_NODES, 0, 0);
    assert_true(snapshot_has(&mapped->snapshot, SNAPSHOT_NODES));
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nameless_slots_are_skipped_and_others_keep_theirs),
        TEST(test_readings_may_be_absent),
        TEST(test_a_reason_has_its_user),
        TEST(test_gres_of_nodes),
        TEST(test_like_neighbours_share_their_gres),
        TEST(test_waiting_tasks_of_an_array_are_counted),
        TEST(test_revoked_siblings_are_left_out),
        TEST(test_parts_of_a_het_job_are_told),
        TEST(test_a_user_without_a_name_is_asked_for),
        TEST(test_unlimited_and_unknown_are_not_numbers),
        TEST(test_memory_and_gres_of_jobs),
        TEST(test_partitions),
        TEST(test_statistics),
        TEST(test_names_of_requests),
        TEST(test_reservations_and_licences),
        TEST(test_without_slurmdbd_there_are_no_associations),
        TEST(test_an_empty_cluster_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
