/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what is put is read back, from memory and from disk, at each
 * resolution; a crash loses what was not flushed and nothing else; a damaged
 * file is set aside; a full disk loses nothing.
 */
#include "store/test-store.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct store_key key = {"gpu", "node7/3", "utilization_percent"};

static double value_at(struct store *store, int64_t from_s, int64_t to_s)
{
    struct store_series series;
    assert_int_equal(store_read(store, &key, from_s, to_s, 1, &series, NULL),
                     0);
    double value = series.count ? series.values[0] : NAN;
    store_series_deinit(&series);
    return value;
}

static void what_is_put_is_read_before_and_after_a_flush(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    for (int i = 0; i < 400; i++)
        assert_true(store_put(store, &key, START_S + 15 * i, i));
    for (int round = 0; round < 3; round++) {
        struct store_series series;
        assert_int_equal(store_read(store, &key, START_S, START_S + 15 * 399,
                                    1000, &series, NULL),
                         0);
        assert_int_equal(series.step_s, 15);
        assert_int_equal(series.count, 400);
        for (int i = 0; i < 400; i++)
            assert_float_equal(series.values[i], i, 0);
        store_series_deinit(&series);
        if (round == 0)
            assert_int_equal(store_flush(store, START_S + 6000, NULL), 0);
        if (round == 1) {
            store_free(store);
            store = store_test_open();
        }
    }
    store_free(store);
}

static void coarse_steps_are_means(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    /* A day, of which the last hour is at full load. */
    for (int i = 0; i < 86400 / 15; i++)
        store_put(store, &key, START_S + 15 * i, i < 82800 / 15 ? 10 : 100);
    struct store_series series;
    assert_int_equal(
        store_read(store, &key, START_S, START_S + 86399, 24, &series, NULL),
        0);
    assert_int_equal(series.step_s, 3600);
    assert_int_equal(series.count, 24);
    assert_float_equal(series.values[0], 10, 0.001);
    assert_float_equal(series.values[22], 10, 0.001);
    assert_float_equal(series.values[23], 100, 0.001);
    store_series_deinit(&series);
    store_free(store);
}

static void absent_is_not_zero(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    store_put(store, &key, START_S, 5);
    store_put(store, &key, START_S + 15, NAN);
    store_put(store, &key, START_S + 30, 7);
    struct store_series series;
    assert_int_equal(
        store_read(store, &key, START_S, START_S + 30, 10, &series, NULL), 0);
    assert_int_equal(series.count, 3);
    assert_true(isnan(series.values[1]));
    store_series_deinit(&series);
    const struct store_key other = {"gpu", "node8/0", "power_watts"};
    assert_int_equal(
        store_read(store, &other, START_S, START_S + 30, 10, &series, NULL), 0);
    assert_int_equal(series.count, 0);
    store_free(store);
}

/* The mean of a step goes on over a restart of the program. */
static void a_restart_in_the_middle_of_a_step_keeps_its_mean(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    int64_t begin_s = START_S - START_S % 900;
    for (int i = 0; i < 30; i++)
        store_put(store, &key, begin_s + 15 * i, 0);
    store_free(store);
    store = store_test_open();
    for (int i = 30; i < 60; i++)
        store_put(store, &key, begin_s + 15 * i, 100);
    assert_in_range((int)value_at(store, begin_s, begin_s + 899 + 3 * 86400),
                    45, 55);
    store_free(store);
}

static void what_is_too_old_goes(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    store_put(store, &key, START_S, 42);
    assert_int_equal(store_flush(store, START_S, NULL), 0);
    int64_t later_s = START_S + 91 * 86400;
    assert_int_equal(store_flush(store, later_s, NULL), 0);
    assert_true(isnan(value_at(store, START_S - 86400, START_S + 30 * 86400)));
    store_free(store);
}

/* An hour's course was looked for among the finest readings, however long ago
 * the hour was. */
static void an_hour_of_long_ago_is_read_where_it_still_is(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    int64_t begin_s = START_S - START_S % 900;
    for (int i = 0; i < 240; i++)
        store_put(store, &key, begin_s + 15 * i, 60);
    for (int days = 1; days < 80; days *= 5) {
        struct store_series series;
        int64_t now_s = begin_s + days * 86400;
        store_put(store, &key, now_s, 1);
        assert_int_equal(store_flush(store, now_s, NULL), 0);
        assert_int_equal(store_read(store, &key, begin_s, begin_s + 3599, 400,
                                    &series, NULL),
                         0);
        assert_int_equal(series.step_s, days == 1 ? 60 : 900);
        for (size_t i = 0; i < series.count; i++)
            assert_float_equal(series.values[i], 60, 0);
        store_series_deinit(&series);
    }
    store_free(store);
}

static int64_t cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000;
}

/* It was looked for chunk by chunk, from 1970 on. */
static void a_question_of_all_times_costs_what_there_is(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    store_put(store, &key, START_S, 7);
    assert_int_equal(store_flush(store, START_S, NULL), 0);
    int64_t began_ms = cpu_ms();
    for (int i = 0; i < 100; i++)
        assert_float_equal(value_at(store, 1, UINT32_MAX), 7, 0);
    assert_true(cpu_ms() - began_ms < 1000);
    store_free(store);
}

static void a_clock_set_back_changes_nothing(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    store_put(store, &key, START_S, 1);
    assert_true(store_put(store, &key, START_S - 3600, 99));
    assert_true(isnan(value_at(store, START_S - 3600, START_S - 3000)));
    store_free(store);
}

/* ---- crashes ------------------------------------------------------------- */

/* A child writes and flushes without end and is killed at any moment: what the
 * last flush that it told of wrote is there, whole. */
static void kill_9_while_writing_loses_nothing_that_was_flushed(void **state)
{
    (void)state;
    int64_t flushed = 0;
    for (int round = 0; round < 8; round++) {
        int told_fd[2];
        assert_int_equal(pipe(told_fd), 0);
        pid_t child = fork();
        if (child == 0) {
            struct store *store = store_test_open();
            for (int64_t i = flushed + 1;; i++) {
                store_put(store, &key, START_S + 15 * i, (double)i);
                if (store_flush(store, START_S + 15 * i, NULL) < 0)
                    _exit(1);
                if (write(told_fd[1], &i, sizeof(i)) < 0)
                    _exit(1);
            }
        }
        close(told_fd[1]);
        usleep(20000 + 7000 * (useconds_t)round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int64_t at;
        while (read(told_fd[0], &at, sizeof(at)) == sizeof(at))
            flushed = at;
        close(told_fd[0]);
        struct store *store = store_test_open();
        assert_string_equal(store_test_told, "");
        if (flushed > 0)
            assert_float_equal(
                value_at(store, START_S + 15 * flushed, START_S + 15 * flushed),
                (double)flushed, 0);
        store_free(store);
    }
    assert_true(flushed > 8);
}

static void a_damaged_file_is_set_aside(void **state)
{
    (void)state;
    char path[128];
    struct store *store = store_test_open();
    store_put(store, &key, START_S, 1);
    store_free(store);
    snprintf(path, sizeof(path), "%s/store.db", store_test_folder);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++)
        fputc("damage"[i % 6], file);
    fclose(file);
    store = store_test_open();
    assert_non_null(strstr(store_test_told, "set aside as store.db.damaged-"));
    assert_true(store_put(store, &key, START_S, 2));
    assert_int_equal(store_flush(store, START_S, NULL), 0);
    assert_float_equal(value_at(store, START_S, START_S), 2, 0);
    store_free(store);
}

/* A limit on the size of files stands for a disk that is full. */
static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    struct rlimit full = {.rlim_cur = 64 * 1024, .rlim_max = RLIM_INFINITY};
    struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
    struct error err = {.text = ""};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    char id[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "node%d/0", i);
        const struct store_key each = {"gpu", id, "power_watts"};
        assert_true(store_put(store, &each, START_S, i));
    }
    assert_true(store_flush(store, START_S, &err) < 0);
    assert_string_not_equal(store_trouble(store), "");
    const struct store_key last = {"gpu", "node999/0", "power_watts"};
    struct store_series series;
    assert_int_equal(
        store_read(store, &last, START_S, START_S, 1, &series, NULL), 0);
    assert_float_equal(series.values[0], 999, 0);
    store_series_deinit(&series);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &room), 0);
    assert_int_equal(store_flush(store, START_S + 30, &err), 0);
    assert_string_equal(store_trouble(store), "");
    store_free(store);
    store = store_test_open();
    assert_int_equal(
        store_read(store, &last, START_S, START_S, 1, &series, NULL), 0);
    assert_float_equal(series.values[0], 999, 0);
    store_series_deinit(&series);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_put_is_read_before_and_after_a_flush),
        STORE_TEST(coarse_steps_are_means),
        STORE_TEST(absent_is_not_zero),
        STORE_TEST(a_restart_in_the_middle_of_a_step_keeps_its_mean),
        STORE_TEST(what_is_too_old_goes),
        STORE_TEST(an_hour_of_long_ago_is_read_where_it_still_is),
        STORE_TEST(a_question_of_all_times_costs_what_there_is),
        STORE_TEST(a_clock_set_back_changes_nothing),
        STORE_TEST(kill_9_while_writing_loses_nothing_that_was_flushed),
        STORE_TEST(a_damaged_file_is_set_aside),
        STORE_TEST(a_full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
