/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog serve": the exporter, and beside it the dashboard, which is the
 * JSON API with the page that reads it, on addresses of its own.
 *
 * The GPUs' figures come from the nodes' exporters; the history is kept in the
 * state folder. A recording that is replayed has neither.
 *
 * What it shows are names of people and their jobs: it listens on loopback
 * unless told otherwise. Elsewhere it asks for the password of the web
 * configuration, else for a link of "token web" (sign-in.h), unless somebody
 * has said that it may be open (--insecure-open).
 */
#include "cluster/place.h"
#include "cluster/services.h"
#include "source/collector-protocol.h"
#include "source/gpu-pull.h"
#include "source/prometheus.h"
#include "watchdog/api.h"
#include "watchdog/deputy.h"
#include "watchdog/exporter.h"
#include "watchdog/page.h"
#include "watchdog/recorder.h"
#include "watchdog/sign-in.h"
#include "watchdog/subcommand.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct dashboard {
    const struct settings *settings;
    struct api *api;
    struct page *page;
    struct http_server *server;
    struct loop *loop;
    struct watch *watch;
    struct fleet fleet;
    struct gpu_pull *pull;         /* NULL: GPUs are not measured */
    struct prometheus *prometheus; /* NULL: all history is the recorder's */
    struct recorder *recorder;
    struct sign_in *sign_in; /* NULL: nobody signs in */
    struct deputy *deputy;   /* NULL: nobody acts */
    struct collector *collector;
    size_t route_count;
    struct http_route routes[API_ROUTES_MAX + PAGE_ROUTES_MAX + 1];
};

static void on_web_reload(void *context, const struct error *err)
{
    (void)context;
    if (err)
        log_error("dashboard: %s; going on with what was before", err->text);
}

static int make_server(struct dashboard *d, bool guarded, struct error *err)
{
    const struct settings *s = d->settings;
    const struct http_settings settings = {
        .addresses = (const char *const *)s->dashboard_listen.items,
        .address_count = s->dashboard_listen.count,
        .web_config_path = *s->web_config_file ? s->web_config_file : NULL,
        .connections_max = s->max_connections,
        .routes = d->routes,
        .route_count = d->route_count,
        .realm = "gpu-watchdog",
        .guarded = guarded,
        .reloaded = on_web_reload,
    };
    return http_server_new(d->loop, &settings, &d->server, err);
}

static void find_folder(const struct dashboard *d,
                        const char *name,
                        char *ret_path,
                        size_t size)
{
    char state[PATH_MAX / 2];
    if (*d->settings->state)
        snprintf(state, sizeof(state), "%s", d->settings->state);
    else
        place_state_default(state, sizeof(state));
    snprintf(ret_path, size, "%s/%s", state, name);
}

/* What was done changes what is to be seen. */
static void on_deed(void *context, const struct deed_record *deed)
{
    const struct dashboard *d = context;
    if (d->recorder)
        recorder_add_deed(d->recorder, deed);
    if (d->collector)
        collector_hurry(d->collector);
}

/* Who we become in a moment keeps the history, and removes links that were
 * used. */
static int
give_folder(const struct dashboard *d, const char *path, struct error *err)
{
    const struct passwd *user =
        *d->settings->user ? getpwnam(d->settings->user) : NULL;
    if (!user || geteuid() != 0)
        return 0; /* that there is no such user is said when becoming him */
    return chown(path, user->pw_uid, user->pw_gid) < 0
               ? error_errno(err, errno, "folder %s", path)
               : 0;
}

static int make_sign_in(struct dashboard *d, struct error *err)
{
    const struct settings *s = d->settings;
    char folder[PATH_MAX];
    find_folder(d, SERVICES_HISTORY, folder, sizeof(folder));
    int r = place_make(folder, 0700, err);
    if (r == 0)
        r = give_folder(d, folder, err);
    find_folder(d, SERVICES_SIGN_IN, folder, sizeof(folder));
    if (r == 0)
        r = sign_in_new(folder, &d->sign_in, err);
    if (r == 0)
        r = give_folder(d, folder, err);
    if (r < 0)
        return r;
    sign_in_trust(d->sign_in, s->proxy_header,
                  (const char *const *)s->proxy_from.items,
                  s->proxy_from.count);
    if (*s->jwt_key)
        r = sign_in_trust_key(d->sign_in, s->jwt_key, err);
    sign_in_name(d->sign_in, (const char *const *)s->operators.items,
                 s->operators.count, (const char *const *)s->admins.items,
                 s->admins.count);
    d->routes[d->route_count++] = sign_in_route(d->sign_in);
    return r;
}

/* Who could be reached by others, and asks for no password, asks for a link of
 * "token web". */
static int open_signed(struct dashboard *d, struct error *err)
{
    size_t guarded = d->route_count - (d->sign_in ? 1 : 0);
    int r = d->sign_in ? 0 : make_sign_in(d, err);
    if (r < 0) {
        error_prefix(err,
                     "the dashboard would be open to everybody on %s, and "
                     "there is no place for who signs in (give --state, "
                     "or --web.config.file with passwords, or "
                     "--insecure-open)",
                     *d->settings->dashboard_listen.items);
        return r;
    }
    sign_in_guard(d->sign_in, d->routes, guarded);
    return make_server(d, false, err);
}

/* The process that acts must begin while we still have the rights that it is
 * to have. */
static int open_actions(struct dashboard *d, struct error *err)
{
    char folder[PATH_MAX];
    if (!d->settings->allow_actions || *d->settings->replay)
        return 0;
    find_folder(d, ".", folder, sizeof(folder));
    int r = make_sign_in(d, err);
    if (r == 0)
        r = deputy_new(d->loop, d->settings, folder, on_deed, d, &d->deputy,
                       err);
    if (r < 0)
        error_prefix(err, "--allow-actions");
    return r;
}

/* Where nobody has to sign in, people may, to see what Slurm keeps private; it
 * is no failure when there is no place for that. */
static void offer_sign_in(struct dashboard *d)
{
    struct error err = {.text = ""};
    if (d->sign_in || *d->settings->replay || make_sign_in(d, &err) == 0)
        return;
    d->sign_in = sign_in_free(d->sign_in);
    log_info("nobody can sign in to the dashboard (%s); what Slurm keeps "
             "private (PrivateData) is not shown",
             err.text);
}

static int open_server(struct dashboard *d, struct error *err)
{
    d->route_count = api_routes(d->api, d->routes);
    d->route_count += page_routes(d->page, d->routes + d->route_count);
    int r = open_actions(d, err);
    if (r == 0)
        offer_sign_in(d);
    if (r == 0)
        r = make_server(d, !d->settings->insecure_open, err);
    if (r == -EPERM)
        r = open_signed(d, err);
    if (r == 0 && d->sign_in)
        r = sign_in_tell(d->sign_in, http_server_address(d->server, 0),
                         strcmp(http_server_scheme(d->server), "https") == 0,
                         err);
    api_set_people(d->api, d->sign_in, d->deputy);
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
        r = open_server(d, err);
    return r;
}

static void on_fleet(void *context)
{
    const struct dashboard *d = context;
    if (d->collector)
        collector_want(d->collector, fleet_wants_given(&d->fleet)
                                         ? COLLECTOR_WANTS_JOB_GPUS
                                         : 0);
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
    char folder[PATH_MAX];
    const struct settings *s = d->settings;
    if (*s->replay)
        return;
    find_folder(d, SERVICES_HISTORY, folder, sizeof(folder));
    const struct recorder_settings settings = {
        .folder = folder,
        .keep_s = {s->keep_fine_ns / NS_PER_S, s->keep_minutes_ns / NS_PER_S,
                   d->prometheus ? 0 : s->keep_ns / NS_PER_S},
        .keep_events_s = s->keep_ns / NS_PER_S,
    };
    if (recorder_new(d->loop, &settings, d->watch, &d->fleet, &d->recorder,
                     &err) < 0)
        log_error("nothing is remembered: %s", err.text);
    api_set_recorder(d->api, d->recorder);
}

static void start_prometheus(struct dashboard *d)
{
    struct error err = {.text = ""};
    const struct settings *s = d->settings;
    const struct prometheus_settings settings = {
        .url = s->prometheus_url,
        .matchers = s->prometheus_match,
        .deadline_ns = 20 * NS_PER_S,
    };
    if (!*s->prometheus_url)
        return;
    if (prometheus_new(d->loop, &settings, &d->prometheus, &err) < 0)
        log_error("Prometheus is not asked: %s", err.text);
    api_set_prometheus(d->api, d->prometheus, s->keep_minutes_ns / NS_PER_S);
}

static void take_snapshot(struct dashboard *d)
{
    const struct mapped_snapshot *last = watch_snapshot(d->watch);
    if (!last)
        return;
    if (fleet_set_nodes(&d->fleet, &last->snapshot) == 0 && d->pull)
        gpu_pull_update(d->pull);
    if (fleet_set_given(&d->fleet, &last->snapshot) < 0)
        log_error("memory ran out; whose some GPUs are is not known");
    if (d->recorder)
        recorder_update(d->recorder);
    api_update(d->api);
}

static void started(void *context, struct collector *collector)
{
    struct dashboard *d = context;
    d->collector = collector;
    api_set_collector(d->api, collector);
    api_set_fleet(d->api, &d->fleet);
    watch_set_fleet(d->watch, &d->fleet);
    start_pull(d);
    start_prometheus(d);
    start_recorder(d);
    take_snapshot(d);
    for (size_t i = 0; http_server_address(d->server, i); i++)
        log_info("dashboard on %s://%s/%s", http_server_scheme(d->server),
                 http_server_address(d->server, i),
                 sign_in_is_needed(d->sign_in)
                     ? "; sign in with the link that \"gpu-watchdog "
                       "token web\" prints"
                     : "");
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
    prometheus_free(d->prometheus); /* answers who waits for it */
    http_server_free(d->server);
    gpu_pull_free(d->pull);
    recorder_free(d->recorder);
    deputy_free(d->deputy);
    sign_in_free(d->sign_in);
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
