/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests for what was: events and finished jobs. Both come from the store,
 * and are answered with 503 and the reason while there is none.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENTS_DEFAULT = 200,
    EVENTS_MAX = 5000,
    JOBS_DEFAULT = 200,
    JOBS_MAX = 5000
};

/* ---- parameters ---------------------------------------------------------- */

static bool set_parameter(const struct api_parameter *p,
                          const char *value,
                          struct http_reply *reply)
{
    if (p->text) {
        *p->text = value;
        return true;
    }
    if (number_parse(value, p->number) && *p->number <= p->most)
        return true;
    api_refuse(reply, 400, "%s: \"%.40s\" is no number up to %llu.", p->name,
               value, (unsigned long long)p->most);
    return false;
}

bool api_read_parameters(struct http_request *request,
                         const struct api_parameter *known,
                         size_t count,
                         struct http_reply *reply)
{
    const char *name, *value;
    for (size_t i = 0; http_request_parameter(request, i, &name, &value); i++) {
        size_t k = 0;
        while (k < count && strcmp(known[k].name, name) != 0)
            k++;
        if (k == count) {
            api_refuse(reply, 400,
                       "\"%.40s\" is no parameter of this path; doc/api.md "
                       "lists those there are.",
                       name);
            return false;
        }
        if (!set_parameter(&known[k], value, reply))
            return false;
    }
    return true;
}

struct store *api_find_store(const struct api *api, struct http_reply *reply)
{
    struct store *store = api->recorder ? recorder_store(api->recorder) : NULL;
    const char *why = api->recorder ? recorder_trouble(api->recorder) : "";
    if (!store)
        api_refuse(reply, 503, "Nothing is remembered here%s%s.",
                   *why ? ": " : "", why);
    return store;
}

/* ---- events -------------------------------------------------------------- */

static void print_event(void *context, const struct store_event *event)
{
    struct json *json = context;
    json_begin_object(json, NULL);
    json_i64(json, "id", event->id);
    json_time(json, "time_s", event->time_s);
    json_text_known(json, "kind", event->kind);
    json_text_known(json, "severity", event->severity);
    json_text_known(json, "node", event->node);
    json_text_known(json, "gpu", event->gpu);
    if (event->job)
        json_u64(json, "job", event->job);
    json_text_known(json, "text", event->text);
    json_end_object(json);
}

void api_serve_events(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply)
{
    struct store_event_filter filter = {.kind = NULL};
    uint64_t job = 0, limit = EVENTS_DEFAULT, before = 0;
    const struct api_parameter known[] = {
        {.name = "kind", .text = &filter.kind},
        {.name = "node", .text = &filter.node},
        {.name = "job", .number = &job, .most = UINT32_MAX},
        {.name = "limit", .number = &limit, .most = EVENTS_MAX},
        {.name = "before", .number = &before, .most = INT64_MAX},
    };
    if (!api_read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = api_find_store(api, reply);
    if (!store)
        return;
    struct record_audience audience = api_audience(api, request);
    char number[JOB_NAME_SIZE];
    snprintf(number, sizeof(number), "%u", (unsigned int)job);
    /* Those of his own jobs he finds with the job. */
    filter.no_jobs = audience.hidden & PRIVATE_JOBS &&
                     !(job && api_sees_job(api, &audience, number));
    filter.no_nodes = audience.hidden & (PRIVATE_NODES | PRIVATE_EVENTS);
    filter.job = (uint32_t)job;
    filter.limit = (size_t)limit;
    filter.before_id = (int64_t)before;
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    struct error err = {.text = ""};
    json_begin_object(&json, NULL);
    json_u64(&json, "version", recorder_events(api->recorder));
    json_time(&json, "time_s", clock_realtime_ns() / NS_PER_S);
    json_begin_array(&json, "events");
    int r = store_events(store, &filter, print_event, &json, &err);
    json_end_array(&json);
    json_end_object(&json);
    if (r == 0) {
        api_reply_text(reply, &text);
        return;
    }
    text_deinit(&text);
    api_refuse(reply, 503, "The history cannot be read: %s.", err.text);
}

/* ---- finished jobs ------------------------------------------------------- */

static void print_job(void *context, const struct store_job *job)
{
    struct json *json = context;
    if (json->comma)
        text_add_char(json->out, ',');
    json->comma = true;
    text_add(json->out, job->record);
}

void api_serve_history(struct api *api,
                       struct http_request *request,
                       struct http_reply *reply)
{
    struct store_job_filter filter = {.user = NULL};
    uint64_t from = 0, to = 0, offset = 0, limit = JOBS_DEFAULT;
    const struct api_parameter known[] = {
        {.name = "user", .text = &filter.user},
        {.name = "account", .text = &filter.account},
        {.name = "partition", .text = &filter.partition},
        {.name = "state", .text = &filter.state},
        {.name = "from_s", .number = &from, .most = INT64_MAX},
        {.name = "to_s", .number = &to, .most = INT64_MAX},
        {.name = "offset", .number = &offset, .most = UINT32_MAX},
        {.name = "limit", .number = &limit, .most = JOBS_MAX},
    };
    if (!api_read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = api_find_store(api, reply);
    if (!store)
        return;
    struct record_audience audience = api_audience(api, request);
    filter.from_s = (int64_t)from;
    filter.to_s = (int64_t)to;
    filter.offset = (size_t)offset;
    filter.limit = (size_t)limit;
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    struct error err = {.text = ""};
    json_begin_object(&json, NULL);
    json_time(&json, "time_s", clock_realtime_ns() / NS_PER_S);
    json_begin_array(&json, "jobs");
    bool nobody = false;
    if (audience.hidden & (PRIVATE_JOBS | PRIVATE_USAGE)) {
        nobody = !*audience.user ||
                 (filter.user && strcmp(filter.user, audience.user) != 0);
        filter.user = audience.user;
    }
    int r = nobody ? 0 : store_jobs(store, &filter, print_job, &json, &err);
    json_end_array(&json);
    json_end_object(&json);
    if (r == 0) {
        api_reply_text(reply, &text);
        return;
    }
    text_deinit(&text);
    api_refuse(reply, 503, "The history cannot be read: %s.", err.text);
}

struct job_copy {
    const struct record_audience *audience;
    struct text *out;
};

static void copy_job(void *context, const struct store_job *job)
{
    struct job_copy *copy = context;
    if (record_is_hidden(copy->audience, PRIVATE_JOBS | PRIVATE_USAGE,
                         job->user))
        return;
    text_clear(copy->out);
    text_add(copy->out, job->record);
}

bool api_find_finished(const struct api *api,
                       const struct record_audience *audience,
                       uint32_t id,
                       struct text *out)
{
    struct job_copy copy = {.audience = audience, .out = out};
    const struct store_job_filter filter = {.job_id = id, .limit = 1};
    struct store *store = api->recorder ? recorder_store(api->recorder) : NULL;
    if (store)
        store_jobs(store, &filter, copy_job, &copy, NULL);
    return out->size > 0;
}
