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

enum api_which {
    API_NODES,
    API_GPUS,
    API_JOBS,
    API_USERS,
    API_PARTITIONS,
    API_EVENTS,
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
};

/* What jobs and nodes are read from at the moment. */
struct record_source api_source(const struct api *api);

/* Bring the collections up to date; cheap when nothing came. */
void api_refresh(struct api *api);

extern const char *const api_names[API_COUNT];
