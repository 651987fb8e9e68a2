/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may see what. Slurm keeps jobs, nodes and more from those whom they do
 * not belong to, when its PrivateData says so (slurm.conf(5)); we read as a
 * user from whom nothing is kept, so the same is done here, row by row: an
 * admin sees everything, anyone else what Slurm would show to the Linux user of
 * his name, and who has no name, what belongs to nobody.
 *
 * Collections that are the same for all are shared. Of the others each who asks
 * has his own, written when he asks: so the work grows with those who look, and
 * where it would take more than a tenth of a processor, what they see gets
 * older instead.
 *
 * As long as Slurm has not said what is private, everything is.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    COST_SHARE = 10 /* one part in ten of a processor's time, for all */
};

static const struct {
    uint32_t bit;
    const char *word; /* as in slurm.conf */
} private_words[] = {
    {PRIVATE_JOBS, "jobs"},
    {PRIVATE_NODES, "nodes"},
    {PRIVATE_PARTITIONS, "partitions"},
    {PRIVATE_USAGE, "usage"},
    {PRIVATE_USERS, "users"},
    {PRIVATE_RESERVATIONS, "reservations"},
    {PRIVATE_EVENTS, "events"},
};

/* What each collection is made of that may be private. */
static const uint32_t made_of[API_COUNT] = {
    [API_NODES] = PRIVATE_NODES,
    [API_GPUS] = PRIVATE_NODES | PRIVATE_JOBS,
    [API_JOBS] = PRIVATE_JOBS,
    [API_USERS] = PRIVATE_JOBS | PRIVATE_USAGE | PRIVATE_USERS,
    [API_PARTITIONS] = PRIVATE_PARTITIONS,
    [API_RESERVATIONS] = PRIVATE_RESERVATIONS,
};

struct record_audience api_audience(struct api *api,
                                    struct http_request *request)
{
    const struct mapped_snapshot *last = watch_snapshot(api->watch);
    if (!api->collector) /* who has a recording can read it all */
        return (struct record_audience){.user = NULL};
    uint32_t hidden = last ? last->snapshot.header->private_data : UINT32_MAX;
    if (!hidden)
        return (struct record_audience){.user = NULL};
    sign_in_find(api->sign_in, request, &api->asking);
    if (api->asking.role == ROLE_ADMIN)
        hidden = 0;
    return (struct record_audience){.hidden = hidden, .user = api->asking.user};
}

void api_print_hidden(struct json *json, const struct record_audience *audience)
{
    json_begin_array(json, "hidden");
    for (size_t i = 0; i < array_size(private_words); i++)
        if (audience->hidden & private_words[i].bit)
            json_text(json, NULL, private_words[i].word);
    json_end_array(json);
}

/* ---- collections of one person ------------------------------------------- */

static bool is_of(const struct api_set *set,
                  const struct record_audience *audience)
{
    return set->hidden == audience->hidden &&
           strcmp(set->user, audience->user) == 0;
}

/* A place for one more: a free one, or that of who asked longest ago. */
static struct api_set **find_place(struct api *api)
{
    struct api_set **place = &api->own[0];
    for (size_t i = 0; i < API_OWN_MAX; i++) {
        if (!api->own[i])
            return &api->own[i];
        if (api->own[i]->asked_ns < (*place)->asked_ns)
            place = &api->own[i];
    }
    return place;
}

static struct api_set *find_own(struct api *api,
                                const struct record_audience *audience,
                                size_t *ret_count)
{
    struct api_set *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < API_OWN_MAX && api->own[i]; i++) {
        ++*ret_count;
        if (is_of(api->own[i], audience))
            found = api->own[i];
    }
    if (found)
        return found;
    struct api_set **place = find_place(api);
    api_set_free(*place);
    *place = found = api_set_new();
    if (!found)
        return NULL;
    found->hidden = audience->hidden;
    strncpy(found->user, audience->user, sizeof(found->user) - 1);
    return found;
}

static void write_own(struct api *api,
                      struct api_set *set,
                      const struct record_audience *audience)
{
    struct record_source source = api_source(api);
    int64_t begun_ns = clock_monotonic_ns();
    source.audience = *audience;
    for (unsigned int i = 0; i < API_COUNT; i++) {
        if (!(made_of[i] & audience->hidden) || !api->all.filled[i])
            continue;
        set->taken_ns[i] = api->all.taken_ns[i];
        set->stale[i] = api->all.stale[i];
        if (!set->stale[i] || !set->filled[i])
            api_make(set, i, api->version, &source);
    }
    set->version = api->version;
    set->written_ns = clock_monotonic_ns();
    set->cost_ns = set->written_ns - begun_ns;
}

struct api_set *api_set_for(struct api *api,
                            const struct record_audience *audience,
                            enum api_which which)
{
    size_t count;
    if (!(made_of[which] & audience->hidden))
        return &api->all;
    struct api_set *set = find_own(api, audience, &count);
    if (!set)
        return NULL;
    set->asked_ns = clock_monotonic_ns();
    int64_t rest_ns = set->cost_ns * COST_SHARE * (int64_t)count;
    if (set->version != api->version &&
        (!set->version || set->asked_ns - set->written_ns >= rest_ns))
        write_own(api, set, audience);
    return set;
}

/* ---- jobs ---------------------------------------------------------------- */

struct owner {
    const char *user;
    bool is;
};

static void compare_owner(void *context, const struct store_job *job)
{
    struct owner *owner = context;
    owner->is = strcmp(job->user, owner->user) == 0;
}

/* A job that is over, by its number. */
static bool owned(const struct api *api, const char *job, const char *user)
{
    struct store *store = api->recorder ? recorder_store(api->recorder) : NULL;
    struct owner owner = {.user = user};
    char *end;
    unsigned long id = strtoul(job, &end, 10);
    if (!store || *end || id == 0 || id > UINT32_MAX)
        return false;
    const struct store_job_filter filter = {.job_id = (uint32_t)id, .limit = 1};
    store_jobs(store, &filter, compare_owner, &owner, NULL);
    return owner.is;
}

bool api_sees_job(const struct api *api,
                  const struct record_audience *audience,
                  const char *job)
{
    if (!(audience->hidden & PRIVATE_JOBS))
        return true;
    if (!*audience->user)
        return false;
    struct record_source source = api_source(api);
    size_t count = 0;
    const struct job_record *jobs = NULL;
    if (source.snapshot)
        jobs = snapshot_array(source.snapshot, SNAPSHOT_JOBS, 0, &count);
    for (size_t i = 0; i < count; i++) {
        char text[JOB_NAME_SIZE];
        if (strcmp(job_name(&jobs[i], text), job) == 0)
            return strcmp(snapshot_text(source.snapshot, SNAPSHOT_JOBS,
                                        jobs[i].user),
                          audience->user) == 0;
    }
    return owned(api, job, audience->user);
}
