/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog serve": the exporter, and beside it the dashboard, which is the
 * JSON API with the page that reads it, on addresses of its own.
 *
 * The GPUs' figures come from the nodes' exporters; the history is kept in the
 * state folder. A recording that is replayed has neither.
 *
 * What it shows are names of people and their jobs: it listens on loopback
 * unless told otherwise, and elsewhere only with authentication, or when
 * somebody has said that it may be open (--insecure-open).
 */
#include "cluster/place.h"
#include "cluster/services.h"
#include "source/gpu-pull.h"
#include "watchdog/api.h"
#include "watchdog/exporter.h"
#include "watchdog/page.h"
#include "watchdog/recorder.h"
#include "watchdog/subcommand.h"

#include "base/clock.h"

#include <limits.h>
#include <stdio.h>

struct dashboard {
    const struct settings *settings;
    struct api *api;
    struct page *page;
    struct http_server *server;
    struct loop *loop;
    struct watch *watch;
    struct fleet fleet;
    struct gpu_pull *pull; /* NULL: GPUs are not measured */
    struct recorder *recorder;
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
    d->loop = loop;
    d->watch = watch;
    /* Some connections must be left for what is not a stream. */
    size_t streams_max = d->settings->max_connections * (size_t)3 / 4 + 1;
    int r = api_new(loop, watch, streams_max, &d->api, err);
    if (r == 0)
        r = page_new(d->settings->ui_dir, &d->page, err);
    if (r == 0)
        r = open_server(d, loop, err);
    return r;
}

static void on_fleet(void *context)
{
    const struct dashboard *d = context;
    api_fleet_changed(d->api);
}

/* Without GPUs' figures or a history the rest is still worth showing. */
static void start_pull(struct dashboard *d)
{
    struct error err = {.text = ""};
    const struct settings *s = d->settings;
    const struct gpu_pull_settings settings = {
        .url = s->gpu_exporter_url,
        .interval_ns = s->gpu_interval_ns,
        .deadline_ns = 10 * NS_PER_S,
        .old_after_ns = 5 * s->gpu_interval_ns,
    };
    /* What a recording tells of may be elsewhere, or gone: only who names the
     * exporters himself wants them asked. */
    if (!*s->gpu_exporter_url ||
        (*s->replay && strcmp(s->gpu_exporter_url, GPU_EXPORTER_URL) == 0))
        return;
    if (gpu_pull_new(d->loop, &settings, &d->fleet, on_fleet, d, &d->pull,
                     &err) < 0)
        log_error("GPUs are not measured: %s", err.text);
}

static void start_recorder(struct dashboard *d)
{
    struct error err = {.text = ""};
    char state[PATH_MAX / 2], folder[PATH_MAX];
    if (*d->settings->replay)
        return;
    if (*d->settings->state)
        snprintf(state, sizeof(state), "%s", d->settings->state);
    else
        place_state_default(state, sizeof(state));
    snprintf(folder, sizeof(folder), "%s/%s", state, SERVICES_HISTORY);
    if (recorder_new(d->loop, folder, d->watch, &d->fleet, &d->recorder, &err) <
        0)
        log_error("nothing is remembered: %s", err.text);
    api_set_recorder(d->api, d->recorder);
}

static void take_snapshot(struct dashboard *d)
{
    const struct mapped_snapshot *last = watch_snapshot(d->watch);
    if (!last)
        return;
    if (fleet_set_nodes(&d->fleet, &last->snapshot) == 0 && d->pull)
        gpu_pull_update(d->pull);
    if (d->recorder)
        recorder_update(d->recorder);
    api_update(d->api);
}

static void started(void *context, const struct collector *collector)
{
    struct dashboard *d = context;
    api_set_collector(d->api, collector);
    api_set_fleet(d->api, &d->fleet);
    start_pull(d);
    start_recorder(d);
    take_snapshot(d);
    for (size_t i = 0; http_server_address(d->server, i); i++)
        log_info("dashboard on %s://%s/", http_server_scheme(d->server),
                 http_server_address(d->server, i));
}

static void published(void *context)
{
    take_snapshot(context);
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
    gpu_pull_free(d->pull);
    recorder_free(d->recorder);
    page_free(d->page);
    api_free(d->api);
    fleet_deinit(&d->fleet);
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
