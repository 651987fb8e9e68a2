/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog exporter": Slurm's metrics for Prometheus.
 *
 * The process is one event loop. A collector child asks slurmctld and hands
 * over snapshots; the watch keeps the last; pages are made from it when asked
 * for. Nothing here ever waits for Slurm.
 */
#include "watchdog/exporter.h"

#include "base/clock.h"
#include "base/notify.h"
#include "watchdog/become.h"
#include "watchdog/pages.h"
#include "watchdog/subcommand.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIGNALS_MAX = 3
};

struct exporter {
    const struct settings *settings;
    const struct exporter_guest *guest;
    void *guest_context;
    struct settings *reloaded; /* owned: what SIGHUP brought */
    struct loop *loop;
    struct watch *watch;
    struct pages *pages;
    struct http_server *server;
    struct collector *collector;
    struct loop_source *signals[SIGNALS_MAX];
    struct loop_source *alive; /* the service manager's watchdog */
    /* What the log said last: nothing, that all is well, or why it is not. */
    bool told, told_up;
    char told_reason[256];
};

/* ---- settings -------------------------------------------------------------
 */

static struct watch_settings watch_settings_of(const struct settings *settings)
{
    return (struct watch_settings){
        .stale_after_ns = settings->stale_after_ns,
        .job_series_max = settings->job_series,
        .never_stale = *settings->replay != '\0',
    };
}

static struct pages_settings pages_settings_of(const struct settings *settings)
{
    return (struct pages_settings){
        .families = settings_families(settings),
        .replay_path = *settings->replay ? settings->replay : NULL,
    };
}

static struct collector_settings
collector_settings_of(const struct settings *settings)
{
    static const char *const arguments[] = {"gpu-watchdog", COLLECT_SLURM,
                                            NULL};
    return (struct collector_settings){
        .arguments = arguments,
        .interval_ns = settings->interval_ns,
        .jobs_interval_ns = settings->jobs_interval_ns,
        .slow_interval_ns = settings->slow_interval_ns,
        .deadline_ns = settings->deadline_ns,
        .parts = SNAPSHOT_SLURM_PARTS,
    };
}

/* ---- events ---------------------------------------------------------------
 */

/* Say when Slurm goes away, with each new reason, and when it comes back. */
static void tell_state(struct exporter *x)
{
    bool up = watch_up(x->watch);
    const char *reason =
        x->collector ? collector_status(x->collector)->reason : "";
    if (!*reason)
        reason = up ? "" : "no complete snapshot yet";
    if (x->told && up == x->told_up && strcmp(reason, x->told_reason) == 0)
        return;
    if (!up || *reason)
        log_warning("slurmctld does not answer in full: %s", reason);
    else
        log_info("slurmctld answers");
    x->told = true;
    x->told_up = up;
    snprintf(x->told_reason, sizeof(x->told_reason), "%s", reason);
}

static void on_snapshot(void *context, struct mapped_snapshot *snapshot)
{
    struct exporter *x = context;
    watch_publish(x->watch, snapshot);
    pages_prepare(x->pages);
    tell_state(x);
    if (x->guest->published)
        x->guest->published(x->guest_context);
}

static void on_collector_changed(void *context)
{
    struct exporter *x = context;
    const struct collector_status *status = collector_status(x->collector);
    if (status->last_end == COLLECTOR_END_RENEWED) {
        log_debug("the collector starts anew");
        return;
    }
    watch_lose(x->watch);
    if (x->told && !x->told_up && strcmp(status->reason, x->told_reason) == 0)
        return;
    log_warning("the collector ended: %s; it is replaced", status->reason);
    x->told = true;
    x->told_up = false;
    snprintf(x->told_reason, sizeof(x->told_reason), "%s", status->reason);
}

static void on_stop(void *context, uint32_t events)
{
    (void)events;
    const struct exporter *x = context;
    loop_stop(x->loop, EXIT_SUCCESS);
}

static void apply(struct exporter *x, struct settings *settings)
{
    struct error err;
    const struct watch_settings watch = watch_settings_of(settings);
    const struct pages_settings pages = pages_settings_of(settings);
    const struct collector_settings collector = collector_settings_of(settings);

    watch_reconfigure(x->watch, &watch);
    pages_reconfigure(x->pages, &pages);
    if (x->collector &&
        collector_reconfigure(x->collector, &collector, &err) < 0)
        log_error("reload: %s", err.text);
    log_init(program_invocation_short_name,
             (enum log_format)settings->log_format,
             settings_log_level(settings));
    settings_free(x->reloaded);
    x->reloaded = settings;
    x->settings = settings;
}

static void on_reload(void *context, uint32_t events)
{
    (void)events;
    struct exporter *x = context;
    struct error err = {.text = ""};
    struct settings *settings;
    struct option_changes changes = OPTION_CHANGES_INIT;

    notify_reloading(NULL);
    if (settings_reload(x->settings, &settings, &changes, &err) < 0) {
        log_error("reload: %s; going on with the settings of before", err.text);
    } else {
        apply(x, settings);
        const char *applied = text_str(&changes.applied);
        const char *held = text_str(&changes.held);
        log_notice("reloaded: %s",
                   applied && *applied ? applied : "nothing changed");
        if (held && *held)
            log_warning("these need a restart: %s", held);
    }
    option_changes_deinit(&changes);
    if (http_server_reload(x->server, &err) < 0)
        log_error("reload: %s; going on with what was before", err.text);
    if (x->guest->reload)
        x->guest->reload(x->guest_context);
    if (x->collector)
        collector_hurry(x->collector);
    notify_ready("reloaded", NULL);
}

static void on_web_reload(void *context, const struct error *err)
{
    (void)context;
    if (err)
        log_error("%s; going on with what was before", err->text);
    else
        log_notice("the web configuration was read again");
}

static void on_alive(void *context, uint32_t events)
{
    (void)events;
    const struct exporter *x = context;
    notify_watchdog(NULL);
    loop_timer_set(x->alive,
                   clock_monotonic_ns() + notify_watchdog_interval_ns());
}

/* ---- start and stop -------------------------------------------------------
 */

static int start_signals(struct exporter *x, struct error *err)
{
    static const struct {
        int number;
        loop_callback callback;
    } signals[SIGNALS_MAX] = {
        {SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
    signal(SIGPIPE, SIG_IGN);
    int r = 0;
    for (int i = 0; r == 0 && i < SIGNALS_MAX; i++)
        r = loop_add_signal(x->loop, signals[i].number, signals[i].callback, x,
                            &x->signals[i], err);
    return r;
}

static int start_server(struct exporter *x, struct error *err)
{
    struct http_settings settings = {
        .addresses = (const char *const *)x->settings->listen.items,
        .address_count = x->settings->listen.count,
        .web_config_path =
            *x->settings->web_config_file ? x->settings->web_config_file : NULL,
        .connections_max = x->settings->max_connections,
        .realm = "gpu-watchdog",
        .reloaded = on_web_reload,
        .reloaded_context = x,
    };
    settings.routes = pages_routes(x->pages, &settings.route_count);
    int r = http_server_new(x->loop, &settings, &x->server, err);
    /* Options were judged before: a file is at fault, not what was typed. */
    return r == -EINVAL ? -EBADMSG : r;
}

/* Once nothing can fail any more: who cannot start says one line. */
static void tell_addresses(const struct exporter *x)
{
    for (size_t i = 0; http_server_address(x->server, i); i++)
        log_info("serving %s://%s/metrics", http_server_scheme(x->server),
                 http_server_address(x->server, i));
}

static int start_replay(struct exporter *x, struct error *err)
{
    struct mapped_snapshot *recording;
    int r = mapped_snapshot_open_file(x->settings->replay, &recording, err);
    if (r < 0)
        return r;
    watch_publish(x->watch, recording);
    mapped_snapshot_unref(recording);
    log_info("serving the recording %s", x->settings->replay);
    return 0;
}

static int start_source(struct exporter *x, struct error *err)
{
    if (*x->settings->replay)
        return start_replay(x, err);
    if (*x->settings->slurm_conf &&
        setenv("SLURM_CONF", x->settings->slurm_conf, 1) < 0)
        return error_errno(err, errno, "SLURM_CONF");
    const struct collector_settings settings =
        collector_settings_of(x->settings);
    return collector_new(x->loop, &settings, on_snapshot, on_collector_changed,
                         x, &x->collector, err);
}

static int start_watchdog(struct exporter *x, struct error *err)
{
    int64_t interval_ns = notify_watchdog_interval_ns();
    if (interval_ns == 0)
        return 0;
    int r = loop_add_timer(x->loop, on_alive, x, &x->alive, err);
    if (r == 0)
        loop_timer_set(x->alive, clock_monotonic_ns() + interval_ns);
    return r;
}

static int start(struct exporter *x, struct error *err)
{
    const struct watch_settings watch = watch_settings_of(x->settings);
    const struct pages_settings pages = pages_settings_of(x->settings);

    int r = loop_new(&x->loop, err);
    if (r == 0)
        r = start_signals(x, err);
    if (r == 0)
        r = watch_new(x->loop, &watch, &x->watch, err);
    if (r == 0)
        r = pages_new(x->watch, &pages, &x->pages, err);
    if (r == 0)
        r = start_server(x, err);
    if (r == 0 && x->guest->open)
        r = x->guest->open(x->guest_context, x->loop, x->watch, err);
    if (r == 0 && *x->settings->user)
        r = become_user(x->settings->user, err);
    if (r == 0)
        r = start_source(x, err);
    if (r == 0)
        pages_set_sources(x->pages, x->collector, x->server);
    if (r == 0)
        r = start_watchdog(x, err);
    return r;
}

/* The mirror image of start(); every step accepts what was never started. */
static void stop(struct exporter *x)
{
    loop_source_free(x->alive);
    collector_free(x->collector);
    if (x->guest->close)
        x->guest->close(x->guest_context);
    http_server_free(x->server);
    pages_free(x->pages);
    watch_free(x->watch);
    for (int i = 0; i < SIGNALS_MAX; i++)
        loop_source_free(x->signals[i]);
    loop_free(x->loop);
    settings_free(x->reloaded);
}

int exporter_run(const struct settings *settings,
                 const struct exporter_guest *guest,
                 void *context)
{
    static const struct exporter_guest nobody = {.open = NULL};
    struct exporter x = {.settings = settings,
                         .guest = guest ? guest : &nobody,
                         .guest_context = context};
    struct error err = {.text = ""};

    int r = start(&x, &err);
    if (r < 0) {
        log_error("%s", err.text);
        stop(&x);
        return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
    }
    tell_addresses(&x);
    if (x.guest->started)
        x.guest->started(context, x.collector);
    notify_ready("serving", NULL);
    r = loop_run(x.loop);
    notify_stopping(NULL);
    stop(&x);
    return r < 0 ? EXIT_FAILURE : r;
}

int exporter_main(const struct settings *settings)
{
    return exporter_run(settings, NULL, NULL);
}
