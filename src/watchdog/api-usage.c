/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user had of the GPUs within a time, and what of it he used: ended
 * jobs out of the store, running ones out of the snapshot.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    USAGE_DAYS = 7
};

struct usage {
    char *user; /* owned */
    uint64_t jobs;
    double hours, measured_hours, used_hours;
};

struct usages {
    struct usage *usages; /* owned */
    size_t count, room;
    bool failed; /* memory ran out */
};

static void usages_deinit(struct usages *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->usages[i].user);
    free(all->usages);
}

static void add_usage(void *context, const struct store_usage *usage)
{
    struct usages *all = context;
    if (all->count == all->room) {
        size_t room = all->room ? all->room * 2 : 64;
        void *grown = reallocarray(all->usages, room, sizeof(*all->usages));
        if (!grown) {
            all->failed = true;
            return;
        }
        all->usages = grown;
        all->room = room;
    }
    struct usage *added = &all->usages[all->count];
    *added = (struct usage){
        .user = strdup(usage->user),
        .jobs = usage->jobs,
        .hours = usage->gpu_hours,
        .measured_hours = usage->gpu_hours_measured,
        .used_hours = usage->gpu_hours_used,
    };
    if (added->user)
        all->count++;
    else
        all->failed = true;
}

/* What runs has had its GPUs since its start. */
static void add_running(const struct api *api,
                        const char *only,
                        int64_t from_s,
                        int64_t to_s,
                        struct usages *all)
{
    const struct record_source source = api_source(api);
    size_t count;
    if (!source.snapshot || !snapshot_has(source.snapshot, SNAPSHOT_JOBS))
        return;
    const struct job_record *jobs =
        snapshot_array(source.snapshot, SNAPSHOT_JOBS, 0, &count);
    for (size_t i = 0; i < count; i++) {
        const char *type,
            *user = snapshot_text(source.snapshot, SNAPSHOT_JOBS, jobs[i].user);
        int64_t begin_s =
            jobs[i].start_time_s > from_s ? jobs[i].start_time_s : from_s;
        uint64_t gpus = record_job_gpus(&source, &jobs[i], &type);
        if (job_state_base(jobs[i].state) != JOB_BASE_RUNNING || gpus == 0 ||
            begin_s >= to_s || (only && strcmp(user, only) != 0))
            continue;
        const struct store_usage usage = {
            .user = user,
            .gpu_hours = (double)gpus * (double)(to_s - begin_s) / 3600,
        };
        add_usage(all, &usage);
    }
}

static int compare_users(const void *a, const void *b)
{
    return strcmp(((const struct usage *)a)->user,
                  ((const struct usage *)b)->user);
}

static int compare_hours(const void *a, const void *b)
{
    const struct usage *x = a, *y = b;
    if (x->hours != y->hours)
        return x->hours > y->hours ? -1 : 1;
    return strcmp(x->user, y->user);
}

/* One entry a user, those with most hours first. */
static void join_users(struct usages *all)
{
    size_t kept = 0;
    if (all->count == 0)
        return;
    qsort(all->usages, all->count, sizeof(*all->usages), compare_users);
    for (size_t i = 1; i < all->count; i++) {
        struct usage *to = &all->usages[kept], *from = &all->usages[i];
        if (strcmp(to->user, from->user) != 0) {
            all->usages[++kept] = *from;
            continue;
        }
        to->jobs += from->jobs;
        to->hours += from->hours;
        to->measured_hours += from->measured_hours;
        to->used_hours += from->used_hours;
        free(from->user);
    }
    all->count = kept + 1;
    qsort(all->usages, all->count, sizeof(*all->usages), compare_hours);
}

static void print_hours(struct json *json, const char *name, double hours)
{
    json_real(json, name, round(hours * 1000) / 1000);
}

static void print_usages(const struct usages *all,
                         int64_t from_s,
                         int64_t to_s,
                         struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    json_begin_object(&json, NULL);
    json_i64(&json, "from_s", from_s);
    json_i64(&json, "to_s", to_s);
    json_begin_array(&json, "users");
    for (size_t i = 0; i < all->count; i++) {
        const struct usage *usage = &all->usages[i];
        json_begin_object(&json, NULL);
        json_text(&json, "user", usage->user);
        json_u64(&json, "jobs", usage->jobs);
        print_hours(&json, "gpu_hours", usage->hours);
        print_hours(&json, "gpu_hours_measured", usage->measured_hours);
        print_hours(&json, "gpu_hours_used", usage->used_hours);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    api_reply_text(reply, &text);
}

void api_serve_usage(struct api *api,
                     struct http_request *request,
                     struct http_reply *reply)
{
    const char *user = NULL;
    int64_t now_s = clock_realtime_ns() / NS_PER_S;
    uint64_t from = 0, to = (uint64_t)now_s;
    const struct api_parameter known[] = {
        {.name = "user", .text = &user},
        {.name = "from_s", .number = &from, .most = INT32_MAX},
        {.name = "to_s", .number = &to, .most = (uint64_t)now_s},
    };
    if (!api_read_parameters(request, known, array_size(known), reply))
        return;
    struct store *store = api_find_store(api, reply);
    if (!store)
        return;
    const struct record_audience audience = api_audience(api, request);
    const uint32_t kinds = PRIVATE_JOBS | PRIVATE_USAGE | PRIVATE_USERS;
    int64_t to_s = (int64_t)to;
    int64_t from_s = from ? (int64_t)from : to_s - USAGE_DAYS * 86400;
    _cleanup_(usages_deinit) struct usages all = {.usages = NULL};
    struct error err = {.text = ""};
    int r = 0;
    /* Of others nothing: as if they had no job. */
    bool nobody =
        audience.hidden & kinds &&
        (!*audience.user || (user && strcmp(user, audience.user) != 0));
    if (audience.hidden & kinds)
        user = audience.user;
    if (!nobody) {
        r = store_usage(store, from_s, to_s, user, add_usage, &all, &err);
        add_running(api, user, from_s, to_s, &all);
    }
    join_users(&all);
    if (r < 0)
        api_refuse(reply, 503, "The history cannot be read: %s.", err.text);
    else if (all.failed)
        api_refuse(reply, 503, "Memory ran out; try again.");
    else
        print_usages(&all, from_s, to_s, reply);
}
