/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-exporter": the GPUs of this machine for Prometheus.
 *
 * The process is one event loop that never calls a driver. A collector child
 * does, and hands over snapshots; pages are made from the last one. Letting go
 * of the driver is ending that child.
 */
#include "exporter/exporter.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/notify.h"
#include "exporter/version.h"
#include "source/collector-protocol.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SIGNALS_MAX = 3,
    ARGUMENTS_MAX = 24
};

/* A cycle may take the deadline of a GPU, and some calls before it. */
#define CYCLE_SLACK_NS (25 * NS_PER_S)

struct exporter {
    const struct settings *settings;
    struct settings *reloaded; /* owned: what SIGHUP brought */
    struct loop *loop;
    struct pages *pages;
    struct http_server *server;
    struct collector *collector;
    struct control *control;
    struct loop_source *signals[SIGNALS_MAX];
    struct loop_source *alive;
    char told[256]; /* the last reason in the log */
    char deadline[32];
    const char *arguments[ARGUMENTS_MAX];
    const char *program; /* that collects; NULL: this one */
    char program_path[PATH_MAX];
};

/* ---- the child ----------------------------------------------------------- */

/*
 * The program that collects: the same code without what serves, whose libraries
 * would be a quarter of the memory of both. It is used where it is certain to
 * be of our own build: beside us in a tree that was built, or where both were
 * installed, as long as nobody has replaced us since. Else we are it ourselves.
 */
static const char *find_collector(char path[static PATH_MAX])
{
    static const char name[] = "gpu-collector", installed[] = COLLECTOR_PATH;
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - sizeof(name));
    if (size <= 0)
        return NULL;
    path[size] = '\0';
    if (access(path, X_OK) < 0)
        return NULL; /* "... (deleted)" */
    char *end = strrchr(path, '/');
    *end = '\0';
    bool is_installed = strcmp(path, PROGRAM_DIR) == 0;
    sprintf(end, "/%s", name);
    if (access(path, X_OK) == 0)
        return path;
    return is_installed && access(installed, X_OK) == 0 ? installed : NULL;
}

/* The child gets as options what it needs of ours. */
static void make_arguments(struct exporter *x)
{
    const struct settings *s = x->settings;
    const char *const words[] = {"gpu-exporter",
                                 COLLECT_GPUS,
                                 "--nvml-library",
                                 s->nvml_library,
                                 "--sysfs-root",
                                 s->sysfs_root,
                                 "--proc-root",
                                 s->proc_root,
                                 "--kmsg",
                                 s->kmsg,
                                 "--hpc-job-mapping-dir",
                                 s->hpc_job_mapping_dir,
                                 "--gpustat-dir",
                                 s->gpustat_dir,
                                 "--job-dir",
                                 s->hook_dir,
                                 "--device-deadline",
                                 x->deadline,
                                 "--config",
                                 "",
                                 NULL};
    _Static_assert(array_size(words) <= ARGUMENTS_MAX, "more arguments");
    snprintf(x->deadline, sizeof(x->deadline), "%lldms",
             (long long)(s->device_deadline_ns / NS_PER_MS));
    memcpy(x->arguments, words, sizeof(words));
}

/* ---- events -------------------------------------------------------------- */

static void tell_state(struct exporter *x)
{
    const char *reason = pages_reason(x->pages);
    if (strcmp(reason, x->told) == 0)
        return;
    if (*reason)
        log_warning("%s", reason);
    else
        log_info("all is well again");
    snprintf(x->told, sizeof(x->told), "%s", reason);
}

static void on_snapshot(void *context, struct mapped_snapshot *snapshot)
{
    struct exporter *x = context;
    pages_publish(x->pages, snapshot);
    tell_state(x);
}

static void on_collector_changed(void *context)
{
    tell_state(context);
}

static void on_stop(void *context, uint32_t events)
{
    const struct exporter *x = context;
    (void)events;
    loop_stop(x->loop, EXIT_SUCCESS);
}

static void on_alive(void *context, uint32_t events)
{
    const struct exporter *x = context;
    (void)events;
    notify_watchdog(NULL);
    loop_timer_set(x->alive,
                   clock_monotonic_ns() + notify_watchdog_interval_ns());
}

static struct collector_settings collector_settings_of(const struct exporter *x)
{
    return (struct collector_settings){
        .program = x->program,
        .arguments = x->arguments,
        .interval_ns = x->settings->interval_ms * NS_PER_MS,
        .slow_interval_ns = x->settings->interval_ms * NS_PER_MS,
        .jobs_interval_ns = x->settings->interval_ms * NS_PER_MS,
        .deadline_ns = x->settings->device_deadline_ns + CYCLE_SLACK_NS,
        .parts = SNAPSHOT_GPU_PARTS,
    };
}

static int start_collector(struct exporter *x, struct error *err)
{
    const struct collector_settings settings = collector_settings_of(x);
    int r = collector_new(x->loop, &settings, on_snapshot, on_collector_changed,
                          x, &x->collector, err);
    pages_set_collector(x->pages, x->collector);
    return r;
}

static void
on_control(void *context, const char *word, char *ret_answer, size_t size)
{
    struct exporter *x = context;
    struct error err;
    if (strcmp(word, "release") == 0 && x->collector) {
        x->collector = collector_free(x->collector);
        pages_set_collector(x->pages, NULL);
        pages_set_released(x->pages, true);
        log_notice("the GPUs are released");
        snprintf(ret_answer, size,
                 "released: the driver is free; "
                 "\"gpu-exporter resume\" goes on");
    } else if (strcmp(word, "resume") == 0 && !x->collector &&
               !*x->settings->replay) {
        pages_set_released(x->pages, false);
        if (start_collector(x, &err) < 0)
            snprintf(ret_answer, size, "failed: %.200s", err.text);
        else
            snprintf(ret_answer, size, "resumed");
        log_notice("%s", ret_answer);
    } else {
        snprintf(ret_answer, size, "nothing to do: it is %s already",
                 x->collector ? "watching" : "released");
    }
}

/* ---- new settings -------------------------------------------------------- */

/* The pages take them first: a collectors file that is bad is refused with all
 * the rest. */
static int apply(struct exporter *x, struct settings *fresh, struct error *err)
{
    int r = pages_configure(x->pages, fresh, err);
    if (r < 0)
        return r;
    x->settings = fresh;
    make_arguments(x);
    const struct collector_settings collector = collector_settings_of(x);
    if (x->collector &&
        collector_reconfigure(x->collector, &collector, err) < 0)
        log_error("reload: %s", err->text);
    log_init(program_invocation_short_name, (enum log_format)fresh->log_format,
             settings_log_level(fresh));
    settings_free(x->reloaded);
    x->reloaded = fresh;
    return 0;
}

static void tell_changes(const struct option_changes *changes)
{
    const char *applied = changes->applied.size ? changes->applied.data : "";
    const char *held = changes->held.size ? changes->held.data : "";
    log_notice("reloaded: %s", *applied ? applied : "no option changed");
    if (*held)
        log_warning("these need a restart: %s", held);
}

static void on_reload(void *context, uint32_t events)
{
    struct exporter *x = context;
    struct error err = {.text = ""};
    struct settings *fresh = NULL;
    struct option_changes changes = OPTION_CHANGES_INIT;
    (void)events;
    notify_reloading(NULL);
    int r = settings_reload(x->settings, &fresh, &changes, &err);
    if (r == 0) {
        r = apply(x, fresh, &err);
        if (r < 0)
            settings_free(fresh);
    }
    if (r < 0)
        log_error("reload: %s; going on with the settings of before", err.text);
    else
        tell_changes(&changes);
    option_changes_deinit(&changes);
    if (http_server_reload(x->server, &err) < 0)
        log_error("reload: %s; going on with what was before", err.text);
    if (x->collector)
        collector_hurry(x->collector);
    notify_ready("reloaded", NULL);
}

/* ---- start and stop ------------------------------------------------------ */

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
        .realm = "gpu-exporter",
    };
    settings.routes = pages_routes(x->pages, &settings.route_count);
    int r = http_server_new(x->loop, &settings, &x->server, err);
    pages_set_server(x->pages, x->server);
    return r == -EINVAL ? -EBADMSG : r;
}

static int start_source(struct exporter *x, struct error *err)
{
    struct mapped_snapshot *recording;
    if (!*x->settings->replay)
        return start_collector(x, err);
    int r = mapped_snapshot_open_file(x->settings->replay, &recording, err);
    if (r < 0)
        return r;
    pages_publish(x->pages, recording);
    mapped_snapshot_unref(recording);
    log_info("serving the recording %s", x->settings->replay);
    return 0;
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

/* Being unable to listen for "release" is worth a word, not the metrics. */
static void start_control(struct exporter *x)
{
    struct error err;
    if (*x->settings->control && !*x->settings->replay &&
        control_new(x->loop, x->settings->control, on_control, x, &x->control,
                    &err) < 0)
        log_notice("\"gpu-exporter release\" will not work: %s", err.text);
}

static int start(struct exporter *x, struct error *err)
{
    make_arguments(x);
    x->program = find_collector(x->program_path);
    int r = loop_new(&x->loop, err);
    if (r == 0)
        r = start_signals(x, err);
    if (r == 0)
        r = pages_new(x->settings, &x->pages, err);
    if (r == 0)
        r = start_server(x, err);
    if (r == 0)
        r = start_source(x, err);
    if (r == 0)
        r = start_watchdog(x, err);
    if (r == 0)
        start_control(x);
    return r;
}

static void stop(struct exporter *x)
{
    control_free(x->control);
    loop_source_free(x->alive);
    collector_free(x->collector);
    http_server_free(x->server);
    pages_free(x->pages);
    for (int i = 0; i < SIGNALS_MAX; i++)
        loop_source_free(x->signals[i]);
    loop_free(x->loop);
    settings_free(x->reloaded);
}

int exporter_main(const struct settings *settings)
{
    struct exporter x = {.settings = settings};
    struct error err = {.text = ""};
    int r = start(&x, &err);
    if (r < 0) {
        log_error("%s", err.text);
        stop(&x);
        return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
    }
    for (size_t i = 0; http_server_address(x.server, i); i++)
        log_info("serving %s://%s/metrics", http_server_scheme(x.server),
                 http_server_address(x.server, i));
    notify_ready("serving", NULL);
    r = loop_run(x.loop);
    notify_stopping(NULL);
    stop(&x);
    return r < 0 ? EXIT_FAILURE : r;
}
