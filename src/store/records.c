/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events and finished jobs: rows that wait in memory until the next flush, and
 * are listed from there and from the tables as if they were one. A list that
 * waits for too long (a full disk) loses its oldest.
 */
#include "store/store-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAITING_MAX = 10000
};

/* Copies COUNT texts behind each other to AT, NULL as "", and points TEXTS
 * there. */
static void keep_texts(char *at, const char **texts[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = *texts[i] ? *texts[i] : "";
        size_t size = strlen(text) + 1;
        memcpy(at, text, size);
        *texts[i] = at;
        at += size;
    }
}

static size_t texts_size(const char **texts[], size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += (*texts[i] ? strlen(*texts[i]) : 0) + 1;
    return size;
}

/* ---- putting ------------------------------------------------------------- */

static void drop_oldest_event(struct store *store)
{
    struct waiting_event **place = &store->events;
    while ((*place)->next)
        place = &(*place)->next;
    free(*place);
    *place = NULL;
    store->waiting_events--;
}

bool store_add_event(struct store *store, const struct store_event *event)
{
    struct store_event copy = *event;
    const char **texts[] = {&copy.kind, &copy.severity, &copy.node, &copy.gpu,
                            &copy.text};
    struct waiting_event *waiting =
        malloc(sizeof(*waiting) + texts_size(texts, 5));
    if (!waiting)
        return false;
    keep_texts(waiting->text, texts, 5);
    copy.id = ++store->event_id;
    waiting->event = copy;
    waiting->next = store->events;
    store->events = waiting;
    if (++store->waiting_events > WAITING_MAX)
        drop_oldest_event(store);
    return true;
}

bool store_add_job(struct store *store, const struct store_job *job)
{
    struct store_job copy = *job;
    const char **texts[] = {&copy.user, &copy.account, &copy.partition,
                            &copy.state, &copy.record};
    struct waiting_job *waiting =
        malloc(sizeof(*waiting) + texts_size(texts, 5));
    if (!waiting)
        return false;
    keep_texts(waiting->text, texts, 5);
    waiting->job = copy;
    waiting->next = NULL;
    *(store->jobs ? &store->jobs_last->next : &store->jobs) = waiting;
    store->jobs_last = waiting;
    if (++store->waiting_jobs > WAITING_MAX) {
        struct waiting_job *oldest = store->jobs;
        store->jobs = oldest->next;
        free(oldest);
        store->waiting_jobs--;
    }
    return true;
}

/* ---- flush --------------------------------------------------------------- */

static int event_write(struct store *store,
                       const struct store_event *event,
                       struct error *err)
{
    sqlite3_stmt *add = store_statement(store, SQL_EVENT_ADD);
    sqlite3_bind_int64(add, 1, event->id);
    sqlite3_bind_int64(add, 2, event->time_s);
    store_bind_text(add, 3, event->kind);
    store_bind_text(add, 4, event->severity);
    store_bind_text(add, 5, event->node);
    store_bind_text(add, 6, event->gpu);
    sqlite3_bind_int64(add, 7, event->job);
    store_bind_text(add, 8, event->text);
    return store_run(store, add, "writing", err);
}

static int
job_write(struct store *store, const struct store_job *job, struct error *err)
{
    sqlite3_stmt *add = store_statement(store, SQL_JOB_ADD);
    sqlite3_bind_int64(add, 1, job->job_id);
    sqlite3_bind_int64(add, 2, job->submit_s);
    sqlite3_bind_int64(add, 3, job->end_s);
    store_bind_text(add, 4, job->user);
    store_bind_text(add, 5, job->account);
    store_bind_text(add, 6, job->partition);
    store_bind_text(add, 7, job->state);
    store_bind_text(add, 8, job->record);
    sqlite3_bind_int64(add, 9, job->start_s);
    sqlite3_bind_double(add, 10, job->gpus);
    if (!isnan(job->gpus_used)) /* else NULL */
        sqlite3_bind_double(add, 11, job->gpus_used);
    return store_run(store, add, "writing", err);
}

static int drop_old(struct store *store, int64_t now_s, struct error *err)
{
    static const enum store_statement by_age[] = {SQL_EVENT_DROP, SQL_JOB_DROP};
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        sqlite3_stmt *drop = store_statement(store, by_age[i]);
        sqlite3_bind_int64(drop, 1, now_s - store->settings.keep_events_s);
        r = store_run(store, drop, "dropping what is old", err);
    }
    if (r < 0 || store->settings.events_max <= 0)
        return r;
    sqlite3_stmt *trim = store_statement(store, SQL_EVENT_TRIM);
    sqlite3_bind_int64(trim, 1, store->event_id - store->settings.events_max);
    r = store_run(store, trim, "dropping what is old", err);
    if (r < 0)
        return r;
    trim = store_statement(store, SQL_JOB_TRIM);
    sqlite3_bind_int64(trim, 1, store->settings.events_max - 1);
    return store_run(store, trim, "dropping what is old", err);
}

int store_records_flush(struct store *store, int64_t now_s, struct error *err)
{
    int r = 0;
    for (struct waiting_event *w = store->events; r == 0 && w; w = w->next)
        r = event_write(store, &w->event, err);
    for (struct waiting_job *w = store->jobs; r == 0 && w; w = w->next)
        r = job_write(store, &w->job, err);
    return r == 0 && store->dropping ? drop_old(store, now_s, err) : r;
}

void store_records_written(struct store *store)
{
    while (store->events) {
        struct waiting_event *waiting = store->events;
        store->events = waiting->next;
        free(waiting);
    }
    while (store->jobs) {
        struct waiting_job *waiting = store->jobs;
        store->jobs = waiting->next;
        free(waiting);
    }
    store->jobs_last = NULL;
    store->waiting_events = store->waiting_jobs = 0;
}

int store_records_open(struct store *store, struct error *err)
{
    sqlite3_stmt *last = store_statement(store, SQL_EVENT_LAST);
    if (sqlite3_step(last) != SQLITE_ROW)
        return store_failed(store, "reading", err);
    int64_t id = sqlite3_column_int64(last, 0);
    sqlite3_reset(last);
    if (id > store->event_id)
        store->event_id = id;
    return 0;
}

/* ---- listing ------------------------------------------------------------- */

static bool text_passes(const char *filter, const char *text)
{
    return !filter || strcmp(filter, text) == 0;
}

static bool event_passes(const struct store_event_filter *filter,
                         const struct store_event *event)
{
    return (filter->before_id == 0 || event->id < filter->before_id) &&
           text_passes(filter->kind, event->kind) &&
           text_passes(filter->node, event->node) &&
           (filter->job == 0 || filter->job == event->job) &&
           !(filter->no_jobs && event->job != 0) &&
           !(filter->no_nodes && *event->node);
}

/* Those on disk, of which WAITING have just been shown. */
static int list_events_of_disk(struct store *store,
                               const struct store_event_filter *filter,
                               size_t limit,
                               void (*each)(void *context,
                                            const struct store_event *event),
                               void *context,
                               struct error *err)
{
    sqlite3_stmt *list = store_statement(store, SQL_EVENT_LIST);
    sqlite3_bind_int64(list, 1,
                       filter->before_id ? filter->before_id : INT64_MAX);
    store_bind_text(list, 2, filter->kind);
    store_bind_text(list, 3, filter->node);
    sqlite3_bind_int64(list, 4, filter->job);
    sqlite3_bind_int64(list, 5, (sqlite3_int64)limit);
    sqlite3_bind_int64(list, 6, filter->no_jobs);
    sqlite3_bind_int64(list, 7, filter->no_nodes);
    int code;
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        const struct store_event event = {
            .id = sqlite3_column_int64(list, 0),
            .time_s = sqlite3_column_int64(list, 1),
            .kind = store_column_text(list, 2),
            .severity = store_column_text(list, 3),
            .node = store_column_text(list, 4),
            .gpu = store_column_text(list, 5),
            .job = (uint32_t)sqlite3_column_int64(list, 6),
            .text = store_column_text(list, 7),
        };
        each(context, &event);
    }
    int r = code == SQLITE_DONE ? 0 : store_failed(store, "reading", err);
    sqlite3_reset(list);
    return r;
}

int64_t store_first_event_s(struct store *store)
{
    int64_t first_s = 0;
    for (const struct waiting_event *w = store->events; w; w = w->next)
        first_s = w->event.time_s; /* the oldest is the last */
    if (!store->database)
        return first_s;
    sqlite3_stmt *first = store_statement(store, SQL_EVENT_FIRST);
    if (sqlite3_step(first) == SQLITE_ROW)
        first_s = sqlite3_column_int64(first, 0);
    sqlite3_reset(first);
    return first_s;
}

int store_events(struct store *store,
                 const struct store_event_filter *filter,
                 void (*each)(void *context, const struct store_event *event),
                 void *context,
                 struct error *err)
{
    size_t left = filter->limit;
    /* Ids rise, so all that wait are newer than all that are on disk. */
    for (struct waiting_event *w = store->events; w && left > 0; w = w->next)
        if (event_passes(filter, &w->event)) {
            each(context, &w->event);
            left--;
        }
    if (left == 0 || !store->database)
        return 0;
    return list_events_of_disk(store, filter, left, each, context, err);
}

/* Jobs end in any order and may be replaced: what waits is written first, so
 * that one list is sorted by one hand. */
static int ready_jobs(struct store *store, struct error *err)
{
    int r = store->jobs ? store_flush(store, store->flushed_s, err) : 0;
    if (r == 0 && !store->database)
        r = error_set(err, EIO, "%s cannot be opened", store->path);
    return r;
}

int store_jobs(struct store *store,
               const struct store_job_filter *filter,
               void (*each)(void *context, const struct store_job *job),
               void *context,
               struct error *err)
{
    int r = ready_jobs(store, err);
    if (r < 0)
        return r;
    sqlite3_stmt *list = store_statement(store, SQL_JOB_LIST);
    sqlite3_bind_int64(list, 1, filter->from_s);
    sqlite3_bind_int64(list, 2, filter->to_s ? filter->to_s : INT64_MAX);
    store_bind_text(list, 3, filter->user);
    store_bind_text(list, 4, filter->account);
    store_bind_text(list, 5, filter->partition);
    store_bind_text(list, 6, filter->state);
    sqlite3_bind_int64(list, 7, filter->job_id);
    sqlite3_bind_int64(list, 8, (sqlite3_int64)filter->limit);
    sqlite3_bind_int64(list, 9, (sqlite3_int64)filter->offset);
    int code;
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        const struct store_job job = {
            .job_id = (uint32_t)sqlite3_column_int64(list, 0),
            .submit_s = sqlite3_column_int64(list, 1),
            .end_s = sqlite3_column_int64(list, 2),
            .user = store_column_text(list, 3),
            .account = store_column_text(list, 4),
            .partition = store_column_text(list, 5),
            .state = store_column_text(list, 6),
            .record = store_column_text(list, 7),
        };
        each(context, &job);
    }
    r = code == SQLITE_DONE ? 0 : store_failed(store, "reading", err);
    sqlite3_reset(list);
    return r;
}

int store_usage(struct store *store,
                int64_t from_s,
                int64_t to_s,
                const char *user,
                void (*each)(void *context, const struct store_usage *usage),
                void *context,
                struct error *err)
{
    int r = ready_jobs(store, err);
    if (r < 0)
        return r;
    sqlite3_stmt *list = store_statement(store, SQL_JOB_USAGE);
    sqlite3_bind_int64(list, 1, from_s);
    sqlite3_bind_int64(list, 2, to_s);
    store_bind_text(list, 3, user);
    int code;
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        const struct store_usage usage = {
            .user = store_column_text(list, 0),
            .jobs = (uint64_t)sqlite3_column_int64(list, 1),
            .gpu_hours = sqlite3_column_double(list, 2),
            .gpu_hours_measured = sqlite3_column_double(list, 3),
            .gpu_hours_used = sqlite3_column_double(list, 4),
        };
        each(context, &usage);
    }
    r = code == SQLITE_DONE ? 0 : store_failed(store, "reading", err);
    sqlite3_reset(list);
    return r;
}
