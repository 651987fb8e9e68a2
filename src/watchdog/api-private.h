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
    API_ANSWERS_KEPT = 16, /* differences; the wholes are kept beside them */
    API_OWN_MAX = 32       /* people with collections of their own */
};

/* Bytes that were sent to one and will be sent to the next. */
struct api_answer {
    struct http_content *content; /* NULL: none */
    enum api_which which;
    uint64_t version, since;
};

/* The collections as somebody may see them. */
struct api_set {
    struct collection *collections[API_COUNT];
    int64_t taken_ns[API_COUNT]; /* when what is in them was known to hold */
    bool stale[API_COUNT];
    bool filled[API_COUNT]; /* with anything, ever */
    struct api_answer wholes[API_COUNT];
    /* Of one person's own: what is kept from whom, the round in which it was
     * written, when and how long that took, and when it was asked for. */
    uint32_t hidden;
    char user[64];
    uint64_t version;
    int64_t written_ns, cost_ns, asked_ns;
};

struct api {
    struct loop *loop;
    struct watch *watch;
    const struct collector *collector;
    struct api_set all;               /* nothing is kept from whom it is for */
    struct api_set *own[API_OWN_MAX]; /* api-audience.c; free ones at the end */
    struct viewer asking;             /* whose request is under way */
    uint64_t version;                 /* of the last round */
    uint64_t generation;              /* of the watch, in the last round */
    struct api_answer changes[API_ANSWERS_KEPT]; /* of all's */
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
    struct prometheus *prometheus; /* NULL: the store has all there is */
    int64_t reach_s;               /* the store's, then */
};

/* What jobs and nodes are read from at the moment. */
struct record_source api_source(const struct api *api);

/* Bring the collections up to date; cheap when nothing came. */
void api_refresh(struct api *api);

extern const char *const api_names[API_COUNT];

/* NULL without memory. */
struct api_set *api_set_new(void);

/* Accepts NULL. */
void api_set_free(struct api_set *set);

/* Write one collection of SET anew; true when anything changed. */
bool api_make(struct api_set *set,
              enum api_which which,
              uint64_t version,
              const struct record_source *source);

/* ---- api-audience.c: who may see what */

/* Of whom REQUEST is; good until the next is asked about. */
struct record_audience api_audience(struct api *api,
                                    struct http_request *request);

/* "hidden": what Slurm keeps from him, in the words of slurm.conf. */
void api_print_hidden(struct json *json,
                      const struct record_audience *audience);

/* Where he finds the collection WHICH; NULL without memory. */
struct api_set *api_set_for(struct api *api,
                            const struct record_audience *audience,
                            enum api_which which);

/* Whether he may see JOB ("17", "17_3"), running or over. One that nobody knows
 * is nobody's. */
bool api_sees_job(const struct api *api,
                  const struct record_audience *audience,
                  const char *job);

/* ---- api-answer.c: what all answers share */

#define API_TYPE "application/json"

void api_reply_text(struct http_reply *reply, struct text *body);
__attribute__((format(printf, 3, 4))) void api_refuse(struct http_reply *reply,
                                                      unsigned int status,
                                                      const char *format,
                                                      ...);

/* ---- api-collection.c. Each answers the request. */

/* A path without parameters; false when the request was refused. */
bool api_takes_nothing(struct http_request *request, struct http_reply *reply);

/* All of it, what changed, or a part. */
void api_serve_collection(struct api *api,
                          enum api_which which,
                          struct http_request *request,
                          struct http_reply *reply);
/* With the one record whose name stands in the path. */
void api_serve_named(struct api *api,
                     enum api_which which,
                     const char *name,
                     struct http_request *request,
                     struct http_reply *reply);
/* A job with all that is known of it. */
void api_serve_job(struct api *api,
                   const char *name,
                   struct http_request *request,
                   struct http_reply *reply);

/* ---- api-history.c: what the store knows. Each answers the request. */

struct api_parameter {
    const char *name;
    const char **text; /* one of the two */
    uint64_t *number;
    uint64_t most; /* of the number */
};

/* Take the parameters in KNOWN; false when the request was refused. */
bool api_read_parameters(struct http_request *request,
                         const struct api_parameter *known,
                         size_t count,
                         struct http_reply *reply);

/* NULL when there is none and the request was refused. */
struct store *api_find_store(const struct api *api, struct http_reply *reply);

void api_serve_events(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply);
void api_serve_history(struct api *api,
                       struct http_request *request,
                       struct http_reply *reply);

/* ---- api-health.c: how often nodes failed. Answers the request. */

void api_serve_health(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply);

/* ---- api-usage.c: who used what. Answers the request. */

void api_serve_usage(struct api *api,
                     struct http_request *request,
                     struct http_reply *reply);

/* ---- api-series.c: the course of things. Answers the request, or later. */

void api_serve_series(struct api *api,
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
 * store has none that AUDIENCE may see. */
bool api_find_finished(const struct api *api,
                       const struct record_audience *audience,
                       uint32_t id,
                       struct text *out);
