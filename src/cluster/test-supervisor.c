/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services are small shells that write what they do into one file.
 */
#include "cluster/supervisor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/test.h"

struct world {
    struct loop *loop;
    struct process_table *table;
    struct supervisor *supervisor;
    struct loop_source *limit;
    struct loop_source *poll;
    bool (*until)(struct world *world); /* run_until()'s */
    unsigned int changes;
    bool stopped;
    char diary[64]; /* path of the file */
    char text[4096];
};

static struct world
    *the_world; /* for prepare() and ready(), which tests share */

static void on_limit(void *context, uint32_t events)
{
    struct world *world = context;
    (void)events;
    loop_stop(world->loop, 1);
}

static void on_poll(void *context, uint32_t events)
{
    struct world *world = context;
    (void)events;
    if (world->until && world->until(world))
        loop_stop(world->loop, 0);
    loop_timer_set(world->poll, clock_monotonic_ns() + 5 * NS_PER_MS);
}

static void note_change(void *context)
{
    ((struct world *)context)->changes++;
}

static void note_stopped(void *context)
{
    ((struct world *)context)->stopped = true;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world || loop_new(&world->loop, NULL) < 0 ||
        process_table_new(world->loop, false, &world->table, NULL) < 0 ||
        loop_add_timer(world->loop, on_limit, world, &world->limit, NULL) < 0 ||
        loop_add_timer(world->loop, on_poll, world, &world->poll, NULL) < 0)
        return -1;
    strcpy(world->diary, "/tmp/test-supervisor-XXXXXX");
    close(mkstemp(world->diary));
    setenv("DIARY", world->diary, 1);
    *state = the_world = world;
    return 0;
}

/* Dispatch until UNTIL or for TIME_MS; was it met? */
static bool
run_until(struct world *world, bool (*until)(struct world *), int time_ms)
{
    world->until = until;
    loop_timer_set(world->poll, 1);
    loop_timer_set(world->limit, clock_monotonic_ns() + time_ms * NS_PER_MS);
    return loop_run(world->loop) == 0;
}

static bool never(struct world *world)
{
    (void)world;
    return false;
}

static bool has_stopped(struct world *world)
{
    return world->stopped;
}

static bool all_ready(struct world *world)
{
    return supervisor_all_ready(world->supervisor);
}

static void stop_all(struct world *world)
{
    world->stopped = false;
    supervisor_stop(world->supervisor, note_stopped);
    assert_true(run_until(world, has_stopped, 10000));
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->supervisor)
        stop_all(world);
    supervisor_free(world->supervisor);
    loop_source_free(world->limit);
    loop_source_free(world->poll);
    process_table_free(world->table);
    loop_free(world->loop);
    unlink(world->diary);
    free(world);
    return 0;
}

static const char *diary(struct world *world)
{
    int fd = open(world->diary, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, world->text, sizeof(world->text) - 1);
    close(fd);
    world->text[size > 0 ? size : 0] = '\0';
    for (char *c = world->text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return world->text;
}

static void
start(struct world *world, const struct service_spec *specs, size_t count)
{
    struct error err = {""};
    if (supervisor_new(world->loop, world->table, specs, count, note_change,
                       world, &world->supervisor, &err) < 0)
        fail_msg("%s", err.text);
    supervisor_start(world->supervisor);
}

static struct service_status status(struct world *world, size_t index)
{
    struct service_status result;
    supervisor_status(world->supervisor, index, &result);
    return result;
}

/* CONTEXT is the script. */
static const char *const *shell(void *context)
{
    static const char *arguments[] = {"sh", "-c", NULL, NULL};
    arguments[2] = context;
    return arguments;
}

/* A script that notes its start and stop under NAME; FIRST comes before. */
#define DAEMON_AFTER(name, first)                                              \
    "trap 'echo -" name " >>$DIARY; exit' TERM; " first "; echo +" name        \
    " >>$DIARY; while :; do sleep 0.02; done"
#define DAEMON(name) DAEMON_AFTER(name, ":")

static char script_a[] = DAEMON_AFTER("a", "sleep 0.1");
static char script_b[] = DAEMON_AFTER("b", "sleep 0.1");
static char script_c[] = DAEMON_AFTER("c", "sleep 0.1");
static char script_end[] = "echo begun >>$DIARY; echo 'fatal: no key'; exit 1";
static char script_graded[] =
    "printf '%s\\n' '<5>key is new' '<7>of no interest' '<3>no key' '<key>' "
    "'x: error: key'; exit 1";
static char script_deaf[] = "trap '' TERM; echo +deaf >>$DIARY; "
                            "while :; do sleep 0.02; done";
static char script_chatty[] = "i=0; while [ $i -lt 30 ]; do i=$((i + 1)); "
                              "echo line $i; done; " DAEMON("chatty");

/* Is the last that SERVICE (a letter) noted its start? */
static bool is_up(char service)
{
    const char *last = strrchr(diary(the_world), service);
    return last && last > the_world->text && last[-1] == '+';
}

static bool ready_a(void *context)
{
    (void)context;
    return is_up('a');
}

static bool ready_b(void *context)
{
    (void)context;
    return is_up('b');
}

static bool ready_c(void *context)
{
    (void)context;
    return is_up('c');
}

static bool ready_never(void *context)
{
    (void)context;
    return false;
}

static const struct service_spec chain[] = {
    {.name = "a", .command = shell, .context = script_a, .ready = ready_a},
    {.name = "b",
     .command = shell,
     .context = script_b,
     .ready = ready_b,
     .needs = {"a"}},
    {.name = "c",
     .command = shell,
     .context = script_c,
     .ready = ready_c,
     .needs = {"b", "a"}},
};

static void start_chain(struct world *world)
{
    start(world, chain, array_size(chain));
    assert_true(run_until(world, all_ready, 10000));
    assert_string_equal(diary(world), "+a +b +c ");
}

static void test_starts_in_order_and_stops_in_reverse(void **state)
{
    struct world *world = *state;
    start_chain(world);
    assert_true(world->changes >= 3);
    assert_int_equal(status(world, 1).state, SERVICE_READY);
    assert_true(status(world, 1).pid > 0);
    stop_all(world);
    assert_string_equal(diary(world), "+a +b +c -c -b -a ");
    assert_int_equal(status(world, 0).state, SERVICE_STOPPED);
    assert_int_equal(status(world, 0).pid, 0);
    assert_int_equal(status(world, 0).restarts, 0);
}

static void test_begins_again_after_a_stop(void **state)
{
    struct world *world = *state;
    start(world, chain, 1);
    assert_true(run_until(world, all_ready, 10000));
    stop_all(world);
    supervisor_start(world->supervisor);
    assert_true(run_until(world, all_ready, 10000));
    assert_int_equal(status(world, 0).state, SERVICE_READY);
}

static void test_unknown_or_later_need_is_refused(void **state)
{
    struct world *world = *state;
    struct error err = {""};
    struct supervisor *supervisor = NULL;
    struct service_spec specs[] = {chain[1], chain[0]};
    assert_int_equal(supervisor_new(world->loop, world->table, specs, 2, NULL,
                                    NULL, &supervisor, &err),
                     -EINVAL);
    assert_string_equal(err.text,
                        "service b needs a, which does not come before");
    assert_null(supervisor);
}

static void test_failing_service_backs_off_and_tells_why(void **state)
{
    struct world *world = *state;
    const struct service_spec specs[] = {
        {.name = "end", .command = shell, .context = script_end},
        chain[0],
    };
    start(world, specs, 2);
    run_until(world, never, 1200);
    /* At 0, 0.2, 0.6 s; then at 1.4. */
    assert_string_equal(diary(world), "begun +a begun begun ");
    assert_int_equal(status(world, 0).restarts, 3);
    assert_int_equal(status(world, 0).state, SERVICE_BACKOFF);
    assert_true(status(world, 0).due_ns > clock_monotonic_ns());
    assert_string_equal(status(world, 0).reason,
                        "ended with code 1: fatal: no key");
    assert_int_equal(status(world, 1).state, SERVICE_READY);
    assert_false(supervisor_all_ready(world->supervisor));
}

static int prepare_badly(void *context, struct error *err)
{
    (void)context;
    return error_set(err, EADDRINUSE, "port 6817 is in use");
}

static void test_bad_preparation_and_missing_program_are_failures(void **state)
{
    struct world *world = *state;
    char missing[] = "unused";
    const struct service_spec specs[] = {
        {.name = "port",
         .command = shell,
         .context = script_a,
         .prepare = prepare_badly},
        {.name = "user",
         .command = shell,
         .context = missing,
         .user = "nobody-of-this-name"},
        {.name = "late",
         .command = shell,
         .context = script_b,
         .needs = {"port"}},
    };
    start(world, specs, 3);
    run_until(world, never, 100);
    assert_string_equal(status(world, 0).reason, "port 6817 is in use");
    assert_non_null(strstr(status(world, 1).reason, "nobody-of-this-name"));
    assert_int_equal(status(world, 2).state, SERVICE_WAITING);
    assert_string_equal(diary(world), "");
}

static bool a_is_back(struct world *world)
{
    return status(world, 0).restarts == 1 && all_ready(world);
}

static void test_killed_service_comes_back_alone(void **state)
{
    struct world *world = *state;
    start_chain(world);
    pid_t b = status(world, 1).pid;
    kill(status(world, 0).pid, SIGKILL);
    assert_true(run_until(world, a_is_back, 5000));
    assert_string_equal(status(world, 0).reason, "was killed by SIGKILL");
    assert_int_equal(status(world, 1).pid, b);
}

static void test_last_lines_are_remembered(void **state)
{
    struct world *world = *state;
    const struct service_spec spec = {
        .name = "chatty", .command = shell, .context = script_chatty};
    start(world, &spec, 1);
    run_until(world, never, 300);
    struct service_status now = status(world, 0);
    assert_string_equal(now.lines[0], "line 11");
    assert_string_equal(now.lines[SERVICE_LINES_MAX - 1], "line 30");
}

static void test_severity_of_a_line_is_its_own(void **state)
{
    struct world *world = *state;
    const struct service_spec spec = {
        .name = "graded", .command = shell, .context = script_graded};
    char logged[512];
    int stderr_before = dup(STDERR_FILENO);
    int log = memfd_create("log", MFD_CLOEXEC);
    dup2(log, STDERR_FILENO);
    log_init("test", LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
    start(world, &spec, 1);
    run_until(world, never, 150);
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    log_init("test-supervisor", LOG_FORMAT_AUTO, LOG_LEVEL_ERROR);
    ssize_t size = pread(log, logged, sizeof(logged) - 1, 0);
    close(log);
    assert_true(size > 0);
    logged[size] = '\0';
    assert_non_null(strstr(logged, "<5>test: graded: key is new\n"
                                   "<3>test: graded: no key\n"
                                   "<6>test: graded: <key>\n"
                                   "<4>test: graded: x: error: key\n"));
    assert_null(strstr(logged, "of no interest"));
    assert_string_equal(status(world, 0).lines[0], "key is new");
    assert_string_equal(status(world, 0).reason,
                        "ended with code 1: x: error: key");
}

static void test_deaf_service_is_killed_in_the_end(void **state)
{
    struct world *world = *state;
    const struct service_spec spec = {.name = "deaf",
                                      .command = shell,
                                      .context = script_deaf,
                                      .stop_timeout_ns = 200 * NS_PER_MS};
    start(world, &spec, 1);
    run_until(world, never, 200);
    int64_t begun_ns = clock_monotonic_ns();
    stop_all(world);
    int64_t took_ns = clock_monotonic_ns() - begun_ns;
    assert_true(took_ns >= 200 * NS_PER_MS && took_ns < 5 * NS_PER_S);
    assert_int_equal(status(world, 0).restarts, 0);
}

static void test_service_that_never_gets_ready_is_a_failure(void **state)
{
    struct world *world = *state;
    const struct service_spec spec = {.name = "slow",
                                      .command = shell,
                                      .context = script_a,
                                      .ready = ready_never,
                                      .start_timeout_ns = 300 * NS_PER_MS};
    start(world, &spec, 1);
    run_until(world, never, 400);
    assert_int_equal(status(world, 0).state, SERVICE_BACKOFF);
    assert_int_equal(status(world, 0).restarts, 1);
    assert_string_equal(status(world, 0).reason, "was not ready in time");
}

static void test_restart_takes_dependents_when_asked(void **state)
{
    struct world *world = *state;
    start_chain(world);
    pid_t c = status(world, 2).pid;
    supervisor_restart(world->supervisor, "a", false);
    run_until(world, never, 50);
    assert_true(run_until(world, all_ready, 5000));
    assert_int_equal(status(world, 2).pid, c);
    supervisor_restart(world->supervisor, "b", true);
    assert_false(supervisor_all_ready(world->supervisor));
    assert_true(run_until(world, all_ready, 5000));
    run_until(world, never, 200);
    assert_string_equal(diary(world), "+a +b +c -a +a -c -b +b +c ");
    assert_int_equal(status(world, 0).restarts, 0);
}

static void test_restart_ends_a_long_back_off(void **state)
{
    struct world *world = *state;
    const struct service_spec spec = {
        .name = "end", .command = shell, .context = script_end};
    start(world, &spec, 1);
    run_until(world, never, 800); /* three times; the next at 1.4 s */
    assert_string_equal(diary(world), "begun begun begun ");
    supervisor_restart(world->supervisor, "end", false);
    run_until(world, never, 100);
    assert_string_equal(diary(world), "begun begun begun begun ");
}

static void test_unwanted_service_is_off_and_others_go_on(void **state)
{
    struct world *world = *state;
    start_chain(world);
    supervisor_set_wanted(world->supervisor, "b", false);
    run_until(world, never, 300);
    assert_string_equal(diary(world), "+a +b +c -b ");
    assert_int_equal(status(world, 1).state, SERVICE_STOPPED);
    assert_true(supervisor_all_ready(world->supervisor));
    supervisor_set_wanted(world->supervisor, "b", true);
    assert_false(supervisor_all_ready(world->supervisor));
    run_until(world, never, 300);
    assert_string_equal(diary(world), "+a +b +c -b +b ");
}

static void test_stop_while_starting(void **state)
{
    struct world *world = *state;
    start(world, chain, array_size(chain));
    run_until(world, never, 30);
    assert_int_equal(status(world, 0).state, SERVICE_STARTING);
    stop_all(world);
    assert_null(strstr(diary(world), "+b"));
}

#define supervisor_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        supervisor_test(test_starts_in_order_and_stops_in_reverse),
        supervisor_test(test_begins_again_after_a_stop),
        supervisor_test(test_unknown_or_later_need_is_refused),
        supervisor_test(test_failing_service_backs_off_and_tells_why),
        supervisor_test(test_bad_preparation_and_missing_program_are_failures),
        supervisor_test(test_killed_service_comes_back_alone),
        supervisor_test(test_last_lines_are_remembered),
        supervisor_test(test_severity_of_a_line_is_its_own),
        supervisor_test(test_deaf_service_is_killed_in_the_end),
        supervisor_test(test_service_that_never_gets_ready_is_a_failure),
        supervisor_test(test_restart_takes_dependents_when_asked),
        supervisor_test(test_restart_ends_a_long_back_off),
        supervisor_test(test_unwanted_service_is_off_and_others_go_on),
        supervisor_test(test_stop_while_starting),
    };
    log_init("test-supervisor", LOG_FORMAT_AUTO, LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
