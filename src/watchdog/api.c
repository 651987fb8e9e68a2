/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the API knows. Versions are numbers that only rise, over restarts as
 * well: they begin with the time of the start in milliseconds, and a round
 * takes one. There is at most one round a second or so, so that a daemon that
 * starts later begins above all that an earlier one gave, if the clock is not
 * set back by more than the time in between.
 *
 * A collection is written again only when a part it is made of came anew. One
 * whose parts are too old keeps what it has, and says that it is stale.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdlib.h>

enum {
    HEARTBEAT_S = 15, /* for proxies that close what is silent */
    ROUND_RECORDS_MAX = 20000
};

const char *const api_names[API_COUNT] = {
    [API_NODES] = "nodes",
    [API_GPUS] = "gpus",
    [API_JOBS] = "jobs",
    [API_USERS] = "users",
    [API_PARTITIONS] = "partitions",
    [API_RESERVATIONS] = "reservations",
    [API_QOS] = "qos",
};

static const struct {
    void (*add)(struct collection *, const struct record_source *);
    enum snapshot_part_kind part; /* without which there is nothing to show */
    uint32_t parts;               /* that it is made of */
} makers[API_COUNT] = {
    [API_NODES] = {records_add_nodes, SNAPSHOT_NODES,
                   1U << SNAPSHOT_NODES | 1U << SNAPSHOT_PARTITIONS},
    [API_GPUS] = {records_add_gpus, SNAPSHOT_NODES, 1U << SNAPSHOT_NODES},
    [API_JOBS] = {records_add_jobs, SNAPSHOT_JOBS, 1U << SNAPSHOT_JOBS},
    [API_RESERVATIONS] = {records_add_reservations, SNAPSHOT_RESERVATIONS,
                          1U << SNAPSHOT_RESERVATIONS},
    [API_QOS] = {records_add_qos, SNAPSHOT_ASSOCIATIONS,
                 1U << SNAPSHOT_ASSOCIATIONS},
    [API_USERS] = {records_add_users, SNAPSHOT_JOBS, 1U << SNAPSHOT_JOBS},
    [API_PARTITIONS] = {records_add_partitions, SNAPSHOT_PARTITIONS,
                        1U << SNAPSHOT_NODES | 1U << SNAPSHOT_PARTITIONS |
                            1U << SNAPSHOT_JOBS},
};

struct record_source api_source(const struct api *api)
{
    const struct mapped_snapshot *last = watch_snapshot(api->watch);
    return (struct record_source){
        .snapshot = last ? &last->snapshot : NULL,
        .rows = &api->rows,
        .parts = UINT32_MAX, /* what is stale is shown, and said to be */
        .fleet = api->fleet,
        .fleet_jobs = api->fleet ? &api->fleet_jobs : NULL,
    };
}

/* The parts of the last snapshot that came with it. */
static uint32_t parts_that_came(const struct snapshot *snapshot)
{
    uint32_t parts = 0;
    for (unsigned int k = 0; k < SNAPSHOT_PART_COUNT; k++)
        if (snapshot_part(snapshot, k)->outcome == SNAPSHOT_FRESH)
            parts |= 1U << k;
    return parts;
}

bool api_make(struct api_set *set,
              enum api_which which,
              uint64_t version,
              const struct record_source *source)
{
    bool changed = false;
    collection_begin(set->collections[which], version);
    makers[which].add(set->collections[which], source);
    if (collection_end(set->collections[which], &changed) < 0)
        return true; /* without memory it is empty now */
    set->filled[which] = true;
    return changed;
}

/* True when anything changed. */
static bool refresh_one(struct api *api,
                        enum api_which which,
                        const struct record_source *source,
                        uint32_t came)
{
    enum snapshot_part_kind part = makers[which].part;
    if (!makers[which].add || !snapshot_has(source->snapshot, part))
        return false;
    bool fresh = watch_fresh_parts(api->watch) >> part & 1;
    struct api_set *all = &api->all;
    bool turned = all->stale[which] == fresh;
    all->stale[which] = !fresh;
    if (!fresh)
        return turned;
    all->taken_ns[which] = snapshot_part(source->snapshot, part)->taken_ns;
    if (all->filled[which] && !(came & makers[which].parts))
        return turned;
    return api_make(all, which, api->version, source) || turned;
}

static void tell(struct api *api)
{
    struct text message = TEXT_INIT;
    struct json json = JSON_INIT(&message);
    text_add(&message, "event: tick\ndata: ");
    json_begin_object(&json, NULL);
    for (unsigned int i = 0; i < API_COUNT; i++)
        json_u64(&json, api_names[i],
                 collection_version(api->all.collections[i]));
    api->events_told = api->recorder ? recorder_events(api->recorder) : 0;
    json_u64(&json, "events", api->events_told);
    json_i64(&json, "time_s", clock_realtime_ns() / NS_PER_S);
    json_end_object(&json);
    text_add(&message, "\n\n");
    http_feed_publish(api->feed, &message, true);
}

/* Whether all is small enough to be written anew for each answer of a node; in
 * a large cluster jobs and users wait for the next snapshot. */
static bool is_small(const struct api *api)
{
    return collection_count(api->all.collections[API_GPUS]) +
               collection_count(api->all.collections[API_JOBS]) <
           ROUND_RECORDS_MAX;
}

static void take_fleet(struct api *api)
{
    struct fleet_jobs jobs;
    if (!api->fleet || fleet_jobs_init(&jobs, api->fleet) < 0)
        return;
    fleet_jobs_deinit(&api->fleet_jobs);
    api->fleet_jobs = jobs;
    api->fleet_generation = api->fleet->generation;
}

/* Write the collections in WHICH anew, as far as a part in CAME changed them.
 */
static void write_round(struct api *api, uint32_t which, uint32_t came)
{
    struct record_source source = api_source(api);
    bool changed = false;
    api->version++;
    for (unsigned int i = 0; i < API_COUNT; i++)
        if (which >> i & 1)
            changed |= refresh_one(api, i, &source, came);
    if (changed ||
        (api->recorder && recorder_events(api->recorder) != api->events_told))
        tell(api);
}

void api_refresh(struct api *api)
{
    uint64_t generation = watch_generation(api->watch);
    if (generation == api->generation)
        return;
    const struct mapped_snapshot *last = watch_snapshot(api->watch);
    api->rows = (struct metric_rows){{NULL}};
    if (!last || watch_fill(api->watch, &api->rows) < 0)
        return;
    uint32_t came = parts_that_came(&last->snapshot);
    if (api->generation == 0 ||
        (api->fleet && api->fleet->generation != api->fleet_generation))
        came = UINT32_MAX;
    api->generation = generation;
    take_fleet(api);
    write_round(api, UINT32_MAX, came);
}

static void on_fleet(void *context, uint32_t events)
{
    struct api *api = context;
    (void)events;
    api->fleet_waits = false;
    api_refresh(api);
    if (api->generation == 0 || api->fleet->generation == api->fleet_generation)
        return;
    take_fleet(api);
    write_round(api, is_small(api) ? UINT32_MAX : 1U << API_GPUS, UINT32_MAX);
}

void api_fleet_changed(struct api *api)
{
    if (api->fleet_waits || !api->fleet_timer)
        return;
    api->fleet_waits = true;
    loop_timer_set(api->fleet_timer,
                   clock_monotonic_ns() + (is_small(api) ? 1 : 5) * NS_PER_S);
}

void api_update(struct api *api)
{
    api_refresh(api);
}

static void on_heartbeat(void *context, uint32_t events)
{
    (void)events;
    struct api *api = context;
    struct text message = TEXT_INIT;
    /* What became stale meanwhile is told even if nobody asks. */
    api_refresh(api);
    text_add(&message, ": here\n\n");
    if (http_feed_followers(api->feed) > 0)
        http_feed_publish(api->feed, &message, false);
    text_deinit(&message);
    loop_timer_set(api->heartbeat,
                   clock_monotonic_ns() + HEARTBEAT_S * NS_PER_S);
}

/* ---- sets of collections --------------------------------------------------
 */

static bool set_init(struct api_set *set)
{
    bool good = true;
    for (unsigned int i = 0; i < API_COUNT; i++) {
        set->collections[i] = collection_new(i == API_JOBS);
        good &= set->collections[i] != NULL;
    }
    return good;
}

static void set_deinit(struct api_set *set)
{
    for (unsigned int i = 0; i < API_COUNT; i++) {
        http_content_unref(set->wholes[i].content);
        collection_free(set->collections[i]);
    }
}

struct api_set *api_set_new(void)
{
    struct api_set *set = calloc(1, sizeof(*set));
    if (set && !set_init(set)) {
        api_set_free(set);
        return NULL;
    }
    return set;
}

void api_set_free(struct api_set *set)
{
    if (set)
        set_deinit(set);
    free(set);
}

/* ---- the API itself -------------------------------------------------------
 */

int api_new(struct loop *loop,
            struct watch *watch,
            size_t streams_max,
            struct api **ret_api,
            struct error *err)
{
    struct api *api = calloc(1, sizeof(*api));
    if (!api)
        return error_errno(err, ENOMEM, "API");
    api->loop = loop;
    api->watch = watch;
    api->streams_max = streams_max;
    api->version = (uint64_t)(clock_realtime_ns() / NS_PER_MS);
    bool good = (api->feed = http_feed_new()) != NULL;
    good &= set_init(&api->all);
    int r = good ? loop_add_timer(loop, on_heartbeat, api, &api->heartbeat, err)
                 : error_errno(err, ENOMEM, "API");
    if (r == 0)
        r = loop_add_timer(loop, on_fleet, api, &api->fleet_timer, err);
    if (r < 0) {
        api_free(api);
        return r;
    }
    on_heartbeat(api, 0);
    tell(api);
    *ret_api = api;
    return 0;
}

struct api *api_free(struct api *api)
{
    if (!api)
        return NULL;
    loop_source_free(api->heartbeat);
    loop_source_free(api->fleet_timer);
    fleet_jobs_deinit(&api->fleet_jobs);
    http_feed_free(api->feed);
    set_deinit(&api->all);
    for (size_t i = 0; i < API_OWN_MAX; i++)
        api_set_free(api->own[i]);
    for (size_t i = 0; i < API_ANSWERS_KEPT; i++)
        http_content_unref(api->changes[i].content);
    free(api);
    return NULL;
}

void api_set_collector(struct api *api, const struct collector *collector)
{
    api->collector = collector;
}

void api_set_fleet(struct api *api, const struct fleet *fleet)
{
    api->fleet = fleet;
}

void api_set_recorder(struct api *api, const struct recorder *recorder)
{
    api->recorder = recorder;
}

void api_set_people(struct api *api,
                    const struct sign_in *sign_in,
                    struct deputy *deputy)
{
    api->sign_in = sign_in;
    api->deputy = deputy;
}

void api_set_prometheus(struct api *api,
                        struct prometheus *prometheus,
                        int64_t reach_s)
{
    api->prometheus = prometheus;
    api->reach_s = reach_s;
}
