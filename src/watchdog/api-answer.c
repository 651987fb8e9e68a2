/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the API. Parameters are read strictly: one that is not known, or
 * given where it means nothing, is refused with a sentence.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"
#include "view/job-query.h"

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

/* ---- what is asked for ----------------------------------------------------
 */

struct asked {
    uint64_t since;
    bool has_since;
    struct job_query jobs;
    bool picks; /* any parameter of jobs was given */
};

static int read_since(struct asked *asked, const char *value, struct error *err)
{
    if (asked->has_since)
        return error_set(err, EINVAL, "since: it is given twice.");
    if (!number_parse(value, &asked->since))
        return error_set(err, EINVAL,
                         "since: \"%.40s\" is no version; take the one of the "
                         "answer before.",
                         value);
    asked->has_since = true;
    return 1;
}

/* Read the parameters of a collection; those of jobs with JOBS. */
static int read_asked(struct http_request *request,
                      bool since,
                      bool jobs,
                      struct asked *ret_asked,
                      struct http_reply *reply)
{
    struct error err = {.text = ""};
    const char *name, *value;
    *ret_asked = (struct asked){.jobs = JOB_QUERY_INIT};
    for (size_t i = 0; http_request_parameter(request, i, &name, &value); i++) {
        int r = 0;
        if (since && strcmp(name, "since") == 0)
            r = read_since(ret_asked, value, &err);
        else if (jobs)
            r = job_query_set(&ret_asked->jobs, name, value, &err);
        if (r == 0)
            r = error_set(&err, EINVAL,
                          "\"%.40s\" is no parameter of this path; doc/api.md "
                          "lists those there are.",
                          name);
        if (r < 0) {
            api_refuse(reply, 400, "%s", err.text);
            return r;
        }
    }
    ret_asked->picks = ret_asked->jobs.given != 0;
    if (ret_asked->picks && ret_asked->has_since) {
        api_refuse(
            reply, 400,
            "since: it goes with no other parameter; changes are told of "
            "all jobs.");
        return -EINVAL;
    }
    return 0;
}

/* ---- collections ----------------------------------------------------------
 */

static void
print_head(const struct api_set *set, enum api_which which, struct json *json)
{
    /* One's own is as new as the round in which it was written, even if nothing
     * in it changed since an earlier one: the stream tells the versions of
     * all's. */
    uint64_t version = set->version
                           ? set->version
                           : collection_version(set->collections[which]);
    json_begin_object(json, NULL);
    json_u64(json, "version", version);
    json_time(json, "time_s", set->taken_ns[which] / NS_PER_S);
    json_bool(json, "stale", set->stale[which]);
}

/* All records of a collection, from the opening bracket to the closing one. */
static struct http_content *find_whole(struct api_set *set,
                                       enum api_which which)
{
    struct api_answer *kept = &set->wholes[which];
    uint64_t version = collection_version(set->collections[which]);
    if (kept->content && kept->version == version)
        return kept->content;
    struct text text = TEXT_INIT;
    size_t size;
    const char *records = collection_text(set->collections[which], &size);
    text_addf(&text, ",\"%s\":[", api_names[which]);
    text_add_bytes(&text, records, size);
    text_add(&text, "]}");
    http_content_unref(kept->content);
    kept->content = http_content_take(&text);
    kept->version = version;
    return kept->content;
}

static void print_changes(const struct collection *collection,
                          enum api_which which,
                          uint64_t since,
                          struct text *out)
{
    text_addf(out, ",\"%s\":[", api_names[which]);
    collection_print_changed(collection, since, out);
    text_add_char(out, ']');
    struct json json = {.out = out, .comma = true};
    json_begin_array(&json, "gone");
    collection_print_gone(collection, since, &json);
    json_end_array(&json);
    json_end_object(&json);
}

/* What changed since a version: the same for all who had that one. */
static struct http_content *
find_changes(struct api *api, enum api_which which, uint64_t since)
{
    const struct collection *collection = api->all.collections[which];
    uint64_t version = collection_version(collection);
    for (size_t i = 0; i < API_ANSWERS_KEPT; i++) {
        const struct api_answer *kept = &api->changes[i];
        if (kept->content && kept->which == which && kept->since == since &&
            kept->version == version)
            return kept->content;
    }
    struct text text = TEXT_INIT;
    print_changes(collection, which, since, &text);
    struct api_answer *next =
        &api->changes[api->changes_next++ % API_ANSWERS_KEPT];
    http_content_unref(next->content);
    *next = (struct api_answer){.content = http_content_take(&text),
                                .which = which,
                                .version = version,
                                .since = since};
    return next->content;
}

/* The set of who asks, for WHICH; NULL: REPLY says why not. */
static struct api_set *find_set(struct api *api,
                                enum api_which which,
                                struct http_request *request,
                                struct http_reply *reply)
{
    struct record_audience audience = api_audience(api, request);
    struct api_set *set = api_set_for(api, &audience, which);
    if (!set)
        api_refuse(reply, 503, "Memory ran out; try again.");
    else if (set != &api->all)
        http_reply_set_header(reply, "Cache-Control", "no-store");
    return set;
}

static void answer_collection(struct api *api,
                              enum api_which which,
                              const struct asked *asked,
                              struct http_request *request,
                              struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    struct api_set *set = find_set(api, which, request, reply);
    if (!set)
        return;
    bool reaches = asked->has_since &&
                   collection_reaches(set->collections[which], asked->since);
    print_head(set, which, &json);
    if (asked->has_since && !reaches)
        json_bool(&json, "whole", true);
    http_reply_set_type(reply, API_TYPE);
    if (reaches && set != &api->all)
        print_changes(set->collections[which], which, asked->since, &text);
    http_reply_add_text(reply, &text);
    if (reaches && set != &api->all)
        return;
    http_reply_add(reply, reaches ? find_changes(api, which, asked->since)
                                  : find_whole(set, which));
}

static void serve_collection(struct api *api,
                             enum api_which which,
                             struct http_request *request,
                             struct http_reply *reply)
{
    struct asked asked;
    if (read_asked(request, true, false, &asked, reply) == 0)
        answer_collection(api, which, &asked, request, reply);
}

/* A collection with the one record whose name stands in the path. */
static void serve_named(struct api *api,
                        enum api_which which,
                        const char *name,
                        struct http_request *request,
                        struct http_reply *reply)
{
    struct asked asked;
    if (read_asked(request, false, false, &asked, reply) < 0)
        return;
    const struct api_set *set = find_set(api, which, request, reply);
    if (!set)
        return;
    const struct collection *collection = set->collections[which];
    const struct collection_record *record =
        collection_find_named(collection, name);
    if (!record) {
        api_refuse(reply, 404, "There is no \"%.80s\" among the %s.", name,
                   api_names[which]);
        return;
    }
    size_t size;
    const char *records = collection_text(collection, &size);
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    print_head(set, which, &json);
    text_addf(&text, ",\"%s\":[", api_names[which]);
    text_add_bytes(&text, records + record->start, record->size);
    text_add(&text, "]}");
    api_reply_text(reply, &text);
}

/* ---- jobs -----------------------------------------------------------------
 */

static void print_page(const struct api_set *set,
                       const struct record_source *source,
                       const uint32_t *indices,
                       size_t count,
                       struct text *out)
{
    size_t size, job_count;
    const struct collection *collection = set->collections[API_JOBS];
    const char *records = collection_text(collection, &size);
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &job_count);
    bool comma = false;
    for (size_t i = 0; i < count; i++) {
        const struct collection_record *record =
            collection_find(collection, jobs[indices[i]].job_id);
        if (!record)
            continue;
        if (comma)
            text_add_char(out, ',');
        comma = true;
        text_add_bytes(out, records + record->start, record->size);
    }
}

static void answer_page(struct api *api,
                        const struct job_query *query,
                        struct http_request *request,
                        struct http_reply *reply)
{
    struct record_source source = api_source(api);
    const struct api_set *set = find_set(api, API_JOBS, request, reply);
    if (!set)
        return;
    source.audience = api_audience(api, request);
    _cleanup_(free_ptr) uint32_t *indices = NULL;
    size_t count, total;
    if (job_query_run(query, &source, &indices, &count, &total) < 0) {
        api_refuse(reply, 503, "Memory ran out; try again.");
        return;
    }
    struct text text = TEXT_INIT;
    if (query->csv) {
        job_query_print_csv(&source, indices, count, &text);
        http_reply_set_type(reply, "text/csv; charset=utf-8");
        http_reply_set_header(reply, "Content-Disposition",
                              "attachment; filename=\"jobs.csv\"");
        http_reply_add_text(reply, &text);
        return;
    }
    struct json json = JSON_INIT(&text);
    print_head(set, API_JOBS, &json);
    json_u64(&json, "total", total);
    json_begin_array(&json, "jobs");
    print_page(set, &source, indices, count, &text);
    json_end_array(&json);
    json_end_object(&json);
    api_reply_text(reply, &text);
}

static void serve_jobs(struct api *api,
                       struct http_request *request,
                       struct http_reply *reply)
{
    struct asked asked;
    if (read_asked(request, true, true, &asked, reply) < 0)
        return;
    if (asked.picks)
        answer_page(api, &asked.jobs, request, reply);
    else
        answer_collection(api, API_JOBS, &asked, request, reply);
}

static void serve_job(struct api *api,
                      const char *name,
                      struct http_request *request,
                      struct http_reply *reply)
{
    struct asked asked;
    uint64_t id;
    if (read_asked(request, false, false, &asked, reply) < 0)
        return;
    if (!number_parse(name, &id)) {
        api_refuse(reply, 400, "\"%.40s\" is no job's number.", name);
        return;
    }
    struct record_source source = api_source(api);
    source.audience = api_audience(api, request);
    size_t count;
    const struct job_record *jobs =
        snapshot_array(source.snapshot, SNAPSHOT_JOBS, 0, &count);
    size_t i = 0;
    while (i < count && jobs[i].job_id != id)
        i++;
    bool hidden = i == count ||
                  record_is_hidden(&source.audience, PRIVATE_JOBS,
                                   snapshot_text(source.snapshot, SNAPSHOT_JOBS,
                                                 jobs[i].user));
    /* What we kept of one that is over tells what it made of its GPUs, too. */
    struct text kept = TEXT_INIT;
    if (id <= UINT32_MAX && (hidden || record_job_is_over(&jobs[i])) &&
        api_find_finished(api, &source.audience, (uint32_t)id, &kept)) {
        api_reply_text(reply, &kept);
        return;
    }
    if (hidden) {
        api_refuse(reply, 404,
                   "Slurm does not know a job %.20s, or has forgotten it.",
                   name);
        return;
    }
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    record_print_job_whole(&json, &source, &jobs[i]);
    api_reply_text(reply, &text);
}

/* ---- the rest -------------------------------------------------------------
 */

static void serve_cluster(struct api *api,
                          struct http_request *request,
                          struct http_reply *reply)
{
    struct asked asked;
    if (read_asked(request, false, false, &asked, reply) < 0)
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
    struct asked asked;
    if (read_asked(request, false, false, &asked, reply) < 0)
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
        serve_job(api, rest + 1, request, reply);
    else if (which == API_JOBS && !*rest)
        serve_jobs(api, request, reply);
    else if (which < API_COUNT && more)
        serve_named(api, which, rest + 1, request, reply);
    else if (which < API_COUNT && !*rest)
        serve_collection(api, which, request, reply);
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
