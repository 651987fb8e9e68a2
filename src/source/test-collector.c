/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor against children that misbehave. They are this program again
 * under the subcommand "child", each by the name of what it does.
 */
#include "base/test.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "source/collector-child.h"
#include "source/collector.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* ---- children -------------------------------------------------------------
 */

static void send_to_parent(enum collector_message_kind kind, int fd)
{
    struct collector_message message = {.kind = kind, .part = SNAPSHOT_JOBS};
    collector_send(CHILD_CHANNEL_FD, &message, fd, NULL);
}

static int empty_snapshot(bool complete)
{
    struct snapshot_builder *builder;
    int fd = -1;
    snapshot_builder_new(&builder, NULL);
    snapshot_builder_header(builder)->complete = complete;
    snapshot_builder_finish(builder, &fd, NULL);
    snapshot_builder_free(builder);
    return fd;
}

static int child_hangs_after_a_cycle(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_SNAPSHOT, empty_snapshot(true));
    pause();
    return 0;
}

static int child_exits_with_words(void)
{
    fprintf(stderr, "slurm: error: no such key\n"
                    "slurm: fatal: giving up\n");
    return 1;
}

static int child_exits_without_words(void)
{
    return 3;
}

static int child_hangs_in_a_request(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_ASK, -1);
    fprintf(stderr, "error: retrying\n");
    pause();
    return 0;
}

static int child_never_begins(void)
{
    pause();
    return 0;
}

static int child_closes_the_channel(void)
{
    close(CHILD_CHANNEL_FD);
    pause();
    return 0;
}

static int child_sends_garbage(void)
{
    if (write(CHILD_CHANNEL_FD, "hello", 5) == 5)
        pause();
    return 0;
}

static int child_sends_out_of_turn(void)
{
    send_to_parent(COLLECTOR_SNAPSHOT, empty_snapshot(true));
    pause();
    return 0;
}

static int child_begins_twice(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_BEGIN, -1);
    pause();
    return 0;
}

static int child_sends_no_descriptor(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_SNAPSHOT, -1);
    pause();
    return 0;
}

static int child_sends_unsealed(void)
{
    int fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(fd, 1 << 20) < 0)
        return 1;
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_SNAPSHOT, fd);
    pause();
    return 0;
}

static int child_sends_short(void)
{
    int fd = memfd_create("short", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (write(fd, "GPWDSNP1", 8) != 8 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return 1;
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_SNAPSHOT, fd);
    pause();
    return 0;
}

static int child_floods_stderr(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    while (fprintf(stderr, "error: the same thing over and over again\n") > 0)
        ;
    return 0;
}

static int child_fails_its_cycle(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    fprintf(stderr, "libslurm: error: no route\nerror: nodes: unreachable\n");
    send_to_parent(COLLECTOR_SNAPSHOT, empty_snapshot(false));
    pause();
    return 0;
}

static int child_sends_and_ends(void)
{
    send_to_parent(COLLECTOR_BEGIN, -1);
    send_to_parent(COLLECTOR_SNAPSHOT, empty_snapshot(true));
    return COLLECTOR_EXIT_RENEW;
}

static int child_kills_itself(void)
{
    return raise(SIGKILL);
}

/* A well-behaved one, of the shared loop, whose controller always answers. */
static int
collect_nothing(void *context, struct collector_cycle *cycle, struct error *err)
{
    void *records;
    (void)context;
    collector_child_ask(cycle, SNAPSHOT_NODES);
    int r = snapshot_builder_begin(cycle->builder, SNAPSHOT_NODES, 0, &records,
                                   err);
    if (r == 0)
        r = snapshot_builder_end(cycle->builder, 0, err);
    snapshot_builder_header(cycle->builder)->complete = 1;
    return r;
}

static int child_collects(void)
{
    struct collector_source source = {.collect = collect_nothing};
    return collector_child_run(&source);
}

static const struct {
    const char *name;
    int (*run)(void);
} children[] = {
    {"exits with words", child_exits_with_words},
    {"exits without words", child_exits_without_words},
    {"hangs in a request", child_hangs_in_a_request},
    {"never begins", child_never_begins},
    {"hangs after a cycle", child_hangs_after_a_cycle},
    {"closes the channel", child_closes_the_channel},
    {"sends garbage", child_sends_garbage},
    {"sends out of turn", child_sends_out_of_turn},
    {"begins twice", child_begins_twice},
    {"sends no descriptor", child_sends_no_descriptor},
    {"sends unsealed", child_sends_unsealed},
    {"sends short", child_sends_short},
    {"floods stderr", child_floods_stderr},
    {"fails its cycle", child_fails_its_cycle},
    {"sends and ends", child_sends_and_ends},
    {"kills itself", child_kills_itself},
    {"collects", child_collects},
};

static int run_child(const char *name)
{
    if (!child_follow_parent())
        return 0;
    for (size_t i = 0; i < array_size(children); i++)
        if (strcmp(children[i].name, name) == 0)
            return children[i].run();
    return 100;
}

/* ---- the parent -----------------------------------------------------------
 */

struct world {
    struct loop *loop;
    struct loop_source *timeout;
    struct collector *collector;
    struct collector_settings settings;
    const char *arguments[4];
    /* Stop when this many arrived. */
    uint64_t snapshots_wanted, ends_wanted;
    uint64_t last_sequence;
    bool in_time;
};

static uint64_t count_ends(const struct collector_status *status)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COLLECTOR_END_COUNT; i++)
        sum += status->ends[i];
    return sum;
}

static void look(struct world *w)
{
    const struct collector_status *status = collector_status(w->collector);
    if (status->snapshots >= w->snapshots_wanted &&
        count_ends(status) >= w->ends_wanted) {
        w->in_time = true;
        loop_stop(w->loop, 0);
    }
}

static void take_snapshot(void *context, struct mapped_snapshot *snapshot)
{
    struct world *w = context;
    w->last_sequence = snapshot->snapshot.header->sequence;
    look(w);
}

static void take_change(void *context)
{
    look(context);
}

static void give_up(void *context, uint32_t events)
{
    const struct world *w = context;
    (void)events;
    loop_stop(w->loop, 0);
}

static void start(struct world *w, const char *child)
{
    struct error err;
    *w = (struct world){.arguments = {"test-collector", "child", child}};
    w->settings = (struct collector_settings){.arguments = w->arguments,
                                              .interval_ns = 20 * NS_PER_MS,
                                              .deadline_ns = 300 * NS_PER_MS,
                                              .parts = 1U << SNAPSHOT_NODES};
    assert_int_equal(loop_new(&w->loop, &err), 0);
    assert_int_equal(loop_add_timer(w->loop, give_up, w, &w->timeout, &err), 0);
    assert_int_equal(collector_new(w->loop, &w->settings, take_snapshot,
                                   take_change, w, &w->collector, &err),
                     0);
}

/* Run until so much has happened, or for SECONDS. */
static const struct collector_status *
run(struct world *w, uint64_t snapshots, uint64_t ends, int seconds)
{
    w->snapshots_wanted = snapshots;
    w->ends_wanted = ends;
    w->in_time = false;
    loop_timer_set(w->timeout, clock_monotonic_ns() + seconds * NS_PER_S);
    loop_run(w->loop);
    return collector_status(w->collector);
}

static void finish(struct world *w)
{
    collector_free(w->collector);
    loop_source_free(w->timeout);
    loop_free(w->loop);
}

/* ---- tests ----------------------------------------------------------------
 */

static const struct {
    const char *child;
    enum collector_end end;
    const char *reason;
} fates[] = {
    {"exits with words", COLLECTOR_END_EXITED, "giving up (no such key)"},
    {"exits without words", COLLECTOR_END_EXITED,
     "the collector exited with status 3"},
    {"kills itself", COLLECTOR_END_KILLED,
     "the collector was ended by signal 9 (Killed)"},
    {"hangs in a request", COLLECTOR_END_DEADLINE,
     "jobs: no answer within 0.3 s (retrying)"},
    {"never begins", COLLECTOR_END_DEADLINE,
     "the collector began no cycle within 0.3 s"},
    {"hangs after a cycle", COLLECTOR_END_DEADLINE,
     "the collector began no cycle within 0.3 s"},
    {"closes the channel", COLLECTOR_END_DEADLINE,
     "the collector began no cycle within 0.3 s"},
    {"floods stderr", COLLECTOR_END_DEADLINE,
     "the cycle did not end within 0.3 s (the same thing over and over "
     "again)"},
    {"sends garbage", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: collector's channel: not a message"},
    {"sends out of turn", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: message 5 out of turn"},
    {"begins twice", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: message 3 out of turn"},
    {"sends no descriptor", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: message 5 out of turn"},
    {"sends unsealed", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: snapshot: not sealed"},
    {"sends short", COLLECTOR_END_NONSENSE,
     "the collector sent nonsense: snapshot: this is too short for a "
     "snapshot"},
};

static void test_each_end_is_told_and_followed_by_a_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_size(fates); i++) {
        struct world w;
        print_message("    a child that %s\n", fates[i].child);
        start(&w, fates[i].child);
        const struct collector_status *status = run(&w, 0, 2, 10);
        assert_true(w.in_time);
        assert_int_equal(status->ends[fates[i].end], 2);
        assert_int_equal(count_ends(status), 2);
        assert_string_equal(status->reason, fates[i].reason);
        assert_false(status->running);
        assert_int_equal(status->cycle_began_ns, 0);
        finish(&w);
    }
}

static void test_a_good_child_is_left_alone(void **state)
{
    struct world w;
    (void)state;
    start(&w, "collects");
    const struct collector_status *status = run(&w, 10, 0, 10);
    assert_true(w.in_time);
    assert_int_equal(count_ends(status), 0);
    assert_true(status->running);
    assert_string_equal(status->reason, "");
    assert_true(status->cpu_seconds > 0);
    assert_int_equal(status->requests[SNAPSHOT_NODES][SNAPSHOT_FRESH], 10);
    assert_int_equal(status->requests[SNAPSHOT_JOBS][SNAPSHOT_NOT_DUE], 10);
    assert_int_equal(w.last_sequence, 10);
    finish(&w);
}

static void test_a_failed_cycle_is_told_and_published(void **state)
{
    struct world w;
    (void)state;
    start(&w, "fails its cycle");
    const struct collector_status *status = run(&w, 1, 0, 10);
    assert_true(w.in_time);
    assert_true(status->running);
    assert_string_equal(status->reason, "nodes: unreachable (no route)");
    finish(&w);
}

static void test_the_last_words_of_an_ended_child_are_heard(void **state)
{
    struct world w;
    (void)state;
    start(&w, "sends and ends");
    const struct collector_status *status = run(&w, 0, 3, 10);
    assert_true(w.in_time);
    assert_int_equal(status->snapshots, 3);
    /* Asking to be renewed is no failure. */
    assert_string_equal(status->reason, "");
    assert_int_equal(status->ends[COLLECTOR_END_RENEWED], 3);
    assert_int_equal(status->last_end, COLLECTOR_END_RENEWED);
    finish(&w);
}

static void test_starts_come_later_and_later(void **state)
{
    struct world w;
    (void)state;
    start(&w, "exits without words");
    /* At 0, at once, then after 0.1, 0.2, 0.4 s: five within a second, and
     * four on a machine so busy that each takes 0.1 s. */
    const struct collector_status *status = run(&w, 0, 1000, 1);
    assert_in_range(count_ends(status), 4, 5);
    finish(&w);
}

static void kill_child_of(const struct world *w)
{
    /* Its number is nobody's business but the kernel's. */
    char path[64];
    int pid = 0;
    (void)w;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void test_the_next_child_goes_on_where_one_was_killed(void **state)
{
    struct world w;
    (void)state;
    start(&w, "collects");
    run(&w, 5, 0, 10);
    int64_t killed = clock_monotonic_ns();
    kill_child_of(&w);
    const struct collector_status *status = run(&w, 6, 1, 10);
    assert_true(w.in_time);
    assert_int_equal(status->ends[COLLECTOR_END_KILLED], 1);
    /* The first start after a working child has no delay. */
    assert_true(clock_monotonic_ns() - killed < 100 * NS_PER_MS);
    assert_string_equal(status->reason, "");
    /* It was given the last snapshot. */
    assert_int_equal(w.last_sequence, status->snapshots);
    finish(&w);
}

static void test_hurry_begins_a_cycle(void **state)
{
    struct world w;
    struct error err;
    (void)state;
    start(&w, "collects");
    w.settings.interval_ns = 3600 * NS_PER_S;
    assert_int_equal(collector_reconfigure(w.collector, &w.settings, &err), 0);
    run(&w, 1, 0, 10);
    run(&w, 100, 0, 1); /* until it waits for the hour */
    uint64_t before = collector_status(w.collector)->snapshots;
    collector_hurry(w.collector);
    const struct collector_status *status = run(&w, before + 1, 0, 10);
    assert_true(w.in_time);
    assert_int_equal(status->snapshots, before + 1);
    finish(&w);
}

static void test_nothing_is_left_behind(void **state)
{
    struct world w;
    int before = dup(0);
    close(before);
    (void)state;
    start(&w, "collects");
    run(&w, 3, 0, 10);
    kill_child_of(&w);
    run(&w, 6, 1, 10);
    finish(&w);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after); /* the lowest free descriptor */
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "child") == 0)
        return run_child(argv[2]);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_end_is_told_and_followed_by_a_start),
        cmocka_unit_test(test_a_good_child_is_left_alone),
        cmocka_unit_test(test_a_failed_cycle_is_told_and_published),
        cmocka_unit_test(test_the_last_words_of_an_ended_child_are_heard),
        cmocka_unit_test(test_starts_come_later_and_later),
        cmocka_unit_test(test_the_next_child_goes_on_where_one_was_killed),
        cmocka_unit_test(test_hurry_begins_a_cycle),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
