/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serving pages. A page is known by its path, the families that were asked for
 * and its format; the last few are kept for as long as the state of the
 * cluster is the one they show. Those that somebody asked for meanwhile are
 * made again when the next snapshot arrives, so that who scrapes does not wait
 * for it.
 */
#include "watchdog/pages.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "http/negotiate.h"
#include "view/prometheus.h"
#include "watchdog/self-rows.h"
#include "watchdog/start-page.h"

#include <stdlib.h>
#include <string.h>

/* What the exporter tells of itself is made for each request, but in a rush,
 * where it would cost more than all the rest of an answer. */
#define SELF_KEPT_NS (10 * NS_PER_MS)

enum {
    FORMATS = 2,
    PAGES_KEPT = 32,
    ROUTES_MAX = PAGE_COUNT + 3
};

struct kept_page {
    struct http_content *content; /* NULL: free */
    uint64_t generation;
    uint64_t used; /* for letting go of the one used longest ago */
    uint32_t families;
    enum metric_page page;
    enum prometheus_format format;
    bool asked; /* in its generation */
};

struct kept_self {
    struct http_content *content; /* NULL: none */
    int64_t made_ns;              /* monotonic */
};

/* A route's context: which page of which pages. */
struct page_route {
    struct pages *pages;
    enum metric_page page;
};

struct pages {
    struct watch *watch;
    struct pages_settings settings;
    const struct collector *collector;
    struct http_server *server;
    struct kept_page kept[PAGES_KEPT];
    uint64_t uses;
    struct self_rows *self;
    struct kept_self kept_self[FORMATS];
    struct page_route page_routes[PAGE_COUNT];
    struct http_route routes[ROUTES_MAX];
    size_t route_count;
};

/* ---- making and keeping pages ---------------------------------------------
 */

static int make_page(struct pages *p,
                     const struct kept_page *wanted,
                     struct http_content **ret_content)
{
    struct metric_rows rows = {{NULL}};
    int r = watch_fill(p->watch, &rows);
    if (r < 0)
        return r;
    struct text text = TEXT_INIT;
    if (wanted->page == PAGE_METRICS) {
        prometheus_print(&text, &metric_list_main, &rows, wanted->families,
                         wanted->format);
    } else {
        for (size_t i = 0; i < METRIC_LISTS_NATIVE; i++)
            if (metric_lists_native[i].page == wanted->page)
                prometheus_print(&text, &metric_lists_native[i], &rows,
                                 wanted->families, wanted->format);
        prometheus_end(&text, wanted->format);
    }
    *ret_content = http_content_take(&text);
    return *ret_content ? 0 : -ENOMEM;
}

static bool same_page(const struct kept_page *a, const struct kept_page *b)
{
    return a->content && a->generation == b->generation && a->page == b->page &&
           a->families == b->families && a->format == b->format;
}

/* The content for WANTED, kept or made now; it belongs to PAGES. */
static struct http_content *find_page(struct pages *p,
                                      const struct kept_page *wanted)
{
    struct kept_page *oldest = &p->kept[0];
    p->uses++;
    for (size_t i = 0; i < PAGES_KEPT; i++) {
        struct kept_page *kept = &p->kept[i];
        if (same_page(kept, wanted)) {
            kept->used = p->uses;
            kept->asked = true;
            return kept->content;
        }
        /* Pages of the past are of no more use to anybody. */
        if (kept->content && kept->generation != wanted->generation) {
            kept->content = http_content_unref(kept->content);
            kept->used = 0;
        }
        if (kept->used < oldest->used)
            oldest = kept;
    }
    struct http_content *content;
    if (make_page(p, wanted, &content) < 0)
        return NULL;
    http_content_unref(oldest->content);
    *oldest = *wanted;
    oldest->content = content;
    oldest->used = p->uses;
    oldest->asked = true;
    return content;
}

void pages_prepare(struct pages *p)
{
    uint64_t generation = watch_generation(p->watch);
    for (size_t i = 0; i < PAGES_KEPT; i++) {
        struct kept_page *kept = &p->kept[i];
        if (!kept->content || !kept->asked || kept->generation == generation)
            continue;
        bool deflated = http_content_is_deflated(kept->content);
        struct http_content *content;
        if (make_page(p, kept, &content) < 0)
            return; /* a request will try again */
        http_content_unref(kept->content);
        kept->content = content;
        kept->generation = generation;
        kept->asked = false;
        struct http_deflated ready;
        if (deflated)
            (void)http_content_deflate(content, &ready);
    }
}

/* ---- /metrics and below ---------------------------------------------------
 */

/* The families that the query asks for with collect[]=NAME; all that are on
 * when it asks for none. */
static int asked_families(const struct pages *p,
                          struct http_request *request,
                          struct http_reply *reply,
                          uint32_t *ret_families)
{
    uint32_t asked = 0;
    const char *name;
    for (size_t i = 0;
         (name = http_request_query(request, "collect[]", i)) != NULL; i++) {
        uint32_t mask = metric_family_mask(name);
        if (!mask) {
            http_reply_fail(reply, 400,
                            "collect[]: there is no family of this name; "
                            "the start page / lists them");
            return -EINVAL;
        }
        asked |= mask;
    }
    *ret_families = asked ? asked & p->settings.families : p->settings.families;
    return 0;
}

static enum prometheus_format asked_format(struct http_request *request)
{
    static const char *const offers[] = {
        [PROMETHEUS_TEXT] = "text/plain;version=0.0.4",
        [PROMETHEUS_OPENMETRICS] = "application/openmetrics-text;version=1.0.0",
    };
    const char *accept = http_request_header(request, "Accept");
    int chosen = http_accept_choose(accept, offers, array_size(offers));
    /* A client that wants neither is still better served than refused. */
    return chosen == PROMETHEUS_OPENMETRICS ? PROMETHEUS_OPENMETRICS
                                            : PROMETHEUS_TEXT;
}

static struct http_content *make_self(struct pages *p,
                                      enum prometheus_format format)
{
    struct text text = TEXT_INIT;
    if (p->settings.families & FAMILY_MASK(FAMILY_EXPORTER)) {
        struct metric_rows rows = {{NULL}};
        self_rows_fill(p->self, p->watch, p->collector, p->server, &rows);
        prometheus_print(&text, &metric_list_self, &rows, FAMILIES_ALL, format);
    }
    prometheus_end(&text, format);
    return http_content_take(&text);
}

static void add_self(struct pages *p,
                     struct http_reply *reply,
                     enum prometheus_format format)
{
    struct kept_self *kept = &p->kept_self[format];
    int64_t now_ns = clock_monotonic_ns();
    if (!kept->content || now_ns - kept->made_ns > SELF_KEPT_NS) {
        http_content_unref(kept->content);
        kept->content = make_self(p, format);
        kept->made_ns = now_ns;
    }
    http_reply_add(reply, kept->content);
}

static void serve_metrics(void *context,
                          struct http_request *request,
                          struct http_reply *reply)
{
    const struct page_route *route = context;
    struct pages *p = route->pages;
    struct kept_page wanted = {.page = route->page,
                               .generation = watch_generation(p->watch),
                               .format = asked_format(request)};
    if (asked_families(p, request, reply, &wanted.families) < 0)
        return;
    http_reply_set_type(reply, prometheus_content_types[wanted.format]);
    http_reply_vary(reply, "Accept");
    bool main = wanted.page == PAGE_METRICS;
    /* What the exporter tells of itself is on no page that is kept. */
    if (!main || wanted.families & ~FAMILY_MASK(FAMILY_EXPORTER))
        http_reply_add(reply, find_page(p, &wanted));
    if (main)
        add_self(p, reply, wanted.format);
}

/* ---- the other paths ------------------------------------------------------
 */

static void serve_start(void *context,
                        struct http_request *request,
                        struct http_reply *reply)
{
    (void)request;
    const struct pages *p = context;
    struct text text = TEXT_INIT;
    start_page_print(&text, p->watch, p->settings.families);
    http_reply_set_type(reply, "text/html; charset=utf-8");
    /* The page's only style is its own; nothing else may load or run. */
    http_reply_set_header(reply, "Content-Security-Policy",
                          "default-src 'none'; style-src 'unsafe-inline'; "
                          "frame-ancestors 'none'");
    http_reply_add_text(reply, &text);
}

static void answer_word(struct http_reply *reply, const char *line)
{
    struct http_content *content = http_content_static(line, strlen(line));
    http_reply_add(reply, content);
    http_content_unref(content);
}

/* The process lives and its loop turns. */
static void serve_health(void *context,
                         struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    (void)request;
    answer_word(reply, "ok\n");
}

/* There is something to serve. */
static void serve_readiness(void *context,
                            struct http_request *request,
                            struct http_reply *reply)
{
    (void)request;
    const struct pages *p = context;
    if (watch_up(p->watch)) {
        answer_word(reply, "ready\n");
        return;
    }
    const char *reason =
        p->collector ? collector_status(p->collector)->reason : "";
    http_reply_fail(reply, 503, "not ready: %s",
                    *reason ? reason : "no complete snapshot yet");
}

/* ---- life -----------------------------------------------------------------
 */

static void add_route(struct pages *p,
                      const char *path,
                      http_handler handler,
                      void *context)
{
    p->routes[p->route_count++] = (struct http_route){
        .path = path, .handler = handler, .context = context};
}

int pages_new(struct watch *watch,
              const struct pages_settings *settings,
              struct pages **ret_pages,
              struct error *err)
{
    struct pages *p = calloc(1, sizeof(*p));
    if (!p || self_rows_new(&p->self) < 0) {
        free(p);
        return error_errno(err, ENOMEM, "pages");
    }
    p->watch = watch;
    p->settings = *settings;
    for (unsigned int i = 0; i < PAGE_COUNT; i++) {
        p->page_routes[i] =
            (struct page_route){.pages = p, .page = (enum metric_page)i};
        add_route(p, metric_page_paths[i], serve_metrics, &p->page_routes[i]);
    }
    add_route(p, "/", serve_start, p);
    add_route(p, "/healthz", serve_health, p);
    add_route(p, "/readyz", serve_readiness, p);
    *ret_pages = p;
    return 0;
}

struct pages *pages_free(struct pages *p)
{
    if (!p)
        return NULL;
    for (size_t i = 0; i < PAGES_KEPT; i++)
        http_content_unref(p->kept[i].content);
    for (size_t i = 0; i < FORMATS; i++)
        http_content_unref(p->kept_self[i].content);
    self_rows_free(p->self);
    free(p);
    return NULL;
}

void pages_reconfigure(struct pages *p, const struct pages_settings *settings)
{
    p->settings = *settings;
    for (size_t i = 0; i < FORMATS; i++)
        p->kept_self[i].content = http_content_unref(p->kept_self[i].content);
}

void pages_set_sources(struct pages *p,
                       const struct collector *collector,
                       struct http_server *server)
{
    p->collector = collector;
    p->server = server;
}

const struct http_route *pages_routes(const struct pages *p, size_t *ret_count)
{
    *ret_count = p->route_count;
    return p->routes;
}
