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

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_NS (100 * NS_PER_MS)
#define CONNECT_MS 3000L

enum {
    TRANSFERS_MAX = 256,
    /* 64 GPUs with each metric are a megabyte. */
    ANSWER_BYTES_MAX = 8 * 1024 * 1024
};

struct transfer {
    struct gpu_pull *pull;
    CURL *handle;
    struct fleet_node *node; /* NULL: free */
    struct text body;
    char reason[CURL_ERROR_SIZE];
};

/* When a node is asked next; beside the fleet's, in its order. */
struct turn {
    struct fleet_node *node;
    int64_t due_ns; /* 0: under way */
};

struct watched {
    struct watched *next;
    struct gpu_pull *pull;
    struct loop_source *source;
    curl_socket_t socket;
};

struct gpu_pull {
    struct loop *loop;
    struct gpu_pull_settings settings;
    char *url; /* owned */
    struct fleet *fleet;
    void (*changed)(void *context);
    void *context;
    CURLM *multi;
    struct loop_source *timer, *beat;
    struct watched *watched;
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
    int r = measured_node_parse(t->body.data ? t->body.data : "", t->body.size,
                                &measured);
    if (r == 0)
        fleet_take(t->pull->fleet, t->node, &measured,
                   clock_realtime_ns() / NS_PER_S);
    else
        fail(t,
             r == -ENODATA ? "its exporter tells of no GPU" : "memory ran out");
}

static void finish(struct transfer *t, CURLcode result)
{
    struct gpu_pull *pull = t->pull;
    if (result == CURLE_OK)
        take(t);
    else
        fail(t, *t->reason ? t->reason : curl_easy_strerror(result));
    struct turn *turn = bsearch(t->node, pull->turns, pull->turn_count,
                                sizeof(*turn), compare_turn);
    if (turn)
        turn->due_ns = next_due(pull, t->node, clock_monotonic_ns());
    curl_multi_remove_handle(pull->multi, t->handle);
    text_clear(&t->body);
    t->node = NULL;
    pull->news = true;
}

static void gather(struct gpu_pull *pull)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(pull->multi, &left))) {
        void *context = NULL;
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&context);
        finish(context, result);
    }
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct transfer *t = context;
    (void)one;
    if (t->body.size + size > ANSWER_BYTES_MAX) {
        snprintf(t->reason, sizeof(t->reason),
                 "its exporter's answer is longer than %d MiB",
                 ANSWER_BYTES_MAX / 1024 / 1024);
        return 0;
    }
    text_add_bytes(&t->body, data, size);
    return text_failed(&t->body) ? 0 : size;
}

/* ---- questions ----------------------------------------------------------- */

static bool prepare(struct transfer *t)
{
    const struct gpu_pull_settings *settings = &t->pull->settings;
    if (t->handle)
        return true;
    CURL *c = t->handle = curl_easy_init();
    if (!c)
        return false;
    curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->reason);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                     (long)(settings->deadline_ns / NS_PER_MS));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    /* The nodes are our neighbours, whatever http_proxy says. */
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "gpu-watchdog");
    return true;
}

static bool ask(struct transfer *t, struct fleet_node *node)
{
    struct text url = TEXT_INIT;
    node_url_make(t->pull->url, node->name, node->address, &url);
    const char *text = text_str(&url);
    bool good = text && prepare(t) &&
                curl_easy_setopt(t->handle, CURLOPT_URL, text) == CURLE_OK;
    text_deinit(&url);
    t->reason[0] = '\0';
    t->body.failed = false;
    if (good && curl_multi_add_handle(t->pull->multi, t->handle) == CURLM_OK)
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

/* ---- libcurl in our loop ------------------------------------------------- */

static void act(struct gpu_pull *pull, curl_socket_t socket, int what)
{
    int running;
    curl_multi_socket_action(pull->multi, socket, what, &running);
    gather(pull);
}

static void on_ready(void *context, uint32_t events)
{
    const struct watched *watched = context;
    int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(watched->pull, watched->socket, what);
}

static void on_timer(void *context, uint32_t events)
{
    (void)events;
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    const struct gpu_pull *pull = context;
    (void)multi;
    loop_timer_set(pull->timer, timeout_ms < 0 ? 0
                                               : clock_monotonic_ns() +
                                                     timeout_ms * NS_PER_MS);
    return 0;
}

static void forget(struct gpu_pull *pull, struct watched *watched)
{
    for (struct watched **at = &pull->watched; *at; at = &(*at)->next)
        if (*at == watched) {
            *at = watched->next;
            break;
        }
    loop_source_free(watched->source);
    free(watched);
}

static int set_socket(
    CURL *handle, curl_socket_t socket, int what, void *context, void *known)
{
    struct gpu_pull *pull = context;
    struct watched *watched = known;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) |
                      (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    (void)handle;
    if (what == CURL_POLL_REMOVE) {
        if (watched)
            forget(pull, watched);
        return 0;
    }
    if (watched)
        return loop_set_events(watched->source, events);
    watched = calloc(1, sizeof(*watched));
    if (!watched)
        return -1;
    *watched =
        (struct watched){.pull = pull, .socket = socket, .next = pull->watched};
    if (loop_add_fd(pull->loop, socket, events, on_ready, watched,
                    &watched->source, NULL) < 0) {
        free(watched);
        return -1;
    }
    pull->watched = watched;
    curl_multi_assign(pull->multi, socket, watched);
    return 0;
}

/* ---- life ---------------------------------------------------------------- */

static int start(struct gpu_pull *pull, struct error *err)
{
    pull->multi = curl_multi_init();
    if (!pull->multi || !pull->url)
        return error_errno(err, ENOMEM, "GPU exporters");
    curl_multi_setopt(pull->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(pull->multi, CURLMOPT_SOCKETDATA, pull);
    curl_multi_setopt(pull->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(pull->multi, CURLMOPT_TIMERDATA, pull);
    /* One connection a node is kept from one question to the next. */
    curl_multi_setopt(pull->multi, CURLMOPT_MAXCONNECTS, 16384L);
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        pull->transfers[i].pull = pull;
    int r = loop_add_timer(pull->loop, on_timer, pull, &pull->timer, err);
    if (r == 0)
        r = loop_add_timer(pull->loop, on_beat, pull, &pull->beat, err);
    if (r == 0)
        on_beat(pull, 0);
    return r;
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
            curl_multi_remove_handle(pull->multi, t->handle);
        curl_easy_cleanup(t->handle);
        text_deinit(&t->body);
    }
    curl_multi_cleanup(pull->multi);
    while (pull->watched)
        forget(pull, pull->watched);
    loop_source_free(pull->timer);
    loop_source_free(pull->beat);
    free(pull->turns);
    free(pull->url);
    free(pull);
    return NULL;
}
