/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Slurm collector: which requests are due in a cycle, in which order, and
 * what is published when one fails.
 *
 * At most seven requests a cycle. Nodes, partitions and statistics are asked
 * for in each; jobs, which cost the controller nine tenths of a cycle, beat so
 * that they take at most a twentieth of its time; reservations, licences and
 * associations beat slowly. Asking "anything new since?" is cheaper still, but
 * some things change without the controller's noticing, above all what slurmd
 * measures; so now and then a part is asked for whole.
 *
 * The first request that finds no controller ends the cycle: the others would
 * wait for the same time-out. What was not had is carried from the snapshot
 * before, with its old time, and the snapshot is published all the same.
 */
#include "source/slurm-source.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "source/collector-child.h"
#include "source/slurm-config.h"
#include "source/slurm-parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* Jobs may take the controller 1/20 of its time. */
    JOBS_STRETCH = 20,
    /* After so many failed cycles on end a new process starts from the
     * configuration and the controller's address as they are by then. */
    FAILURES_MAX = 3
};

enum beat {
    BEAT_EACH, /* each cycle */
    BEAT_JOBS,
    BEAT_SLOW
};

/* In the order of asking: what is cheap and most telling first. */
static const struct {
    enum snapshot_part_kind kind;
    slurm_part_load *load;
    enum beat beat;
    unsigned int whole_every; /* so many requests */
} parts[SNAPSHOT_SLURM_COUNT] = {
    {SNAPSHOT_NODES, slurm_nodes_load, BEAT_EACH, 4},
    {SNAPSHOT_PARTITIONS, slurm_partitions_load, BEAT_EACH, 20},
    {SNAPSHOT_STATISTICS, slurm_statistics_load, BEAT_EACH, 1},
    {SNAPSHOT_JOBS, slurm_jobs_load, BEAT_JOBS, 20},
    {SNAPSHOT_RESERVATIONS, slurm_reservations_load, BEAT_SLOW, 20},
    {SNAPSHOT_LICENSES, slurm_licenses_load, BEAT_SLOW, 1},
    {SNAPSHOT_ASSOCIATIONS, slurm_associations_load, BEAT_SLOW, 1},
};

struct slurm_source {
    struct slurm_config config;
    char cluster_name[64];
    struct user_names *users;
    int64_t jobs_wall_ns;                        /* of the last whole answer */
    int64_t jobs_cost_ns;                        /* the less of the last two */
    unsigned int requests[SNAPSHOT_SLURM_COUNT]; /* since the last whole one */
    unsigned int failures;                       /* cycles on end */
    uint32_t jobs_wanted; /* COLLECTOR_WANTS_* of the jobs that we have */
};

int slurm_call_result(int r)
{
    if (r == SLURM_SUCCESS)
        return 0;
    if (r > 0)
        errno = r;
    return errno == SLURM_NO_CHANGE_IN_DATA ? SLURM_LOAD_UNCHANGED
                                            : SLURM_LOAD_FAILED;
}

/*
 * True when Slurm's error CODE is the controller's own answer to this request,
 * so that others may fare better. Below 2000, and from 4000 to 5999, are errors
 * of communication and authentication; 0 is what an unknown host leaves.
 */
static bool is_refusal(int code)
{
    return (code >= 2000 && code < 4000) || code >= 6000;
}

/* ---- which parts are due --------------------------------------------------
 */

static int64_t part_interval(const struct slurm_source *source,
                             const struct collector_message *settings,
                             enum beat beat)
{
    if (beat == BEAT_SLOW)
        return settings->slow_interval_ns;
    if (beat == BEAT_JOBS)
        return settings->jobs_interval_ns ? settings->jobs_interval_ns
                                          : source->jobs_cost_ns * JOBS_STRETCH;
    return 0;
}

/* A part is due when its interval ends within the first half of the cycle's:
 * cycles do not begin to the millisecond. */
static bool is_due(const struct slurm_source *source,
                   const struct collector_cycle *cycle,
                   enum snapshot_part_kind kind,
                   enum beat beat)
{
    if (cycle->first || !cycle->previous ||
        !snapshot_has(cycle->previous, kind))
        return true;
    int64_t taken = snapshot_part(cycle->previous, kind)->taken_ns;
    int64_t age = clock_realtime_ns() - taken;
    int64_t interval = part_interval(source, cycle->settings, beat);
    /* A clock that was set back must not stop the beat. */
    return age < 0 || age + cycle->settings->interval_ns / 2 >= interval;
}

/* ---- one request ----------------------------------------------------------
 */

/* What the controller may compare with; 0 asks for everything. */
static time_t known_since(struct slurm_source *source,
                          const struct collector_cycle *cycle,
                          size_t part)
{
    enum snapshot_part_kind kind = parts[part].kind;
    if (cycle->first || !cycle->previous ||
        !snapshot_has(cycle->previous, kind) ||
        ++source->requests[part] >= parts[part].whole_every ||
        (kind == SNAPSHOT_JOBS &&
         source->jobs_wanted != cycle->settings->wanted))
        return 0;
    return snapshot_part(cycle->previous, kind)->updated_s;
}

static int carry(const struct collector_cycle *cycle,
                 enum snapshot_part_kind kind,
                 enum snapshot_outcome outcome,
                 struct error *err)
{
    int r = snapshot_builder_carry(cycle->builder, kind, cycle->previous, err);
    if (r == 0)
        snapshot_builder_part(cycle->builder, kind)->outcome = outcome;
    return r;
}

/* Numbers below Slurm's own are what some system call left behind. */
static const char *describe(int code)
{
    if (code < 1000)
        return "no answer";
    /* slurmctld hangs up on whom it cannot make out. */
    if (code == SLURM_PROTOCOL_SOCKET_ZERO_BYTES_SENT)
        return "hung up; does it have the munge key and the time of this host?";
    return slurm_strerror(code);
}

static void complain(enum snapshot_part_kind kind, int code)
{
    collector_child_complain("%s: slurmctld on %s: %s",
                             snapshot_part_names[kind],
                             compat_controller_name(), describe(code));
}

/* One answer that took long, because the controller was held up just then, must
 * not delay the next for minutes. */
static void note_jobs_cost(struct slurm_source *source, int64_t wall_ns)
{
    int64_t before_ns = source->jobs_wall_ns;
    source->jobs_wall_ns = wall_ns;
    source->jobs_cost_ns =
        before_ns && before_ns < wall_ns ? before_ns : wall_ns;
}

/* Ask for a part. 0, a negative errno, or SLURM_LOAD_FAILED with Slurm's number
 * in *RET_CODE. */
static int request_part(struct slurm_source *source,
                        struct collector_cycle *cycle,
                        size_t part,
                        int *ret_code,
                        struct error *err)
{
    enum snapshot_part_kind kind = parts[part].kind;
    struct slurm_request request = {
        .builder = cycle->builder,
        .users = source->users,
        .known_s = known_since(source, cycle, part),
        .wanted = cycle->settings->wanted,
    };
    collector_child_ask(cycle, kind);
    int64_t began = clock_monotonic_ns(), cpu_began = clock_process_cpu_ns();
    errno = 0;
    int r = parts[part].load(&request, err);
    *ret_code = errno;
    if (r == SLURM_LOAD_UNCHANGED)
        r = carry(cycle, kind, SNAPSHOT_UNCHANGED, err);
    else if (r == 0)
        source->requests[part] = 0;
    if (r < 0)
        return r;
    struct snapshot_part *record = snapshot_builder_part(cycle->builder, kind);
    record->wall_ns = clock_monotonic_ns() - began;
    record->cpu_ns = clock_process_cpu_ns() - cpu_began;
    if (r == 0)
        record->taken_ns = clock_realtime_ns();
    if (kind == SNAPSHOT_JOBS && record->outcome == SNAPSHOT_FRESH) {
        note_jobs_cost(source, record->wall_ns);
        source->jobs_wanted = request.wanted;
    }
    return r;
}

/* Keep what was known of a part whose request failed. */
static int keep_failed(struct collector_cycle *cycle,
                       enum snapshot_part_kind kind,
                       int code,
                       struct error *err)
{
    struct snapshot_part *record = snapshot_builder_part(cycle->builder, kind);
    int64_t wall = record->wall_ns, cpu = record->cpu_ns;
    int r = carry(cycle, kind, SNAPSHOT_FAILED, err);
    record = snapshot_builder_part(cycle->builder, kind);
    record->error_code = code;
    record->wall_ns = wall;
    record->cpu_ns = cpu;
    return r;
}

/* ---- the cycle ------------------------------------------------------------
 */

/*
 * When the controller's clock was set back, all that we know is newer to it
 * than its next changes are, and it would call them none until its clock has
 * caught up. Its statistics tell the time in each cycle.
 */
static void notice_clock(struct slurm_source *source,
                         const struct collector_cycle *cycle)
{
    const struct snapshot_part *now =
        snapshot_builder_part(cycle->builder, SNAPSHOT_STATISTICS);
    if (now->outcome != SNAPSHOT_FRESH || !cycle->previous ||
        now->updated_s >=
            snapshot_part(cycle->previous, SNAPSHOT_STATISTICS)->updated_s)
        return;
    for (size_t i = 0; i < array_size(parts); i++)
        source->requests[i] = parts[i].whole_every;
}

static void fill_header(const struct slurm_source *source,
                        struct snapshot_header *header)
{
    header->slurm_version = compat_slurm_version();
    compat_slurm_version_text(header->slurm_text);
    header->private_data = compat_private_data();
    snprintf(header->cluster_name, sizeof(header->cluster_name), "%s",
             source->cluster_name);
}

/*
 * Ask for one part, or carry it. *LOST: the controller is not to be reached;
 * *FAILED: a due part was not had without which little is known. Those of the
 * slow beat may be kept from us for ever (PrivateData), which is no failure of
 * the cycle.
 */
static int ask_or_carry(struct slurm_source *source,
                        struct collector_cycle *cycle,
                        size_t part,
                        bool *lost,
                        bool *failed,
                        struct error *err)
{
    enum snapshot_part_kind kind = parts[part].kind;
    if (!is_due(source, cycle, kind, parts[part].beat))
        return carry(cycle, kind, SNAPSHOT_NOT_DUE, err);
    if (*lost)
        return carry(cycle, kind, SNAPSHOT_SKIPPED, err);
    int code;
    int r = request_part(source, cycle, part, &code, err);
    if (r != SLURM_LOAD_FAILED)
        return r;
    complain(kind, code);
    *failed |= parts[part].beat != BEAT_SLOW;
    *lost = !is_refusal(code);
    return keep_failed(cycle, kind, code, err);
}

static int
collect(void *context, struct collector_cycle *cycle, struct error *err)
{
    struct slurm_source *source = context;
    /* What another cluster said is nothing to carry on. */
    if (cycle->previous && strcmp(cycle->previous->header->cluster_name,
                                  source->cluster_name) != 0)
        cycle->previous = NULL;
    user_names_begin(source->users);
    bool lost = false, failed = false;
    for (size_t i = 0; i < array_size(parts); i++) {
        enum snapshot_part_kind kind = parts[i].kind;
        if (!(cycle->settings->parts & 1U << kind))
            continue;
        int r = ask_or_carry(source, cycle, i, &lost, &failed, err);
        if (r < 0)
            return r;
        snapshot_builder_part(cycle->builder, kind)->interval_ns =
            part_interval(source, cycle->settings, parts[i].beat);
        if (kind == SNAPSHOT_STATISTICS)
            notice_clock(source, cycle);
    }
    struct snapshot_header *header = snapshot_builder_header(cycle->builder);
    fill_header(source, header);
    header->complete = !failed;
    source->failures = failed && lost ? source->failures + 1 : 0;
    return 0;
}

static bool outdated(void *context)
{
    const struct slurm_source *source = context;
    return source->failures >= FAILURES_MAX ||
           slurm_config_changed(&source->config);
}

int slurm_collector_main(void)
{
    struct error err;
    int type;
    socklen_t size = sizeof(type);
    if (getsockopt(CHILD_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
        fprintf(stderr,
                "the collector is started by the exporter itself, not by "
                "hand: type \"gpu-watchdog exporter\"\n");
        return COLLECTOR_EXIT_USAGE;
    }
    if (!child_follow_parent())
        return COLLECTOR_EXIT_DONE;

    struct slurm_source source = {.failures = 0};
    if (slurm_config_find(&source.config, &err) < 0) {
        collector_child_complain("%s", err.text);
        return COLLECTOR_EXIT_FAILED;
    }
    source.users = user_names_new();
    if (!source.users) {
        collector_child_complain("out of memory");
        return COLLECTOR_EXIT_FAILED;
    }
    /* What hangs here hangs silently: say what was under way. */
    fprintf(stderr, "reading Slurm's configuration from %s\n",
            source.config.path[0] ? source.config.path : "its controller");
    slurm_init(NULL);
    snprintf(source.cluster_name, sizeof(source.cluster_name), "%s",
             compat_cluster_name() ? compat_cluster_name() : "");
    struct collector_source table = {
        .collect = collect, .outdated = outdated, .context = &source};
    int code = collector_child_run(&table);
    user_names_free(source.users);
    return code;
}
