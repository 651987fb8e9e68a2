/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the parts of a snapshot are shown. Time passes for real; limits are
 * apart by far more than a busy machine is late. */
#include "base/test.h"

#include "base/clock.h"
#include "model/snapshot-build.h"
#include "watchdog/watch.h"

#include <time.h>

#define NODES (1U << SNAPSHOT_NODES)

static struct error err;

struct cycle {
    enum snapshot_outcome outcome; /* of its one part, nodes */
    int64_t interval_ns;           /* that it announces for the part */
    bool complete;
};

static struct mapped_snapshot *make_snapshot(const struct cycle *cycle)
{
    struct snapshot_builder *builder;
    struct mapped_snapshot *mapped;
    void *records;
    int fd;
    assert_int_equal(snapshot_builder_new(&builder, &err), 0);
    assert_int_equal(
        snapshot_builder_begin(builder, SNAPSHOT_NODES, 0, &records, &err), 0);
    assert_int_equal(snapshot_builder_end(builder, 0, &err), 0);
    struct snapshot_part *part = snapshot_builder_part(builder, SNAPSHOT_NODES);
    part->outcome = cycle->outcome;
    part->interval_ns = cycle->interval_ns;
    snapshot_builder_header(builder)->complete = cycle->complete;
    assert_int_equal(snapshot_builder_finish(builder, &fd, &err), 0);
    snapshot_builder_free(builder);
    assert_int_equal(mapped_snapshot_new(fd, true, &mapped, &err), 0);
    return mapped;
}

static void publish(struct watch *watch, const struct cycle *cycle)
{
    struct mapped_snapshot *snapshot = make_snapshot(cycle);
    watch_publish(watch, snapshot);
    mapped_snapshot_unref(snapshot);
}

static void pass(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&time, NULL);
}

/* Whether a part of a cycle FIRST is shown after a cycle SECOND that came
 * 0.3 s later, in a watch that withdraws after 0.1 s. */
static bool is_shown(const struct cycle *first, const struct cycle *second)
{
    const struct watch_settings settings = {.stale_after_ns = NS_PER_S / 10};
    struct loop *loop;
    struct watch *watch;
    assert_int_equal(loop_new(&loop, &err), 0);
    assert_int_equal(watch_new(loop, &settings, &watch, &err), 0);
    publish(watch, first);
    assert_int_equal(watch_fresh_parts(watch), NODES);
    pass(3 * NS_PER_S / 10);
    publish(watch, second);
    bool shown = (watch_fresh_parts(watch) & NODES) != 0;
    watch_free(watch);
    loop_free(loop);
    return shown;
}

static const struct cycle quick = {SNAPSHOT_FRESH, NS_PER_S / 100, true};
static const struct cycle slow = {SNAPSHOT_FRESH, 60 * NS_PER_S, true};

/* It took ten seconds to fail, and what was withdrawn meanwhile came back for
 * twice as long. */
static void a_cycle_that_failed_shows_nothing_again(void **state)
{
    static const struct cycle failed[] = {
        {SNAPSHOT_FAILED, 11 * NS_PER_S, false},
        {SNAPSHOT_SKIPPED, 11 * NS_PER_S, false},
        {SNAPSHOT_NOT_DUE, 11 * NS_PER_S, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
        assert_false(is_shown(&quick, &failed[i]));
}

static void a_part_is_shown_while_its_slow_beat_is_not_due(void **state)
{
    const struct cycle not_due = {SNAPSHOT_NOT_DUE, 60 * NS_PER_S, true};
    const struct cycle failed = {SNAPSHOT_FAILED, NS_PER_S / 100, false};
    (void)state;
    assert_true(is_shown(&slow, &not_due));
    /* One request that failed is not the end of it. */
    assert_true(is_shown(&slow, &failed));
}

static void what_is_known_anew_is_shown(void **state)
{
    const struct cycle unchanged = {SNAPSHOT_UNCHANGED, NS_PER_S / 100, true};
    const struct cycle half = {SNAPSHOT_FRESH, NS_PER_S / 100, false};
    (void)state;
    assert_true(is_shown(&quick, &unchanged));
    assert_true(is_shown(&quick, &half));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cycle_that_failed_shows_nothing_again),
        cmocka_unit_test(a_part_is_shown_while_its_slow_beat_is_not_due),
        cmocka_unit_test(what_is_known_anew_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
