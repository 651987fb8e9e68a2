/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of our own commands on a worker: how it is, and to leave.
 */
#include "watchdog/worker.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cluster/place.h"
#include "watchdog/control.h"
#include "watchdog/services-status.h"
#include "watchdog/version.h"

#include <string.h>

enum {
    CONNECTIONS_MAX = 16
};

static void send_answer(struct channel *channel, json_t *answer)
{
    struct error err;
    if (!answer || channel_send(channel, answer, &err) < 0)
        log_warning("control: an answer was lost");
    json_decref(answer);
}

static void fail(struct channel *channel, const char *text)
{
    send_answer(channel,
                json_pack("{s:s, s:s}", "type", CONTROL_FAILED, "text", text));
    channel_finish(channel);
}

static void answer_status(struct worker *worker, struct channel *channel)
{
    /* The proof at the end of joining was one look; the head keeps looking. */
    const char *state =
        *worker->told_state ? worker->told_state : worker->slurm_state;
    json_t *status = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:o}", "role", "worker",
        "cluster", worker->cluster, "node", worker->node, "head", worker->head,
        "version", PROJECT_VERSION, "connected", worker->welcomed, "trouble",
        worker->trouble, "slurm_state", state, "state_directory", worker->state,
        "services", services_status(worker->supervisor));
    send_answer(channel, json_pack("{s:s, s:o}", "type", CONTROL_DONE, "status",
                                   status));
    channel_finish(channel);
}

static void
start_leave(struct worker *worker, struct channel *channel, bool now)
{
    if (!worker->welcomed && !now) {
        fail(channel,
             "the head cannot be reached; if it is gone for good, type: "
             "gpu-watchdog leave --now");
        return;
    }
    worker->leaver = channel;
    if (!worker->welcomed) {
        /* A head that is gone for good would hold us for ever. */
        log_warning("the head cannot be reached, and is not told; should it "
                    "come back, type there: gpu-watchdog leave %s",
                    worker->node);
        worker->left = true;
        worker_end(worker, EXIT_SUCCESS);
        return;
    }
    worker->leaving = true;
    worker_tell(worker, JOIN_LEAVE, now);
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct worker *worker = context;
    const char *type = message_type(message);
    const char *node = json_string_value(json_object_get(message, "node"));
    bool own = !node || !*node || strcmp(node, worker->node) == 0;
    if (strcmp(type, CONTROL_STATUS) == 0)
        answer_status(worker, channel);
    else if (strcmp(type, CONTROL_LEAVE) == 0 && own && !worker->leaver)
        start_leave(worker, channel,
                    json_is_true(json_object_get(message, "now")));
    else
        fail(channel, "this machine is a worker; that is for the head");
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct worker *worker = context;
    (void)reason;
    if (worker->leaver == channel)
        worker->leaver = NULL;
    channel_free(channel);
}

static void *on_accepted(void *context, struct channel *channel)
{
    (void)channel;
    return context;
}

void worker_control_progress(struct worker *worker, const char *text)
{
    if (worker->leaver)
        send_answer(worker->leaver, json_pack("{s:s, s:s}", "type",
                                              CONTROL_PROGRESS, "text", text));
}

void worker_control_left(struct worker *worker)
{
    if (!worker->leaver)
        return;
    send_answer(worker->leaver,
                json_pack("{s:s, s:b}", "type", CONTROL_DONE, "gone", true));
    channel_finish(worker->leaver);
}

int worker_control_start(struct worker *worker, struct error *err)
{
    static const struct channel_handler handler = {
        .received = on_received,
        .closed = on_closed,
    };
    const struct channel_listener_settings settings = {
        .path = CONTROL_SOCKET,
        .connections_max = CONNECTIONS_MAX,
        .handler = &handler,
        .accepted = on_accepted,
        .context = worker,
    };
    int r = place_make(SERVICES_RUN_DIRECTORY, 0755, err);
    if (r < 0)
        return r;
    return channel_listener_new(worker->loop, &settings, &worker->control, err);
}

void worker_control_stop(struct worker *worker)
{
    worker->control = channel_listener_free(worker->control);
}
