/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/deputy.h"

#include "base/child.h"
#include "base/clock.h"
#include "cluster/message.h"
#include "watchdog/act.h"
#include "watchdog/options.h"

#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const deed_state_names[DEED_STATE_COUNT] = {
    [DEED_RUNNING] = "running",
    [DEED_DONE] = "done",
    [DEED_REFUSED] = "refused",
};

struct deputy {
    struct child child;
    struct loop_source *on_message, *on_stderr;
    bool gone; /* it has ended */
    void (*changed)(void *context, const struct deed_record *deed);
    void *context;
    char slurm_user[64];                  /* as whom admins act */
    struct deed_record deeds[DEEDS_KEPT]; /* a ring */
    uint64_t last_id;
};

static struct deed_record *find(struct deputy *d, uint64_t id)
{
    struct deed_record *deed = &d->deeds[id % DEEDS_KEPT];
    return id > 0 && deed->id == id ? deed : NULL;
}

const struct deed_record *deputy_deed(const struct deputy *d, size_t index)
{
    if (index >= DEEDS_KEPT || index >= d->last_id)
        return NULL;
    return &d->deeds[(d->last_id - index) % DEEDS_KEPT];
}

/* ---- what the child says -------------------------------------------------
 */

static void take_answer(struct deputy *d, const json_t *message)
{
    struct error err;
    int64_t id;
    bool good;
    if (message_read_number(message, "id", 1, INT64_MAX, &id, &err) < 0 ||
        message_read_bool(message, "good", &good, &err) < 0)
        return;
    struct deed_record *deed = find(d, (uint64_t)id);
    if (!deed)
        return;
    const char *text = json_string_value(json_object_get(message, "text"));
    const char *job = json_string_value(json_object_get(message, "job"));
    if (good && deed->verb == ACTION_SCRIPT)
        deed->script = text ? strdup(text) : NULL;
    else
        snprintf(deed->text, sizeof(deed->text), "%s", text ? text : "");
    snprintf(deed->job, sizeof(deed->job), "%s", job ? job : "");
    deed->state = good ? DEED_DONE : DEED_REFUSED;
    d->changed(d->context, deed);
}

static void lose(struct deputy *d)
{
    d->gone = true;
    d->on_message = loop_source_free(d->on_message);
    log_error("the process that acts has ended; restart to act again");
    for (size_t i = 0; i < DEEDS_KEPT; i++) {
        if (d->deeds[i].state != DEED_RUNNING)
            continue;
        d->deeds[i].state = DEED_REFUSED;
        snprintf(d->deeds[i].text, sizeof(d->deeds[i].text),
                 "the process that acts has ended; whether it was done is not "
                 "known");
    }
}

static void on_message(void *context, uint32_t events)
{
    static char bytes[MESSAGE_SIZE_MAX];
    struct deputy *d = context;
    struct error err;
    json_t *message;
    (void)events;
    ssize_t size =
        recv(d->child.channel_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        lose(d);
        return;
    }
    if (size < 0 || message_decode(bytes, (size_t)size, &message, &err) < 0)
        return;
    if (strcmp(message_type(message), ACT_ANSWER) == 0)
        take_answer(d, message);
    json_decref(message);
}

/* Its log is in our format already. */
static void on_stderr(void *context, uint32_t events)
{
    char bytes[4096];
    struct deputy *d = context;
    (void)events;
    ssize_t size = read(d->child.stderr_fd, bytes, sizeof(bytes));
    if (size > 0)
        (void)!write(STDERR_FILENO, bytes, (size_t)size);
    else if (size == 0 || errno != EAGAIN)
        d->on_stderr = loop_source_free(d->on_stderr);
}

/* ---- asking --------------------------------------------------------------
 */

static int send_request(struct deputy *d,
                        const struct deed_record *deed,
                        const struct viewer *viewer,
                        const char *from,
                        json_t *object,
                        struct error *err)
{
    json_t *message =
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:O}", "type", ACT_REQUEST,
                  "id", (json_int_t)deed->id, "who", viewer->user, "role",
                  sign_in_role_words[viewer->role - ROLE_VIEWER], "as",
                  deed->as, "from", from, "request", object);
    char *bytes = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    if (!bytes)
        return error_set(err, ENOMEM, "Out of memory.");
    ssize_t sent = send(d->child.channel_fd, bytes, strlen(bytes),
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    free(bytes);
    return sent < 0 ? error_set(err, EBUSY,
                                "Too much waits to be done; try again soon.")
                    : 0;
}

static int begin(struct deputy *d,
                 const struct viewer *viewer,
                 const char *from,
                 const struct action_request *request,
                 json_t *object,
                 struct error *err)
{
    struct deed_record deed = {
        .id = d->last_id + 1,
        .time_s = clock_realtime_ns() / NS_PER_S,
        .verb = request->verb,
    };
    bool mine = viewer->role != ROLE_ADMIN || request->verb == ACTION_SUBMIT;
    snprintf(deed.who, sizeof(deed.who), "%s", viewer->user);
    snprintf(deed.as, sizeof(deed.as), "%s",
             mine ? viewer->user : d->slurm_user);
    action_request_targets(request, deed.targets, sizeof(deed.targets));
    int r = send_request(d, &deed, viewer, from, object, err);
    if (r < 0)
        return r;
    d->last_id = deed.id;
    free(d->deeds[deed.id % DEEDS_KEPT].script);
    d->deeds[deed.id % DEEDS_KEPT] = deed;
    return 0;
}

int deputy_ask(struct deputy *d,
               const struct viewer *viewer,
               const char *from,
               const char *body,
               size_t size,
               uint64_t *ret_id,
               struct error *err)
{
    struct action_request request;
    json_t *object;
    if (d->gone)
        return error_set(err, EBUSY,
                         "The process that acts has ended; restart "
                         "gpu-watchdog serve.");
    int r = action_request_parse(body, size, &request, &object, err);
    if (r < 0)
        return r;
    r = begin(d, viewer, from, &request, object, err);
    action_request_deinit(&request);
    json_decref(object);
    *ret_id = d->last_id;
    return r;
}

/* ---- life ----------------------------------------------------------------
 */

static int spawn(struct deputy *d,
                 const struct settings *s,
                 const char *folder,
                 struct error *err)
{
    const char *arguments[12] = {"gpu-watchdog", ACT_COMMAND, "--state", folder,
                                 "--log-format"};
    size_t count = 5;
    arguments[count++] = option_log_format_words[s->log_format];
    if (*s->user) {
        arguments[count++] = "--user";
        arguments[count++] = s->user;
    }
    if (*s->slurm_conf) {
        arguments[count++] = "--slurm-conf";
        arguments[count++] = s->slurm_conf;
    }
    arguments[count] = NULL;
    return child_spawn(&d->child, NULL, arguments, err);
}

int deputy_new(struct loop *loop,
               const struct settings *settings,
               const char *folder,
               void (*changed)(void *context, const struct deed_record *deed),
               void *context,
               struct deputy **ret_deputy,
               struct error *err)
{
    struct deputy *d = calloc(1, sizeof(*d));
    if (!d)
        return error_errno(err, ENOMEM, "actions");
    *d = (struct deputy){
        .child = CHILD_INIT, .changed = changed, .context = context};
    const struct passwd *own = getpwuid(geteuid());
    snprintf(d->slurm_user, sizeof(d->slurm_user), "%s",
             *settings->user ? settings->user
             : own           ? own->pw_name
                             : "root");
    for (size_t i = 0; i < DEEDS_KEPT; i++)
        d->deeds[i].state = DEED_DONE;
    int r = spawn(d, settings, folder, err);
    if (r == 0)
        r = loop_add_fd(loop, d->child.channel_fd, EPOLLIN, on_message, d,
                        &d->on_message, err);
    if (r == 0)
        r = loop_add_fd(loop, d->child.stderr_fd, EPOLLIN, on_stderr, d,
                        &d->on_stderr, err);
    if (r < 0)
        d = deputy_free(d);
    *ret_deputy = d;
    return r;
}

struct deputy *deputy_free(struct deputy *d)
{
    if (!d)
        return NULL;
    loop_source_free(d->on_message);
    loop_source_free(d->on_stderr);
    child_deinit(&d->child);
    for (size_t i = 0; i < DEEDS_KEPT; i++)
        free(d->deeds[i].script);
    free(d);
    return NULL;
}
