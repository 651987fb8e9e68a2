/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verifying snapshots: a good block opens, and no way to damage one leads a
 * reader astray. Where damage must be noticed a table says with which words;
 * where it need not be (a changed number is a number), everything is read after
 * opening, and the address sanitizer is the judge. The map of the memfd is
 * read-only, so the damage is done to copies.
 */
#include "model/test-sample.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    RECORDS = 3
};

/* A block that may be damaged, and the way back. */
struct block {
    void *data;
    void *intact;
    size_t size;
};

static int new_block(void **state)
{
    static struct block block;
    struct error err;
    if (sample_new(SAMPLE_ALL_PARTS, RECORDS, &block.data, &block.size, &err))
        fail_msg("%s", err.text);
    block.intact = malloc(block.size);
    assert_non_null(block.intact);
    memcpy(block.intact, block.data, block.size);
    *state = &block;
    return 0;
}

static int free_block(void **state)
{
    struct block *block = *state;
    free(block->data);
    free(block->intact);
    return 0;
}

static struct snapshot open_good(const void *data, size_t size)
{
    struct snapshot snapshot;
    struct error err;
    if (snapshot_open(data, size, &snapshot, &err) != 0)
        fail_msg("%s", err.text);
    return snapshot;
}

static void a_good_block_opens_and_reads_alike_each_time(void **state)
{
    const struct block *block = *state;
    struct snapshot snapshot = open_good(block->data, block->size);
    struct snapshot again = open_good(block->intact, block->size);
    assert_ptr_equal(snapshot.header, block->data);
    assert_int_equal(snapshot.size, block->size);
    assert_true(sample_walk(&snapshot) == sample_walk(&again));
}

static void a_record_names_the_strings_it_was_given(void **state)
{
    const struct block *block = *state;
    struct snapshot snapshot = open_good(block->data, block->size);
    size_t count;
    const struct job_record *jobs =
        snapshot_array(&snapshot, SNAPSHOT_JOBS, 0, &count);
    assert_int_equal(count, RECORDS);
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_JOBS, jobs[2].name),
                        "jobs-0-2");
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_JOBS, jobs[2].tres),
                        "jobs-11-0");
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_JOBS, 0), "");
    const struct gres_record *gres =
        snapshot_array(&snapshot, SNAPSHOT_JOBS, 1, &count);
    assert_int_equal(count, 2 * RECORDS);
    assert_int_equal(jobs[2].gres_first, 4);
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_JOBS, gres[4].name),
                        "gpu");
    assert_int_equal(gres[0].type, 0);
}

static void a_part_never_loaded_has_no_records(void **state)
{
    (void)state;
    _cleanup_(free_ptr) void *data = NULL;
    size_t size, count = 1;
    assert_int_equal(sample_new(0, 0, &data, &size, NULL), 0);
    assert_int_equal(size, sizeof(struct snapshot_header));
    struct snapshot snapshot = open_good(data, size);
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)i;
        assert_false(snapshot_has(&snapshot, kind));
        assert_null(snapshot_array(&snapshot, kind, 0, &count));
        assert_int_equal(count, 0);
    }
    sample_walk(&snapshot);
}

static void a_part_loaded_empty_differs_from_one_never_loaded(void **state)
{
    (void)state;
    _cleanup_(free_ptr) void *data = NULL;
    size_t size, count = 1;
    assert_int_equal(sample_new(SAMPLE_ALL_PARTS, 0, &data, &size, NULL), 0);
    struct snapshot snapshot = open_good(data, size);
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)i;
        assert_true(snapshot_has(&snapshot, kind));
        assert_null(snapshot_array(&snapshot, kind, 0, &count));
        assert_int_equal(count, 0);
    }
    sample_walk(&snapshot);
}

static void every_part_and_outcome_has_a_name(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++)
        assert_non_null(snapshot_part_names[i]);
    for (unsigned int i = 0; i < SNAPSHOT_OUTCOME_COUNT; i++)
        assert_non_null(snapshot_outcome_names[i]);
    assert_int_equal(snapshot_record_size(SNAPSHOT_JOBS, 0),
                     sizeof(struct job_record));
    assert_int_equal(snapshot_record_size(SNAPSHOT_JOBS, 3), 0);
    assert_int_equal(snapshot_record_size(SNAPSHOT_JOBS, SNAPSHOT_ARRAYS_MAX),
                     0);
}

/* ---- damage that must be noticed ------------------------------------------
 */

static struct snapshot_header *header_of(struct block *block)
{
    return block->data;
}

static struct snapshot_part *nodes_of(struct block *block)
{
    return &header_of(block)->parts[SNAPSHOT_NODES];
}

static void *
record_of(struct block *block, enum snapshot_part_kind kind, unsigned int array)
{
    const struct snapshot_part *part = &header_of(block)->parts[kind];
    return (char *)block->data + part->offset + part->arrays[array].offset;
}

static void other_magic(struct block *b)
{
    header_of(b)->magic ^= 1;
}

static void later_version(struct block *b)
{
    header_of(b)->version++;
}

static void other_header_size(struct block *b)
{
    header_of(b)->header_size += 8;
}

static void larger_size(struct block *b)
{
    header_of(b)->size++;
}

static void endless_cluster_name(struct block *b)
{
    memset(header_of(b)->cluster_name, 'x', sizeof(header_of(b)->cluster_name));
}

static void endless_slurm_text(struct block *b)
{
    memset(header_of(b)->slurm_text, 'x', sizeof(header_of(b)->slurm_text));
}

static void unknown_outcome(struct block *b)
{
    nodes_of(b)->outcome = SNAPSHOT_OUTCOME_COUNT;
}

static void unknown_outcome_of_an_absent_part(struct block *b)
{
    nodes_of(b)->offset = 0;
    nodes_of(b)->outcome = SNAPSHOT_OUTCOME_COUNT;
}

static void part_inside_the_header(struct block *b)
{
    nodes_of(b)->offset = 8;
}

static void part_off_alignment(struct block *b)
{
    nodes_of(b)->offset += 4;
}

static void part_behind_the_end(struct block *b)
{
    nodes_of(b)->offset = b->size + 8 - b->size % 8;
}

static void part_past_the_end(struct block *b)
{
    nodes_of(b)->size = b->size - nodes_of(b)->offset + 1;
}

static void part_that_wraps_around(struct block *b)
{
    nodes_of(b)->offset = UINT64_MAX - 7;
    nodes_of(b)->size = 16;
}

static void part_of_all_memory(struct block *b)
{
    nodes_of(b)->size = UINT64_MAX;
}

static void strings_past_the_part(struct block *b)
{
    nodes_of(b)->strings_offset = nodes_of(b)->size;
}

static void strings_that_wrap_around(struct block *b)
{
    nodes_of(b)->strings_offset = UINT64_MAX - 3;
}

static void strings_without_a_first_zero(struct block *b)
{
    nodes_of(b)->strings_offset++;
    nodes_of(b)->strings_size--;
}

static void strings_without_a_last_zero(struct block *b)
{
    nodes_of(b)->strings_size--;
}

static void strings_that_are_gone(struct block *b)
{
    header_of(b)->parts[SNAPSHOT_LICENSES].strings_size = 0;
}

static void records_of_another_size(struct block *b)
{
    nodes_of(b)->arrays[0].record_size -= 8;
}

static void an_array_that_nodes_do_not_have(struct block *b)
{
    nodes_of(b)->arrays[2] = (struct snapshot_array){.count = 1};
}

static void an_array_without_a_record_size(struct block *b)
{
    nodes_of(b)->arrays[0].record_size = 0;
}

static void array_off_alignment(struct block *b)
{
    nodes_of(b)->arrays[1].offset += 4;
}

static void array_past_the_part(struct block *b)
{
    nodes_of(b)->arrays[1].offset = nodes_of(b)->size - 8;
}

static void array_that_wraps_around(struct block *b)
{
    nodes_of(b)->arrays[1].offset = UINT64_MAX - 7;
}

static void too_many_records(struct block *b)
{
    nodes_of(b)->arrays[0].count = UINT32_MAX;
}

static void string_past_the_strings(struct block *b)
{
    struct node_record *node = record_of(b, SNAPSHOT_NODES, 0);
    node[1].slurmd_version = (uint32_t)nodes_of(b)->strings_size;
}

static void string_past_the_strings_of_a_side_array(struct block *b)
{
    struct gres_record *gres = record_of(b, SNAPSHOT_NODES, 1);
    gres[5].type = UINT32_MAX;
}

static void run_past_the_array(struct block *b)
{
    struct node_record *node = record_of(b, SNAPSHOT_NODES, 0);
    node[2].gres_count++;
}

static void run_that_wraps_around(struct block *b)
{
    struct job_record *job = record_of(b, SNAPSHOT_JOBS, 0);
    job->gres_first = UINT32_MAX;
    job->gres_count = 2;
}

static void run_of_a_second_array(struct block *b)
{
    struct qos_record *qos = record_of(b, SNAPSHOT_ASSOCIATIONS, 2);
    qos->limit_first = 2 * RECORDS;
}

static void unknown_partition_state(struct block *b)
{
    struct partition_record *p = record_of(b, SNAPSHOT_PARTITIONS, 0);
    p->state = PARTITION_STATE_COUNT;
}

static const struct damage {
    void (*inflict)(struct block *block);
    const char *words;
} damages[] = {
    {other_magic, "this is not a snapshot"},
    {later_version, "it has format 5, this program reads 4"},
    {other_header_size, "its header has an unknown size"},
    {larger_size, "it is cut short or was added to"},
    {endless_cluster_name, "a name in its header has no end"},
    {endless_slurm_text, "a name in its header has no end"},
    {unknown_outcome, "nodes: unknown outcome 5"},
    {unknown_outcome_of_an_absent_part, "nodes: unknown outcome 5"},
    {part_inside_the_header, "nodes: lies outside the block"},
    {part_off_alignment, "nodes: lies outside the block"},
    {part_behind_the_end, "nodes: lies outside the block"},
    {part_past_the_end, "nodes: lies outside the block"},
    {part_that_wraps_around, "nodes: lies outside the block"},
    {part_of_all_memory, "nodes: lies outside the block"},
    {strings_past_the_part, "nodes: strings lie outside the part"},
    {strings_that_wrap_around, "nodes: strings lie outside the part"},
    {strings_without_a_first_zero, "nodes: strings have no end"},
    {strings_without_a_last_zero, "nodes: strings have no end"},
    {strings_that_are_gone, "licenses: record 0 of array 0 names a string"},
    {records_of_another_size, "nodes: array 0 has records of "},
    {an_array_that_nodes_do_not_have, "nodes: array 2 has records of 0"},
    {an_array_without_a_record_size, "nodes: array 0 has records of 0"},
    {array_off_alignment, "nodes: array 1 lies outside the part"},
    {array_past_the_part, "nodes: array 1 lies outside the part"},
    {array_that_wraps_around, "nodes: array 1 lies outside the part"},
    {too_many_records, "nodes: array 0 lies outside the part"},
    {string_past_the_strings, "nodes: record 1 of array 0 names a string"},
    {string_past_the_strings_of_a_side_array,
     "nodes: record 5 of array 1 names a string"},
    {run_past_the_array, "nodes: record 2 of array 0 names records"},
    {run_that_wraps_around, "jobs: record 0 of array 0 names records"},
    {run_of_a_second_array, "associations: record 0 of array 2 names records"},
    {unknown_partition_state,
     "partitions: record 0 of array 0 has a state that is not known"},
};

static void damage_is_refused_with_its_reason(void **state)
{
    struct block *block = *state;
    for (size_t i = 0; i < array_size(damages); i++) {
        struct snapshot snapshot = {.size = 42};
        struct error err = {.text = ""};
        memcpy(block->data, block->intact, block->size);
        damages[i].inflict(block);
        int r = snapshot_open(block->data, block->size, &snapshot, &err);
        if (r != -EPROTO || !strstr(err.text, damages[i].words))
            fail_msg("\"%s\" gives %d, \"%s\"", damages[i].words, r, err.text);
        assert_int_equal(snapshot.size, 42);
    }
}

static void a_reason_is_not_obligatory(void **state)
{
    struct block *block = *state;
    struct snapshot snapshot;
    memcpy(block->data, block->intact, block->size);
    other_magic(block);
    assert_int_equal(snapshot_open(block->data, block->size, &snapshot, NULL),
                     -EPROTO);
}

/* The bytes behind the cut are given back, for the sanitizer to watch. */
static void a_block_cut_short_anywhere_is_refused(void **state)
{
    const struct block *block = *state;
    for (size_t size = 0; size < block->size; size++) {
        struct snapshot snapshot;
        struct error err;
        char *cut = malloc(size ? size : 1);
        assert_non_null(cut);
        memcpy(cut, block->intact, size);
        assert_int_equal(snapshot_open(cut, size, &snapshot, &err), -EPROTO);
        if (size >= sizeof(struct snapshot_header)) {
            struct snapshot_header *header = (void *)cut;
            header->size = size;
            if (snapshot_open(cut, size, &snapshot, &err) == 0)
                sample_walk(&snapshot); /* only padding was cut */
        }
        free(cut);
    }
}

static void bytes_added_at_the_end_are_refused(void **state)
{
    const struct block *block = *state;
    struct snapshot snapshot;
    struct error err;
    _cleanup_(free_ptr) char *longer = calloc(1, block->size + 8);
    assert_non_null(longer);
    memcpy(longer, block->intact, block->size);
    assert_int_equal(snapshot_open(longer, block->size + 8, &snapshot, &err),
                     -EPROTO);
}

static void no_flipped_bit_leads_a_reader_astray(void **state)
{
    struct block *block = *state;
    unsigned char *bytes = block->data;
    size_t refused = 0;
    memcpy(block->data, block->intact, block->size);
    for (size_t bit = 0; bit < block->size * 8; bit++) {
        struct snapshot snapshot;
        struct error err;
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        if (snapshot_open(block->data, block->size, &snapshot, &err) == 0)
            sample_walk(&snapshot);
        else
            refused++;
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    assert_true(refused > block->size / 8);
}

static void an_empty_array_may_claim_to_lie_anywhere(void **state)
{
    struct block *block = *state;
    memcpy(block->data, block->intact, block->size);
    struct snapshot_part *part =
        &header_of(block)->parts[SNAPSHOT_RESERVATIONS];
    part->arrays[0].count = 0;
    part->arrays[0].offset = UINT64_MAX - 4095;
    part->arrays[3].offset = UINT64_MAX;
    struct snapshot snapshot = open_good(block->data, block->size);
    sample_walk(&snapshot);
}

/* Parts and arrays on top of each other are odd, but nothing reads astray. */
static void overlapping_parts_are_safe_to_read(void **state)
{
    struct block *block = *state;
    struct snapshot snapshot;
    memcpy(block->data, block->intact, block->size);
    header_of(block)->parts[SNAPSHOT_RESERVATIONS].offset =
        nodes_of(block)->offset;
    nodes_of(block)->arrays[1].offset = 0;
    nodes_of(block)->size = block->size - nodes_of(block)->offset;
    if (snapshot_open(block->data, block->size, &snapshot, NULL) == 0)
        sample_walk(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_block_opens_and_reads_alike_each_time),
        cmocka_unit_test(a_record_names_the_strings_it_was_given),
        cmocka_unit_test(a_part_never_loaded_has_no_records),
        cmocka_unit_test(a_part_loaded_empty_differs_from_one_never_loaded),
        cmocka_unit_test(every_part_and_outcome_has_a_name),
        cmocka_unit_test(damage_is_refused_with_its_reason),
        cmocka_unit_test(a_reason_is_not_obligatory),
        cmocka_unit_test(a_block_cut_short_anywhere_is_refused),
        cmocka_unit_test(bytes_added_at_the_end_are_refused),
        cmocka_unit_test(no_flipped_bit_leads_a_reader_astray),
        cmocka_unit_test(an_empty_array_may_claim_to_lie_anywhere),
        cmocka_unit_test(overlapping_parts_are_safe_to_read),
    };
    return cmocka_run_group_tests_name("snapshot", tests, new_block,
                                       free_block);
}
