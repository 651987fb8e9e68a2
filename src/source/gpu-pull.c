/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A beat of a tenth of a second finds the nodes whose moment has come and gives
 * them to libcurl. A node's moment within the interval is the hash of its name,
 * so that it does not move when others come and go; one that has never been
 * asked is asked at once.
 *
 * At most TRANSFERS_MAX are under way. On a network where thousands of nodes
 * are silent, all of them may be busy waiting: what is due then waits its turn,
 * and nothing piles up.
 */
#include "source/gpu-pull.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/node-url.h"
#include "source/curl-loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_NS (100 * NS_PER_MS)

enum {
    TRANSFERS_MAX = 256,
    /* 64 GPUs with each metric are a megabyte. */
    ANSWER_BYTES_MAX = 8 * 1024 * 1024
};

struct transfer {
    struct gpu_pull *pull;
    CURL *handle;
    struct fleet_node *node; /* NULL: free */
    struct curl_answer answer;
};

/* When a node is asked next; beside the fleet's, in its order. */
struct turn {
    struct fleet_node *node;
    int64_t due_ns; /* 0: under way */
};

struct gpu_pull {
    struct loop *loop;
    struct gpu_pull_settings settings;
    char *url; /* owned */
    struct fleet *fleet;
    void (*changed)(void *context);
    void *context;
    struct curl_loop *curl;
    struct loop_source *beat;
    struct transfer transfers[TRANSFERS_MAX];
    struct turn *turns;
    size_t turn_count;
    size_t first_turn; /* to be looked at in the next beat */
    bool news;         /* since CHANGED was last called */
};

/* ---- turns --------------------------------------------------------------- */

/* The next moment of NODE after NOW. */
static int64_t next_due(const struct gpu_pull *pull,
                        const struct fleet_node *node,
                        int64_t now_ns)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = node->name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    int64_t interval = pull->settings.interval_ns;
    int64_t phase = (int64_t)((hash >> 16) % (uint64_t)interval);
    int64_t due = now_ns - now_ns % interval + phase;
    return due <= now_ns ? due + interval : due;
}

static int compare_turn(const void *key, const void *turn)
{
    return strcmp(((const struct fleet_node *)key)->name,
                  ((const struct turn *)turn)->node->name);
}

void gpu_pull_update(struct gpu_pull *pull)
{
    const struct fleet *fleet = pull->fleet;
    struct turn *turns = calloc(fleet->count + 1, sizeof(*turns));
    if (!turns)
        return; /* those that are new wait for the next snapshot */
    int64_t now = clock_monotonic_ns();
    size_t before = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        turns[i] = (struct turn){.node = fleet->nodes[i], .due_ns = now};
        /* Both are in the order of names, and nodes never go. */
        if (before < pull->turn_count &&
            pull->turns[before].node == fleet->nodes[i])
            turns[i] = pull->turns[before++];
    }
    free(pull->turns);
    pull->turns = turns;
    pull->turn_count = fleet->count;
}

/* ---- answers ------------------------------------------------------------- */

static void fail(struct transfer *t, const char *trouble)
{
    struct gpu_pull *pull = t->pull;
    int64_t age_ns = clock_realtime_ns() - t->node->answered_s * NS_PER_S;
    fleet_fail(pull->fleet, t->node, trouble,
               age_ns > pull->settings.old_after_ns);
}

static void take(struct transfer *t)
{
    struct measured_node measured;
    long status = 0;
    char trouble[128];
    curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        snprintf(trouble, sizeof(trouble), "its exporter answered %ld", status);
        fail(t, trouble);
        return;
    }
    int r = measured_node_parse(t->answer.body.data ? t->answer.body.data : "",
                                t->answer.body.size, &measured);
    if (r == 0)
        fleet_take(t->pull->fleet, t->node, &measured,
                   clock_realtime_ns() / NS_PER_S);
    else
        fail(t,
             r == -ENODATA ? "its exporter tells of no GPU" : "memory ran out");
}

static void finish(void *context, void *request, CURLcode result)
{
    struct gpu_pull *pull = context;
    struct transfer *t = request;
    const char *reason = t->answer.reason;
    if (result == CURLE_OK)
        take(t);
    else
        fail(t, *reason ? reason : curl_easy_strerror(result));
    struct turn *turn = bsearch(t->node, pull->turns, pull->turn_count,
                                sizeof(*turn), compare_turn);
    if (turn)
        turn->due_ns = next_due(pull, t->node, clock_monotonic_ns());
    text_clear(&t->answer.body);
    t->node = NULL;
    pull->news = true;
}

/* ---- questions ----------------------------------------------------------- */

static bool prepare(struct transfer *t)
{
    if (!t->handle)
        t->handle =
            curl_loop_handle(&t->answer, t, t->pull->settings.deadline_ns);
    return t->handle;
}

static bool ask(struct transfer *t, struct fleet_node *node)
{
    struct text url = TEXT_INIT;
    node_url_make(t->pull->url, node->name, node->address, &url);
    const char *text = text_str(&url);
    bool good = text && prepare(t) &&
                curl_easy_setopt(t->handle, CURLOPT_URL, text) == CURLE_OK;
    text_deinit(&url);
    t->answer.reason[0] = '\0';
    t->answer.body.failed = false;
    if (good && curl_loop_add(t->pull->curl, t->handle))
        t->node = node;
    return t->node != NULL;
}

static struct transfer *find_free(struct gpu_pull *pull, size_t *from)
{
    while (*from < TRANSFERS_MAX && pull->transfers[*from].node)
        ++*from;
    return *from < TRANSFERS_MAX ? &pull->transfers[*from] : NULL;
}

/* Those that are due, as far as there are transfers free; the next beat goes on
 * where this one ended. */
static void ask_due(struct gpu_pull *pull, int64_t now_ns)
{
    size_t free_from = 0, i = 0;
    for (; i < pull->turn_count; i++) {
        size_t at = (pull->first_turn + i) % pull->turn_count;
        struct turn *turn = &pull->turns[at];
        if (!turn->due_ns || turn->due_ns > now_ns || !turn->node->known ||
            !turn->node->has_gpus)
            continue;
        struct transfer *t = find_free(pull, &free_from);
        if (!t || !ask(t, turn->node))
            break;
        turn->due_ns = 0;
    }
    if (pull->turn_count)
        pull->first_turn = (pull->first_turn + i) % pull->turn_count;
}

static void on_beat(void *context, uint32_t events)
{
    struct gpu_pull *pull = context;
    int64_t now = clock_monotonic_ns();
    (void)events;
    ask_due(pull, now);
    if (pull->news) {
        pull->news = false;
        pull->changed(pull->context);
    }
    loop_timer_set(pull->beat, now + BEAT_NS);
}

/* ---- life ---------------------------------------------------------------- */

static int start(struct gpu_pull *pull, struct error *err)
{
    if (!pull->url)
        return error_errno(err, ENOMEM, "GPU exporters");
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        pull->transfers[i].pull = pull;
        pull->transfers[i].answer.most = ANSWER_BYTES_MAX;
    }
    int r = curl_loop_new(pull->loop, finish, pull, &pull->curl, err);
    if (r == 0)
        r = loop_add_timer(pull->loop, on_beat, pull, &pull->beat, err);
    if (r < 0)
        return r;
    /* One connection a node is kept from one question to the next. */
    curl_loop_keep(pull->curl, 16384);
    on_beat(pull, 0);
    return 0;
}

int gpu_pull_new(struct loop *loop,
                 const struct gpu_pull_settings *settings,
                 struct fleet *fleet,
                 void (*changed)(void *context),
                 void *context,
                 struct gpu_pull **ret_pull,
                 struct error *err)
{
    int r = node_url_check(settings->url, err);
    if (r < 0)
        return r;
    struct gpu_pull *pull = calloc(1, sizeof(*pull));
    if (!pull)
        return error_errno(err, ENOMEM, "GPU exporters");
    pull->loop = loop;
    pull->settings = *settings;
    pull->url = strdup(settings->url);
    pull->fleet = fleet;
    pull->changed = changed;
    pull->context = context;
    r = start(pull, err);
    if (r < 0) {
        gpu_pull_free(pull);
        return r;
    }
    *ret_pull = pull;
    return 0;
}

struct gpu_pull *gpu_pull_free(struct gpu_pull *pull)
{
    if (!pull)
        return NULL;
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *t = &pull->transfers[i];
        if (t->node)
            curl_loop_remove(pull->curl, t->handle);
        curl_easy_cleanup(t->handle);
        text_deinit(&t->answer.body);
    }
    curl_loop_free(pull->curl);
    loop_source_free(pull->beat);
    free(pull->turns);
    free(pull->url);
    free(pull);
    return NULL;
}
