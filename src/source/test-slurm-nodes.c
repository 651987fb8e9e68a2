/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of libslurm's nodes. */
#include "source/test-convert.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

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
    assert_int_equal(
        slurm_nodes_convert(&convert_request, &message, &convert_error), 0);
    convert_open();
    assert_int_equal(
        snapshot_part(&convert_mapped->snapshot, SNAPSHOT_NODES)->updated_s,
        77);
}

static void test_nameless_slots_are_skipped_and_others_keep_theirs(void **state)
{
    (void)state;
    node_info_t nodes[4] = {plain_node("a"), plain_node(NULL), plain_node(""),
                            plain_node("b")};
    convert_nodes(nodes, 4);
    const struct node_record *r = convert_records(SNAPSHOT_NODES, 0, 2);
    assert_string_equal(convert_text(SNAPSHOT_NODES, r[0].name), "a");
    assert_int_equal(r[0].slot, 0);
    assert_string_equal(convert_text(SNAPSHOT_NODES, r[1].name), "b");
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
    const struct node_record *r = convert_records(SNAPSHOT_NODES, 0, 2);
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
    const struct node_record *r = convert_records(SNAPSHOT_NODES, 0, 2);
    assert_string_equal(convert_text(SNAPSHOT_NODES, r[0].state_reason),
                        "broken fan");
    assert_string_equal(convert_text(SNAPSHOT_NODES, r[0].reason_user), "root");
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
        convert_records(SNAPSHOT_NODES, 0, array_size(node_gres));
    size_t all;
    const struct gres_record *gres =
        snapshot_array(&convert_mapped->snapshot, SNAPSHOT_NODES, 1, &all);
    for (size_t i = 0; i < array_size(node_gres); i++) {
        print_message("    %s used %s\n", node_gres[i].gres, node_gres[i].used);
        assert_int_equal(r[i].gres_count, node_gres[i].count);
        if (node_gres[i].count == 0)
            continue;
        const struct gres_record *first = &gres[r[i].gres_first];
        assert_string_equal(convert_text(SNAPSHOT_NODES, first->name),
                            node_gres[i].name);
        assert_string_equal(convert_text(SNAPSHOT_NODES, first->type),
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
    convert_records(SNAPSHOT_NODES, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        free(nodes[i].gres);
        free(nodes[i].gres_used);
    }
}

static void test_an_empty_cluster_is_one(void **state)
{
    (void)state;
    convert_nodes(NULL, 0);
    convert_records(SNAPSHOT_NODES, 0, 0);
    assert_true(snapshot_has(&convert_mapped->snapshot, SNAPSHOT_NODES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONVERT_TEST(test_nameless_slots_are_skipped_and_others_keep_theirs),
        CONVERT_TEST(test_readings_may_be_absent),
        CONVERT_TEST(test_a_reason_has_its_user),
        CONVERT_TEST(test_gres_of_nodes),
        CONVERT_TEST(test_like_neighbours_share_their_gres),
        CONVERT_TEST(test_an_empty_cluster_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
