/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from libslurm's records to an open snapshot, for tests. */
#include "source/test-convert.h"

struct error convert_error;
struct slurm_request convert_request;
struct mapped_snapshot *convert_mapped;

int convert_set_up(void **state)
{
    (void)state;
    convert_request = (struct slurm_request){.users = user_names_new()};
    user_names_begin(convert_request.users);
    convert_mapped = NULL;
    return snapshot_builder_new(&convert_request.builder, &convert_error);
}

int convert_tear_down(void **state)
{
    (void)state;
    snapshot_builder_free(convert_request.builder);
    user_names_free(convert_request.users);
    mapped_snapshot_unref(convert_mapped);
    return 0;
}

void convert_open(void)
{
    int fd;
    assert_int_equal(
        snapshot_builder_finish(convert_request.builder, &fd, &convert_error),
        0);
    assert_int_equal(
        mapped_snapshot_new(fd, true, &convert_mapped, &convert_error), 0);
}

const void *
convert_records(enum snapshot_part_kind kind, unsigned int array, size_t count)
{
    size_t found;
    const void *data =
        snapshot_array(&convert_mapped->snapshot, kind, array, &found);
    assert_int_equal(found, count);
    return data;
}

const char *convert_text(enum snapshot_part_kind kind, snapshot_string string)
{
    return snapshot_text(&convert_mapped->snapshot, kind, string);
}
