/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog serve": the exporter, and beside it the dashboard, which is the
 * JSON API with the page that reads it, on addresses of its own.
 *
 * What it shows are names of people and their jobs: it listens on loopback
 * unless told otherwise, and elsewhere only with authentication, or when
 * somebody has said that it may be open (--insecure-open).
 */
#include "watchdog/api.h"
#include "watchdog/exporter.h"
#include "watchdog/page.h"
#include "watchdog/subcommand.h"

struct dashboard {
    const struct settings *settings;
    struct api *api;
    struct page *page;
    struct http_server *server;
    struct http_route routes[API_ROUTES_MAX + PAGE_ROUTES_MAX];
};

static void on_web_reload(void *context, const struct error *err)
{
    (void)context;
    if (err)
        log_error("dashboard: %s; going on with what was before", err->text);
}

static int
open_server(struct dashboard *d, struct loop *loop, struct error *err)
{
    const struct settings *s = d->settings;
    size_t count = api_routes(d->api, d->routes);
    count += page_routes(d->page, d->routes + count);
    const struct http_settings settings = {
        .addresses = (const char *const *)s->dashboard_listen.items,
        .address_count = s->dashboard_listen.count,
        .web_config_path = *s->web_config_file ? s->web_config_file : NULL,
        .connections_max = s->max_connections,
        .routes = d->routes,
        .route_count = count,
        .realm = "gpu-watchdog",
        .guarded = !s->insecure_open,
        .reloaded = on_web_reload,
    };
    int r = http_server_new(loop, &settings, &d->server, err);
    if (r == -EPERM)
        return error_set(err, EPERM,
                         "the dashboard shows people's names and jobs, and "
                         "would be open to everybody on %s: keep it on "
                         "127.0.0.1, give --web.config.file with passwords, or "
                         "--insecure-open",
                         *s->dashboard_listen.items);
    return r == -EINVAL ? -EBADMSG : r;
}

static int open_dashboard(void *context,
                          struct loop *loop,
                          struct watch *watch,
                          struct error *err)
{
    struct dashboard *d = context;
    /* Some connections must be left for what is not a stream. */
    size_t streams_max = d->settings->max_connections * (size_t)3 / 4 + 1;
    int r = api_new(loop, watch, streams_max, &d->api, err);
    if (r == 0)
        r = page_new(d->settings->ui_dir, &d->page, err);
    if (r == 0)
        r = open_server(d, loop, err);
    return r;
}

static void started(void *context, const struct collector *collector)
{
    struct dashboard *d = context;
    api_set_collector(d->api, collector);
    api_update(d->api);
    for (size_t i = 0; http_server_address(d->server, i); i++)
        log_info("dashboard on %s://%s/", http_server_scheme(d->server),
                 http_server_address(d->server, i));
}

static void published(void *context)
{
    const struct dashboard *d = context;
    api_update(d->api);
}

static void reload(void *context)
{
    const struct dashboard *d = context;
    struct error err = {.text = ""};
    if (http_server_reload(d->server, &err) < 0)
        log_error("reload: dashboard: %s; going on with what was before",
                  err.text);
}

static void close_dashboard(void *context)
{
    struct dashboard *d = context;
    http_server_free(d->server);
    page_free(d->page);
    api_free(d->api);
}

int serve_main(const struct settings *settings)
{
    static const struct exporter_guest guest = {
        .open = open_dashboard,
        .started = started,
        .published = published,
        .reload = reload,
        .close = close_dashboard,
    };
    struct dashboard dashboard = {.settings = settings};
    return exporter_run(settings, &guest, &dashboard);
}
