/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smaller parts: statistics, associations with shares and limits,
 * reservations, licences. Mostly a record becomes a row.
 */
#include "model/tally-private.h"

#include <math.h>
#include <string.h>

/* ---- statistics -----------------------------------------------------------
 */

static double mean(uint64_t sum, uint64_t count)
{
    return count ? (double)sum / (double)count : 0;
}

bool tally_statistics(struct tally *t)
{
    size_t count;
    const struct statistics_record *raw =
        snapshot_array(t->snapshot, SNAPSHOT_STATISTICS, 0, &count);
    if (!tally_has(t, SNAPSHOT_STATISTICS) || count == 0)
        return true;
    struct statistics_row *row = rows_add(&t->statistics);
    if (!row)
        return false;
    row->raw = *raw;
    row->schedule_mean_us =
        mean(raw->schedule_cycle_sum_us, raw->schedule_cycles);
    row->schedule_depth_mean = mean(raw->schedule_depth, raw->schedule_cycles);
    /* As sdiag: whole minutes, and nothing in the first one. */
    int64_t minutes = (raw->request_time_s - raw->reset_time_s) / 60;
    if (minutes > 0) {
        int64_t per_minute = raw->schedule_cycles / minutes;
        row->schedule_cycles_per_minute = (double)per_minute;
    }
    uint32_t cycles = raw->backfill_cycles;
    row->backfill_mean_us = mean(raw->backfill_cycle_sum_us, cycles);
    row->backfill_depth_mean = mean(raw->backfill_depth_sum, cycles);
    row->backfill_try_depth_mean = mean(raw->backfill_depth_try_sum, cycles);
    row->backfill_queue_mean = mean(raw->backfill_queue_length_sum, cycles);
    row->backfill_table_mean = mean(raw->backfill_table_size_sum, cycles);
    return true;
}

/* ---- associations ---------------------------------------------------------
 */

static const char *association_text(const struct tally *t,
                                    snapshot_string string)
{
    return snapshot_text(t->snapshot, SNAPSHOT_ASSOCIATIONS, string);
}

/* The factor of an account, for the series of vpenso's exporter. FAIR_TREE has
 * none, sshare leaves the column blank, and his exporter reads that as 0; here
 * it is the classic algorithm's, 2^-(usage / shares), between 0 and 1. A user's
 * factor is a rank there and cannot be compared with it. */
static double account_factor(const struct association_record *account)
{
    if (account->has & ASSOCIATION_HAS_FACTOR)
        return account->fairshare_factor;
    if (!(account->shares_norm > 0))
        return 0; /* no shares, or not known */
    return exp2(-account->usage_effective / account->shares_norm);
}

static bool add_share(struct tally *t,
                      const struct association_record *association)
{
    uint32_t has = association->has;
    if (!(has & ASSOCIATION_HAS_SHARES))
        return true;
    struct share_row *row = rows_add(&t->share);
    if (!row)
        return false;
    row->head.labels[0] = association_text(t, association->account);
    row->head.labels[1] = association_text(t, association->user);
    row->head.labels[2] = association_text(t, association->partition);
    row->shares_raw =
        (has & ASSOCIATION_USES_PARENT) ? ROW_ABSENT : association->shares_raw;
    row->shares_norm = association->shares_norm;
    row->usage_raw = association->usage_raw;
    row->usage_norm = association->usage_norm;
    row->usage_effective = association->usage_effective;
    row->level_fs =
        (has & ASSOCIATION_HAS_LEVEL_FS) ? association->level_fs : NAN;
    row->factor = association->user && (has & ASSOCIATION_HAS_FACTOR)
                      ? association->fairshare_factor
                      : NAN;
    if (association->user)
        return true;
    const struct share_row copy = *row;
    struct share_row *account = rows_add(&t->fairshare);
    if (!account)
        return false;
    *account = copy;
    account->factor = account_factor(association);
    return true;
}

static bool add_limits(struct rows *rows,
                       const struct tally *t,
                       const struct row_head *owner,
                       size_t owner_labels,
                       const struct limit_record *limits,
                       uint32_t first,
                       uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        struct limit_row *row = rows_add(rows);
        if (!row)
            return false;
        row->head = *owner;
        row->head.labels[owner_labels] = association_text(t, limits[i].kind);
        row->head.labels[owner_labels + 1] =
            association_text(t, limits[i].resource);
        row->limit = (limits[i].has & LIMIT_HAS_LIMIT) ? limits[i].limit : NAN;
        row->used = (limits[i].has & LIMIT_HAS_USED) ? limits[i].used : NAN;
    }
    return true;
}

bool tally_associations(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_ASSOCIATIONS))
        return true;
    size_t count, limit_count, qos_count;
    const enum snapshot_part_kind kind = SNAPSHOT_ASSOCIATIONS;
    const struct association_record *all =
        snapshot_array(t->snapshot, kind, 0, &count);
    const struct limit_record *limits =
        snapshot_array(t->snapshot, kind, 1, &limit_count);
    const struct qos_record *qos =
        snapshot_array(t->snapshot, kind, 2, &qos_count);

    for (size_t i = 0; i < count; i++) {
        struct row_head owner = {{association_text(t, all[i].account),
                                  association_text(t, all[i].user),
                                  association_text(t, all[i].partition)}};
        if (!add_share(t, &all[i]) ||
            !add_limits(&t->limit_association, t, &owner, 3, limits,
                        all[i].limit_first, all[i].limit_count))
            return false;
    }
    for (size_t i = 0; i < qos_count; i++) {
        struct row_head owner = {{association_text(t, qos[i].name)}};
        if (!add_limits(&t->limit_qos, t, &owner, 1, limits, qos[i].limit_first,
                        qos[i].limit_count))
            return false;
    }
    return true;
}

/* ---- reservations and licences --------------------------------------------
 */

bool tally_reservations(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_RESERVATIONS))
        return true;
    size_t count;
    const struct reservation_record *all =
        snapshot_array(t->snapshot, SNAPSHOT_RESERVATIONS, 0, &count);
    for (size_t i = 0; i < count; i++) {
        struct reservation_row *row = rows_add(&t->reservation);
        if (!row)
            return false;
        const snapshot_string labels[] = {all[i].name, all[i].users,
                                          all[i].accounts, all[i].partition,
                                          all[i].flags};
        for (size_t l = 0; l < sizeof(labels) / sizeof(*labels); l++)
            row->head.labels[l] =
                snapshot_text(t->snapshot, SNAPSHOT_RESERVATIONS, labels[l]);
        row->start_s = (uint64_t)all[i].start_time_s;
        row->end_s = (uint64_t)all[i].end_time_s;
        row->nodes = all[i].node_count;
        row->cores = all[i].core_count;
        row->active = all[i].start_time_s <= t->settings.now_s &&
                      t->settings.now_s < all[i].end_time_s;
    }
    return true;
}

bool tally_licenses(struct tally *t)
{
    if (!tally_has(t, SNAPSHOT_LICENSES))
        return true;
    size_t count;
    const struct license_record *all =
        snapshot_array(t->snapshot, SNAPSHOT_LICENSES, 0, &count);
    for (size_t i = 0; i < count; i++) {
        struct license_row *row = rows_add(&t->license);
        if (!row)
            return false;
        row->head.labels[0] =
            snapshot_text(t->snapshot, SNAPSHOT_LICENSES, all[i].name);
        row->total = all[i].total;
        row->used = all[i].used;
        row->free = all[i].available;
        row->reserved = all[i].reserved;
    }
    return true;
}
