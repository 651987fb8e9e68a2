/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question is a request of the API on steps that are the same for all who ask
 * at about the same time: it begins and ends at multiples of the step. It takes
 * one query a metric, all at once, and is over with the last. The last
 * QUESTIONS_MAX are kept; one that is kept too long, or failed, is asked anew.
 */
#include "source/prometheus.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/curl-loop.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTIONS_MAX = 32,
    STEP_MIN_S = 15,
    ANSWER_BYTES_MAX = 32 * 1024 * 1024
};

struct waiter {
    struct waiter *next;
    prometheus_done done;
    void *context;
};

struct question;

/* One metric of a question. */
struct query {
    struct question *question;
    CURL *handle; /* NULL: it is not under way */
    struct curl_answer answer;
    size_t first; /* of its series */
};

struct question {
    struct prometheus *prometheus;
    char *key; /* owned; NULL: free. Kind, times, ids, metrics */
    char *kind;
    char *ids[PROMETHEUS_IDS_MAX], *metrics[PROMETHEUS_METRICS_MAX];
    struct prometheus_series *series; /* owned, the values too */
    size_t series_count, id_count;
    struct query queries[PROMETHEUS_METRICS_MAX];
    size_t open; /* queries under way */
    struct waiter *waiters;
    struct error trouble;
    int64_t asked_ns;
};

struct prometheus {
    char *url, *matchers; /* owned */
    char *shown;          /* owned: the URL without who we are there */
    int64_t deadline_ns;
    struct curl_loop *curl;
    struct question questions[QUESTIONS_MAX];
};

/* ---- questions ----------------------------------------------------------- */

static void question_clear(struct question *q)
{
    assert(!q->waiters && q->open == 0);

    for (size_t i = 0; i < q->series_count; i++)
        free(q->series[i].values);
    for (size_t i = 0; i < PROMETHEUS_IDS_MAX; i++)
        free(q->ids[i]);
    for (size_t i = 0; i < PROMETHEUS_METRICS_MAX; i++)
        free(q->metrics[i]);
    for (size_t i = 0; i < PROMETHEUS_METRICS_MAX; i++)
        text_deinit(&q->queries[i].answer.body);
    free(q->series);
    free(q->kind);
    free(q->key);
    struct prometheus *prometheus = q->prometheus;
    *q = (struct question){.prometheus = prometheus};
}

static void question_tell(struct question *q)
{
    bool bad = q->trouble.text[0] != '\0';
    while (q->waiters) {
        struct waiter *waiter = take_ptr(q->waiters);
        q->waiters = waiter->next;
        waiter->done(waiter->context, q->series, bad ? 0 : q->series_count,
                     bad ? &q->trouble : NULL);
        free(waiter);
    }
}

static void question_fail(struct question *q, const char *reason)
{
    if (!q->trouble.text[0])
        error_set(&q->trouble, EIO, "Prometheus at %.120s: %s",
                  q->prometheus->shown, reason);
}

/* A step of whole minutes, hours or days where it can be, so that questions
 * are alike. */
static int64_t choose_step(int64_t span_s, size_t points)
{
    static const int64_t steps[] = {15,   30,   60,   120,   300,   600,  900,
                                    1800, 3600, 7200, 10800, 21600, 43200};
    int64_t least = span_s / (int64_t)points;
    for (size_t i = 0; i < array_size(steps); i++)
        if (steps[i] >= least)
            return steps[i];
    return (least + 86399) / 86400 * 86400;
}

static void write_key(const struct prometheus_request *request,
                      const struct prometheus_series *times,
                      struct text *out)
{
    text_addf(out, "%s %lld %lld %zu", request->kind, (long long)times->from_s,
              (long long)times->step_s, times->count);
    for (size_t i = 0; i < request->metric_count; i++)
        text_addf(out, " %s", request->metrics[i]);
    for (size_t i = 0; i < request->id_count; i++)
        text_addf(out, "\n%s", request->ids[i]);
}

static bool add_series(struct question *q,
                       const char *id,
                       const char *metric,
                       const struct prometheus_series *times)
{
    struct prometheus_series *s = &q->series[q->series_count++];
    *s = *times;
    s->id = id;
    s->metric = metric;
    s->values = malloc(s->count * sizeof(*s->values));
    for (size_t i = 0; s->values && i < s->count; i++)
        s->values[i] = NAN;
    return s->values;
}

static bool copy_words(const char *const *words, size_t count, char **ret_words)
{
    for (size_t i = 0; i < count; i++)
        if (!(ret_words[i] = strdup(words[i])))
            return false;
    return true;
}

static bool question_fill(struct question *q,
                          const struct prometheus_request *request,
                          const struct prometheus_series *times)
{
    size_t count = request->id_count * request->metric_count;
    bool good = (q->series = calloc(count, sizeof(*q->series))) != NULL;
    good = good && (q->kind = strdup(request->kind)) != NULL &&
           copy_words(request->ids, request->id_count, q->ids) &&
           copy_words(request->metrics, request->metric_count, q->metrics);
    q->id_count = request->id_count;
    for (size_t m = 0; good && m < request->metric_count; m++)
        for (size_t i = 0; good && i < request->id_count; i++)
            good = add_series(q, q->ids[i], q->metrics[m], times);
    return good;
}

/* ---- queries ------------------------------------------------------------- */

static void query_end(struct query *query)
{
    curl_easy_cleanup(query->handle);
    query->handle = NULL;
    text_deinit(&query->answer.body);
    query->question->open--;
}

static void finish(void *context, void *request, CURLcode result)
{
    (void)context;
    struct query *query = request;
    struct question *q = query->question;
    const struct text *body = &query->answer.body;
    const char *reason = query->answer.reason;
    struct error err = {.text = ""};
    if (result != CURLE_OK)
        question_fail(q, *reason ? reason : curl_easy_strerror(result));
    else if (prometheus_answer_read(body->data ? body->data : "", body->size,
                                    q->kind, q->series + query->first,
                                    q->id_count, &err) < 0)
        question_fail(q, err.text);
    query_end(query);
    if (q->open == 0)
        question_tell(q);
}

static bool
write_form(struct query *query, const char *expression, struct text *out)
{
    const struct prometheus_series *s = &query->question->series[query->first];
    char *escaped = curl_easy_escape(query->handle, expression, 0);
    text_addf(out, "query=%s&start=%lld&end=%lld&step=%lld",
              escaped ? escaped : "", (long long)(s->from_s + s->step_s),
              (long long)(s->from_s + (int64_t)s->count * s->step_s),
              (long long)s->step_s);
    bool good = escaped && !text_failed(out);
    curl_free(escaped);
    return good;
}

static bool query_send(struct query *query, const char *expression)
{
    struct prometheus *prometheus = query->question->prometheus;
    _cleanup_(text_deinit) struct text url = TEXT_INIT;
    _cleanup_(text_deinit) struct text form = TEXT_INIT;
    query->answer.most = ANSWER_BYTES_MAX;
    query->handle =
        curl_loop_handle(&query->answer, query, prometheus->deadline_ns);
    text_addf(&url, "%s/api/v1/query_range", prometheus->url);
    if (!query->handle || text_failed(&url) ||
        !write_form(query, expression, &form))
        return false;
    curl_easy_setopt(query->handle, CURLOPT_URL, text_str(&url));
    curl_easy_setopt(query->handle, CURLOPT_COPYPOSTFIELDS, text_str(&form));
    return curl_loop_add(prometheus->curl, query->handle);
}

static void question_send(struct question *q)
{
    const struct prometheus *prometheus = q->prometheus;
    q->asked_ns = clock_monotonic_ns();
    for (size_t m = 0; m * q->id_count < q->series_count; m++) {
        struct query *query = &q->queries[m];
        _cleanup_(text_deinit) struct text expression = TEXT_INIT;
        *query = (struct query){.question = q, .first = m * q->id_count};
        const struct prometheus_series *s = &q->series[query->first];
        const struct prometheus_wanted wanted = {
            .kind = q->kind,
            .metric = s->metric,
            .ids = (const char *const *)q->ids,
            .id_count = q->id_count,
            .matchers = prometheus->matchers,
            .step_s = s->step_s,
        };
        if (!prometheus_query_write(&wanted, &expression))
            continue; /* nobody knows it: no values */
        q->open++;
        if (!query_send(query, text_str(&expression))) {
            question_fail(q, "memory ran out");
            query_end(query);
        }
    }
}

/* The one with KEY, or one that is free for it; NULL when all are under way. */
static struct question *find_question(struct prometheus *prometheus,
                                      const char *key)
{
    struct question *oldest = NULL;
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &prometheus->questions[i];
        if (q->key && strcmp(q->key, key) == 0)
            return q;
        if (q->open == 0 && (!oldest || q->asked_ns < oldest->asked_ns))
            oldest = q;
    }
    return oldest;
}

static bool is_good(const struct question *q)
{
    return !q->trouble.text[0] &&
           clock_monotonic_ns() - q->asked_ns < PROMETHEUS_KEPT_S * NS_PER_S;
}

void prometheus_ask(struct prometheus *prometheus,
                    const struct prometheus_request *request,
                    prometheus_done done,
                    void *context)
{
    int64_t step_s =
        choose_step(request->to_s - request->from_s, request->points);
    struct prometheus_series times = {
        .from_s = request->from_s - request->from_s % step_s,
        .step_s = step_s,
    };
    times.count = (size_t)((request->to_s - times.from_s) / step_s + 1);
    _cleanup_(text_deinit) struct text key = TEXT_INIT;
    write_key(request, &times, &key);
    struct error err;
    struct waiter *waiter = malloc(sizeof(*waiter));
    const char *name = text_str(&key);
    struct question *q = name ? find_question(prometheus, name) : NULL;
    if (!waiter || !q) {
        free(waiter);
        error_set(&err, EBUSY,
                  "Prometheus is being asked for too much at once; try again");
        done(context, NULL, 0, &err);
        return;
    }
    bool known = q->key && strcmp(q->key, name) == 0;
    *waiter =
        (struct waiter){.next = q->waiters, .done = done, .context = context};
    if (!known || (q->open == 0 && !is_good(q))) {
        question_clear(q);
        q->key = strdup(name);
        if (q->key && question_fill(q, request, &times))
            question_send(q);
        else
            question_fail(q, "memory ran out");
    }
    q->waiters = waiter;
    if (q->open == 0)
        question_tell(q);
}

/* ---- life ---------------------------------------------------------------- */

/* Without "user:password@"; owned by the caller. */
static char *show_url(const char *url)
{
    if (!url)
        return NULL;
    const char *host = strstr(url, "://") + 3;
    const char *at = strchr(host, '@');
    const char *slash = strchr(host, '/');
    char *shown = NULL;
    if (at && (!slash || at < slash) &&
        asprintf(&shown, "%.*s%s", (int)(host - url), url, at + 1) < 0)
        return NULL;
    return shown ? shown : strdup(url);
}

int prometheus_new(struct loop *loop,
                   const struct prometheus_settings *settings,
                   struct prometheus **ret_prometheus,
                   struct error *err)
{
    struct prometheus *prometheus = calloc(1, sizeof(*prometheus));
    if (!prometheus)
        return error_errno(err, ENOMEM, "Prometheus");
    size_t size = strlen(settings->url);
    while (settings->url[size - 1] == '/')
        size--;
    prometheus->url = strndup(settings->url, size);
    prometheus->shown = show_url(prometheus->url);
    prometheus->matchers = strdup(settings->matchers);
    prometheus->deadline_ns = settings->deadline_ns;
    for (size_t i = 0; i < QUESTIONS_MAX; i++)
        prometheus->questions[i].prometheus = prometheus;
    int r =
        prometheus->shown && prometheus->matchers
            ? curl_loop_new(loop, finish, prometheus, &prometheus->curl, err)
            : error_errno(err, ENOMEM, "Prometheus");
    if (r < 0) {
        prometheus_free(prometheus);
        return r;
    }
    *ret_prometheus = prometheus;
    return 0;
}

struct prometheus *prometheus_free(struct prometheus *prometheus)
{
    if (!prometheus)
        return NULL;
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &prometheus->questions[i];
        for (size_t m = 0; m < PROMETHEUS_METRICS_MAX; m++) {
            if (!q->queries[m].handle)
                continue;
            curl_loop_remove(prometheus->curl, q->queries[m].handle);
            query_end(&q->queries[m]);
        }
        question_fail(q, "gpu-watchdog is being stopped");
        question_tell(q);
        question_clear(q);
    }
    curl_loop_free(prometheus->curl);
    free(prometheus->url);
    free(prometheus->shown);
    free(prometheus->matchers);
    free(prometheus);
    return NULL;
}
