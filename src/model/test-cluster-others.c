/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What slurmctld and slurmdbd know besides nodes and jobs: statistics before
 * and after their reset at midnight; shares, limits, reservations, licences.
 */
#include "base/cleanup.h"
#include "model/test-cluster-private.h"

/* ---- statistics -----------------------------------------------------------
 */

/* Both moments are BASE and its multiple; all but what backfill started since
 * slurmctld's own start begins at zero again. */
static struct statistics_record statistics_of(enum cluster_moment moment)
{
    const bool before = moment == CLUSTER_BEFORE_MIDNIGHT;
    const uint32_t n = before ? 100 : 2;
    return (struct statistics_record){
        .request_time_s = cluster_time_s(moment),
        .reset_time_s = CLUSTER_MIDNIGHT_S - (before ? 86400 : 0),
        .job_states_time_s = cluster_time_s(moment) - 10,
        .backfill_last_cycle_time_s = cluster_time_s(moment) - 20,
        .has = STATISTICS_HAS_EXITS | STATISTICS_HAS_LATENCY |
               STATISTICS_HAS_AGENT,
        .server_threads = 3,
        .agent_queue_size = 1,
        .agent_count = 2,
        .agent_threads = 4,
        .slurmdbd_queue_size = 7,
        .latency_us = 20,
        .jobs_submitted = 11 * n,
        .jobs_started = 10 * n,
        .jobs_completed = 9 * n,
        .jobs_canceled = n,
        .jobs_failed = 2 * n,
        .jobs_pending = 118,
        .jobs_running = 10,
        .schedule_cycle_max_us = 5000,
        .schedule_cycle_last_us = 250,
        .schedule_cycles = 40 * n,
        .schedule_depth = 80 * n,
        .schedule_queue_length = 118,
        .schedule_cycle_sum_us = 12000 * (uint64_t)n,
        .backfilled_jobs = before ? 5000 : 5003,
        .backfilled_jobs_last = 5 * n,
        .backfilled_het_jobs = n,
        .backfill_cycles = 4 * n,
        .backfill_cycle_sum_us = 6000 * (uint64_t)n,
        .backfill_cycle_last_us = 1600,
        .backfill_cycle_max_us = 9000,
        .backfill_depth_last = 117,
        .backfill_depth_try_last = 16,
        .backfill_depth_sum = 400 * n,
        .backfill_depth_try_sum = 60 * n,
        .backfill_queue_length = 118,
        .backfill_queue_length_sum = 470 * n,
        .backfill_table_size = 12,
        .backfill_table_size_sum = 48 * n,
        .schedule_exits = {40 * n, 0, 0, 0, 0, n},
        .backfill_exits = {3 * n, 0, 0, n, 0, 0},
    };
}

/* slurmctld was restarted: counts of requests began again, and a user who
 * asked nothing since is not there. */
static const struct rpc {
    unsigned int array;
    uint32_t id;
    const char *name;
    uint64_t count[2], time_us[2];
} rpcs[] = {
    {1, 2003, "REQUEST_JOB_INFO", {900, 30}, {9000000, 250000}},
    {1, 2007, "REQUEST_NODE_INFO", {900, 31}, {1800000, 60000}},
    {1, 9999, "RPC_9999", {0, 1}, {0, 1500000}},
    {2, 0, "root", {1700, 40}, {9500000, 200000}},
    {2, 1000, "alice", {100, 0}, {1300000, 0}},
    {2, 1001, "j\xfcrgen", {0, 22}, {0, 110000}},
};

int cluster_add_statistics(struct snapshot_builder *b,
                           enum cluster_moment moment,
                           struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_STATISTICS, 1, &records, err);
    if (r < 0)
        return r;
    *(struct statistics_record *)records = statistics_of(moment);
    for (size_t i = 0; i < array_size(rpcs); i++) {
        if (rpcs[i].count[moment] == 0)
            continue;
        struct rpc_record *rpc = snapshot_builder_add(b, rpcs[i].array, NULL);
        if (!rpc)
            break;
        *rpc = (struct rpc_record){
            .name = snapshot_builder_string(b, 0, rpcs[i].name),
            .id = rpcs[i].id,
            .count = rpcs[i].count[moment],
            .time_us = rpcs[i].time_us[moment]};
    }
    return snapshot_builder_end(b, 1, err);
}

/* ---- associations and QOS -------------------------------------------------
 */

static uint32_t add_limit(struct snapshot_builder *b,
                          const char *kind,
                          const char *resource,
                          double limit,
                          double used)
{
    uint32_t index = 0;
    struct limit_record *record = snapshot_builder_add(b, 1, &index);
    if (!record)
        return 0;
    *record = (struct limit_record){
        .kind = snapshot_builder_string(b, 14, kind),
        .resource = snapshot_builder_string(b, 15, resource),
        .has = (limit >= 0 ? LIMIT_HAS_LIMIT : 0) |
               (used >= 0 ? LIMIT_HAS_USED : 0),
        .limit = limit,
        .used = used};
    return index;
}

/* Under FAIR_TREE accounts have no factor of their own. */
static const struct association {
    const char *account, *user;
    uint32_t has, shares_raw;
    double shares_norm, usage_effective, level_fs, factor;
} associations[] = {
    {"root", NULL, ASSOCIATION_HAS_SHARES, 1, 1, 1, 0, 0},
    {"root", "root", ASSOCIATION_HAS_SHARES | ASSOCIATION_HAS_FACTOR, 1, 0.5, 0,
     0, 1},
    {"physics", NULL, ASSOCIATION_HAS_SHARES | ASSOCIATION_HAS_LEVEL_FS, 30,
     0.25, 0.5, 0.5, 0},
    {"physics", "alice",
     ASSOCIATION_HAS_SHARES | ASSOCIATION_HAS_LEVEL_FS |
         ASSOCIATION_HAS_FACTOR | ASSOCIATION_USES_PARENT,
     UINT32_MAX, 0.25, 0.5, 0.5, 0.4},
    {"ml", NULL, ASSOCIATION_HAS_SHARES | ASSOCIATION_HAS_LEVEL_FS, 60, 0.5,
     0.5, 1, 0},
    {"unused", NULL, 0, 0, 0, 0, 0, 0},
};

static void fill_association(struct snapshot_builder *b,
                             struct association_record *record,
                             const struct association *association)
{
    *record = (struct association_record){
        .account = snapshot_builder_string(b, 0, association->account),
        .user = snapshot_builder_string(b, 1, association->user),
        .has = association->has,
        .shares_raw = association->shares_raw,
        .shares_norm = association->shares_norm,
        .usage_raw = association->usage_effective * 1e6,
        .usage_norm = association->usage_effective,
        .usage_effective = association->usage_effective,
        .level_fs = association->level_fs,
        .fairshare_factor = association->factor,
    };
}

static int add_associations(struct snapshot_builder *b, struct error *err)
{
    void *records;
    const size_t count = array_size(associations);
    int r =
        snapshot_builder_begin(b, SNAPSHOT_ASSOCIATIONS, count, &records, err);
    if (r < 0)
        return r;
    struct association_record *record = records;
    for (size_t i = 0; i < count; i++)
        fill_association(b, &record[i], &associations[i]);
    /* An account with a limit, and one with usage but no limit. */
    record[2].limit_first = add_limit(b, "grp_tres", "gres/gpu", 16, 5);
    record[2].limit_count = 1;
    record[4].limit_first = add_limit(b, "grp_jobs", "jobs", -1, 3);
    record[4].limit_count = 1;
    struct qos_record *qos = snapshot_builder_add(b, 2, NULL);
    if (qos)
        *qos = (struct qos_record){
            .name = snapshot_builder_string(b, 13, "normal"),
            .limit_first = add_limit(b, "max_tres_per_user", "cpu", 512, -1),
            .limit_count = 1};
    return snapshot_builder_end(b, count, err);
}

/* ---- reservations and licences --------------------------------------------
 */

static int add_reservations(struct snapshot_builder *b, struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_RESERVATIONS, 2, &records, err);
    if (r < 0)
        return r;
    struct reservation_record *record = records;
    record[0] = (struct reservation_record){
        .name = snapshot_builder_string(b, 0, "upgrade"),
        .users = snapshot_builder_string(b, 1, "root"),
        .partition = snapshot_builder_string(b, 3, "batch"),
        .flags = snapshot_builder_string(b, 5, "MAINT,SPEC_NODES"),
        .node_count = 2,
        .core_count = 128,
        .start_time_s = CLUSTER_MIDNIGHT_S - 600,
        .end_time_s = CLUSTER_MIDNIGHT_S + 6000};
    record[1] = (struct reservation_record){
        .name = snapshot_builder_string(b, 0, "course"),
        .accounts = snapshot_builder_string(b, 2, "physics,ml"),
        .node_count = 1,
        .core_count = 64,
        .start_time_s = CLUSTER_MIDNIGHT_S + 86400,
        .end_time_s = CLUSTER_MIDNIGHT_S + 90000};
    return snapshot_builder_end(b, 2, err);
}

static int add_licenses(struct snapshot_builder *b, struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_LICENSES, 2, &records, err);
    if (r < 0)
        return r;
    struct license_record *record = records;
    record[0] =
        (struct license_record){.name = snapshot_builder_string(b, 0, "matlab"),
                                .total = 50,
                                .used = 12,
                                .available = 33,
                                .reserved = 5};
    record[1] = (struct license_record){
        .name = snapshot_builder_string(b, 0, "ansys@flexlm"),
        .remote = 1,
        .total = 8,
        .available = 8};
    return snapshot_builder_end(b, 2, err);
}

int cluster_add_others(struct snapshot_builder *b, struct error *err)
{
    int r = add_associations(b, err);
    if (r == 0)
        r = add_reservations(b, err);
    if (r == 0)
        r = add_licenses(b, err);
    return r;
}
