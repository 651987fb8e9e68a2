/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database of the store: opening, what to do when it is damaged, and the
 * one transaction of a flush.
 *
 * Of the chunks those of one time lie side by side, whatever series they are
 * of: a flush writes the chunk under way of every series, and of each page of
 * the file that it touches the whole goes to the disk. A plot's chunks lie
 * apart, which is a lookup each.
 *
 * WAL with synchronous=NORMAL: a commit appends to the log without waiting for
 * the disk, which is synced when the log is folded back. A crash of the program
 * loses nothing that was committed; a crash of the machine may lose the last
 * commits, and leaves the file whole.
 */
#include "store/store-private.h"

#include "base/cleanup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
    DAY_S = 24 * HOUR_S,
    /* Raised when the tables change; a file of the one before is brought up to
     * date, any other is set aside. */
    SCHEMA = 3
};

const struct store_settings store_settings_default = {
    .step_s = {15, MINUTE_S, 15 * MINUTE_S},
    .keep_s = {2 * HOUR_S, 2 * DAY_S, 90 * DAY_S},
    .keep_events_s = 90 * DAY_S,
    .events_max = 1000000,
};

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "PRAGMA journal_size_limit=16777216;"
    "CREATE TABLE IF NOT EXISTS series("
    " id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entity TEXT NOT NULL,"
    " metric TEXT NOT NULL, last_s INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(kind, entity, metric));"
    "CREATE INDEX IF NOT EXISTS series_last ON series(last_s);"
    "CREATE TABLE IF NOT EXISTS chunks("
    " tier INTEGER NOT NULL, series INTEGER NOT NULL, start_s INTEGER NOT NULL,"
    " points BLOB NOT NULL, PRIMARY KEY(tier, start_s, series)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS events("
    " id INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, kind TEXT, severity "
    "TEXT,"
    " node TEXT, gpu TEXT, job INTEGER, text TEXT);"
    "CREATE INDEX IF NOT EXISTS events_node ON events(node, id);"
    "CREATE INDEX IF NOT EXISTS events_job ON events(job, id) WHERE job > 0;"
    "CREATE TABLE IF NOT EXISTS jobs("
    " job_id INTEGER NOT NULL, submit_s INTEGER NOT NULL,"
    " end_s INTEGER NOT NULL, user TEXT, account TEXT, part TEXT, state TEXT,"
    " record TEXT, start_s INTEGER NOT NULL DEFAULT 0,"
    " gpus REAL NOT NULL DEFAULT 0, gpus_used REAL,"
    " PRIMARY KEY(job_id, submit_s)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS jobs_usage"
    " ON jobs(end_s, user, start_s, gpus, gpus_used);"
    "CREATE INDEX IF NOT EXISTS jobs_end ON jobs(end_s);"
    "CREATE INDEX IF NOT EXISTS jobs_user ON jobs(user, end_s);";

/* The record of a job has all of it; what was not measured is NULL. */
static const char upgrade[] =
    "BEGIN IMMEDIATE;"
    "ALTER TABLE jobs ADD COLUMN start_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN gpus REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN gpus_used REAL;"
    "UPDATE jobs SET start_s=IFNULL(json_extract(record,'$.start_s'),end_s),"
    " gpus=IFNULL(json_extract(record,'$.gpus'),0),"
    " gpus_used=json_extract(record,'$.efficiency.gpus_used');"
    "PRAGMA user_version=3;"
    "COMMIT;";

/* How long the job was under way between the two times. */
#define OVERLAP "max(0,min(end_s,?2)-max(start_s,?1))"

static const char *const statements[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SERIES_FIND] =
        "SELECT id FROM series WHERE kind=?1 AND entity=?2 AND metric=?3",
    [SQL_SERIES_ADD] = "INSERT INTO series(kind,entity,metric) VALUES(?,?,?)",
    [SQL_CHUNK_PUT] =
        "INSERT OR REPLACE INTO chunks(tier,series,start_s,points)"
        " VALUES(?,?,?,?)",
    [SQL_CHUNK_GET] =
        "SELECT points FROM chunks WHERE tier=? AND series=? AND start_s=?",
    [SQL_CHUNK_RANGE] =
        "SELECT (SELECT min(start_s) FROM chunks WHERE tier=?1),"
        " (SELECT max(start_s) FROM chunks WHERE tier=?1)",
    [SQL_CHUNK_DROP] = "DELETE FROM chunks WHERE tier=? AND start_s<?",
    [SQL_SERIES_LAST] = "UPDATE series SET last_s=? WHERE id=? AND last_s<?1",
    [SQL_SERIES_DROP] = "DELETE FROM series WHERE last_s<?",
    [SQL_EVENT_ADD] = "INSERT OR REPLACE INTO events"
                      "(id,time_s,kind,severity,node,gpu,job,text)"
                      " VALUES(?,?,?,?,?,?,?,?)",
    [SQL_EVENT_FIRST] = "SELECT time_s FROM events ORDER BY id LIMIT 1",
    [SQL_EVENT_LAST] = "SELECT max(id) FROM events",
    [SQL_EVENT_LIST] =
        "SELECT id,time_s,kind,severity,node,gpu,job,text FROM events"
        " WHERE id<?1 AND (?2 IS NULL OR kind=?2) AND (?3 IS NULL OR node=?3)"
        " AND (?4=0 OR job=?4) AND (?6=0 OR job=0) AND (?7=0 OR "
        "IFNULL(node,'')='')"
        " ORDER BY id DESC LIMIT ?5",
    [SQL_EVENT_DROP] = "DELETE FROM events WHERE time_s<?",
    [SQL_EVENT_TRIM] = "DELETE FROM events WHERE id<=?",
    [SQL_JOB_ADD] = "INSERT OR REPLACE INTO jobs"
                    "(job_id,submit_s,end_s,user,account,part,state,record,"
                    "start_s,gpus,gpus_used)"
                    " VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_JOB_LIST] =
        "SELECT job_id,submit_s,end_s,user,account,part,state,record FROM jobs"
        " WHERE end_s>=?1 AND end_s<=?2 AND (?3 IS NULL OR user=?3)"
        " AND (?4 IS NULL OR account=?4) AND (?5 IS NULL OR part=?5)"
        " AND (?6 IS NULL OR state=?6) AND (?7=0 OR job_id=?7)"
        " ORDER BY end_s DESC, job_id DESC LIMIT ?8 OFFSET ?9",
    [SQL_JOB_USAGE] =
        "SELECT user,count(*),sum(gpus*" OVERLAP ")/3600.0,"
        " sum(CASE WHEN gpus_used IS NULL THEN 0 ELSE gpus END*" OVERLAP
        ")/3600.0, sum(IFNULL(gpus_used,0)*" OVERLAP ")/3600.0"
        " FROM jobs INDEXED BY jobs_usage"
        " WHERE end_s>=?1 AND start_s<=?2 AND (?3 IS NULL OR user=?3)"
        " GROUP BY user",
    [SQL_JOB_DROP] = "DELETE FROM jobs WHERE end_s<?",
    [SQL_JOB_TRIM] = "DELETE FROM jobs WHERE end_s<(SELECT end_s FROM jobs"
                     " ORDER BY end_s DESC LIMIT 1 OFFSET ?)",
};

/* ---- statements ---------------------------------------------------------- */

sqlite3_stmt *store_statement(struct store *store, enum store_statement which)
{
    sqlite3_stmt *statement = store->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

int store_failed(struct store *store, const char *doing, struct error *err)
{
    int code = sqlite3_errcode(store->database);
    const char *why = sqlite3_errmsg(store->database);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, ENOSPC, "%s: the disk is full", store->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, EBADMSG, "%s: %s", store->path, why);
    case SQLITE_NOMEM:
        return error_set(err, ENOMEM, "%s: out of memory", store->path);
    default:
        return error_set(err, EIO, "%s: %s: %s", store->path, doing, why);
    }
}

int store_run(struct store *store,
              sqlite3_stmt *statement,
              const char *doing,
              struct error *err)
{
    int code = sqlite3_step(statement);
    int r = code == SQLITE_DONE || code == SQLITE_ROW
                ? 0
                : store_failed(store, doing, err);
    sqlite3_reset(statement);
    return r;
}

void store_bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

const char *store_column_text(sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? (const char *)text : "";
}

/* ---- opening and closing ------------------------------------------------- */

static void database_close(struct store *store)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    sqlite3_close(store->database);
    store->database = NULL;
}

static int on_version(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    *(int *)context = atoi(values[0]);
    return 0;
}

/* One of another program version, or of another program, is not ours to write
 * to. */
static int check_schema(struct store *store, struct error *err)
{
    int version = 0;
    if (sqlite3_exec(store->database, "PRAGMA user_version", on_version,
                     &version, NULL) != SQLITE_OK)
        return store_failed(store, "reading", err);
    if (version == SCHEMA)
        return 0;
    if (version == SCHEMA - 1) {
        if (sqlite3_exec(store->database, upgrade, NULL, NULL, NULL) ==
            SQLITE_OK)
            return 0;
        int r = store_failed(store, "bringing it up to date", err);
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
        return r;
    }
    if (version != 0)
        return error_set(err, EBADMSG,
                         "%s: it is of another version of gpu-watchdog",
                         store->path);
    char set[64];
    snprintf(set, sizeof(set), "PRAGMA user_version=%d", SCHEMA);
    if (sqlite3_exec(store->database, set, NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(store, "beginning", err);
    return 0;
}

static int database_open(struct store *store, struct error *err)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int r = 0;
    if (sqlite3_open_v2(store->path, &store->database, flags, NULL) !=
        SQLITE_OK)
        r = store_failed(store, "opening", err);
    if (r == 0)
        r = check_schema(store, err);
    if (r == 0 &&
        sqlite3_exec(store->database, schema, NULL, NULL, NULL) != SQLITE_OK)
        r = store_failed(store, "opening", err);
    for (size_t i = 0; r == 0 && i < SQL_COUNT; i++)
        if (sqlite3_prepare_v3(store->database, statements[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &store->statements[i],
                               NULL) != SQLITE_OK)
            r = store_failed(store, "opening", err);
    if (r == 0)
        r = store_records_open(store, err);
    if (r < 0)
        database_close(store);
    return r;
}

/* Give the file, and what belongs to it, a name under which it is out of the
 * way and can be looked at. */
static int set_aside(struct store *store, const struct error *why)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char stamp[32], text[sizeof(why->text) + 256];
    time_t now = time(NULL);
    struct tm parts;
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
    int r = 0;
    for (size_t i = 0; i < array_size(suffixes); i++) {
        char from[4096], to[4096];
        snprintf(from, sizeof(from), "%s%s", store->path, suffixes[i]);
        snprintf(to, sizeof(to), "%s.damaged-%s%s", store->path, stamp,
                 suffixes[i]);
        if (rename(from, to) < 0 && i == 0)
            r = -errno;
    }
    snprintf(text, sizeof(text),
             "%s; it was set aside as store.db.damaged-%s, and a new one is "
             "begun",
             why->text, stamp);
    if (r == 0 && store->settings.told)
        store->settings.told(store->settings.context, text);
    return r;
}

/* Open it, a new one when the old one is damaged. */
static int database_open_whole(struct store *store, struct error *err)
{
    int r = database_open(store, err);
    if (r != -EBADMSG || set_aside(store, err) < 0)
        return r;
    return database_open(store, err);
}

int store_new(const struct store_settings *settings,
              struct store **ret_store,
              struct error *err)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store || asprintf(&store->path, "%s/store.db", settings->folder) < 0) {
        free(store);
        return error_set(err, ENOMEM, "the store: out of memory");
    }
    store->settings = *settings;
    int r = database_open_whole(store, err);
    if (r < 0) {
        free(store->path);
        free(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

struct store *store_free(struct store *store)
{
    if (!store)
        return NULL;
    store_flush(store, time(NULL), NULL);
    store_series_free(store);
    store_records_written(store); /* or lost */
    database_close(store);
    free(store->path);
    free(store);
    return NULL;
}

/* ---- flush --------------------------------------------------------------- */

int store_begin(struct store *store, struct error *err)
{
    if (!sqlite3_get_autocommit(store->database))
        return 0;
    return store_run(store, store_statement(store, SQL_BEGIN), "writing", err);
}

static int
write_part(struct store *store, int part, int64_t now_s, struct error *err)
{
    int r = store_begin(store, err);
    if (r < 0)
        return r;
    r = store_series_flush(store, part, now_s, err);
    if (r == 0)
        r = store_records_flush(store, now_s, err);
    if (r == 0)
        r = store_run(store, store_statement(store, SQL_COMMIT), "writing",
                      err);
    if (r < 0) {
        store_run(store, store_statement(store, SQL_ROLLBACK), "giving up",
                  NULL);
        store_series_rolled_back(store);
    }
    return r;
}

int store_flush(struct store *store, int64_t now_s, struct error *err)
{
    return store_flush_part(store, STORE_PARTS, now_s, err);
}

int store_flush_part(struct store *store,
                     int part,
                     int64_t now_s,
                     struct error *err)
{
    struct error own = {.text = ""};
    if (!err)
        err = &own;
    /* Ages are looked at now and then: it is a walk over whole tables. */
    store->dropping = now_s >= store->dropped_s + DROP_INTERVAL_S;
    int r = store->database ? 0 : database_open_whole(store, err);
    if (r == 0)
        r = write_part(store, part, now_s, err);
    if (r == -EBADMSG) {
        /* Found out only now: what is in memory goes into a new one. */
        database_close(store);
        r = set_aside(store, err);
        if (r == 0)
            r = database_open(store, err);
        if (r == 0)
            r = write_part(store, STORE_PARTS, now_s, err);
    }
    snprintf(store->trouble, sizeof(store->trouble), "%s",
             r < 0 ? err->text : "");
    if (r < 0)
        return r;
    store->flushed_s = now_s;
    if (store->dropping)
        store->dropped_s = now_s;
    store_series_written(store, now_s);
    store_records_written(store);
    return 0;
}

const char *store_trouble(const struct store *store)
{
    return store->trouble;
}
