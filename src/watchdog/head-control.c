/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of our own commands on the head. Each is answered at once; a node
 * that leaves is watched by asking again.
 */
#include "watchdog/head.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/place.h"
#include "cluster/secret-file.h"
#include "watchdog/control.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    CONNECTIONS_MAX = 16
};

/* Fills ANSWER, an object of type DONE. -errno with ERR: FAILED. */
typedef int (*answerer)(struct head *head,
                        const json_t *request,
                        json_t *answer,
                        struct error *err);

static int answer_status(struct head *head,
                         const json_t *request,
                         json_t *answer,
                         struct error *err)
{
    json_t *status = head_status(head);
    (void)request;
    if (!status || json_object_set_new(answer, "status", status) < 0)
        return error_set(err, ENOMEM, "out of memory");
    return 0;
}

/* ---- tokens ---------------------------------------------------------------
 */

static int answer_token_create(struct head *head,
                               const json_t *request,
                               json_t *answer,
                               struct error *err)
{
    int64_t ttl_s, uses;
    struct token token;
    char text[TOKEN_TEXT_SIZE], line[TOKEN_TEXT_SIZE + 128];
    int r = message_read_number(request, "ttl_s", 1, INT32_MAX, &ttl_s, err);
    if (r == 0)
        r = message_read_number(request, "uses", 0, INT32_MAX, &uses, err);
    if (r == 0)
        r = token_store_create(head->tokens, identity_pin(head->identity),
                               ttl_s, (uint32_t)uses, &token, err);
    if (r < 0)
        return r;
    token_format(&token, text);
    bool bracketed = strchr(head->address, ':');
    snprintf(line, sizeof(line), "gpu-watchdog join %s%s%s:%u %s",
             bracketed ? "[" : "", head->address, bracketed ? "]" : "",
             head->settings->join_port, text);
    json_object_set_new(answer, "line", json_string(line));
    json_object_set_new(answer, "token", json_string(text));
    json_object_set_new(answer, "id", json_string(token.id));
    json_object_set_new(answer, "ttl_s", json_integer(ttl_s));
    json_object_set_new(answer, "uses", json_integer(uses));
    explicit_bzero(&token, sizeof(token));
    explicit_bzero(text, sizeof(text));
    explicit_bzero(line, sizeof(line));
    return 0;
}

static int answer_token_list(struct head *head,
                             const json_t *request,
                             json_t *answer,
                             struct error *err)
{
    size_t count;
    const struct token_record *records = token_store_list(head->tokens, &count);
    json_t *array = json_array();
    (void)request;
    for (size_t i = 0; i < count; i++) {
        const struct token_record *t = &records[i];
        json_array_append_new(
            array, json_pack("{s:s, s:I, s:I, s:i, s:i, s:I, s:s, s:b}", "id",
                             t->id, "created_s", (json_int_t)t->created_s,
                             "expires_s", (json_int_t)t->expires_s, "uses_max",
                             (int)t->uses_max, "uses", (int)t->uses,
                             "last_used_s", (json_int_t)t->last_used_s,
                             "last_node", t->last_node, "revoked", t->revoked));
    }
    if (json_object_set_new(answer, "tokens", array) < 0)
        return error_set(err, ENOMEM, "out of memory");
    return 0;
}

static int answer_token_revoke(struct head *head,
                               const json_t *request,
                               json_t *answer,
                               struct error *err)
{
    char id[TOKEN_ID_LENGTH + 1];
    (void)answer;
    int r = message_read_text(request, "id", id, sizeof(id), err);
    return r < 0 ? r : token_store_revoke(head->tokens, id, err);
}

/* ---- nodes, users, key ----------------------------------------------------
 */

static int answer_leave(struct head *head,
                        const json_t *request,
                        json_t *answer,
                        struct error *err)
{
    char name[JOIN_NAME_SIZE];
    int r = message_read_text(request, "node", name, sizeof(name), err);
    if (r < 0)
        return r;
    if (!*name)
        return error_set(
            err, EINVAL,
            "which node? Type \"gpu-watchdog leave NODE\" here, or "
            "\"gpu-watchdog leave\" on the node");
    struct member *member = roster_find(&head->roster, name);
    if (!member && strcmp(name, head->node) == 0)
        return error_set(err, EINVAL,
                         "%s is the head itself; end it, and start it with "
                         "--no-compute to have it run no jobs",
                         name);
    /* Asked again while it leaves: gone is what was wanted. */
    bool gone = !member && json_is_true(json_object_get(request, "again"));
    if (!member && !gone)
        return error_set(err, ENOENT,
                         "no node \"%s\" has joined; \"gpu-watchdog status\" "
                         "lists those that have",
                         name);
    json_object_set_new(answer, "gone", json_boolean(gone));
    bool now = json_is_true(json_object_get(request, "now"));
    if (gone || member->leaving)
        return 0;
    return head_member_leave(head, member, now, err);
}

static int answer_user_add(struct head *head,
                           const json_t *request,
                           json_t *answer,
                           struct error *err)
{
    char name[USER_NAME_SIZE];
    (void)answer;
    int r = message_read_text(request, "name", name, sizeof(name), err);
    if (r == 0)
        r = users_add(&head->users, name, head->settings->home, err);
    if (r == 0)
        r = users_apply(&head->users, err);
    if (r == 0)
        head_welcome_all(head);
    return r;
}

/* munged hands out credentials to whoever asks; without it those of Slurm's
 * daemons do that read the key. Steps of jobs ask slurmd, and so go on. */
static void restart_for_key(struct head *head)
{
    if (!head->auth_slurm) {
        supervisor_restart(head->supervisor, "munged", false);
        return;
    }
    supervisor_restart(head->supervisor, "slurmctld", false);
    if (head->settings->compute)
        supervisor_restart(head->supervisor, "slurmd", false);
}

static int answer_key_rotate(struct head *head,
                             const json_t *request,
                             json_t *answer,
                             struct error *err)
{
    (void)request;
    int r = head_key_renew(head, err);
    if (r < 0)
        return r;
    size_t away = 0;
    for (size_t i = 0; i < head->roster.count; i++)
        away += !head->roster.members[i]->connection;
    head_welcome_all(head);
    restart_for_key(head);
    json_object_set_new(answer, "away", json_integer((json_int_t)away));
    log_notice("the cluster has a new key");
    return 0;
}

/* ---- the socket -----------------------------------------------------------
 */

static const struct {
    const char *type;
    answerer answer;
} answerers[] = {
    {CONTROL_STATUS, answer_status},
    {CONTROL_TOKEN_CREATE, answer_token_create},
    {CONTROL_TOKEN_LIST, answer_token_list},
    {CONTROL_TOKEN_REVOKE, answer_token_revoke},
    {CONTROL_LEAVE, answer_leave},
    {CONTROL_USER_ADD, answer_user_add},
    {CONTROL_KEY_ROTATE, answer_key_rotate},
};

static int answer_request(struct head *head,
                          const json_t *request,
                          json_t *answer,
                          struct error *err)
{
    for (size_t i = 0; i < array_size(answerers); i++)
        if (strcmp(answerers[i].type, message_type(request)) == 0)
            return answerers[i].answer(head, request, answer, err);
    return error_set(err, ENOSYS,
                     "the head that runs here is of another version and does "
                     "not know \"%.40s\"",
                     message_type(request));
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct head *head = context;
    struct error err = {.text = ""};
    json_t *answer = json_pack("{s:s}", "type", CONTROL_DONE);
    if (answer_request(head, message, answer, &err) < 0) {
        json_decref(answer);
        answer =
            json_pack("{s:s, s:s}", "type", CONTROL_FAILED, "text", err.text);
    }
    if (channel_send(channel, answer, &err) < 0)
        log_warning("control: %s", err.text);
    json_decref(answer);
    channel_finish(channel);
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    (void)context;
    (void)reason;
    channel_free(channel);
}

static void *on_accepted(void *context, struct channel *channel)
{
    (void)channel;
    return context;
}

int head_control_start(struct head *head, struct error *err)
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
        .context = head,
    };
    int r = place_make(SERVICES_RUN_DIRECTORY, 0755, err);
    if (r < 0)
        return r;
    return channel_listener_new(head->loop, &settings, &head->control, err);
}

void head_control_stop(struct head *head)
{
    head->control = channel_listener_free(head->control);
}
