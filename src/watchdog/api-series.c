/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of things, for plots. It comes from the store; with
 * --prometheus-url, what reaches back further than the store does comes from
 * Prometheus, and the request waits for it. When Prometheus fails, the store
 * answers with what it has, and the answer says why that is not all.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS_DEFAULT = 300,
    POINTS_MAX = 5000,
    METRICS_MAX = PROMETHEUS_METRICS_MAX,
    IDS_MAX = PROMETHEUS_IDS_MAX
};

struct series_query {
    const char *kind;            /* of a static table */
    char *id_list, *metric_list; /* owned, cut into the following */
    const char *ids[IDS_MAX], *metrics[METRICS_MAX];
    size_t id_count, metric_count;
    uint64_t from_s, to_s, points;
    /* While Prometheus is asked. */
    struct api *api;
    struct http_later *later;
};

static struct series_query *query_free(struct series_query *query)
{
    if (query) {
        free(query->id_list);
        free(query->metric_list);
    }
    free(query);
    return NULL;
}

static void query_cleanup(struct series_query **query)
{
    query_free(*query);
}

/* ---- printing ------------------------------------------------------------ */

static void print_values(struct json *json, const float *values, size_t count)
{
    json_begin_array(json, "values");
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            json_real(json, NULL, round(values[i] * 100.0) / 100);
            continue;
        }
        if (json->comma)
            text_add_char(json->out, ',');
        json->comma = true;
        text_add(json->out, "null");
    }
    json_end_array(json);
}

static void print_series(struct json *json, const struct prometheus_series *s)
{
    json_begin_object(json, NULL);
    json_text(json, "id", s->id);
    json_text(json, "metric", s->metric);
    json_time(json, "from_s", s->from_s);
    json_time(json, "step_s", s->step_s);
    print_values(json, s->values, s->count);
    json_end_object(json);
}

static void begin_answer(struct json *json,
                         const struct series_query *query,
                         const char *source,
                         const char *trouble)
{
    json_begin_object(json, NULL);
    json_u64(json, "from_s", query->from_s);
    json_u64(json, "to_s", query->to_s);
    json_text(json, "source", source);
    json_text_known(json, "trouble", trouble);
    json_begin_array(json, "series");
}

static void
end_answer(struct json *json, struct text *text, struct http_reply *reply)
{
    json_end_array(json);
    json_end_object(json);
    api_reply_text(reply, text);
}

/* ---- from the store ------------------------------------------------------ */

static void print_stored(struct json *json,
                         struct store *store,
                         const struct series_query *query,
                         const struct store_key *key)
{
    struct store_series series;
    if (store_read(store, key, (int64_t)query->from_s, (int64_t)query->to_s,
                   (size_t)query->points, &series, NULL) < 0)
        return;
    print_series(json, &(struct prometheus_series){
                           .id = key->id,
                           .metric = key->metric,
                           .from_s = series.from_s,
                           .step_s = series.step_s,
                           .count = series.count,
                           .values = series.values,
                       });
    store_series_deinit(&series);
}

static void answer_from_store(const struct series_query *query,
                              struct store *store,
                              const char *trouble,
                              struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    begin_answer(&json, query, "store", trouble);
    for (size_t i = 0; i < query->id_count; i++)
        for (size_t m = 0; m < query->metric_count; m++)
            print_stored(&json, store, query,
                         &(struct store_key){query->kind, query->ids[i],
                                             query->metrics[m]});
    end_answer(&json, &text, reply);
}

/* ---- from Prometheus ----------------------------------------------------- */

static bool has_values(const struct prometheus_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (isfinite(series->values[i]))
            return true;
    return false;
}

static void on_prometheus(void *context,
                          const struct prometheus_series *series,
                          size_t count,
                          const struct error *err)
{
    struct series_query *query = context;
    struct http_reply *reply = http_later_reply(query->later);
    const struct recorder *recorder = query->api->recorder;
    struct store *store = recorder ? recorder_store(recorder) : NULL;
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    if (err && store)
        answer_from_store(query, store, err->text, reply);
    else if (err)
        api_refuse(reply, 503, "%s.", err->text);
    else {
        begin_answer(&json, query, "prometheus", "");
        for (size_t i = 0; i < count; i++)
            if (has_values(&series[i]))
                print_series(&json, &series[i]);
        end_answer(&json, &text, reply);
    }
    http_later_send(query->later);
    query_free(query);
}

static void ask_prometheus(struct api *api,
                           struct series_query *query,
                           struct http_reply *reply)
{
    const struct prometheus_request request = {
        .kind = query->kind,
        .ids = query->ids,
        .metrics = query->metrics,
        .id_count = query->id_count,
        .metric_count = query->metric_count,
        .from_s = (int64_t)query->from_s,
        .to_s = (int64_t)query->to_s,
        .points = (size_t)query->points,
    };
    query->api = api;
    query->later = http_reply_later(reply);
    prometheus_ask(api->prometheus, &request, on_prometheus, query);
}

/* ---- the request --------------------------------------------------------- */

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

static void leave_out_hidden(const struct api *api,
                             const struct record_audience *audience,
                             struct series_query *query)
{
    size_t kept = 0;
    for (size_t i = 0; i < query->id_count; i++)
        if (sees_series(api, audience, query->kind, query->ids[i]))
            query->ids[kept++] = query->ids[i];
    query->id_count = kept;
}

/* NULL for what is none. */
static const char *find_kind(const char *kind)
{
    static const char *const kinds[] = {"cluster", "partition", "node", "gpu",
                                        "job"};
    for (size_t i = 0; i < array_size(kinds); i++)
        if (kind && strcmp(kinds[i], kind) == 0)
            return kinds[i];
    return NULL;
}

/* False when the request was refused. */
static bool read_query(struct http_request *request,
                       struct series_query *query,
                       struct http_reply *reply)
{
    const char *kind = NULL, *ids = "", *metrics = "";
    query->points = POINTS_DEFAULT;
    const struct api_parameter known[] = {
        {.name = "of", .text = &kind},
        {.name = "id", .text = &ids},
        {.name = "metric", .text = &metrics},
        {.name = "from_s", .number = &query->from_s, .most = UINT32_MAX},
        {.name = "to_s", .number = &query->to_s, .most = UINT32_MAX},
        {.name = "points", .number = &query->points, .most = POINTS_MAX},
    };
    if (!api_read_parameters(request, known, array_size(known), reply))
        return false;
    query->kind = find_kind(kind);
    query->id_list = strdup(ids);
    query->metric_list = strdup(metrics);
    if (!query->to_s)
        query->to_s = (uint64_t)(clock_realtime_ns() / NS_PER_S);
    if (!query->from_s)
        query->from_s = query->to_s > 3600 ? query->to_s - 3600 : 1;
    if (!query->id_list || !query->metric_list)
        api_refuse(reply, 503, "Memory ran out; try again.");
    else if (!query->kind)
        api_refuse(reply, 400,
                   "of: one of cluster, partition, node, gpu, job.");
    else if (!*metrics)
        api_refuse(reply, 400, "metric: name at least one, with commas.");
    else if (query->from_s >= query->to_s || query->points == 0)
        api_refuse(reply, 400,
                   "from_s lies before to_s, and points is at least 1.");
    else if (!split(query->id_list, query->ids, IDS_MAX, &query->id_count) ||
             !split(query->metric_list, query->metrics, METRICS_MAX,
                    &query->metric_count))
        api_refuse(reply, 400, "At most %d ids and %d metrics at once.",
                   IDS_MAX, METRICS_MAX);
    else
        return true;
    return false;
}

static bool is_out_of_reach(const struct api *api,
                            const struct series_query *query)
{
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    return api->prometheus && query->id_count > 0 &&
           now_s - (int64_t)query->from_s > api->reach_s;
}

void api_serve_series(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply)
{
    _cleanup_(query_cleanup) struct series_query *query =
        calloc(1, sizeof(*query));
    if (!query) {
        api_refuse(reply, 503, "Memory ran out; try again.");
        return;
    }
    if (!read_query(request, query, reply))
        return;
    const struct record_audience audience = api_audience(api, request);
    leave_out_hidden(api, &audience, query);
    if (is_out_of_reach(api, query)) {
        ask_prometheus(api, take_ptr(query), reply);
        return;
    }
    struct store *store = api_find_store(api, reply);
    if (store)
        answer_from_store(query, store, "", reply);
}
