/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users as JSON: those who have a job. Which accounts they use is taken from
 * their jobs, in one walk: equal strings of a part are one string, so that a
 * pair of user and account is a number.
 */
#include "model/state.h"
#include "model/tally.h"
#include "view/records.h"

#include <stdlib.h>

/* Each user with each account, once; ordered. */
struct pairs {
    uint64_t *pairs; /* user << 32 | account; owned */
    size_t count;
};

static int compare_pairs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Without memory there are none, and no accounts are shown. */
static struct pairs find_pairs(const struct record_source *source)
{
    size_t count;
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &count);
    struct pairs found = {.pairs = calloc(count + 1, sizeof(uint64_t))};
    uint64_t last = 0;
    for (size_t i = 0; found.pairs && i < count; i++) {
        uint64_t pair = (uint64_t)jobs[i].user << 32 | jobs[i].account;
        if (jobs[i].account && pair != last)
            found.pairs[found.count++] = last = pair;
    }
    if (found.count)
        qsort(found.pairs, found.count, sizeof(uint64_t), compare_pairs);
    size_t kept = 0;
    for (size_t i = 0; i < found.count; i++)
        if (i == 0 || found.pairs[i] != found.pairs[i - 1])
            found.pairs[kept++] = found.pairs[i];
    found.count = kept;
    return found;
}

static void print_accounts(struct json *json,
                           const struct record_source *source,
                           const struct pairs *pairs,
                           const char *user)
{
    json_begin_array(json, "accounts");
    for (size_t i = 0; i < pairs->count; i++) {
        uint32_t whose = (uint32_t)(pairs->pairs[i] >> 32);
        /* The row's label is the part's own string. */
        if (snapshot_text(source->snapshot, SNAPSHOT_JOBS, whose) == user)
            json_text(json, NULL,
                      snapshot_text(source->snapshot, SNAPSHOT_JOBS,
                                    (uint32_t)pairs->pairs[i]));
    }
    json_end_array(json);
}

static uint64_t gpus_of_user(const struct record_source *source,
                             const char *user)
{
    const struct rows *rows = source->rows->tables[TABLE_GPU_USER];
    uint64_t sum = 0;
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct gpu_owner_row *row = rows_at(rows, i);
        if (strcmp(row->head.labels[0], user) == 0)
            sum += row->allocated;
    }
    return sum;
}

/* What is measured of a user's jobs. */
struct user_use {
    snapshot_string user;
    uint32_t used, idle;
};

static int compare_uses(const void *a, const void *b)
{
    const struct user_use *x = a, *y = b;
    return x->user < y->user ? -1 : x->user > y->user;
}

/* Those of each user once; *RET_COUNT of them, 0 without memory. */
static struct user_use *find_uses(const struct record_source *source,
                                  size_t *ret_count)
{
    size_t count, found = 0, kept = 0;
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &count);
    const struct fleet_jobs *fleet = source->fleet_jobs;
    struct user_use *uses =
        fleet && fleet->count ? calloc(count + 1, sizeof(*uses)) : NULL;
    for (size_t i = 0; uses && i < count; i++) {
        char name[JOB_NAME_SIZE];
        if (job_state_base(jobs[i].state) != JOB_BASE_RUNNING ||
            !jobs[i].gres_count)
            continue;
        const struct fleet_job *job =
            fleet_jobs_find(fleet, job_name(&jobs[i], name));
        if (job)
            uses[found++] =
                (struct user_use){jobs[i].user, job->gpus_used, job->gpus_idle};
    }
    if (found)
        qsort(uses, found, sizeof(*uses), compare_uses);
    for (size_t i = 0; i < found; i++) {
        if (kept && uses[kept - 1].user == uses[i].user) {
            uses[kept - 1].used += uses[i].used;
            uses[kept - 1].idle += uses[i].idle;
        } else {
            uses[kept++] = uses[i];
        }
    }
    *ret_count = kept;
    return uses;
}

static void print_use(struct json *json,
                      const struct record_source *source,
                      const struct user_use *uses,
                      size_t count,
                      const char *user)
{
    for (size_t i = 0; i < count; i++) {
        /* The row's label is the part's own string. */
        if (snapshot_text(source->snapshot, SNAPSHOT_JOBS, uses[i].user) !=
            user)
            continue;
        json_u64(json, "gpus_used", uses[i].used);
        json_u64(json, "gpus_held_idle", uses[i].idle);
    }
}

void records_add_users(struct collection *collection,
                       const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_JOBS))
        return;
    const struct rows *rows = source->rows->tables[TABLE_USER];
    struct pairs pairs = find_pairs(source);
    size_t use_count;
    struct user_use *uses = find_uses(source, &use_count);
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct owner_row *row = rows_at(rows, i);
        const char *user = row->head.labels[0];
        if (record_is_hidden(&source->audience,
                             PRIVATE_JOBS | PRIVATE_USAGE | PRIVATE_USERS,
                             user))
            continue;
        struct json *json = collection_add_named(collection, user);
        json_begin_object(json, NULL);
        json_text(json, "user", user);
        print_accounts(json, source, &pairs, user);
        json_u64(json, "running", row->running);
        json_u64(json, "pending", row->pending);
        json_u64(json, "gpus_allocated", gpus_of_user(source, user));
        print_use(json, source, uses, use_count, user);
        json_u64(json, "cpus", row->cpus_running);
        json_end_object(json);
    }
    free(pairs.pairs);
    free(uses);
}
