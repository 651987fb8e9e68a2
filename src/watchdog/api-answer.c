/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the API: who answers which, and what all answers share.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- replies --------------------------------------------------------------
 */

void api_reply_text(struct http_reply *reply, struct text *body)
{
    http_reply_set_type(reply, API_TYPE);
    http_reply_add_text(reply, body);
}

void api_refuse(struct http_reply *reply,
                unsigned int status,
                const char *format,
                ...)
{
    struct text sentence = TEXT_INIT, body = TEXT_INIT;
    struct json json = JSON_INIT(&body);
    va_list args;
    va_start(args, format);
    text_vaddf(&sentence, format, args);
    va_end(args);
    const char *text = text_str(&sentence);
    json_begin_object(&json, NULL);
    json_text(&json, "error", text ? text : "Out of memory.");
    json_end_object(&json);
    text_add_char(&body, '\n');
    text_deinit(&sentence);
    http_reply_set_status(reply, status);
    api_reply_text(reply, &body);
}

/* There is nothing yet, and why. */
static void refuse_early(const struct api *api, struct http_reply *reply)
{
    const char *reason =
        api->collector ? collector_status(api->collector)->reason : "";
    http_reply_set_header(reply, "Retry-After", "2");
    api_refuse(reply, 503, "Slurm has not answered yet%s%s; try again soon.",
               *reason ? ": " : "", reason);
}

/* ---- the rest -------------------------------------------------------------
 */

static void serve_cluster(struct api *api,
                          struct http_request *request,
                          struct http_reply *reply)
{
    if (!api_takes_nothing(request, reply))
        return;
    struct record_source source = api_source(api);
    source.audience = api_audience(api, request);
    struct record_cluster cluster = {
        .up = watch_up(api->watch),
        .recording = !api->collector,
        .reason =
            api->collector ? collector_status(api->collector)->reason : "",
        .now_s = clock_realtime_ns() / NS_PER_S,
    };
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    json_begin_object(&json, NULL);
    json_u64(&json, "version", api->version);
    json_i64(&json, "time_s", cluster.now_s);
    api_print_hidden(&json, &source.audience);
    record_print_cluster(&json, &source, &cluster);
    json_real(&json, "snapshot_age_s",
              watch_part_age(api->watch, SNAPSHOT_NODES));
    json_end_object(&json);
    api_reply_text(reply, &text);
}

static void serve_stream(struct api *api,
                         struct http_request *request,
                         struct http_reply *reply)
{
    if (!api_takes_nothing(request, reply))
        return;
    if (http_feed_followers(api->feed) >= api->streams_max) {
        http_reply_set_header(reply, "Retry-After", "10");
        api_refuse(reply, 503,
                   "%zu clients follow the stream already; ask the collections "
                   "every few seconds instead, or raise --max-connections.",
                   api->streams_max);
        return;
    }
    http_reply_set_type(reply, "text/event-stream");
    /* nginx would hold a stream back until its buffer is full. */
    http_reply_set_header(reply, "X-Accel-Buffering", "no");
    http_reply_set_header(reply, "Cache-Control", "no-store");
    http_reply_follow(reply, api->feed);
}

static enum api_which find_collection(const char *name, size_t size)
{
    unsigned int i = 0;
    while (i < API_COUNT && (strlen(api_names[i]) != size ||
                             strncmp(api_names[i], name, size) != 0))
        i++;
    return (enum api_which)i;
}

static void serve_unknown(struct http_request *request,
                          struct http_reply *reply)
{
    api_refuse(reply, 404,
               "Nothing is served under %.80s; doc/api.md lists what is.",
               http_request_path(request));
}

/* PATH is what stands behind /api/v1/. */
static void serve_path(struct api *api,
                       const char *path,
                       struct http_request *request,
                       struct http_reply *reply)
{
    size_t size = strcspn(path, "/");
    enum api_which which = find_collection(path, size);
    const char *rest = path + size;
    bool more = *rest == '/' && rest[1];
    if (which == API_JOBS && more)
        api_serve_job(api, rest + 1, request, reply);
    else if (which < API_COUNT && more)
        api_serve_named(api, which, rest + 1, request, reply);
    else if (which < API_COUNT && !*rest)
        api_serve_collection(api, which, request, reply);
    else
        serve_unknown(request, reply);
}

static void
serve_api(void *context, struct http_request *request, struct http_reply *reply)
{
    static const char root[] = "/api/v1/";
    struct api *api = context;
    const char *path = http_request_path(request);
    if (strncmp(path, root, sizeof(root) - 1) != 0) {
        serve_unknown(request, reply);
        return;
    }
    path += sizeof(root) - 1;
    api_refresh(api);
    if (strcmp(path, "stream") == 0)
        serve_stream(api, request, reply);
    else if (strcmp(path, "me") == 0)
        api_serve_me(api, request, reply);
    else if (strcmp(path, "actions") == 0)
        api_serve_actions(api, "", request, reply);
    else if (strncmp(path, "actions/", strlen("actions/")) == 0)
        api_serve_actions(api, path + strlen("actions/"), request, reply);
    else if (strcmp(path, "cluster") == 0)
        serve_cluster(api, request, reply);
    else if (strcmp(path, "events") == 0)
        api_serve_events(api, request, reply);
    else if (strcmp(path, "health") == 0)
        api_serve_health(api, request, reply);
    else if (strcmp(path, "usage") == 0)
        api_serve_usage(api, request, reply);
    else if (strcmp(path, "series") == 0)
        api_serve_series(api, request, reply);
    else if (strcmp(path, "history") == 0)
        api_serve_history(api, request, reply);
    else if (!watch_snapshot(api->watch))
        refuse_early(api, reply);
    else
        serve_path(api, path, request, reply);
}

size_t api_routes(struct api *api, struct http_route *routes)
{
    /* Each a row of its own in the statistics of the server. */
    static const char *const paths[] = {
        "/api/",           "/api/v1/cluster",      "/api/v1/nodes",
        "/api/v1/nodes/",  "/api/v1/gpus",         "/api/v1/jobs",
        "/api/v1/jobs/",   "/api/v1/users",        "/api/v1/partitions",
        "/api/v1/events",  "/api/v1/stream",       "/api/v1/gpus/",
        "/api/v1/users/",  "/api/v1/partitions/",  "/api/v1/series",
        "/api/v1/history", "/api/v1/reservations", "/api/v1/qos",
        "/api/v1/me",      "/api/v1/actions/",     "/api/v1/health",
        "/api/v1/usage",
    };
    _Static_assert(array_size(paths) < API_ROUTES_MAX, "room for all");
    for (size_t i = 0; i < array_size(paths); i++)
        routes[i] = (struct http_route){
            .path = paths[i], .handler = serve_api, .context = api};
    routes[array_size(paths)] = (struct http_route){.path = "/api/v1/actions",
                                                    .handler = serve_api,
                                                    .context = api,
                                                    .post = api_post_action};
    return array_size(paths) + 1;
}
