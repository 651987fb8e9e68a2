/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and finished jobs: in what order they come, and what they sum up to.
 */
#include "store/test-store.h"

#include "base/cleanup.h"

#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
    struct store *store = store_test_open();
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
    store = store_test_open();
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
    struct store *store = store_test_open();
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

struct usages {
    char text[512];
};

static void on_usage(void *context, const struct store_usage *usage)
{
    struct usages *usages = context;
    size_t size = strlen(usages->text);
    snprintf(usages->text + size, sizeof(usages->text) - size,
             "%s %d jobs %.1f of %.1f of %.1f\n", usage->user, (int)usage->jobs,
             usage->gpu_hours_used, usage->gpu_hours_measured,
             usage->gpu_hours);
}

static void add_job(struct store *store,
                    uint32_t id,
                    const char *user,
                    int64_t hours_ago,
                    int64_t hours,
                    double gpus,
                    double gpus_used)
{
    char record[160], used[64] = "";
    int64_t start_s = START_S - hours_ago * 3600;
    if (!isnan(gpus_used))
        snprintf(used, sizeof(used), ",\"efficiency\":{\"gpus_used\":%g}",
                 gpus_used);
    snprintf(record, sizeof(record), "{\"start_s\":%lld,\"gpus\":%g%s}",
             (long long)start_s, gpus, used);
    const struct store_job job = {.job_id = id,
                                  .submit_s = start_s,
                                  .start_s = start_s,
                                  .end_s = start_s + hours * 3600,
                                  .user = user,
                                  .state = "completed",
                                  .gpus = gpus,
                                  .gpus_used = gpus_used,
                                  .record = record};
    assert_true(store_add_job(store, &job));
}

#define USAGES                                                                 \
    "ann 2 jobs 18.0 of 28.0 of 28.0\n"                                        \
    "ben 2 jobs 0.0 of 2.0 of 6.0\n"

static void expect_usages(struct store *store)
{
    struct usages usages = {""};
    assert_int_equal(store_usage(store, START_S - 10 * 3600, START_S, NULL,
                                 on_usage, &usages, NULL),
                     0);
    assert_string_equal(usages.text, USAGES);
}

static void add_jobs(struct store *store)
{
    add_job(store, 1, "ann", 20, 15, 4, 2); /* half of it within 10 hours */
    add_job(store, 2, "ann", 2, 1, 8, 8);   /* all of it */
    add_job(store, 3, "ann", 40, 10, 8, 8); /* none of it */
    add_job(store, 4, "ben", 4, 2, 2, NAN); /* not measured */
    add_job(store, 5, "ben", 4, 2, 1, 0);   /* wasted */
}

static void usage_is_of_the_time_asked_for(void **state)
{
    (void)state;
    struct store *store = store_test_open();
    struct usages usages = {""};
    add_jobs(store);
    expect_usages(store);
    assert_int_equal(
        store_usage(store, 0, START_S, "ben", on_usage, &usages, NULL), 0);
    assert_string_equal(usages.text, "ben 2 jobs 0.0 of 2.0 of 6.0\n");
    store_free(store);
}

/* A file as the last version wrote it. */
static void an_older_file_is_brought_up_to_date(void **state)
{
    (void)state;
    sqlite3 *database;
    char path[128];
    struct store *store = store_test_open();
    add_jobs(store);
    store_free(store);
    snprintf(path, sizeof(path), "%s/store.db", store_test_folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database,
                     "CREATE TABLE old(job_id INTEGER NOT NULL,"
                     " submit_s INTEGER NOT NULL, end_s INTEGER NOT NULL,"
                     " user TEXT, account TEXT, part TEXT, state TEXT,"
                     " record TEXT, PRIMARY KEY(job_id, submit_s))"
                     " WITHOUT ROWID;"
                     "INSERT INTO old SELECT job_id,submit_s,end_s,user,"
                     "account,part,state,record FROM jobs;"
                     "DROP TABLE jobs; ALTER TABLE old RENAME TO jobs;"
                     "PRAGMA user_version=2",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
    for (int round = 0; round < 2; round++) {
        store = store_test_open();
        assert_string_equal(store_test_told, "");
        expect_usages(store);
        store_free(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(events_are_listed_newest_first_from_memory_and_disk),
        STORE_TEST(jobs_are_listed_by_their_end),
        STORE_TEST(usage_is_of_the_time_asked_for),
        STORE_TEST(an_older_file_is_brought_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
