/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often nodes failed: all that did, those that failed most first, or one
 * node with its time-line. Worked out for each request from the events, which
 * is some milliseconds: HEALTH_EVENTS_MAX bound it.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEALTH_EVENTS_MAX = 20000, /* the newest, of each kind */
    HEALTH_DAYS = 30,
    NODES_DEFAULT = 20,
    NODES_MAX = 1000
};

static void take_event(void *context, const struct store_event *event)
{
    struct health *health = context;
    enum health_state state;
    if (strcmp(event->kind, "xid") == 0)
        health_add_xid(health, event->node, event->time_s);
    else if (recorder_event_health(event, &state))
        health_add(health, event->node, event->time_s, state);
}

static int read_events(struct store *store,
                       const char *node,
                       struct health *health,
                       struct error *err)
{
    static const char *const kinds[] = {"node", "xid"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < array_size(kinds); i++) {
        const struct store_event_filter filter = {
            .kind = kinds[i], .node = node, .limit = HEALTH_EVENTS_MAX};
        r = store_events(store, &filter, take_event, health, err);
    }
    if (r == 0 && health_finish(health) < 0)
        r = error_set(err, ENOMEM, "memory ran out");
    return r;
}

/* ---- printing ------------------------------------------------------------ */

static bool is_of_interest(const struct health_node *node)
{
    return node->failures || node->drains || node->xids ||
           node->seconds[HEALTH_FAILED] || node->seconds[HEALTH_DRAINED];
}

/* Those that failed most first, then those that were away longest. */
static int compare_nodes(const void *a, const void *b)
{
    const struct health_node *x = *(const struct health_node *const *)a;
    const struct health_node *y = *(const struct health_node *const *)b;
    int64_t away_x = x->seconds[HEALTH_FAILED] + x->seconds[HEALTH_DRAINED];
    int64_t away_y = y->seconds[HEALTH_FAILED] + y->seconds[HEALTH_DRAINED];
    if (x->failures != y->failures)
        return x->failures > y->failures ? -1 : 1;
    if (x->xids != y->xids)
        return x->xids > y->xids ? -1 : 1;
    return away_x != away_y ? (away_x > away_y ? -1 : 1)
                            : strcmp(x->name, y->name);
}

static void print_node(struct json *json, const struct health_node *node)
{
    int64_t between_s = health_between_failures_s(node);
    json_begin_object(json, NULL);
    json_text(json, "name", node->name);
    json_u64(json, "failures", node->failures);
    json_u64(json, "drains", node->drains);
    json_u64(json, "xids", node->xids);
    json_i64(json, "up_s", node->seconds[HEALTH_UP]);
    json_i64(json, "failed_s", node->seconds[HEALTH_FAILED]);
    json_i64(json, "drained_s", node->seconds[HEALTH_DRAINED]);
    if (between_s)
        json_i64(json, "between_failures_s", between_s);
    json_end_object(json);
}

static void
print_most(struct json *json, const struct health *health, size_t most)
{
    _cleanup_(free_ptr) const struct health_node **order =
        calloc(health->count + 1, sizeof(*order));
    size_t count = 0;
    for (size_t i = 0; order && i < health->count; i++)
        if (is_of_interest(&health->nodes[i]))
            order[count++] = &health->nodes[i];
    if (count > 0)
        qsort(order, count, sizeof(const struct health_node *), compare_nodes);
    json_u64(json, "total", count);
    json_begin_array(json, "nodes");
    for (size_t i = 0; i < count && i < most; i++)
        print_node(json, order[i]);
    json_end_array(json);
}

/* One that nothing is remembered of was up all the time. */
static void
print_one(struct json *json, const struct health *health, const char *name)
{
    const struct health_node quiet = {
        .name = name,
        .spans = &(struct health_span){health->from_s, HEALTH_UP},
        .count = 1,
        .seconds = {[HEALTH_UP] = health->to_s - health->from_s},
        .xids = health->count ? health->nodes[0].xids : 0,
    };
    const struct health_node *node =
        health->count && health->nodes[0].count ? &health->nodes[0] : &quiet;
    json_begin_array(json, "nodes");
    print_node(json, node);
    json_end_array(json);
    json_begin_array(json, "spans");
    for (size_t i = 0; i < node->count; i++) {
        json_begin_object(json, NULL);
        json_i64(json, "from_s", node->spans[i].from_s);
        json_text(json, "state", health_state_names[node->spans[i].state]);
        json_end_object(json);
    }
    json_end_array(json);
}

static void print_health(struct json *json,
                         const struct health *health,
                         const char *node,
                         size_t most)
{
    json_begin_object(json, NULL);
    json_i64(json, "from_s", health->from_s);
    json_i64(json, "to_s", health->to_s);
    if (node)
        print_one(json, health, node);
    else
        print_most(json, health, most);
    json_end_object(json);
}

/* ---- the request --------------------------------------------------------- */

void api_serve_health(struct api *api,
                      struct http_request *request,
                      struct http_reply *reply)
{
    const char *node = NULL;
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    uint64_t from_s = 0, most = NODES_DEFAULT;
    const struct api_parameter known[] = {
        {.name = "node", .text = &node},
        {.name = "from_s", .number = &from_s, .most = (uint64_t)now_s},
        {.name = "limit", .number = &most, .most = NODES_MAX},
    };
    if (!api_read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = api_find_store(api, reply);
    if (!store)
        return;
    const struct record_audience audience = api_audience(api, request);
    if (record_is_hidden(&audience, PRIVATE_NODES | PRIVATE_EVENTS, NULL)) {
        api_refuse(reply, 403, "Slurm keeps nodes private here.");
        return;
    }
    int64_t first_s = store_first_event_s(store);
    int64_t begin_s = from_s ? (int64_t)from_s : now_s - HEALTH_DAYS * 86400;
    struct health health;
    struct error err = {.text = ""};
    health_init(&health, begin_s > first_s ? begin_s : first_s, now_s);
    if (read_events(store, node, &health, &err) < 0)
        api_refuse(reply, 503, "The history cannot be read: %s.", err.text);
    else if (node && !health.count &&
             !collection_find_named(api->all.collections[API_NODES], node))
        api_refuse(reply, 404, "Nothing is known of a node \"%.60s\".", node);
    else {
        struct text text = TEXT_INIT;
        struct json json = JSON_INIT(&text);
        print_health(&json, &health, node, (size_t)most);
        api_reply_text(reply, &text);
    }
    health_deinit(&health);
}
