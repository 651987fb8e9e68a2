/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog join HOST:PORT TOKEN": makes this machine a node of the head's
 * cluster and keeps it so, in the foreground. Started again, with or without
 * the token, it goes on as the member that it is.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/notify.h"
#include "cluster/leftover.h"
#include "watchdog/progress.h"
#include "watchdog/subcommand.h"
#include "watchdog/worker.h"

#include <signal.h>

/* Who asked us to leave hears of it once nothing of the cluster is left here.
 */
static void on_stopped(void *context)
{
    struct worker *worker = context;
    if (worker->left) {
        worker_forget(worker);
        worker_control_left(worker);
    }
    loop_stop(worker->loop, worker->exit_code);
}

void worker_end(struct worker *worker, int exit_code)
{
    if (worker->stopping)
        return;
    worker->stopping = true;
    worker->exit_code = exit_code;
    notify_stopping(NULL);
    if (worker->supervisor)
        supervisor_stop(worker->supervisor, on_stopped);
    else
        on_stopped(worker);
}

static void on_signal(void *context, uint32_t events)
{
    struct worker *worker = context;
    (void)events;
    if (worker->stopping)
        return;
    log_info("stopping");
    /* Jobs that end with us are queued again at once. Those that do not go on
     * when we are started again; the head waits for us (--lost-after). */
    if (leftover_steps())
        log_info("jobs here go on for now; start join again, or they are "
                 "queued again once this node is missed");
    else
        worker_tell(worker, JOIN_STOPPING, false);
    worker_end(worker, EXIT_SUCCESS);
}

static int start_signals(struct worker *worker, struct error *err)
{
    signal(SIGPIPE, SIG_IGN);
    int r = loop_add_signal(worker->loop, SIGTERM, on_signal, worker,
                            &worker->signals[0], err);
    if (r == 0)
        r = loop_add_signal(worker->loop, SIGINT, on_signal, worker,
                            &worker->signals[1], err);
    return r;
}

static int start(struct worker *worker, struct error *err)
{
    int r = worker_setup(worker, err);
    if (r == 0)
        r = loop_new(&worker->loop, err);
    if (r == 0)
        r = process_table_new(worker->loop, true, &worker->processes, err);
    if (r == 0)
        r = start_signals(worker, err);
    if (r == 0)
        r = worker_control_start(worker, err);
    if (r == 0)
        r = worker_link_start(worker, err);
    return r;
}

/* The mirror image of start(); every step accepts what was never started. */
static void stop(struct worker *worker)
{
    worker_link_stop(worker);
    worker_node_stop(worker);
    worker_control_stop(worker);
    for (size_t i = 0; i < array_size(worker->signals); i++)
        loop_source_free(worker->signals[i]);
    process_table_free(worker->processes);
    loop_free(worker->loop);
    worker_setup_undo(worker);
}

int join_main(const struct settings *settings)
{
    struct worker worker = {.settings = settings, .lock_fd = -1};
    struct error err = {.text = ""};

    progress_begin();
    int r = start(&worker, &err);
    if (r == 0)
        r = loop_run(worker.loop);
    else
        log_error("%s", err.text);
    stop(&worker);
    if (r == -EINVAL)
        return EXIT_USAGE;
    return r < 0 ? EXIT_FAILURE : r;
}
