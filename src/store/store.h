/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered: series at falling resolution, events, finished jobs. One
 * SQLite file (WAL) in a folder of our own, "store.db", written in
 * transactions every so often; what was put since then is in memory, and is
 * read from there too. So a crash loses what came after the last store_flush(),
 * and never more, and never damages the file.
 *
 * Nothing here ends the program that watches. A full disk is told by
 * store_flush(), which tries again the next time; a damaged file is set aside
 * under another name and a new one begun.
 *
 * Disk, for S series: S x 4 bytes x the sum over the resolutions of (kept /
 * step), and about a tenth more for the tables: 55 KB a series with the default
 * settings. Memory: 1 KB a series that is written to.
 *
 * One thread; a call takes as long as the disk does.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum {
    STORE_TIERS = 3,     /* resolutions */
    STORE_PARTS = 15,    /* of what is to be written, see store_flush_part() */
    STORE_TEXT_SIZE = 96 /* of what names a series */
};

struct store_settings {
    const char *folder;          /* exists */
    int64_t step_s[STORE_TIERS]; /* each a multiple of the one before */
    int64_t keep_s[STORE_TIERS]; /* 0: not at all */
    int64_t keep_events_s;       /* and finished jobs */
    int64_t events_max;          /* the oldest go first; jobs likewise */
    /* Called when something was set aside or given up; TEXT is a sentence. */
    void (*told)(void *context, const char *text);
    void *context;
};

/* 15 s for 2 hours, 1 min for 2 days, 15 min for 90 days; events 90 days. */
extern const struct store_settings store_settings_default;

int store_new(const struct store_settings *settings,
              struct store **ret_store,
              struct error *err);

/* Flushes. Accepts NULL; returns NULL. */
struct store *store_free(struct store *store);

/* Write what is in memory, drop what is too old. -ENOSPC and others: it stays
 * in memory and the next call writes it; of a series that is for as long as its
 * row under way, 15 minutes at the finest step. */
int store_flush(struct store *store, int64_t now_s, struct error *err);

/*
 * Write a part of the series, 0 to STORE_PARTS - 1, and all else that waits:
 * who calls it for one part after the other is held up for a part of the time.
 * STORE_PARTS: all. A reading waits on disk's side until its part has its turn.
 */
int store_flush_part(struct store *store,
                     int part,
                     int64_t now_s,
                     struct error *err);

/* Why the last flush failed; "" when it did not. */
const char *store_trouble(const struct store *store);

/* ---- series */

/* What a series is of; "gpu", "node7/3", "utilization_percent". */
struct store_key {
    const char *kind, *id, *metric;
};

/* A reading at TIME_S, not before the last one of the series. NaN puts nothing:
 * absent is not zero. False when memory ran out, or a name is too long. */
bool store_put(struct store *store,
               const struct store_key *key,
               int64_t time_s,
               double value);

struct store_series {
    int64_t from_s; /* of the first value */
    int64_t step_s;
    size_t count;
    float *values; /* means over a step; NaN: none. Owned */
};

/*
 * The values of KEY from FROM_S to TO_S in at most POINTS steps, at the finest
 * resolution that reaches back so far from the last flush; steps are joined
 * where they would be too many. A series that is not known has no values (count
 * 0).
 */
int store_read(struct store *store,
               const struct store_key *key,
               int64_t from_s,
               int64_t to_s,
               size_t points,
               struct store_series *ret_series,
               struct error *err);
void store_series_deinit(struct store_series *series);

/* ---- events and finished jobs */

struct store_event {
    int64_t id; /* rising; of the store */
    int64_t time_s;
    const char *kind, *severity, *node, *gpu, *text; /* "" for none */
    uint32_t job;                                    /* 0: none */
};

/* In memory until the flush. The event's id is the store's to give. */
bool store_add_event(struct store *store, const struct store_event *event);

struct store_event_filter {
    const char *kind, *node; /* NULL: any */
    uint32_t job;            /* 0: any */
    int64_t before_id;       /* 0: from the newest on */
    size_t limit;
    bool no_jobs, no_nodes; /* leave out those of jobs, of nodes */
};

/* When the oldest event that is kept happened; 0: there is none. */
int64_t store_first_event_s(struct store *store);

/* Calls EACH for the events that pass, newest first; the strings are good for
 * the call. */
int store_events(struct store *store,
                 const struct store_event_filter *filter,
                 void (*each)(void *context, const struct store_event *event),
                 void *context,
                 struct error *err);

/* A finished job: what lists choose by, and the record itself, which is the
 * caller's text (JSON). The same job and submit time again replaces it. */
struct store_job {
    uint32_t job_id;
    int64_t submit_s, end_s;
    const char *user, *account, *partition, *state;
    const char *record;
    int64_t start_s;
    double gpus, gpus_used; /* used, on the mean; NaN: not measured */
};

bool store_add_job(struct store *store, const struct store_job *job);

struct store_job_filter {
    const char *user, *account, *partition, *state; /* NULL: any */
    uint32_t job_id;                                /* 0: any */
    int64_t from_s, to_s; /* of the end; TO_S 0: until now */
    size_t offset, limit;
};

/* Calls EACH for the jobs that pass, those that ended last first. */
int store_jobs(struct store *store,
               const struct store_job_filter *filter,
               void (*each)(void *context, const struct store_job *job),
               void *context,
               struct error *err);

/* What the jobs of a user made of the GPUs they had, within a time. */
struct store_usage {
    const char *user;
    uint64_t jobs;
    double gpu_hours;
    double gpu_hours_measured; /* of them: those that it is known of */
    double gpu_hours_used;     /* and of those */
};

/* Calls EACH for each user with finished jobs that were under way between
 * FROM_S and TO_S; USER NULL: any. */
int store_usage(struct store *store,
                int64_t from_s,
                int64_t to_s,
                const char *user,
                void (*each)(void *context, const struct store_usage *usage),
                void *context,
                struct error *err);
