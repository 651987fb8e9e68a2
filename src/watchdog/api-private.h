/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the API, shared by api.c (what is known, and when it changed)
 * and api-answer.c (requests).
 */
#pragma once

#include "http/feed.h"
#include "model/metric.h"
#include "view/records.h"
#include "watchdog/api.h"
#include "watchdog/deputy.h"

enum api_which {
    API_NODES,
    API_GPUS,
    API_JOBS,
    API_USERS,
    API_PARTITIONS,
    API_RESERVATIONS,
    API_QOS,
    API_COUNT
};

enum {
    API_ANSWERS_KEPT = 16 /* differences; the wholes are kept beside them */
};

/* Bytes that were sent to one and will be sent to the next. */
struct api_answer {
    struct http_content *content; /* NULL: none */
    enum api_which which;
    uint64_t version, since;
};

struct api {
    struct loop *loop;
    struct watch *watch;
    const struct collector *collector;
    struct collection *collections[API_COUNT];
    int64_t taken_ns[API_COUNT]; /* when what is in them was known to hold */
    bool stale[API_COUNT];
    bool filled[API_COUNT]; /* with anything, ever */
    uint64_t version;       /* of the last round */
    uint64_t generation;    /* of the watch, in the last round */
    struct api_answer wholes[API_COUNT];
    struct api_answer changes[API_ANSWERS_KEPT];
    size_t changes_next;
    struct http_feed *feed;
    size_t streams_max;
    struct loop_source *heartbeat;
    struct metric_rows rows; /* of the last round */
    const struct fleet *fleet;
    struct fleet_jobs fleet_jobs; /* of the last round */
    uint64_t fleet_generation;    /* in the last round */
    struct loop_source *fleet_timer;
    bool fleet_waits; /* the timer is set */
    const struct recorder *recorder;
    const struct sign_in *sign_in; /* NULL: nobody signs in */
    struct deputy *deputy;         /* NULL: nobody acts */
    uint64_t events_told;
};

/* What jobs and nodes are read from at the moment. */
struct record_source api_source(const struct api *api);

/* Bring the collections up to date; cheap when nothing came. */
void api_refresh(struct api *api);

extern const char *const api_names[API_COUNT];

/* ---- api-answer.c: what all answers share */

#define API_TYPE "application/json"

void api_reply_text(struct http_reply *reply, struct text *body);
__attribute__((format(printf, 3, 4))) void api_refuse(struct http_reply *reply,
                                                      unsigned int status,
                                                      const char *format,
                                                      ...);

/* ---- api-history.c: what the store knows. Each answers the request. */

void api_serve_events(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply);
void api_serve_series(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply);
void api_serve_history(struct api *api,
                       struct http_request *request,
                       struct http_reply *reply);

/* ---- api-action.c: who asks, and what he wants done. */

void api_serve_me(struct api *api,
                  struct http_request *request,
                  struct http_reply *reply);

/* PATH is what stands behind /api/v1/actions/, "" for all. */
void api_serve_actions(struct api *api,
                       const char *path,
                       struct http_request *request,
                       struct http_reply *reply);

/* The handler of a POST. */
void api_post_action(void *context,
                     struct http_request *request,
                     struct http_reply *reply);

/* ---- api-history.c */

/* Write the record of a finished job that Slurm has forgotten; false when the
 * store has none. */
bool api_find_finished(const struct api *api, uint32_t id, struct text *out);
