/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of workers. A new one says HELLO; whoever is let in stays
 * connected, and its connection is its sign of life. What follows from a
 * member's coming and going in Slurm is head-nodes.c's.
 */
#include "watchdog/head.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/admission.h"
#include "cluster/users.h"
#include "model/state.h"
#include "watchdog/version.h"

#include <stdio.h>
#include <string.h>

enum {
    BEAT_MS = 4000,
    CONNECTIONS_MAX = 4096,
    FAULTS_PER_MINUTE = 10,
    WAITING_SHOWN_MAX = 64
};

#define PROBE_TIMEOUT_NS (4 * NS_PER_S)
/* Who has connected and says nothing is sent away after this. */
#define HELLO_TIMEOUT_NS (10 * NS_PER_S)

struct connection {
    struct connection *previous, *next;
    struct head *head;
    struct channel *channel;
    struct member *member; /* once it is let in */
    bool asked;            /* a HELLO was taken */
    struct join_hello hello;
    struct probe *probe;
    struct loop_source *timer; /* until it is let in */
    int64_t since_s;           /* real time */
    bool refused;              /* all that is left is to hang up */
    json_t *services;          /* of the last BEAT */
    bool slurmd_ready;
    char told_state[NODE_STATE_TEXT_SIZE]; /* what its worker knows */
};

/* ---- life -----------------------------------------------------------------
 */

static void connection_free(struct connection *c)
{
    struct head *head = c->head;
    if (c->member && c->member->connection == c) {
        c->member->connection = NULL;
        if (c->member->state == MEMBER_PRESENT)
            c->member->state = MEMBER_AWAY;
    }
    if (c->previous)
        c->previous->next = c->next;
    else
        head->connections = c->next;
    if (c->next)
        c->next->previous = c->previous;
    probe_free(c->probe);
    loop_source_free(c->timer);
    channel_free(c->channel);
    join_hello_deinit(&c->hello);
    json_decref(c->services);
    free(c);
}

static void on_silent(void *context, uint32_t events)
{
    struct connection *c = context;
    (void)events;
    connection_free(c);
}

static void *on_accepted(void *context, struct channel *channel)
{
    struct head *head = context;
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->head = head;
    c->channel = channel;
    c->since_s = clock_realtime_ns() / NS_PER_S;
    c->next = head->connections;
    if (c->next)
        c->next->previous = c;
    head->connections = c;
    if (loop_add_timer(head->loop, on_silent, c, &c->timer, NULL) == 0)
        loop_timer_set(c->timer, clock_monotonic_ns() + HELLO_TIMEOUT_NS);
    return c;
}

static void
on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct connection *c = context;
    (void)channel;
    if (c->member)
        log_info("%s: connection lost: %s", c->member->name, reason->text);
    connection_free(c);
}

static void
send_message(struct connection *c, json_t *message, const char *what)
{
    struct error err;
    if (!message)
        log_error("%s: out of memory", what);
    else if (channel_send(c->channel, message, &err) < 0)
        log_warning("%s to %s: %s", what, channel_peer(c->channel), err.text);
    json_decref(message);
}

/* ---- refusing -------------------------------------------------------------
 */

static void remember_refusal(struct connection *c, const char *reason)
{
    struct head *head = c->head;
    c->refused = true;
    struct refusal *r =
        &head->refusals[head->refusal_count++ % HEAD_REFUSALS_MAX];
    r->time_s = clock_realtime_ns() / NS_PER_S;
    snprintf(r->from, sizeof(r->from), "%s", channel_peer(c->channel));
    snprintf(r->host, sizeof(r->host), "%s",
             *c->hello.name ? c->hello.name : c->hello.host);
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

static void refuse(struct connection *c, const struct error *reason)
{
    remember_refusal(c, reason->text);
    log_notice("join from %s refused: %s", channel_peer(c->channel),
               reason->text);
    send_message(c, join_text_write(JOIN_REFUSED, reason->text), "a refusal");
    channel_finish(c->channel);
}

/* ---- letting in -----------------------------------------------------------
 */

static void send_welcome(struct connection *c)
{
    struct head *head = c->head;
    struct error err;
    struct join_welcome welcome = {
        .slurm_conf = text_str(&head->slurm_conf),
        .auth_slurm = head->auth_slurm,
        .confine_gpus = head->settings->confine_gpus,
        .beat_ms = BEAT_MS,
    };
    snprintf(welcome.node, sizeof(welcome.node), "%s", c->member->name);
    snprintf(welcome.cluster, sizeof(welcome.cluster), "%s", head->cluster);
    snprintf(welcome.address, sizeof(welcome.address), "%s",
             c->member->address);
    if (head_key_read(head, welcome.key, &welcome.key_size, &err) < 0) {
        refuse(c, &err);
        return;
    }
    _cleanup_(users_release) json_t *users = users_write(&head->users);
    welcome.users = users;
    send_message(c, join_welcome_write(&welcome), "the welcome");
    explicit_bzero(welcome.key, sizeof(welcome.key));
}

/* An old record of Slurm's is gone, or could not be deleted, which the worker's
 * registration will show. */
static void
on_deleted(void *context, const char *node, bool good, const char *output)
{
    struct head *head = context;
    struct member *member = roster_find(&head->roster, node);
    if (!good && head_node_find(head, node))
        log_info("%s: Slurm keeps its record: %s", node, output);
    if (!member)
        return;
    member->touched_ns = clock_monotonic_ns();
    if (member->connection)
        send_welcome(member->connection);
}

/* A node with jobs cannot be deleted; one that is down has none. */
static void
on_first_deleted(void *context, const char *node, bool good, const char *output)
{
    struct head *head = context;
    struct member *member = roster_find(&head->roster, node);
    struct error err;
    if (good || !member) {
        on_deleted(context, node, good, output);
        return;
    }
    head_member_down(head, member, "has other hardware");
    member->state = MEMBER_PRESENT;
    if (head_node_delete(head, node, on_deleted, &err) < 0)
        on_deleted(context, node, false, err.text);
}

/* The member that C becomes, new or known; changes are not saved yet. */
static struct member *
find_member(struct connection *c, bool *ret_fresh, struct error *err)
{
    struct head *head = c->head;
    const struct pin *pin = channel_peer_pin(c->channel);
    struct member *member = roster_find_pin(&head->roster, pin);
    *ret_fresh = !member;
    if (member)
        return member;
    if (!c->hello.has_token) { /* it was one until a moment ago */
        error_set(err, EACCES,
                  "this machine has left the cluster; type \"gpu-watchdog "
                  "token\" on the head and the line it prints here");
        return NULL;
    }
    char name[JOIN_NAME_SIZE];
    const char *wish = *c->hello.name ? c->hello.name : c->hello.host;
    roster_pick_name(&head->roster, head->cluster,
                     strcmp(wish, head->node) == 0 ? "" : wish, name);
    if (head->roster.count + 1 >= head->settings->nodes_max)
        error_set(err, ENOSPC,
                  "the cluster has its %u nodes; start the head with a larger "
                  "--nodes-max",
                  head->settings->nodes_max);
    else if (!(member = roster_add(&head->roster, name)))
        error_set(err, ENOMEM, "the head is out of memory");
    else {
        member->pin = *pin;
        member->joined_s = clock_realtime_ns() / NS_PER_S;
    }
    return member;
}

/* What HELLO says holds from now on; C->hello is emptied of it. */
static void update_member(struct connection *c)
{
    struct member *member = c->member;
    snprintf(member->host, sizeof(member->host), "%s", c->hello.host);
    snprintf(member->version, sizeof(member->version), "%s", c->hello.version);
    snprintf(member->address, sizeof(member->address), "%s",
             channel_peer(c->channel));
    member->slurm = c->hello.slurm;
    inventory_deinit(&member->inventory);
    member->inventory = c->hello.inventory;
    c->hello.inventory = (struct inventory){.cpus = 0};
    member->seen_s = clock_realtime_ns() / NS_PER_S;
    member->seen_ns = clock_monotonic_ns();
    member->touched_ns = member->seen_ns;
}

/* Someone with the same key: what was connected before is a ghost. */
static void take_over(struct connection *c, struct member *member)
{
    struct connection *ghost = member->connection;
    if (ghost && ghost != c) {
        ghost->member = NULL;
        channel_finish(ghost->channel);
    }
    member->connection = c;
    member->state = MEMBER_PRESENT;
    c->member = member;
    c->timer = loop_source_free(c->timer);
}

static bool save(struct connection *c, bool fresh, struct error *err)
{
    struct head *head = c->head;
    /* First the token: whom it does not let in must not get into the file. */
    int r = 0;
    if (c->hello.has_token)
        r = token_store_use(head->tokens, c->hello.token_id, c->member->name,
                            err);
    if (r == 0)
        r = roster_save(&head->roster, err);
    if (r == 0)
        return true;
    if (r != -EACCES)
        error_prefix(err, "the head cannot remember this node");
    if (fresh) {
        struct member *member = c->member;
        c->member = NULL;
        roster_remove(&head->roster, member);
    }
    return false;
}

static void admit(struct connection *c)
{
    struct head *head = c->head;
    struct error err, difference = {.text = ""};
    bool fresh;
    struct member *member = find_member(c, &fresh, &err);
    if (!member) {
        refuse(c, &err);
        return;
    }
    bool changed = fresh || !inventory_equal(&member->inventory,
                                             &c->hello.inventory, &difference);
    take_over(c, member);
    update_member(c);
    if (!save(c, fresh, &err)) {
        refuse(c, &err);
        return;
    }
    if (fresh)
        log_notice("%s joined from %s", member->name, member->address);
    else
        log_info("%s is back at %s%s%s", member->name, member->address,
                 changed ? ", changed: " : "", difference.text);
    /* Slurm keeps the first description of a node for good. What we know of
     * its nodes may be older than this one. */
    if (changed && (!fresh || head_node_find(head, member->name)) &&
        head_node_delete(head, member->name, on_first_deleted, &err) == 0)
        return;
    send_welcome(c);
    head_member_moved(head, member);
}

static void on_probed(void *context, const struct error *reason)
{
    struct connection *c = context;
    if (reason) {
        struct error copy = *reason;
        c->probe = probe_free(c->probe);
        refuse(c, &copy);
        return;
    }
    c->probe = probe_free(c->probe);
    admit(c);
}

static int start_probe(struct connection *c, struct error *err)
{
    struct probe_target target = {
        .address = channel_peer(c->channel),
        .nonce = c->hello.nonce,
        .timeout_ns = PROBE_TIMEOUT_NS,
    };
    if (c->hello.slurmd_port)
        target.ports[target.port_count++] = (uint16_t)c->hello.slurmd_port;
    if (c->hello.srun_port)
        target.ports[target.port_count++] = (uint16_t)c->hello.srun_port;
    if (target.port_count == 0)
        return error_set(err, EBADMSG, "no port to reach it by is named");
    return probe_new(c->head->loop, &target, on_probed, c, &c->probe, err);
}

static int judge(struct connection *c, struct error *err)
{
    struct head *head = c->head;
    const struct admission_facts facts = {
        .slurm = head->slurm,
        .auth_slurm = head->auth_slurm,
        .confine_gpus = head->settings->confine_gpus,
        .version = PROJECT_VERSION,
        .node = head->node,
        .now_ns = clock_realtime_ns(),
        .roster = &head->roster,
        .pin = channel_peer_pin(c->channel),
    };
    int r = 0;
    if (c->hello.has_token) {
        r = token_store_check(head->tokens, c->hello.token_id,
                              c->hello.token_secret, err);
        if (r < 0)
            channel_listener_blame(head->joins, c->channel);
    }
    return r == 0 ? admission_judge(&facts, &c->hello, err) : r;
}

static void on_hello(struct connection *c, const json_t *message)
{
    struct error err;
    c->asked = true;
    int r = join_hello_read(message, &c->hello, &err);
    if (r < 0)
        error_prefix(&err, "what this machine says of itself makes no sense");
    if (r == 0)
        r = judge(c, &err);
    /* A member whose slurmd runs already has been reached before. */
    bool reached = !*c->hello.nonce && !c->hello.has_token;
    if (r == 0 && !reached)
        r = start_probe(c, &err);
    if (r < 0)
        refuse(c, &err);
    else if (reached)
        admit(c);
}

/* ---- members --------------------------------------------------------------
 */

static void on_beat(struct connection *c, const json_t *message)
{
    c->member->seen_ns = clock_monotonic_ns();
    c->member->seen_s = clock_realtime_ns() / NS_PER_S;
    bool ready = json_is_true(json_object_get(message, "slurmd_ready"));
    if (ready && !head_node_find(c->head, c->member->name))
        collector_hurry(c->head->collector);
    c->slurmd_ready = ready;
    json_t *services = json_object_get(message, "services");
    json_decref(c->services);
    c->services = json_is_array(services) ? json_incref(services) : NULL;
}

static void on_stopping(struct connection *c)
{
    log_info("%s says that it stops", c->member->name);
    head_member_down(c->head, c->member, "stopped");
}

static void on_leave(struct connection *c, const json_t *message)
{
    struct error err;
    bool now = json_is_true(json_object_get(message, "now"));
    if (head_member_leave(c->head, c->member, now, &err) < 0)
        send_message(c, join_text_write(JOIN_REFUSED, err.text), "a refusal");
}

static void
on_received(void *context, struct channel *channel, const json_t *message)
{
    struct connection *c = context;
    const char *type = message_type(message);
    (void)channel;
    if (!c->asked && strcmp(type, JOIN_HELLO) == 0)
        on_hello(c, message);
    else if (c->member && strcmp(type, JOIN_BEAT) == 0)
        on_beat(c, message);
    else if (c->member && strcmp(type, JOIN_STOPPING) == 0)
        on_stopping(c);
    else if (c->member && strcmp(type, JOIN_LEAVE) == 0)
        on_leave(c, message);
    else
        log_debug("%s: a message \"%.40s\" out of place",
                  channel_peer(c->channel), type);
}

void head_tell(const struct member *member, const char *type, const char *text)
{
    if (member->connection)
        send_message(member->connection, join_text_write(type, text), type);
}

void head_tell_state(const struct member *member, const char *state)
{
    struct connection *c = member->connection;
    if (!c || strcmp(c->told_state, state) == 0)
        return;
    snprintf(c->told_state, sizeof(c->told_state), "%s", state);
    head_tell(member, JOIN_STATE, state);
}

bool head_member_slurmd_ready(const struct member *member)
{
    const struct connection *c = member->connection;
    return c && c->slurmd_ready;
}

const json_t *head_member_services(const struct member *member)
{
    const struct connection *c = member->connection;
    return c ? c->services : NULL;
}

static const char *waits_for(const struct connection *c)
{
    if (c->probe)
        return "the head tries to reach it";
    return "it has not said who it is";
}

json_t *head_joins_waiting(const struct head *head)
{
    json_t *array = json_array();
    for (const struct connection *c = head->connections; c; c = c->next)
        if (!c->member && !c->refused &&
            json_array_size(array) < WAITING_SHOWN_MAX)
            json_array_append_new(
                array, json_pack("{s:I, s:s, s:s, s:s}", "since_s",
                                 (json_int_t)c->since_s, "from",
                                 channel_peer(c->channel), "host",
                                 *c->hello.name ? c->hello.name : c->hello.host,
                                 "reason", waits_for(c)));
    return array;
}

void head_member_forget(struct head *head, struct member *member)
{
    struct error err;
    struct connection *c = member->connection;
    if (c) {
        c->member = NULL;
        channel_finish(c->channel);
    }
    roster_remove(&head->roster, member);
    if (roster_save(&head->roster, &err) < 0)
        log_error("%s", err.text);
}

void head_welcome_all(struct head *head)
{
    for (size_t i = 0; i < head->roster.count; i++)
        if (head->roster.members[i]->connection)
            send_welcome(head->roster.members[i]->connection);
}

int head_join_start(struct head *head, struct error *err)
{
    static const struct channel_handler handler = {
        .received = on_received,
        .closed = on_closed,
    };
    char address[32];
    snprintf(address, sizeof(address), ":%u", head->settings->join_port);
    const struct channel_listener_settings settings = {
        .address = address,
        .identity = head->identity,
        .connections_max = CONNECTIONS_MAX,
        .faults_per_minute = FAULTS_PER_MINUTE,
        .handler = &handler,
        .accepted = on_accepted,
        .context = head,
    };
    int64_t now_ns = clock_monotonic_ns();
    for (size_t i = 0; i < head->roster.count; i++)
        head->roster.members[i]->seen_ns = now_ns;
    return channel_listener_new(head->loop, &settings, &head->joins, err);
}

void head_join_stop(struct head *head)
{
    while (head->connections)
        connection_free(head->connections);
    head->joins = channel_listener_free(head->joins);
}
