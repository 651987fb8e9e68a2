/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The asking side of the control socket.
 */
#include "watchdog/control.h"

#include "base/cleanup.h"
#include "cluster/channel.h"

#include <string.h>

struct asking {
    struct loop *loop;
    struct channel *channel;
    json_t *request; /* until it is sent */
    json_t *answer;
    void (*progress)(const char *text);
    struct error *err;
    int result;
};

static void end(struct asking *asking, int result)
{
    asking->result = result;
    loop_stop(asking->loop, 0);
}

static void on_opened(void *context, struct channel *channel)
{
    struct asking *asking = context;
    if (channel_send(channel, asking->request, asking->err) < 0)
        end(asking, -EIO);
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct asking *asking = context;
    const char *type = message_type(message);
    const char *text = json_string_value(json_object_get(message, "text"));
    (void)channel;
    if (strcmp(type, CONTROL_PROGRESS) == 0) {
        if (asking->progress && text)
            asking->progress(text);
    } else if (strcmp(type, CONTROL_DONE) == 0) {
        asking->answer = json_deep_copy(message);
        end(asking, asking->answer ? 0 : -ENOMEM);
    } else {
        end(asking, error_set(asking->err, EIO, "%s",
                              text ? text : "it failed without a reason"));
    }
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct asking *asking = context;
    (void)channel;
    end(asking,
        error_set(asking->err, EIO, "no answer came: %s", reason->text));
}

static int connect_to(struct asking *asking)
{
    static const struct channel_handler handler = {
        .opened = on_opened,
        .received = on_received,
        .closed = on_closed,
    };
    int r = channel_connect_local(asking->loop, CONTROL_SOCKET, &handler,
                                  asking, &asking->channel, asking->err);
    if (r == -ENOENT || r == -ECONNREFUSED)
        return error_set(asking->err, ECONNREFUSED,
                         "neither \"gpu-watchdog head\" nor \"gpu-watchdog "
                         "join\" runs on this machine");
    if (r == -EACCES)
        return error_set(asking->err, EACCES,
                         "only root may ask; put sudo in front");
    return r;
}

int control_ask(json_t *request,
                void (*progress)(const char *text),
                json_t **ret_answer,
                struct error *err)
{
    struct asking asking = {
        .request = request, .progress = progress, .err = err};
    int r = request ? loop_new(&asking.loop, err)
                    : error_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = connect_to(&asking);
    if (r == 0) {
        loop_run(asking.loop);
        r = asking.result;
    }
    channel_free(asking.channel);
    loop_free(asking.loop);
    json_decref(request);
    if (r == 0)
        *ret_answer = asking.answer;
    return r;
}
