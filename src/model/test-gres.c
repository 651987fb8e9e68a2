/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRES strings as Slurm 20.11 to 26.05 print them, and what is none. A case
 * shows what was read in one line, "name:type:count (note)", items apart by a
 * space; "!" stands where reading ended in -EINVAL.
 */
#include "model/gres.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct gres_case {
    const char *string;
    const char *wanted;
};

static void show_item(const struct gres_item *item, char *line, size_t size)
{
    char name[64], type[64], note[64];
    size_t used = strlen(line);
    used += (size_t)snprintf(
        line + used, size - used, "%s%s:%s:%" PRIu64, used ? " " : "",
        slice_copy(item->name, name, sizeof(name)),
        slice_copy(item->type, type, sizeof(type)), item->count);
    if (item->note.size)
        snprintf(line + used, size - used, " (%s)",
                 slice_copy(item->note, note, sizeof(note)));
}

static void show(const char *string, char *line, size_t size)
{
    struct gres_reader reader = gres_read(string);
    struct gres_item item;
    int r;
    *line = '\0';
    while ((r = gres_next(&reader, &item)) > 0)
        show_item(&item, line, size);
    if (r < 0) {
        assert_int_equal(r, -EINVAL);
        strcat(line, *line ? " !" : "!");
        assert_int_equal(gres_next(&reader, &item), 0);
    }
}

static void check(const struct gres_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char line[512];
        show(cases[i].string, line, sizeof(line));
        if (strcmp(line, cases[i].wanted) != 0)
            fail_msg("\"%s\" reads as \"%s\", not as \"%s\"",
                     cases[i].string ? cases[i].string : "NULL", line,
                     cases[i].wanted);
    }
}

static void nothing_is_read_from_nothing(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {NULL, ""},
        {"", ""},
        {"(null)", ""},
    };
    check(cases, array_size(cases));
}

static void a_node_has_what_its_gres_say(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu", "gpu::1"},
        {"gpu:4", "gpu::4"},
        {"gpu:0", "gpu::0"},
        {"gpu:4(S:0-1)", "gpu::4 (S:0-1)"},
        {"gpu:a100:4", "gpu:a100:4"},
        {"gpu:a100:4(S:0-1)", "gpu:a100:4 (S:0-1)"},
        {"gpu:a100:4(S:0,2)", "gpu:a100:4 (S:0,2)"},
        {"gpu:a100", "gpu:a100:1"},
        {"gpu:tesla:2(S:0),mps:tesla:200(S:0)",
         "gpu:tesla:2 (S:0) mps:tesla:200 (S:0)"},
        {"gpu:a100:2,gpu:v100:4,nic:2", "gpu:a100:2 gpu:v100:4 nic::2"},
        {"gpu:4,", "gpu::4"},
        {"lustre:no_consume:4G", "lustre::4294967296"},
        {"bandwidth:lustre:no_consume:4K", "bandwidth:lustre:4096"},
        {"craynetwork:no_consume", "craynetwork::1"},
        {"gpu:4K", "gpu::4096"},
    };
    check(cases, array_size(cases));
}

static void used_gres_have_their_indexes_in_the_note(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu:a100:2(IDX:0,3)", "gpu:a100:2 (IDX:0,3)"},
        {"gpu:a100:3(IDX:0,3-4),nic:1(IDX:1)",
         "gpu:a100:3 (IDX:0,3-4) nic::1 (IDX:1)"},
        {"gpu:(null):0(IDX:N/A)", "gpu::0 (IDX:N/A)"},
        {"gpu:(null):2(IDX:0,3),shard:(null):0(0/4,0/4)",
         "gpu::2 (IDX:0,3) shard::0 (0/4,0/4)"},
        {"gpu:0(IDX:N/A)", "gpu::0 (IDX:N/A)"},
        {"gpu:a100:2(CNT:2)", "gpu:a100:2 (CNT:2)"},
        {"shard:a100:8(4/8,4/8)", "shard:a100:8 (4/8,4/8)"},
        {"shard:a100:8(-/8,-/8)", "shard:a100:8 (-/8,-/8)"},
    };
    check(cases, array_size(cases));
}

static void a_mig_profile_is_a_type(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu:a100_1g.10gb:7", "gpu:a100_1g.10gb:7"},
        {"gpu:1g.10gb:7(S:0)", "gpu:1g.10gb:7 (S:0)"},
        {"gpu:1g.10gb", "gpu:1g.10gb:1"},
        {"gpu:1g.5gb+me:1,gpu:3g.20gb:2", "gpu:1g.5gb+me:1 gpu:3g.20gb:2"},
    };
    check(cases, array_size(cases));
}

static void a_type_of_digits_is_a_type_before_a_count(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu:4090:2", "gpu:4090:2"},
        {"gpu:4090", "gpu::4090"},
        {"gpu:1080ti:2", "gpu:1080ti:2"},
        {"gpu:1080ti", "gpu:1080ti:1"},
    };
    check(cases, array_size(cases));
}

static void requests_of_jobs_have_prefixes(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gres:gpu", "gpu::1"},
        {"gres:gpu:2", "gpu::2"},
        {"gres:gpu:a100:2", "gpu:a100:2"},
        {"gres:gpu:a100:no_consume:2", "gpu:a100:2"},
        {"gres/gpu", "gpu::1"},
        {"gres/gpu:2", "gpu::2"},
        {"gres/gpu=2", "gpu::2"},
        {"gres/gpu:a100=2", "gpu:a100:2"},
        {"gres/gpu:a100:2", "gpu:a100:2"},
        {"gres:gpu:a100:1,gres:nic:1", "gpu:a100:1 nic::1"},
        {"gres/shard:8,gres/gpu:1", "shard::8 gpu::1"},
    };
    check(cases, array_size(cases));
}

static void a_prefix_may_stand_twice(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gres:gres:gpu:2", "gpu::2"},
        {"gres:gres/gpu:2", "gpu::2"},
        {"gres/gres/gpu:a100:2", "gpu:a100:2"},
        {"gres/gres:gpu:2", "gpu::2"},
    };
    check(cases, array_size(cases));
}

static void a_spelled_out_null_type_needs_no_count(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu:(null)", "gpu::1"},
        {"gpu:(null),nic:2", "gpu::1 nic::2"},
        {"gpu:(null)(S:0)", "gpu::1 (S:0)"},
    };
    check(cases, array_size(cases));
}

static void a_prefix_alone_is_no_name(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gres/", "!"},
        {"gres/:2", "!"},
        {"gres::2", "!"},
        {"gres:", "!"},
    };
    check(cases, array_size(cases));
}

static void a_count_past_64_bits_is_no_type(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {"gpu:18446744073709551615", "gpu::18446744073709551615"},
        {"gpu:18446744073709551616", "!"},
        {"gpu:a100:99999999999999999999", "!"},
        {"gpu:99999999999P", "!"},
    };
    check(cases, array_size(cases));
}

static void what_cannot_be_read_ends_the_reading(void **state)
{
    (void)state;
    static const struct gres_case cases[] = {
        {",", "!"},
        {"gpu:1,,nic:1", "gpu::1 !"},
        {":4", "!"},
        {"gpu:", "!"},
        {"gpu:a100:", "!"},
        {"gpu::4", "!"},
        {"gpu:a100:b100:4", "!"},
        {"gpu:4(S:0", "!"},
        {"gpu:4)S:0(", "!"},
        {"(S:0)", "!"},
        {"a:b:c:d:e:f", "!"},
        {"gpu:-1", "gpu:-1:1"}, /* not a number, so a type */
        {"nic:1,gpu:4(S:0", "nic::1 !"},
    };
    check(cases, array_size(cases));
}

static struct slice slice_of(const char *string)
{
    return (struct slice){.data = string, .size = strlen(string)};
}

static void a_number_may_have_a_fraction_and_a_binary_suffix(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        uint64_t wanted;
    } cases[] = {
        {"0", 0},
        {"16", 16},
        {"007", 7},
        {"18446744073709551615", UINT64_MAX},
        {"4k", UINT64_C(4) << 10},
        {"4K", UINT64_C(4) << 10},
        {"4M", UINT64_C(4) << 20},
        {"4g", UINT64_C(4) << 30},
        {"1.5T", UINT64_C(3) << 39},
        {"1.50T", UINT64_C(3) << 39},
        {"2P", UINT64_C(2) << 50},
        {"16383P", UINT64_C(16383) << 50},
        {"0.5K", 512},
        {"0.3T", 329853488333}, /* nearest byte */
        {"1.5", 2},
        {"1.4", 1},
        {"1.", 1},
        {"1.K", 1024},
        {"0.9999999999999999999999999999K", 1024},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        uint64_t value = 0;
        if (slice_number(slice_of(cases[i].string), &value) != 0 ||
            value != cases[i].wanted)
            fail_msg("\"%s\" reads as %" PRIu64, cases[i].string, value);
    }
}

static void what_is_no_number_leaves_the_result_alone(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        int wanted;
    } cases[] = {
        {"", -EINVAL},
        {"K", -EINVAL},
        {".5", -EINVAL},
        {"-1", -EINVAL},
        {"+1", -EINVAL},
        {" 1", -EINVAL},
        {"1 ", -EINVAL},
        {"1E", -EINVAL},
        {"1KB", -EINVAL},
        {"1.2.3", -EINVAL},
        {"0x10", -EINVAL},
        {"18446744073709551616", -ERANGE},
        {"99999999999999999999999", -ERANGE},
        {"16384P", -ERANGE},
        {"18014398509481984K", -ERANGE},
        {"18446744073709551615.5", -ERANGE},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        uint64_t value = 42;
        int r = slice_number(slice_of(cases[i].string), &value);
        if (r != cases[i].wanted || value != 42)
            fail_msg("\"%s\" gives %d and %" PRIu64, cases[i].string, r, value);
    }
}

static void a_copy_is_cut_to_fit_and_always_ends(void **state)
{
    (void)state;
    char buffer[4];
    assert_string_equal(slice_copy(slice_of("gpu"), buffer, 4), "gpu");
    assert_string_equal(slice_copy(slice_of("shard"), buffer, 4), "sha");
    assert_string_equal(slice_copy(slice_of("shard"), buffer, 1), "");
    assert_string_equal(slice_copy((struct slice){.data = NULL}, buffer, 4),
                        "");
}

static void indices_are_told_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *note, *indices;
    } cases[] = {
        {"IDX:0", " 0"},
        {"IDX:0-1", " 0 1"},
        {"IDX:0,3-5", " 0 3 4 5"},
        {"IDX:0-1,7,9-9", " 0 1 7 9"},
        {"IDX:N/A", ""},
        {"IDX:", ""},
        {"", ""},
        {"S:0-1", ""},
        {"IDX:5-3", ""},
        {"IDX:1-", ""},
        {"IDX:1;2", ""},
        {"IDX:1,,2", " 1"},
        {"IDX:99999", ""},
        {"IDX:2-x", ""},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        char told[64] = "";
        uint32_t index;
        struct gres_indices indices = gres_indices(slice_of(cases[i].note));
        while (gres_indices_next(&indices, &index))
            snprintf(told + strlen(told), sizeof(told) - strlen(told),
                     " %" PRIu32, index);
        assert_string_equal(told, cases[i].indices);
        assert_false(gres_indices_next(&indices, &index));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_from_nothing),
        cmocka_unit_test(a_node_has_what_its_gres_say),
        cmocka_unit_test(used_gres_have_their_indexes_in_the_note),
        cmocka_unit_test(a_mig_profile_is_a_type),
        cmocka_unit_test(a_type_of_digits_is_a_type_before_a_count),
        cmocka_unit_test(requests_of_jobs_have_prefixes),
        cmocka_unit_test(a_prefix_may_stand_twice),
        cmocka_unit_test(a_spelled_out_null_type_needs_no_count),
        cmocka_unit_test(a_prefix_alone_is_no_name),
        cmocka_unit_test(a_count_past_64_bits_is_no_type),
        cmocka_unit_test(what_cannot_be_read_ends_the_reading),
        cmocka_unit_test(a_number_may_have_a_fraction_and_a_binary_suffix),
        cmocka_unit_test(what_is_no_number_leaves_the_result_alone),
        cmocka_unit_test(indices_are_told_one_by_one),
        cmocka_unit_test(a_copy_is_cut_to_fit_and_always_ends),
    };
    return cmocka_run_group_tests_name("gres", tests, NULL, NULL);
}
