/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog head": makes this machine the head of a cluster and keeps it
 * so. In the foreground, as a container's entry point: it reaps orphans as the
 * first process, and stops everything in the right order on SIGTERM.
 */
#include "watchdog/head.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/notify.h"
#include "watchdog/progress.h"
#include "watchdog/subcommand.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static void on_stopped(void *context)
{
    struct head *head = context;
    loop_stop(head->loop, EXIT_SUCCESS);
}

static void on_signal(void *context, uint32_t events)
{
    struct head *head = context;
    (void)events;
    if (head->stopping)
        return;
    head->stopping = true;
    notify_stopping(NULL);
    log_info("stopping");
    supervisor_stop(head->supervisor, on_stopped);
}

static int start_signals(struct head *head, struct error *err)
{
    signal(SIGPIPE, SIG_IGN);
    int r = loop_add_signal(head->loop, SIGTERM, on_signal, head,
                            &head->signals[0], err);
    if (r == 0)
        r = loop_add_signal(head->loop, SIGINT, on_signal, head,
                            &head->signals[1], err);
    return r;
}

/* One that listens on all addresses is found under ours. */
static void announce_dashboard(const struct head *head)
{
    const struct option_list *listen = &head->settings->dashboard_listen;
    const char *address = listen->count ? listen->items[0] : "";
    const char *port = strrchr(address, ':');
    bool all = strncmp(address, "0.0.0.0:", 8) == 0 ||
               strncmp(address, "[::]:", 5) == 0 || port == address;
    if (!port)
        return;
    progress_note("dashboard      http://%.*s%s/",
                  all ? (int)strlen(head->address) : (int)(port - address),
                  all ? head->address : address, port);
}

/* Everything runs for the first time: say so, and what to type now. The join
 * line is a secret, which has no place in a log: only a person gets it. */
static void announce(struct head *head)
{
    char words[JOIN_CLUSTER_WORDS_SIZE];
    head->announced = true;
    notify_ready("the cluster runs", NULL);
    progress_done("%s runs on %s (%s); type: sinfo",
                  join_cluster_words(head->cluster, words), head->host,
                  head->address);
    progress_note("Slurm metrics  http://%s:9341/metrics", head->address);
    announce_dashboard(head);
    progress_note("a worker joins with the line that this prints:");
    progress_note("  gpu-watchdog token");
}

static void on_services_changed(void *context)
{
    struct head *head = context;
    progress_services(head->supervisor);
    if (!head->announced && supervisor_all_ready(head->supervisor))
        announce(head);
}

static int own_path(char *ret_path, size_t size, struct error *err)
{
    ssize_t length = readlink("/proc/self/exe", ret_path, size - 1);
    if (length < 0)
        return error_errno(err, errno, "/proc/self/exe");
    ret_path[length] = '\0';
    return 0;
}

static void join_list(const struct option_list *list, struct text *out)
{
    for (size_t i = 0; i < list->count; i++)
        text_addf(out, "%s%s", i ? "," : "", list->items[i]);
}

enum {
    DASHBOARD_WORDS = 12
};

/* How the dashboard is served is passed on as it was given. LISTS own what the
 * arguments point to. */
static void dashboard_arguments(const struct settings *settings,
                                struct text lists[3],
                                const char *ret_arguments[DASHBOARD_WORDS])
{
    const struct {
        const char *name;
        const struct option_list *list;
    } all[3] = {{"--dashboard-listen", &settings->dashboard_listen},
                {"--operator", &settings->operators},
                {"--admin", &settings->admins}};
    size_t count = 0;
    for (size_t i = 0; i < array_size(all); i++) {
        if (all[i].list->count == 0)
            continue;
        join_list(all[i].list, &lists[i]);
        ret_arguments[count++] = all[i].name;
        ret_arguments[count++] = text_str(&lists[i]);
    }
    if (settings->allow_actions)
        ret_arguments[count++] = "--allow-actions";
    if (settings->insecure_open)
        ret_arguments[count++] = "--insecure-open";
    if (*settings->web_config_file) {
        ret_arguments[count++] = "--web.config.file";
        ret_arguments[count++] = settings->web_config_file;
    }
    ret_arguments[count] = NULL;
}

static int start_services(struct head *head, struct error *err)
{
    struct text listen = TEXT_INIT;
    struct text lists[3] = {TEXT_INIT, TEXT_INIT, TEXT_INIT};
    char program[PATH_MAX];
    int r = own_path(program, sizeof(program), err);
    if (r < 0)
        return r;
    const char *dashboard[DASHBOARD_WORDS];
    dashboard_arguments(head->settings, lists, dashboard);
    join_list(&head->settings->listen, &listen);
    const struct services_settings settings = {
        .head = true,
        .compute = head->settings->compute,
        .auth_slurm = head->auth_slurm,
        .state = head->state,
        .munge_user = head->munge_user,
        .slurm_user = head->slurm_user,
        .address = head->address,
        .node = head->node,
        .node_conf = text_str(&head->node_conf),
        .program = program,
        .exporter_listen = text_str(&listen),
        .serve_arguments = dashboard,
        .gpus = head->inventory.gpus.count > 0,
    };
    r = services_new(&settings, &head->services, err);
    text_deinit(&listen);
    for (size_t i = 0; i < array_size(lists); i++)
        text_deinit(&lists[i]);
    if (r < 0)
        return r;
    if (head->fresh_state)
        services_forget_credentials(head->services);
    size_t count;
    const struct service_spec *specs = services_specs(head->services, &count);
    r = supervisor_new(head->loop, head->processes, specs, count,
                       on_services_changed, head, &head->supervisor, err);
    if (r == 0)
        supervisor_start(head->supervisor);
    return r;
}

/* Each member costs some descriptors, and the usual limit of 1024 is there only
 * for programs that use select(2). */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int start(struct head *head, struct error *err)
{
    raise_limit();
    int r = head_setup(head, err);
    if (r == 0)
        r = loop_new(&head->loop, err);
    if (r == 0)
        r = process_table_new(head->loop, true, &head->processes, err);
    if (r == 0)
        r = start_signals(head, err);
    if (r == 0)
        r = actions_new(head->loop, head->processes, head, &head->actions, err);
    if (r == 0)
        r = head_control_start(head, err);
    if (r == 0)
        r = head_join_start(head, err);
    if (r == 0)
        r = start_services(head, err);
    if (r == 0)
        r = head_nodes_start(head, err);
    return r;
}

/* The mirror image of start(); every step accepts what was never started. */
static void stop(struct head *head)
{
    head_nodes_stop(head);
    supervisor_free(head->supervisor);
    services_free(head->services);
    head_join_stop(head);
    head_control_stop(head);
    actions_free(head->actions);
    for (size_t i = 0; i < array_size(head->signals); i++)
        loop_source_free(head->signals[i]);
    process_table_free(head->processes);
    loop_free(head->loop);
    head_setup_undo(head);
}

int head_main(const struct settings *settings)
{
    struct head head = {.settings = settings, .lock_fd = -1};
    struct error err = {.text = ""};

    progress_begin();
    int r = start(&head, &err);
    if (r == 0)
        r = loop_run(head.loop);
    else
        log_error("%s", err.text);
    stop(&head);
    if (r == -EINVAL)
        return EXIT_USAGE;
    return r < 0 ? EXIT_FAILURE : r;
}
