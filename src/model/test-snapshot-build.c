/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building snapshots: what is written is read back, nothing of a dropped record
 * or part shows, a part is carried on unchanged, and what is finished is sealed
 * for good. Memory that runs out is made with a realloc() that is linked in,
 * a block that cannot grow with a limit on the size of files.
 */
#include "model/test-sample.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

static bool memory_is_out;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_out ? NULL : __real_realloc(memory, size);
}

static int new_builder(void **state)
{
    struct snapshot_builder *builder;
    memory_is_out = false;
    if (snapshot_builder_new(&builder, NULL) < 0)
        return -1;
    *state = builder;
    return 0;
}

static int free_builder(void **state)
{
    snapshot_builder_free(*state);
    return 0;
}

static void must(int r, const struct error *err)
{
    if (r < 0)
        fail_msg("%d: %s", r, err->text);
}

static void *
begin(struct snapshot_builder *b, enum snapshot_part_kind kind, size_t count)
{
    struct error err;
    void *records;
    must(snapshot_builder_begin(b, kind, count, &records, &err), &err);
    return records;
}

static void end(struct snapshot_builder *b, size_t used)
{
    struct error err;
    must(snapshot_builder_end(b, used, &err), &err);
}

/* Finish B and open what it made; the caller frees the memory. */
static struct snapshot finish(struct snapshot_builder *b, void **ret_data)
{
    _cleanup_(close_fd) int fd = -1;
    struct snapshot snapshot;
    struct error err;
    size_t size;
    must(snapshot_builder_finish(b, &fd, &err), &err);
    must(sample_read(fd, ret_data, &size, &err), &err);
    must(snapshot_open(*ret_data, size, &snapshot, &err), &err);
    return snapshot;
}

static bool is_zero(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static void nobody_can_change_a_finished_snapshot(void **state)
{
    struct snapshot_builder *b = *state;
    struct error err;
    _cleanup_(close_fd) int fd = -1;
    must(sample_add(b, SAMPLE_ALL_PARTS, 10, &err), &err);
    must(snapshot_builder_finish(b, &fd, &err), &err);
    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 1 << 20), -1);
    assert_ptr_equal(
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
        MAP_FAILED);
}

static void a_reader_maps_the_sealed_block_as_it_lies(void **state)
{
    struct snapshot_builder *b = *state;
    struct error err;
    struct snapshot snapshot;
    _cleanup_(close_fd) int fd = -1;
    must(sample_add(b, SAMPLE_ALL_PARTS, 10, &err), &err);
    must(snapshot_builder_finish(b, &fd, &err), &err);
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    must(snapshot_open(map, size, &snapshot, &err), &err);
    assert_int_equal(snapshot.header->size, size);
    sample_walk(&snapshot);
    munmap(map, size);
}

static void records_begin_zeroed_whatever_was_there(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *data = NULL;
    struct job_record *jobs = begin(b, SNAPSHOT_JOBS, 1000);
    assert_true(is_zero(jobs, 1000 * sizeof(*jobs)));
    memset(jobs, 0, 500 * sizeof(*jobs));
    memset(jobs + 500, 0xff, 500 * sizeof(*jobs));
    end(b, 500);
    struct node_record *nodes = begin(b, SNAPSHOT_NODES, 800);
    assert_true(is_zero(nodes, 800 * sizeof(*nodes)));
    end(b, 800);
    struct snapshot snapshot = finish(b, &data);
    size_t count;
    snapshot_array(&snapshot, SNAPSHOT_JOBS, 0, &count);
    assert_int_equal(count, 500);
}

static void an_added_record_is_zeroed(void **state)
{
    struct snapshot_builder *b = *state;
    begin(b, SNAPSHOT_NODES, 0);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t index;
        struct gres_record *gres = snapshot_builder_add(b, 1, &index);
        assert_int_equal(index, i);
        assert_true(is_zero(gres, sizeof(*gres)));
        memset(gres, 0xff, sizeof(*gres));
        gres->name = gres->type = 0;
    }
    end(b, 0);
}

static void records_stay_put_while_others_are_added(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *data = NULL;
    struct node_record *nodes = begin(b, SNAPSHOT_NODES, 2000);
    for (uint32_t i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "a-long-node-name-%u", i);
        nodes[i].name = snapshot_builder_string(b, 0, name);
        nodes[i].slot = i;
        struct gres_record *gres =
            snapshot_builder_add(b, 1, &nodes[i].gres_first);
        gres->total = i;
        nodes[i].gres_count = 1;
    }
    end(b, 2000);
    struct snapshot snapshot = finish(b, &data);
    size_t count;
    const struct node_record *read =
        snapshot_array(&snapshot, SNAPSHOT_NODES, 0, &count);
    const struct gres_record *gres =
        snapshot_array(&snapshot, SNAPSHOT_NODES, 1, &count);
    for (uint32_t i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "a-long-node-name-%u", i);
        assert_string_equal(
            snapshot_text(&snapshot, SNAPSHOT_NODES, read[i].name), name);
        assert_int_equal(gres[read[i].gres_first].total, i);
    }
}

static void equal_strings_of_a_part_share_one(void **state)
{
    struct snapshot_builder *b = *state;
    begin(b, SNAPSHOT_JOBS, 0);
    snapshot_string first = snapshot_builder_string(b, 0, "alice");
    assert_int_not_equal(first, 0);
    assert_int_equal(snapshot_builder_string(b, 0, "alice"), first);
    assert_int_equal(snapshot_builder_string(b, 1, "alice"), first);
    assert_int_not_equal(snapshot_builder_string(b, 0, "bob"), first);
    assert_int_equal(snapshot_builder_string(b, 0, "alice"), first);
    assert_int_equal(snapshot_builder_string(b, 0, NULL), 0);
    assert_int_equal(snapshot_builder_string(b, 0, ""), 0);
    assert_int_equal(snapshot_builder_string(b, 0, "alice"), first);
    end(b, 0);
}

static void no_string_is_left_over_from_the_part_before(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *data = NULL;
    begin(b, SNAPSHOT_NODES, 0);
    snapshot_builder_string(b, 0, "only-of-nodes");
    snapshot_builder_string(b, 1, "alice");
    end(b, 0);
    struct job_record *job = begin(b, SNAPSHOT_JOBS, 1);
    job->user = snapshot_builder_string(b, 1, "alice");
    end(b, 1);
    struct snapshot snapshot = finish(b, &data);
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_JOBS, 1), "alice");
    assert_int_equal(snapshot_part(&snapshot, SNAPSHOT_JOBS)->strings_size,
                     sizeof("\0alice"));
}

static void a_carried_part_keeps_its_content_and_times(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *old_data = NULL, *data = NULL;
    struct error err;
    struct snapshot old;
    size_t old_size;
    must(sample_new(SAMPLE_ALL_PARTS, 7, &old_data, &old_size, &err), &err);
    struct snapshot_header *header = old_data;
    header->parts[SNAPSHOT_JOBS].updated_s = 1234;
    header->parts[SNAPSHOT_JOBS].taken_ns = 5678;
    header->parts[SNAPSHOT_JOBS].wall_ns = 99;
    header->parts[SNAPSHOT_JOBS].cpu_ns = 99;
    must(snapshot_open(old_data, old_size, &old, &err), &err);

    must(sample_add(b, 1U << SNAPSHOT_NODES, 100, &err), &err);
    snapshot_builder_part(b, SNAPSHOT_JOBS)->outcome = SNAPSHOT_FAILED;
    snapshot_builder_part(b, SNAPSHOT_JOBS)->error_code = 42;
    must(snapshot_builder_carry(b, SNAPSHOT_JOBS, &old, &err), &err);
    must(sample_add(b, 1U << SNAPSHOT_LICENSES, 3, &err), &err);
    struct snapshot snapshot = finish(b, &data);

    const struct snapshot_part *was = snapshot_part(&old, SNAPSHOT_JOBS);
    const struct snapshot_part *is = snapshot_part(&snapshot, SNAPSHOT_JOBS);
    assert_int_equal(is->size, was->size);
    assert_memory_equal(snapshot.bytes + is->offset, old.bytes + was->offset,
                        was->size);
    assert_int_equal(is->updated_s, 1234);
    assert_int_equal(is->taken_ns, 5678);
    assert_int_equal(is->wall_ns, 0);
    assert_int_equal(is->cpu_ns, 0);
    assert_int_equal(is->outcome, SNAPSHOT_FAILED);
    assert_int_equal(is->error_code, 42);
    sample_walk(&snapshot);
}

static void nothing_is_carried_from_nothing(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *old_data = NULL, *data = NULL;
    struct error err;
    struct snapshot old;
    size_t old_size;
    must(sample_new(0, 0, &old_data, &old_size, &err), &err);
    must(snapshot_open(old_data, old_size, &old, &err), &err);
    must(snapshot_builder_carry(b, SNAPSHOT_JOBS, NULL, &err), &err);
    must(snapshot_builder_carry(b, SNAPSHOT_NODES, &old, &err), &err);
    struct snapshot snapshot = finish(b, &data);
    assert_false(snapshot_has(&snapshot, SNAPSHOT_JOBS));
    assert_false(snapshot_has(&snapshot, SNAPSHOT_NODES));
}

/* A recording may hold a part whose size is no multiple of the alignment. */
static void what_follows_a_part_of_odd_size_is_aligned(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *old_data = NULL, *data = NULL;
    struct error err;
    struct snapshot old;
    size_t old_size;
    must(sample_new(1U << SNAPSHOT_LICENSES, 1, &old_data, &old_size, &err),
         &err);
    struct snapshot_part *part =
        &((struct snapshot_header *)old_data)->parts[SNAPSHOT_LICENSES];
    part->size = part->strings_offset + part->strings_size;
    assert_int_not_equal(part->size % SNAPSHOT_ALIGNMENT, 0);
    must(snapshot_open(old_data, old_size, &old, &err), &err);
    must(snapshot_builder_carry(b, SNAPSHOT_LICENSES, &old, &err), &err);
    must(sample_add(b, 1U << SNAPSHOT_JOBS, 5, &err), &err);
    struct snapshot snapshot = finish(b, &data);
    assert_string_equal(snapshot_text(&snapshot, SNAPSHOT_LICENSES, 1),
                        "licenses-0-0");
    sample_walk(&snapshot);
}

static void a_part_without_memory_is_dropped_and_others_follow(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *old_data = NULL, *data = NULL;
    struct error err = {.text = ""};
    struct snapshot old;
    size_t old_size;
    must(sample_new(1U << SNAPSHOT_JOBS, 9, &old_data, &old_size, &err), &err);
    must(snapshot_open(old_data, old_size, &old, &err), &err);

    struct job_record *jobs = begin(b, SNAPSHOT_JOBS, 50);
    memset(jobs, 0xff, 50 * sizeof(*jobs));
    memory_is_out = true;
    assert_int_equal(snapshot_builder_string(b, 0, "alice"), 0);
    assert_null(snapshot_builder_add(b, 1, NULL));
    memory_is_out = false;
    assert_int_equal(snapshot_builder_end(b, 50, &err), -ENOMEM);
    assert_string_equal(err.text, "snapshot: Cannot allocate memory");

    must(snapshot_builder_carry(b, SNAPSHOT_JOBS, &old, &err), &err);
    struct node_record *nodes = begin(b, SNAPSHOT_NODES, 20);
    assert_true(is_zero(nodes, 20 * sizeof(*nodes)));
    nodes->name = snapshot_builder_string(b, 0, "n1");
    end(b, 1);
    struct snapshot snapshot = finish(b, &data);
    size_t count;
    snapshot_array(&snapshot, SNAPSHOT_JOBS, 0, &count);
    assert_int_equal(count, 9);
    sample_walk(&snapshot);
}

/* Let no file of this process be larger than SIZE; returns the old limit. */
static rlim_t limit_files(rlim_t size)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t old = limit.rlim_cur;
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return old;
}

static void a_block_that_cannot_grow_says_so_and_goes_on(void **state)
{
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *data = NULL;
    struct error err = {.text = ""};
    void *records;
    rlim_t old = limit_files(64 * 1024);
    int begun = snapshot_builder_begin(b, SNAPSHOT_JOBS, 1000, &records, &err);
    begin(b, SNAPSHOT_NODES, 10);
    for (unsigned int i = 0; i < 10000; i++) {
        struct gres_record *gres = snapshot_builder_add(b, 1, NULL);
        gres->total = UINT64_MAX;
    }
    int ended = snapshot_builder_end(b, 10, NULL);
    limit_files(old);
    assert_int_equal(begun, -EFBIG);
    assert_non_null(strstr(err.text, "snapshot: growing to "));
    assert_int_equal(ended, -EFBIG);

    must(sample_add(b, SAMPLE_ALL_PARTS, 4, &err), &err);
    struct snapshot snapshot = finish(b, &data);
    size_t count;
    snapshot_array(&snapshot, SNAPSHOT_NODES, 0, &count);
    assert_int_equal(count, 4);
    sample_walk(&snapshot);
}

/* The strings, written last, do not fit: the arrays are described by then. */
static void a_dropped_part_leaves_no_array_behind(void **state)
{
    static char large[128 * 1024];
    struct snapshot_builder *b = *state;
    _cleanup_(free_ptr) void *data = NULL;
    memset(large, 'x', sizeof(large) - 1);
    rlim_t old = limit_files(64 * 1024);
    begin(b, SNAPSHOT_ASSOCIATIONS, 0);
    snapshot_builder_add(b, 2, NULL);
    snapshot_builder_string(b, 0, large);
    int ended = snapshot_builder_end(b, 0, NULL);
    limit_files(old);
    assert_int_equal(ended, -EFBIG);

    begin(b, SNAPSHOT_ASSOCIATIONS, 0);
    end(b, 0);
    struct snapshot snapshot = finish(b, &data);
    size_t count;
    snapshot_array(&snapshot, SNAPSHOT_ASSOCIATIONS, 2, &count);
    assert_int_equal(count, 0);
}

static void more_records_than_a_number_counts_are_refused(void **state)
{
    struct snapshot_builder *b = *state;
    struct error err = {.text = ""};
    void *records;
    assert_int_equal(snapshot_builder_begin(b, SNAPSHOT_JOBS,
                                            (size_t)UINT32_MAX + 1, &records,
                                            &err),
                     -EOVERFLOW);
    assert_string_equal(err.text, "snapshot: 4294967296 records");
}

static void a_builder_is_freed_at_any_time(void **state)
{
    struct snapshot_builder *b = *state;
    begin(b, SNAPSHOT_NODES, 5);
    snapshot_builder_string(b, 0, "n1");
    snapshot_builder_add(b, 1, NULL);
    snapshot_builder_free(NULL); /* the other one is the teardown's */
}

#define BUILDER_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, new_builder, free_builder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUILDER_TEST(nobody_can_change_a_finished_snapshot),
        BUILDER_TEST(a_reader_maps_the_sealed_block_as_it_lies),
        BUILDER_TEST(records_begin_zeroed_whatever_was_there),
        BUILDER_TEST(an_added_record_is_zeroed),
        BUILDER_TEST(records_stay_put_while_others_are_added),
        BUILDER_TEST(equal_strings_of_a_part_share_one),
        BUILDER_TEST(no_string_is_left_over_from_the_part_before),
        BUILDER_TEST(a_carried_part_keeps_its_content_and_times),
        BUILDER_TEST(nothing_is_carried_from_nothing),
        BUILDER_TEST(what_follows_a_part_of_odd_size_is_aligned),
        BUILDER_TEST(a_part_without_memory_is_dropped_and_others_follow),
        BUILDER_TEST(a_block_that_cannot_grow_says_so_and_goes_on),
        BUILDER_TEST(a_dropped_part_leaves_no_array_behind),
        BUILDER_TEST(more_records_than_a_number_counts_are_refused),
        BUILDER_TEST(a_builder_is_freed_at_any_time),
    };
    return cmocka_run_group_tests_name("snapshot-build", tests, NULL, NULL);
}
