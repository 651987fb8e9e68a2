/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is accepted as a snapshot, from a collector and from a file. */
#include "base/test.h"

#include "base/cleanup.h"
#include "model/snapshot-build.h"
#include "source/mapped-snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct error err;

/* A sealed snapshot with one node, as a collector sends it. */
static int make_snapshot(void)
{
    struct snapshot_builder *builder;
    void *records;
    int fd;
    assert_int_equal(snapshot_builder_new(&builder, &err), 0);
    assert_int_equal(
        snapshot_builder_begin(builder, SNAPSHOT_NODES, 1, &records, &err), 0);
    struct node_record *node = records;
    node->name = snapshot_builder_string(builder, 0, "n1");
    assert_int_equal(snapshot_builder_end(builder, 1, &err), 0);
    assert_int_equal(snapshot_builder_finish(builder, &fd, &err), 0);
    snapshot_builder_free(builder);
    return fd;
}

/* The same bytes in a memfd that carries only SEALS. */
static int copy_snapshot(int seals)
{
    _cleanup_(close_fd) int from = make_snapshot();
    char bytes[65536];
    ssize_t size = pread(from, bytes, sizeof(bytes), 0);
    assert_true(size > 0);
    int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(write(fd, bytes, (size_t)size), size);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void assert_node(const struct mapped_snapshot *mapped)
{
    size_t count;
    const struct node_record *node =
        snapshot_array(&mapped->snapshot, SNAPSHOT_NODES, 0, &count);
    assert_int_equal(count, 1);
    assert_string_equal(
        snapshot_text(&mapped->snapshot, SNAPSHOT_NODES, node->name), "n1");
}

static void assert_refused(int fd, bool sealed, const char *why)
{
    struct mapped_snapshot *mapped = NULL;
    assert_true(mapped_snapshot_new(fd, sealed, &mapped, &err) < 0);
    assert_null(mapped);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" says nothing of \"%s\"", err.text, why);
    /* Taken over even on failure. */
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_a_sealed_snapshot_is_mapped(void **state)
{
    (void)state;
    struct mapped_snapshot *mapped;
    assert_int_equal(mapped_snapshot_new(make_snapshot(), true, &mapped, &err),
                     0);
    assert_node(mapped);
    mapped_snapshot_unref(mapped);
}

static void test_each_seal_is_demanded(void **state)
{
    (void)state;
    static const int seals[] = {0, F_SEAL_SHRINK | F_SEAL_GROW,
                                F_SEAL_SHRINK | F_SEAL_WRITE,
                                F_SEAL_GROW | F_SEAL_WRITE};
    for (size_t i = 0; i < array_size(seals); i++)
        assert_refused(copy_snapshot(seals[i]), true, "not sealed");
}

static void test_other_descriptors_are_refused(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_refused(ends[0], true, "not a memfd");
    assert_refused(ends[1], false, "not a file");
    assert_refused(open("/", O_RDONLY | O_CLOEXEC), false, "not a file");
    assert_refused(open("/dev/null", O_RDONLY | O_CLOEXEC), false,
                   "not a file");
    assert_refused(memfd_create("empty", MFD_CLOEXEC), false, "empty");
}

static void test_sealed_nonsense_is_refused(void **state)
{
    (void)state;
    int fd = memfd_create("nonsense", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    assert_refused(fd, true, "not a snapshot");
}

struct place {
    char folder[64];
    char path[96];
};

static void make_place(struct place *place)
{
    strcpy(place->folder, "/tmp/test-mapped-snapshot.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/recording", place->folder);
}

static void remove_place(const struct place *place)
{
    unlink(place->path);
    /* Fails, and the test with it, when anything else was left there. */
    assert_int_equal(rmdir(place->folder), 0);
}

static void test_a_saved_snapshot_opens_again(void **state)
{
    (void)state;
    struct place place;
    struct mapped_snapshot *mapped, *again;
    make_place(&place);
    assert_int_equal(mapped_snapshot_new(make_snapshot(), true, &mapped, &err),
                     0);
    assert_int_equal(mapped_snapshot_save(mapped, place.path, &err), 0);
    assert_int_equal(mapped_snapshot_save(mapped, place.path, &err), 0);
    assert_int_equal(mapped_snapshot_open_file(place.path, &again, &err), 0);
    assert_node(again);

    /* Cutting the file short does not reach its readers. */
    assert_int_equal(truncate(place.path, 0), 0);
    assert_node(again);
    mapped_snapshot_unref(again);
    mapped_snapshot_unref(mapped);
    remove_place(&place);
}

static void test_a_cut_recording_is_refused(void **state)
{
    (void)state;
    struct place place;
    struct mapped_snapshot *mapped;
    struct stat status;
    make_place(&place);
    assert_int_equal(mapped_snapshot_new(make_snapshot(), true, &mapped, &err),
                     0);
    assert_int_equal(mapped_snapshot_save(mapped, place.path, &err), 0);
    mapped_snapshot_unref(mapped);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(truncate(place.path, status.st_size - 8), 0);
    assert_true(mapped_snapshot_open_file(place.path, &mapped, &err) < 0);
    assert_non_null(strstr(err.text, place.path));
    assert_non_null(strstr(err.text, "cut short"));
    remove_place(&place);
}

static void test_errors_name_the_file(void **state)
{
    (void)state;
    struct mapped_snapshot *mapped;
    assert_int_equal(
        mapped_snapshot_open_file("/nonexistent/recording", &mapped, &err),
        -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/recording"));
    assert_int_equal(mapped_snapshot_new(make_snapshot(), true, &mapped, &err),
                     0);
    assert_int_equal(
        mapped_snapshot_save(mapped, "/nonexistent/recording", &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/recording"));
    mapped_snapshot_unref(mapped);
}

static void test_the_last_reader_closes(void **state)
{
    (void)state;
    struct mapped_snapshot *mapped;
    assert_int_equal(mapped_snapshot_new(make_snapshot(), true, &mapped, &err),
                     0);
    int fd = mapped->fd;
    struct mapped_snapshot *second = mapped_snapshot_ref(mapped);
    assert_null(mapped_snapshot_unref(mapped));
    assert_node(second);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_null(mapped_snapshot_unref(second));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_null(mapped_snapshot_unref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sealed_snapshot_is_mapped),
        cmocka_unit_test(test_each_seal_is_demanded),
        cmocka_unit_test(test_other_descriptors_are_refused),
        cmocka_unit_test(test_sealed_nonsense_is_refused),
        cmocka_unit_test(test_a_saved_snapshot_opens_again),
        cmocka_unit_test(test_a_cut_recording_is_refused),
        cmocka_unit_test(test_errors_name_the_file),
        cmocka_unit_test(test_the_last_reader_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
