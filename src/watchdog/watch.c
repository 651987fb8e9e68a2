/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The present state of the cluster. Ages are measured on the monotonic clock
 * from the arrival of a snapshot whose request for a part succeeded; setting
 * the machine's clock changes none of them.
 *
 * Counting is put off until somebody asks: a snapshot that nobody scrapes
 * costs next to nothing.
 */
#include "watchdog/watch.h"

#include "base/clock.h"
#include "model/totals.h"

#include <math.h>
#include <stdlib.h>

struct watch {
    struct watch_settings settings;
    struct mapped_snapshot *snapshot;
    struct totals *totals;
    struct tally *tally;       /* of this generation; NULL: not counted yet */
    const struct fleet *fleet; /* NULL: no GPU is measured */
    struct fleet_jobs fleet_jobs; /* of this generation, as below */
    struct rows job_gpus;
    bool fleet_counted;
    uint64_t generation;
    bool lost;                            /* since the last snapshot */
    uint32_t fresh;                       /* parts shown in this generation */
    int64_t part_ns[SNAPSHOT_PART_COUNT]; /* monotonic; 0: never */
    int64_t beat_ns[SNAPSHOT_PART_COUNT]; /* until the next request; 0: none */
    int64_t wall_ns[SNAPSHOT_PART_COUNT]; /* of the last request; 0: none */
    struct loop_source *timer;            /* the next part becomes stale */
};

/* A part on a slow beat is not stale while its next request is not due. */
static int64_t part_limit_ns(const struct watch *w,
                             enum snapshot_part_kind kind)
{
    int64_t beat_ns = w->beat_ns[kind];
    int64_t twice_ns = beat_ns < INT64_MAX / 4 ? 2 * beat_ns : 0;
    return w->settings.stale_after_ns > twice_ns ? w->settings.stale_after_ns
                                                 : twice_ns;
}

/* The parts that are fresh at NOW_NS, and when the next of them is not. */
static uint32_t
find_fresh(const struct watch *w, int64_t now_ns, int64_t *ret_next_ns)
{
    uint32_t fresh = 0;
    *ret_next_ns = 0;
    for (unsigned int k = 0; w->snapshot && k < SNAPSHOT_PART_COUNT; k++) {
        if (w->part_ns[k] == 0)
            continue;
        int64_t due_ns =
            w->part_ns[k] + part_limit_ns(w, (enum snapshot_part_kind)k);
        if (!w->settings.never_stale && due_ns <= now_ns)
            continue;
        fresh |= 1U << k;
        if (*ret_next_ns == 0 || due_ns < *ret_next_ns)
            *ret_next_ns = due_ns;
    }
    if (w->settings.never_stale)
        *ret_next_ns = 0;
    return fresh;
}

static void forget_fleet(struct watch *w)
{
    rows_deinit(&w->job_gpus);
    fleet_jobs_deinit(&w->fleet_jobs);
    w->fleet_counted = false;
}

static void begin_generation(struct watch *w)
{
    int64_t next_ns;
    forget_fleet(w);
    w->tally = tally_free(w->tally);
    w->generation++;
    w->fresh = find_fresh(w, clock_monotonic_ns(), &next_ns);
    loop_timer_set(w->timer, next_ns);
}

static void on_timer(void *context, uint32_t events)
{
    (void)events;
    begin_generation(context);
}

int watch_new(struct loop *loop,
              const struct watch_settings *settings,
              struct watch **ret_watch,
              struct error *err)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (!w)
        return error_errno(err, ENOMEM, "state of the cluster");
    w->settings = *settings;
    int r = totals_new(&w->totals);
    if (r < 0)
        r = error_errno(err, -r, "state of the cluster");
    else
        r = loop_add_timer(loop, on_timer, w, &w->timer, err);
    if (r < 0) {
        watch_free(w);
        return r;
    }
    *ret_watch = w;
    return 0;
}

struct watch *watch_free(struct watch *w)
{
    if (!w)
        return NULL;
    loop_source_free(w->timer);
    forget_fleet(w);
    tally_free(w->tally);
    totals_free(w->totals);
    mapped_snapshot_unref(w->snapshot);
    free(w);
    return NULL;
}

void watch_reconfigure(struct watch *w, const struct watch_settings *settings)
{
    w->settings = *settings;
    begin_generation(w);
}

/* Note what SNAPSHOT, which came at NOW_NS, tells of the age of a part. */
static void note_part(struct watch *w,
                      const struct snapshot *snapshot,
                      enum snapshot_part_kind kind,
                      int64_t now_ns)
{
    const struct snapshot_part *part = snapshot_part(snapshot, kind);
    bool known =
        part->outcome == SNAPSHOT_FRESH || part->outcome == SNAPSHOT_UNCHANGED;
    bool waits =
        part->outcome == SNAPSHOT_NOT_DUE && snapshot->header->complete;
    /* A recording's parts hold whatever their request came to. */
    if (known || (w->settings.never_stale && snapshot_has(snapshot, kind)))
        w->part_ns[kind] = now_ns;
    /* A cycle that failed was as long as the time-outs are. That is no beat
     * of the part, and must not let it be shown longer, or again. */
    if (known || waits)
        w->beat_ns[kind] = part->interval_ns > 0 ? part->interval_ns : 0;
    if (part->wall_ns > 0)
        w->wall_ns[kind] = part->wall_ns;
}

void watch_publish(struct watch *w, struct mapped_snapshot *snapshot)
{
    int64_t now_ns = clock_monotonic_ns();
    for (unsigned int k = 0; k < SNAPSHOT_PART_COUNT; k++)
        note_part(w, &snapshot->snapshot, (enum snapshot_part_kind)k, now_ns);
    w->lost = false;
    tally_free(w->tally);
    w->tally = NULL;
    mapped_snapshot_unref(w->snapshot);
    w->snapshot = mapped_snapshot_ref(snapshot);
    /* Out of memory loses a step of some counters; the next one makes up. */
    (void)totals_update(w->totals, &snapshot->snapshot);
    begin_generation(w);
}

void watch_lose(struct watch *w)
{
    w->lost = true;
}

uint64_t watch_generation(const struct watch *w)
{
    return w->generation;
}

struct mapped_snapshot *watch_snapshot(const struct watch *w)
{
    return w->snapshot;
}

uint32_t watch_fresh_parts(const struct watch *w)
{
    return w->fresh;
}

double watch_part_age(const struct watch *w, enum snapshot_part_kind kind)
{
    if (w->part_ns[kind] == 0)
        return NAN;
    return (double)(clock_monotonic_ns() - w->part_ns[kind]) / NS_PER_S;
}

double watch_part_duration(const struct watch *w, enum snapshot_part_kind kind)
{
    return w->wall_ns[kind] ? (double)w->wall_ns[kind] / NS_PER_S : (double)NAN;
}

bool watch_up(const struct watch *w)
{
    const uint32_t needed = 1U << SNAPSHOT_NODES | 1U << SNAPSHOT_PARTITIONS |
                            1U << SNAPSHOT_JOBS | 1U << SNAPSHOT_STATISTICS;
    return w->snapshot && !w->lost && w->snapshot->snapshot.header->complete &&
           (w->fresh & needed) == needed;
}

void watch_set_fleet(struct watch *w, const struct fleet *fleet)
{
    w->fleet = fleet;
    begin_generation(w);
}

static int count_fleet(struct watch *w)
{
    if (w->fleet_counted || !w->fleet || !w->settings.job_series_max)
        return 0;
    int r = fleet_jobs_init(&w->fleet_jobs, w->fleet);
    if (r == 0)
        r = fleet_jobs_rows(&w->fleet_jobs, w->settings.job_series_max,
                            &w->job_gpus);
    if (r == 0)
        w->fleet_counted = true;
    else
        forget_fleet(w);
    return r;
}

int watch_fill(struct watch *w, struct metric_rows *rows)
{
    int counted = count_fleet(w);
    if (counted < 0)
        return counted;
    if (w->snapshot && !w->tally) {
        const struct tally_settings settings = {
            .job_series_max = w->settings.job_series_max,
            .now_s = clock_realtime_ns() / NS_PER_S,
            .parts = w->fresh,
        };
        int r = tally_new(&w->snapshot->snapshot, &settings, &w->tally);
        if (r < 0)
            return r;
    }
    if (w->tally)
        tally_fill(w->tally, rows);
    totals_fill(w->totals, w->fresh, rows);
    if (w->fleet_counted)
        rows->tables[TABLE_JOB_GPU] = &w->job_gpus;
    return 0;
}
