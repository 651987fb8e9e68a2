/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what is put is read back, from memory and from disk, at each
 * resolution; a crash loses what was not flushed and nothing else; a damaged
 * file is set aside; a full disk loses nothing.
 */
#include "store/store.h"

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

#define START_S INT64_C(1800000000)

static char folder[64];
static char told[512];

static void on_told(void *context, const char *text)
{
    (void)context;
    snprintf(told, sizeof(told), "%s", text);
}

static struct store_settings settings_of_test(void)
{
    struct store_settings settings = store_settings_default;
    settings.folder = folder;
    settings.told = on_told;
    return settings;
}

static struct store *open_store(void)
{
    const struct store_settings settings = settings_of_test();
    struct store *store;
    struct error err;
    if (store_new(&settings, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

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

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-store-XXXXXX");
    told[0] = '\0';
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void what_is_put_is_read_before_and_after_a_flush(void **state)
{
    (void)state;
    struct store *store = open_store();
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
            store = open_store();
        }
    }
    store_free(store);
}

static void coarse_steps_are_means(void **state)
{
    (void)state;
    struct store *store = open_store();
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
    struct store *store = open_store();
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
    struct store *store = open_store();
    int64_t begin_s = START_S - START_S % 900;
    for (int i = 0; i < 30; i++)
        store_put(store, &key, begin_s + 15 * i, 0);
    store_free(store);
    store = open_store();
    for (int i = 30; i < 60; i++)
        store_put(store, &key, begin_s + 15 * i, 100);
    assert_in_range((int)value_at(store, begin_s, begin_s + 899 + 3 * 86400),
                    45, 55);
    store_free(store);
}

static void what_is_too_old_goes(void **state)
{
    (void)state;
    struct store *store = open_store();
    store_put(store, &key, START_S, 42);
    assert_int_equal(store_flush(store, START_S, NULL), 0);
    int64_t later_s = START_S + 91 * 86400;
    assert_int_equal(store_flush(store, later_s, NULL), 0);
    assert_true(isnan(value_at(store, START_S - 86400, START_S + 30 * 86400)));
    store_free(store);
}

static void a_clock_set_back_changes_nothing(void **state)
{
    (void)state;
    struct store *store = open_store();
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
            struct store *store = open_store();
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
        struct store *store = open_store();
        assert_string_equal(told, "");
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
    struct store *store = open_store();
    store_put(store, &key, START_S, 1);
    store_free(store);
    snprintf(path, sizeof(path), "%s/store.db", folder);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++)
        fputc("damage"[i % 6], file);
    fclose(file);
    store = open_store();
    assert_non_null(strstr(told, "set aside as store.db.damaged-"));
    assert_true(store_put(store, &key, START_S, 2));
    assert_int_equal(store_flush(store, START_S, NULL), 0);
    assert_float_equal(value_at(store, START_S, START_S), 2, 0);
    store_free(store);
}

/* A limit on the size of files stands for a disk that is full. */
static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    struct store *store = open_store();
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
    store = open_store();
    assert_int_equal(
        store_read(store, &last, START_S, START_S, 1, &series, NULL), 0);
    assert_float_equal(series.values[0], 999, 0);
    store_series_deinit(&series);
    store_free(store);
}

/* ---- events and jobs ----------------------------------------------------- */

struct seen {
    int count;
    int64_t ids[16];
    char text[64];
};

static void on_event(void *context, const struct store_event *event)
{
    struct seen *seen = context;
    seen->ids[seen->count++] = event->id;
    snprintf(seen->text, sizeof(seen->text), "%s", event->text);
}

static void events_are_listed_newest_first_from_memory_and_disk(void **state)
{
    (void)state;
    struct store *store = open_store();
    for (int i = 0; i < 6; i++) {
        const struct store_event event = {.time_s = START_S + i,
                                          .kind = i % 2 ? "xid" : "node",
                                          .severity = "critical",
                                          .node = "node7",
                                          .job = i == 3 ? 17 : 0,
                                          .text = i == 3 ? "Xid 79" : "down"};
        assert_true(store_add_event(store, &event));
        if (i == 2)
            assert_int_equal(store_flush(store, START_S, NULL), 0);
    }
    struct seen seen = {.count = 0};
    const struct store_event_filter all = {.limit = 10};
    assert_int_equal(store_events(store, &all, on_event, &seen, NULL), 0);
    assert_int_equal(seen.count, 6);
    for (int i = 1; i < 6; i++)
        assert_true(seen.ids[i] < seen.ids[i - 1]);
    seen.count = 0;
    const struct store_event_filter xids = {.kind = "xid", .limit = 2};
    assert_int_equal(store_events(store, &xids, on_event, &seen, NULL), 0);
    assert_int_equal(seen.count, 2);
    seen.count = 0;
    const struct store_event_filter job = {.job = 17, .limit = 10};
    assert_int_equal(store_events(store, &job, on_event, &seen, NULL), 0);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.text, "Xid 79");
    store_free(store);
    /* Ids go on rising. */
    store = open_store();
    const struct store_event event = {.time_s = START_S, .text = "late"};
    assert_true(store_add_event(store, &event));
    seen.count = 0;
    const struct store_event_filter newest = {.limit = 1};
    assert_int_equal(store_events(store, &newest, on_event, &seen, NULL), 0);
    assert_int_equal(seen.ids[0], 7);
    store_free(store);
}

static void on_job(void *context, const struct store_job *job)
{
    struct seen *seen = context;
    seen->ids[seen->count++] = job->job_id;
    snprintf(seen->text, sizeof(seen->text), "%s", job->record);
}

static void jobs_are_listed_by_their_end(void **state)
{
    (void)state;
    struct store *store = open_store();
    for (uint32_t i = 1; i <= 5; i++) {
        const struct store_job job = {.job_id = i,
                                      .submit_s = START_S,
                                      .end_s = START_S + 100 - i,
                                      .user = i % 2 ? "alice" : "bob",
                                      .state = "completed",
                                      .record = "{}"};
        assert_true(store_add_job(store, &job));
    }
    const struct store_job again = {.job_id = 1,
                                    .submit_s = START_S,
                                    .end_s = START_S + 200,
                                    .user = "alice",
                                    .state = "completed",
                                    .record = "{\"again\":true}"};
    assert_true(store_add_job(store, &again));
    struct seen seen = {.count = 0};
    const struct store_job_filter alice = {.user = "alice", .limit = 10};
    assert_int_equal(store_jobs(store, &alice, on_job, &seen, NULL), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.ids[0], 1);
    assert_int_equal(seen.ids[1], 3);
    seen.count = 0;
    const struct store_job_filter first = {.limit = 1};
    assert_int_equal(store_jobs(store, &first, on_job, &seen, NULL), 0);
    assert_string_equal(seen.text, "{\"again\":true}");
    store_free(store);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_read_before_and_after_a_flush),
        TEST(coarse_steps_are_means),
        TEST(absent_is_not_zero),
        TEST(a_restart_in_the_middle_of_a_step_keeps_its_mean),
        TEST(what_is_too_old_goes),
        TEST(a_clock_set_back_changes_nothing),
        TEST(kill_9_while_writing_loses_nothing_that_was_flushed),
        TEST(a_damaged_file_is_set_aside),
        TEST(a_full_disk_loses_nothing),
        TEST(events_are_listed_newest_first_from_memory_and_disk),
        TEST(jobs_are_listed_by_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
