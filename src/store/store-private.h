/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the store share: the database with its prepared statements,
 * and what waits in memory for the next flush.
 */
#pragma once

#include "store/store.h"

#include <sqlite3.h>

enum {
    CHUNK_POINTS = 60, /* values of a series that are one row */
    DROP_INTERVAL_S = 600
};

enum store_statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SERIES_FIND,
    SQL_SERIES_ADD,
    SQL_CHUNK_PUT,
    SQL_CHUNK_GET,
    SQL_CHUNK_RANGE,
    SQL_CHUNK_DROP,
    SQL_SERIES_LAST,
    SQL_SERIES_DROP,
    SQL_EVENT_ADD,
    SQL_EVENT_LAST,
    SQL_EVENT_FIRST,
    SQL_EVENT_LIST,
    SQL_EVENT_DROP,
    SQL_EVENT_TRIM,
    SQL_JOB_ADD,
    SQL_JOB_LIST,
    SQL_JOB_USAGE,
    SQL_JOB_DROP,
    SQL_JOB_TRIM,
    SQL_COUNT
};

/* The part of a series, at one resolution, that is being written to. */
struct chunk {
    int64_t start_s; /* 0: nothing yet */
    int64_t told_s;  /* the start that the series' row was told of */
    double sum;      /* of the readings in the last slot */
    uint32_t readings;
    uint32_t slot; /* the last written to */
    bool changed;
    float values[CHUNK_POINTS];
};

struct series {
    struct series *next; /* of the same bucket */
    int64_t row;         /* in the table of series; 0: not there yet */
    bool row_is_new;     /* added in a transaction that is not over */
    bool writing;        /* in the part that is being flushed */
    int64_t put_s;       /* time of the last reading */
    uint64_t hash;
    struct chunk chunks[STORE_TIERS];
    /* kind, id and metric behind each other, each with its zero byte. */
    char key[];
};

/* Events and jobs in memory: rows that wait. */
struct waiting_event {
    struct waiting_event *next; /* older */
    struct store_event event;
    char text[];
};

struct waiting_job {
    struct waiting_job *next; /* newer */
    struct store_job job;
    char text[];
};

struct store {
    struct store_settings settings;
    char *path;
    sqlite3 *database; /* NULL: it cannot be opened just now */
    sqlite3_stmt *statements[SQL_COUNT];
    struct series **buckets;
    size_t bucket_count; /* a power of two; 0: none */
    size_t series_count;
    struct waiting_event *events;         /* newest first */
    struct waiting_job *jobs, *jobs_last; /* oldest first */
    int64_t event_id;                     /* the last given */
    int64_t dropped_s; /* when what is old was last dropped */
    int64_t flushed_s;
    bool dropping; /* this flush does */
    size_t waiting_events, waiting_jobs;
    char trouble[sizeof(((struct error *)0)->text)];
};

/* ---- store.c: the database */

/* Step STATEMENT, which was bound, once or for each row. SQLITE_ROW,
 * SQLITE_DONE, or what went wrong. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);

/* What SQLite said, as an error of ours. */
int store_failed(struct store *store, const char *doing, struct error *err);

/* Run a statement that gives no rows. */
int store_run(struct store *store,
              sqlite3_stmt *statement,
              const char *doing,
              struct error *err);

/* Begin a transaction if none is under way; the next flush ends it. */
int store_begin(struct store *store, struct error *err);

/* Bind a text that lives until the statement is reset; NULL binds NULL. */
void store_bind_text(sqlite3_stmt *statement, int place, const char *text);
const char *store_column_text(sqlite3_stmt *statement, int place);

/* ---- series.c */

/* How long a chunk of TIER is. */
int64_t store_span(const struct store *store, unsigned int tier);

/* The series in memory; NULL: it is not there. */
struct series *store_series_find(const struct store *store,
                                 const struct store_key *key);

/* The row of the series in the table; 0: it has none, or it cannot be told. */
int64_t store_series_row(struct store *store, const struct store_key *key);

/* Whether the column PLACE holds the values of a chunk. */
bool store_blob_is_chunk(sqlite3_stmt *statement, int place);

/* PART: as in store_flush_part(). */
int store_series_flush(struct store *store,
                       int part,
                       int64_t now_s,
                       struct error *err);
void store_series_written(struct store *store, int64_t now_s);
void store_series_rolled_back(struct store *store);
void store_series_free(struct store *store);

/* ---- records.c: events and jobs */

int store_records_flush(struct store *store, int64_t now_s, struct error *err);
void store_records_written(struct store *store);
int store_records_open(struct store *store, struct error *err);
