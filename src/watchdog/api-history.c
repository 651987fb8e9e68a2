/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests for what was: events, series, finished jobs. All come from the
 * store, and are answered with 503 and the reason while there is none.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENTS_DEFAULT = 200,
    EVENTS_MAX = 5000,
    JOBS_DEFAULT = 200,
    JOBS_MAX = 5000,
    POINTS_DEFAULT = 300,
    POINTS_MAX = 5000,
    METRICS_MAX = 8,
    IDS_MAX = 64
};

/* ---- parameters ---------------------------------------------------------- */

struct parameter {
    const char *name;
    const char **text; /* one of the two */
    uint64_t *number;
    uint64_t most; /* of the number */
};

static bool set_parameter(const struct parameter *p,
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

/* False when the request was refused. */
static bool read_parameters(struct http_request *request,
                            const struct parameter *known,
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

static struct store *find_store(const struct api *api, struct http_reply *reply)
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
    const struct parameter known[] = {
        {.name = "kind", .text = &filter.kind},
        {.name = "node", .text = &filter.node},
        {.name = "job", .number = &job, .most = UINT32_MAX},
        {.name = "limit", .number = &limit, .most = EVENTS_MAX},
        {.name = "before", .number = &before, .most = INT64_MAX},
    };
    if (!read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = find_store(api, reply);
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
    const struct parameter known[] = {
        {.name = "user", .text = &filter.user},
        {.name = "account", .text = &filter.account},
        {.name = "partition", .text = &filter.partition},
        {.name = "state", .text = &filter.state},
        {.name = "from_s", .number = &from, .most = INT64_MAX},
        {.name = "to_s", .number = &to, .most = INT64_MAX},
        {.name = "offset", .number = &offset, .most = UINT32_MAX},
        {.name = "limit", .number = &limit, .most = JOBS_MAX},
    };
    if (!read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = find_store(api, reply);
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

/* ---- series -------------------------------------------------------------- */

struct series_query {
    const char *kind, *ids, *metrics;
    uint64_t from_s, to_s, points;
};

/* Cut LIST, with commas, into COUNT texts; false when there are more. */
static bool
split(char *list, const char **texts, size_t most, size_t *ret_count)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(list, ",", &rest); word;
         word = strtok_r(NULL, ",", &rest)) {
        if (count == most)
            return false;
        texts[count++] = word;
    }
    if (count == 0)
        texts[count++] = "";
    *ret_count = count;
    return true;
}

static void print_values(struct json *json, const struct store_series *series)
{
    json_begin_array(json, "values");
    for (size_t i = 0; i < series->count; i++) {
        if (isfinite(series->values[i])) {
            json_real(json, NULL, round(series->values[i] * 100.0) / 100);
            continue;
        }
        if (json->comma)
            text_add_char(json->out, ',');
        json->comma = true;
        text_add(json->out, "null");
    }
    json_end_array(json);
}

static void print_series(struct json *json,
                         struct store *store,
                         const struct series_query *query,
                         const struct store_key *key)
{
    struct store_series series;
    if (store_read(store, key, (int64_t)query->from_s, (int64_t)query->to_s,
                   (size_t)query->points, &series, NULL) < 0)
        return;
    json_begin_object(json, NULL);
    json_text(json, "id", key->id);
    json_text(json, "metric", key->metric);
    json_time(json, "from_s", series.from_s);
    json_time(json, "step_s", series.step_s);
    print_values(json, &series);
    json_end_object(json);
    store_series_deinit(&series);
}

/* Whether the series of one ID may be seen. */
static bool sees_series(const struct api *api,
                        const struct record_audience *audience,
                        const char *kind,
                        const char *id)
{
    if (strcmp(kind, "job") == 0)
        return api_sees_job(api, audience, id);
    if (strcmp(kind, "partition") == 0)
        return !record_is_hidden(audience, PRIVATE_PARTITIONS, NULL);
    return strcmp(kind, "cluster") == 0 ||
           !record_is_hidden(audience, PRIVATE_NODES, NULL);
}

static void answer_series(const struct api *api,
                          const struct record_audience *audience,
                          struct store *store,
                          const struct series_query *query,
                          struct http_reply *reply)
{
    _cleanup_(free_ptr) char *ids = strdup(query->ids);
    _cleanup_(free_ptr) char *metrics = strdup(query->metrics);
    const char *id[IDS_MAX], *metric[METRICS_MAX];
    size_t id_count, metric_count;
    if (!ids || !metrics) {
        api_refuse(reply, 503, "Memory ran out; try again.");
        return;
    }
    if (!split(ids, id, IDS_MAX, &id_count) ||
        !split(metrics, metric, METRICS_MAX, &metric_count)) {
        api_refuse(reply, 400, "At most %d ids and %d metrics at once.",
                   IDS_MAX, METRICS_MAX);
        return;
    }
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    json_begin_object(&json, NULL);
    json_u64(&json, "from_s", query->from_s);
    json_u64(&json, "to_s", query->to_s);
    json_begin_array(&json, "series");
    for (size_t i = 0; i < id_count; i++)
        for (size_t m = 0;
             m < metric_count && sees_series(api, audience, query->kind, id[i]);
             m++)
            print_series(&json, store, query,
                         &(struct store_key){query->kind, id[i], metric[m]});
    json_end_array(&json);
    json_end_object(&json);
    api_reply_text(reply, &text);
}

static bool is_kind(const char *kind)
{
    static const char *const kinds[] = {"cluster", "partition", "node", "gpu",
                                        "job"};
    for (size_t i = 0; i < array_size(kinds); i++)
        if (kind && strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

void api_serve_series(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply)
{
    struct series_query query = {.ids = "", .points = POINTS_DEFAULT};
    const struct parameter known[] = {
        {.name = "of", .text = &query.kind},
        {.name = "id", .text = &query.ids},
        {.name = "metric", .text = &query.metrics},
        {.name = "from_s", .number = &query.from_s, .most = UINT32_MAX},
        {.name = "to_s", .number = &query.to_s, .most = UINT32_MAX},
        {.name = "points", .number = &query.points, .most = POINTS_MAX},
    };
    if (!read_parameters(request, known, array_size(known), reply))
        return;
    if (!query.to_s)
        query.to_s = (uint64_t)(clock_realtime_ns() / NS_PER_S);
    if (!query.from_s)
        query.from_s = query.to_s > 3600 ? query.to_s - 3600 : 1;
    if (!is_kind(query.kind))
        api_refuse(reply, 400,
                   "of: one of cluster, partition, node, gpu, job.");
    else if (!query.metrics || !*query.metrics)
        api_refuse(reply, 400, "metric: name at least one, with commas.");
    else if (query.from_s >= query.to_s || query.points == 0)
        api_refuse(reply, 400,
                   "from_s lies before to_s, and points is at least 1.");
    else {
        struct store *store = find_store(api, reply);
        struct record_audience audience = api_audience(api, request);
        if (store)
            answer_series(api, &audience, store, &query, reply);
    }
}
