/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Associations (who may use how much through which account) and QOS, with
 * shares, usage and limits: one request to the controller, which knows them
 * all. Without slurmdbd there are none.
 *
 * A limit without a value and a usage of nothing make no record; a big site
 * has tens of thousands of associations and limits on few.
 */
#include "source/slurm-parts.h"

#include <math.h>

enum association_field {
    FIELD_ACCOUNT,
    FIELD_USER,
    FIELD_PARTITION,
    FIELD_PARENT,
    FIELD_KIND,
    FIELD_RESOURCE,
    FIELD_QOS,
};

/* Where limits are written, and which of the records the owner has so far. */
struct limit_writer {
    struct snapshot_builder *builder;
    const assoc_mgr_info_msg_t *message; /* names of TRES */
    uint32_t first;
    uint32_t count;
};

static const uint64_t *const no_numbers = NULL;

static void add_limit(struct limit_writer *w,
                      const char *kind,
                      const char *resource,
                      uint32_t has,
                      double limit,
                      double used)
{
    uint32_t index;
    struct limit_record *record = snapshot_builder_add(w->builder, 1, &index);
    if (!record)
        return; /* the builder remembers it and fails the part */
    *record = (struct limit_record){
        .kind = snapshot_builder_string(w->builder, FIELD_KIND, kind),
        .resource =
            snapshot_builder_string(w->builder, FIELD_RESOURCE, resource),
        .has = has,
        .limit = has & LIMIT_HAS_LIMIT ? limit : 0,
        .used = has & LIMIT_HAS_USED ? used : 0,
    };
    if (w->count++ == 0)
        w->first = index;
}

/* A limit that is one number; USED < 0: not known. */
static void add_number(struct limit_writer *w,
                       const char *kind,
                       const char *resource,
                       uint32_t limit,
                       double used)
{
    uint32_t has = 0;
    if (limit != INFINITE && limit != NO_VAL)
        has |= LIMIT_HAS_LIMIT;
    if (used >= 0 && (has || used > 0))
        has |= LIMIT_HAS_USED;
    if (has)
        add_limit(w, kind, resource, has, limit, used);
}

/* A limit for each TRES, in the order of the message's names. USED (in units of
 * UNIT) may be NULL, and LIMITS when nothing was set. */
static void add_tres(struct limit_writer *w,
                     const char *kind,
                     const uint64_t *limits,
                     const uint64_t *used,
                     double unit)
{
    for (uint32_t i = 0; i < w->message->tres_cnt; i++) {
        uint32_t has = 0;
        if (limits && limits[i] != INFINITE64 && limits[i] != NO_VAL64)
            has |= LIMIT_HAS_LIMIT;
        if (used && used[i] != INFINITE64 && used[i] != NO_VAL64 &&
            (has || used[i] > 0))
            has |= LIMIT_HAS_USED;
        if (has)
            add_limit(w, kind, w->message->tres_names[i], has,
                      limits ? (double)limits[i] : 0,
                      used ? (double)used[i] / unit : 0);
    }
}

/* Usage so far of each TRES in minutes, for the limits on them. */
static void add_tres_minutes(struct limit_writer *w,
                             const char *kind,
                             const uint64_t *limits,
                             const long double *raw_seconds)
{
    for (uint32_t i = 0; limits && i < w->message->tres_cnt; i++) {
        if (limits[i] == INFINITE64 || limits[i] == NO_VAL64)
            continue;
        uint32_t has = LIMIT_HAS_LIMIT | (raw_seconds ? LIMIT_HAS_USED : 0);
        add_limit(w, kind, w->message->tres_names[i], has, (double)limits[i],
                  raw_seconds ? (double)raw_seconds[i] / 60 : 0);
    }
}

/* ---- associations ---------------------------------------------------------
 */

/* A limit on each single user: what is used of it is known of users only, and
 * where there is no such limit grp_jobs tells the same. */
static double
used_of_user(const slurmdb_assoc_rec_t *a, uint32_t limit, uint32_t used)
{
    bool counts = a->user && limit != INFINITE && limit != NO_VAL;
    return counts ? (double)used : -1;
}

/* Usage arrays are as long as the message's names, or absent. */
static bool usage_fits(const assoc_mgr_info_msg_t *message, uint32_t tres_count)
{
    return tres_count == message->tres_cnt;
}

static void convert_association_limits(struct limit_writer *w,
                                       const slurmdb_assoc_rec_t *a)
{
    const slurmdb_assoc_usage_t *u = a->usage;
    bool fits = u && usage_fits(w->message, u->tres_cnt);
    add_number(w, "grp_jobs", "jobs", a->grp_jobs,
               u ? (double)u->used_jobs : -1);
    add_number(w, "grp_submit_jobs", "jobs", a->grp_submit_jobs,
               u ? (double)u->used_submit_jobs : -1);
    add_number(w, "grp_wall", "wall_minutes", a->grp_wall,
               u ? u->grp_used_wall / 60 : -1);
    add_number(w, "max_jobs", "jobs", a->max_jobs,
               u ? used_of_user(a, a->max_jobs, u->used_jobs) : -1);
    add_number(w, "max_submit_jobs", "jobs", a->max_submit_jobs,
               u ? used_of_user(a, a->max_submit_jobs, u->used_submit_jobs)
                 : -1);
    add_number(w, "max_wall_per_job", "wall_minutes", a->max_wall_pj, -1);
    if (!fits)
        return;
    add_tres(w, "grp_tres", a->grp_tres_ctld, u->grp_used_tres, 1);
    add_tres(w, "grp_tres_run_minutes", a->grp_tres_run_mins_ctld,
             u->grp_used_tres_run_secs, 60);
    add_tres_minutes(w, "grp_tres_minutes", a->grp_tres_mins_ctld,
                     u->usage_tres_raw);
    add_tres(w, "max_tres_per_job", a->max_tres_ctld, no_numbers, 1);
    add_tres(w, "max_tres_per_node", a->max_tres_pn_ctld, no_numbers, 1);
    add_tres(w, "max_tres_minutes_per_job", a->max_tres_mins_ctld, no_numbers,
             1);
}

/* A number that Slurm has worked out; it starts as NO_VAL. */
static bool is_known(long double value)
{
    return !isnan(value) && value >= 0 && value != (long double)NO_VAL;
}

static double known(long double value)
{
    return is_known(value) ? (double)value : 0;
}

static double known_or_absent(long double value)
{
    return is_known(value) ? (double)value : NAN;
}

/* The root account is the whole that others have shares of, and whose usage is
 * a part of the whole's. FAIR_TREE divides its one share by NO_VAL, and no
 * algorithm works out its usage; the classic one says 1 share. */
static bool is_root(const slurmdb_assoc_rec_t *a)
{
    return !a->user && (!a->parent_acct || !*a->parent_acct);
}

static bool is_fair_tree(void)
{
    return slurm_conf.priority_flags & PRIORITY_FLAGS_FAIR_TREE;
}

/* FAIR_TREE ranks users and keeps the rank; what it keeps of accounts means
 * nothing. The classic algorithm works a factor out for each job and keeps
 * none, so it is worked out here as well, as sshare does. */
static double share_factor(const slurmdb_assoc_rec_t *a,
                           const slurmdb_assoc_usage_t *u)
{
    if (is_fair_tree())
        return a->user && is_known(u->fs_factor) ? u->fs_factor : NAN;
    if (!is_known(u->usage_efctv) || !is_known(u->shares_norm))
        return NAN;
    double dampening =
        slurm_conf.fs_dampening_factor ? slurm_conf.fs_dampening_factor : 1;
    return u->shares_norm > 0
               ? exp2((double)-u->usage_efctv / u->shares_norm / dampening)
               : 0;
}

static void convert_shares(const slurmdb_assoc_rec_t *a,
                           struct association_record *record)
{
    const slurmdb_assoc_usage_t *u = a->usage;
    if (a->shares_raw == SLURMDB_FS_USE_PARENT)
        record->has |= ASSOCIATION_USES_PARENT;
    else if (a->shares_raw != NO_VAL && a->shares_raw != INFINITE)
        record->shares_raw = a->shares_raw;
    if (!u)
        return;
    record->has |= ASSOCIATION_HAS_SHARES;
    record->jobs_running = u->used_jobs;
    record->shares_norm = is_root(a) ? 1 : known_or_absent(u->shares_norm);
    record->usage_raw = known(u->usage_raw);
    record->usage_norm = is_root(a) ? 1 : known_or_absent(u->usage_norm);
    record->usage_effective = known_or_absent(u->usage_efctv);
    /* Only this algorithm works it out; elsewhere it stays zero, and for those
     * without shares of their own it is infinite. */
    if (is_fair_tree() && !(record->has & ASSOCIATION_USES_PARENT) &&
        is_known(u->level_fs)) {
        record->has |= ASSOCIATION_HAS_LEVEL_FS;
        record->level_fs = (double)u->level_fs;
    }
    double factor = share_factor(a, u);
    if (!isnan(factor)) {
        record->has |= ASSOCIATION_HAS_FACTOR;
        record->fairshare_factor = factor;
    }
}

static void convert_association(struct snapshot_builder *b,
                                const assoc_mgr_info_msg_t *message,
                                const slurmdb_assoc_rec_t *a,
                                struct association_record *record)
{
    record->account = snapshot_builder_string(b, FIELD_ACCOUNT, a->acct);
    record->user = snapshot_builder_string(b, FIELD_USER, a->user);
    record->partition =
        snapshot_builder_string(b, FIELD_PARTITION, a->partition);
    record->parent = snapshot_builder_string(b, FIELD_PARENT, a->parent_acct);
    record->id = a->id;
    convert_shares(a, record);
    struct limit_writer w = {.builder = b, .message = message};
    convert_association_limits(&w, a);
    record->limit_first = w.first;
    record->limit_count = w.count;
}

struct association_visit {
    struct snapshot_builder *builder;
    const assoc_mgr_info_msg_t *message;
    struct association_record *records;
    size_t used, room;
};

static void visit_association(void *item, void *context)
{
    struct association_visit *visit = context;
    if (visit->used < visit->room)
        convert_association(visit->builder, visit->message, item,
                            &visit->records[visit->used++]);
}

/* ---- QOS ------------------------------------------------------------------
 */

static void convert_qos_limits(struct limit_writer *w,
                               const slurmdb_qos_rec_t *q)
{
    const slurmdb_qos_usage_t *u = q->usage;
    bool fits = u && usage_fits(w->message, u->tres_cnt);
    add_number(w, "grp_jobs", "jobs", q->grp_jobs,
               u ? (double)u->grp_used_jobs : -1);
    add_number(w, "grp_submit_jobs", "jobs", q->grp_submit_jobs,
               u ? (double)u->grp_used_submit_jobs : -1);
    add_number(w, "grp_wall", "wall_minutes", q->grp_wall,
               u ? u->grp_used_wall / 60 : -1);
    add_number(w, "max_jobs_per_user", "jobs", q->max_jobs_pu, -1);
    add_number(w, "max_jobs_per_account", "jobs", q->max_jobs_pa, -1);
    add_number(w, "max_submit_jobs_per_user", "jobs", q->max_submit_jobs_pu,
               -1);
    add_number(w, "max_submit_jobs_per_account", "jobs", q->max_submit_jobs_pa,
               -1);
    add_number(w, "max_wall_per_job", "wall_minutes", q->max_wall_pj, -1);
    if (!fits)
        return;
    add_tres(w, "grp_tres", q->grp_tres_ctld, u->grp_used_tres, 1);
    add_tres(w, "grp_tres_run_minutes", q->grp_tres_run_mins_ctld,
             u->grp_used_tres_run_secs, 60);
    add_tres_minutes(w, "grp_tres_minutes", q->grp_tres_mins_ctld,
                     u->usage_tres_raw);
    add_tres(w, "max_tres_per_user", q->max_tres_pu_ctld, no_numbers, 1);
    add_tres(w, "max_tres_per_account", q->max_tres_pa_ctld, no_numbers, 1);
    add_tres(w, "max_tres_per_job", q->max_tres_pj_ctld, no_numbers, 1);
    add_tres(w, "max_tres_per_node", q->max_tres_pn_ctld, no_numbers, 1);
    add_tres(w, "max_tres_minutes_per_job", q->max_tres_mins_pj_ctld,
             no_numbers, 1);
    add_tres(w, "max_tres_run_minutes_per_user", q->max_tres_run_mins_pu_ctld,
             no_numbers, 1);
    add_tres(w, "max_tres_run_minutes_per_account",
             q->max_tres_run_mins_pa_ctld, no_numbers, 1);
}

static void convert_qos(struct snapshot_builder *b,
                        const assoc_mgr_info_msg_t *message,
                        const slurmdb_qos_rec_t *q)
{
    struct qos_record *record = snapshot_builder_add(b, 2, NULL);
    if (!record)
        return; /* the builder remembers it and fails the part */
    struct limit_writer w = {.builder = b, .message = message};
    convert_qos_limits(&w, q);
    *record = (struct qos_record){
        .name = snapshot_builder_string(b, FIELD_QOS, q->name),
        .priority =
            q->priority == NO_VAL || q->priority == INFINITE ? 0 : q->priority,
        .usage_factor = q->usage_factor == (double)NO_VAL ? 1 : q->usage_factor,
        .usage_raw = q->usage ? known(q->usage->usage_raw) : 0,
        .jobs_running = q->usage ? q->usage->grp_used_jobs : 0,
        .jobs_submitted = q->usage ? q->usage->grp_used_submit_jobs : 0,
        .limit_first = w.first,
        .limit_count = w.count,
    };
}

struct qos_visit {
    struct snapshot_builder *builder;
    const assoc_mgr_info_msg_t *message;
};

static void visit_qos(void *item, void *context)
{
    const struct qos_visit *visit = context;
    convert_qos(visit->builder, visit->message, item);
}

/* ---- the part -------------------------------------------------------------
 */

int slurm_associations_convert(struct slurm_request *request,
                               const assoc_mgr_info_msg_t *message,
                               struct error *err)
{
    struct snapshot_builder *b = request->builder;
    int count = message->assoc_list ? slurm_list_count(message->assoc_list) : 0;
    void *records;
    int r = snapshot_builder_begin(
        b, SNAPSHOT_ASSOCIATIONS, count > 0 ? (size_t)count : 0, &records, err);
    if (r < 0)
        return r;
    struct association_visit associations = {.builder = b,
                                             .message = message,
                                             .records = records,
                                             .room = (size_t)count};
    compat_list_each(message->assoc_list, visit_association, &associations);
    struct qos_visit qos = {.builder = b, .message = message};
    compat_list_each(message->qos_list, visit_qos, &qos);
    return snapshot_builder_end(b, associations.used, err);
}

int slurm_associations_load(struct slurm_request *request, struct error *err)
{
    assoc_mgr_info_request_msg_t question = {
        .flags = ASSOC_MGR_INFO_FLAG_ASSOC | ASSOC_MGR_INFO_FLAG_QOS};
    assoc_mgr_info_msg_t *message = NULL;
    int r = slurm_call_result(slurm_load_assoc_mgr_info(&question, &message));
    if (r != 0)
        return r;
    r = slurm_associations_convert(request, message, err);
    slurm_free_assoc_mgr_info_msg(message);
    return r;
}
