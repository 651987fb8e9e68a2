/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The string table: each string once, found again however the table grew; and
 * names that differ in one place only, which users' and nodes' names do, still
 * spread over it. A failing realloc() is linked in for the one that can fail.
 */
#include "model/string-table.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    NAMES = 1000,
    ROUNDS = 100,
    COLLIDING = 400000 /* as many share the whole hash with another, surely */
};

static bool memory_is_out;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_out ? NULL : __real_realloc(memory, size);
}

static int new_table(void **state)
{
    static struct string_table table;
    memory_is_out = false;
    string_table_init(&table);
    *state = &table;
    return 0;
}

static int free_table(void **state)
{
    string_table_deinit(*state);
    return 0;
}

static void the_first_string_stands_behind_a_zero_byte(void **state)
{
    struct string_table *t = *state;
    assert_int_equal(t->size, 0);
    assert_int_equal(string_table_add(t, "gpu"), 1);
    assert_int_equal(t->size, sizeof("\0gpu"));
    assert_memory_equal(t->bytes, "\0gpu", sizeof("\0gpu"));
}

static void equal_strings_are_kept_once(void **state)
{
    struct string_table *t = *state;
    uint32_t gpu = string_table_add(t, "gpu");
    uint32_t gpus = string_table_add(t, "gpus");
    char other[] = "gpu";
    assert_int_not_equal(gpu, gpus);
    assert_int_equal(string_table_add(t, other), gpu);
    assert_int_equal(string_table_add(t, "gpus"), gpus);
    assert_int_equal(t->size, sizeof("\0gpu\0gpus"));
}

static void strings_of_every_length_are_told_apart(void **state)
{
    struct string_table *t = *state;
    char string[65];
    uint32_t found[65];
    for (size_t length = 1; length < sizeof(string); length++) {
        memset(string, 'x', length);
        string[length] = '\0';
        found[length] = string_table_add(t, string);
        string[length - 1] = 'y'; /* the last byte counts */
        assert_int_not_equal(string_table_add(t, string), found[length]);
        string[length - 1] = 'x';
        string[0] = 'z'; /* and the first */
        if (length > 1)
            assert_int_not_equal(string_table_add(t, string), found[length]);
        string[0] = 'x';
        assert_int_equal(string_table_add(t, string), found[length]);
    }
}

static void strings_are_found_again_however_the_table_grew(void **state)
{
    struct string_table *t = *state;
    uint32_t *offsets = calloc(COLLIDING, sizeof(*offsets));
    char string[32];
    assert_non_null(offsets);
    for (int i = 0; i < COLLIDING; i++) {
        snprintf(string, sizeof(string), "job-%d", i);
        offsets[i] = string_table_add(t, string);
        assert_int_not_equal(offsets[i], 0);
    }
    size_t size = t->size;
    for (int i = 0; i < COLLIDING; i++) {
        snprintf(string, sizeof(string), "job-%d", i);
        assert_int_equal(string_table_add(t, string), offsets[i]);
        assert_string_equal(t->bytes + offsets[i], string);
    }
    assert_int_equal(t->size, size);
    assert_int_equal(t->bytes[size - 1], '\0');
    free(offsets);
}

static void a_cleared_table_has_forgotten_its_strings(void **state)
{
    struct string_table *t = *state;
    string_table_add(t, "a");
    uint32_t b = string_table_add(t, "b");
    string_table_clear(t);
    assert_int_equal(t->size, 0);
    assert_int_not_equal(string_table_add(t, "b"), b);
    assert_memory_equal(t->bytes, "\0b", sizeof("\0b"));
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* CPU to add NAMES strings, a number each between BEFORE and BEHIND, and to
 * find them again and again; the best of three. */
static double time_names(const char *before, const char *behind)
{
    static char names[NAMES][48];
    double best = 0;
    for (int i = 0; i < NAMES; i++)
        snprintf(names[i], sizeof(names[i]), "%s%03d%s", before, i, behind);
    for (int run = 0; run < 3; run++) {
        struct string_table t;
        string_table_init(&t);
        double start = cpu_ms();
        for (int i = 0; i < ROUNDS * NAMES; i++)
            string_table_add(&t, names[i % NAMES]);
        double spent = cpu_ms() - start;
        best = run == 0 || spent < best ? spent : best;
        string_table_deinit(&t);
    }
    return best;
}

/* The first hash multiplied last, which carries upwards only: the last letters
 * of a word of 64 bits fell out of the table's mask, and "user000" to "user999"
 * shared some forty places. They took five times as long as other names. */
static void names_of_seven_letters_spread_like_any_other(void **state)
{
    (void)state;
    double usual = time_names("a-usual-name-of-a-job-", "-or-so");
    assert_true(time_names("user", "") < 3 * usual);
    assert_true(time_names("login-node-n", "") < 3 * usual);
    assert_true(time_names("n", "") < 3 * usual);
    assert_true(time_names("", "------------------") < 3 * usual);
}

static void without_memory_the_table_stays_as_it_was(void **state)
{
    struct string_table *t = *state;
    static char large[64 * 1024];
    memset(large, 'x', sizeof(large) - 1);
    uint32_t gpu = string_table_add(t, "gpu");
    size_t size = t->size;
    memory_is_out = true;
    assert_int_equal(string_table_add(t, large), 0);
    assert_int_equal(t->size, size);
    assert_int_equal(string_table_add(t, "gpu"), gpu);
    memory_is_out = false;
    assert_int_equal(string_table_add(t, large), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_first_string_stands_behind_a_zero_byte, new_table, free_table),
        cmocka_unit_test_setup_teardown(equal_strings_are_kept_once, new_table,
                                        free_table),
        cmocka_unit_test_setup_teardown(strings_of_every_length_are_told_apart,
                                        new_table, free_table),
        cmocka_unit_test_setup_teardown(
            strings_are_found_again_however_the_table_grew, new_table,
            free_table),
        cmocka_unit_test_setup_teardown(
            a_cleared_table_has_forgotten_its_strings, new_table, free_table),
        cmocka_unit_test(names_of_seven_letters_spread_like_any_other),
        cmocka_unit_test_setup_teardown(
            without_memory_the_table_stays_as_it_was, new_table, free_table),
    };
    return cmocka_run_group_tests_name("string-table", tests, NULL, NULL);
}
