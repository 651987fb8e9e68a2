/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/process.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/test.h"

struct world {
    struct loop *loop;
    struct process_table *table;
    struct loop_source *limit;
    struct text lines; /* that were told, with a bar behind each */
    unsigned int running;
    int status;
};

static void on_limit(void *context, uint32_t events)
{
    struct world *world = context;
    (void)events;
    loop_stop(world->loop, 1);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world || loop_new(&world->loop, NULL) < 0 ||
        process_table_new(world->loop, true, &world->table, NULL) < 0 ||
        loop_add_timer(world->loop, on_limit, world, &world->limit, NULL) < 0)
        return -1;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    process_table_free(world->table);
    loop_source_free(world->limit);
    loop_free(world->loop);
    text_deinit(&world->lines);
    free(world);
    return 0;
}

static void note_line(void *context, const char *line)
{
    struct world *world = context;
    text_addf(&world->lines, "%s|", line);
}

static void note_end(void *context, struct process *process, int status)
{
    struct world *world = context;
    world->status = status;
    assert_int_equal(process_pid(process), 0);
    process_free(process);
    if (--world->running == 0)
        loop_stop(world->loop, 0);
}

static struct process *start(struct world *world, struct process_spec spec)
{
    struct process *process = NULL;
    struct error err = {""};
    spec.ended = note_end;
    spec.context = world;
    if (process_start(world->table, &spec, &process, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(process_pid(process) > 0);
    world->running++;
    return process;
}

static const char *const *shell(const char *script)
{
    static const char *arguments[] = {"sh", "-c", NULL, NULL};
    arguments[2] = script;
    return arguments;
}

/* Dispatch for TIME_MS or until all have ended. */
static int run_for(struct world *world, int time_ms)
{
    loop_timer_set(world->limit, clock_monotonic_ns() + time_ms * NS_PER_MS);
    return loop_run(world->loop);
}

static void run(struct world *world)
{
    assert_int_equal(run_for(world, 20000), 0);
}

static const char *status_text(int status)
{
    static char text[64];
    process_status_text(status, text, sizeof(text));
    return text;
}

static void test_lines_come_before_the_end(void **state)
{
    struct world *world = *state;
    start(world, (struct process_spec){
                     .arguments = shell("echo one; echo two >&2; printf last;"
                                        "exit 3"),
                     .line = note_line});
    run(world);
    assert_string_equal(text_str(&world->lines), "one|two|last|");
    assert_string_equal(status_text(world->status), "ended with code 3");
}

static void test_output_in_pieces_becomes_lines(void **state)
{
    struct world *world = *state;
    start(world, (struct process_spec){
                     .arguments = shell("printf a; sleep 0.05; printf 'b\\nc';"
                                        "sleep 0.05; echo d; echo"),
                     .line = note_line});
    run(world);
    assert_string_equal(text_str(&world->lines), "ab|cd||");
}

static void test_long_line_comes_in_pieces(void **state)
{
    struct world *world = *state;
    start(world,
          (struct process_spec){
              .arguments = shell("head -c 300000 /dev/zero | tr '\\0' x; echo"),
              .line = note_line});
    run(world);
    size_t letters = 0, pieces = 0;
    for (size_t i = 0; i < world->lines.size; i++)
        *(world->lines.data[i] == 'x' ? &letters : &pieces) += 1;
    assert_int_equal(letters, 300000);
    assert_true(pieces > 250 && pieces < 400);
}

static void test_input_is_given_whole(void **state)
{
    struct world *world = *state;
    start(world, (struct process_spec){.arguments = shell("cat"),
                                       .input = "hello\nthere\n",
                                       .line = note_line});
    run(world);
    assert_string_equal(text_str(&world->lines), "hello|there|");
}

static void test_environment_is_as_told(void **state)
{
    struct world *world = *state;
    const char *const environment[] = {"COLOUR=blue", NULL};
    const char *const arguments[] = {"env", NULL};
    start(world, (struct process_spec){.arguments = arguments,
                                       .environment = environment,
                                       .line = note_line});
    run(world);
    assert_string_equal(text_str(&world->lines), "COLOUR=blue|");
}

static void test_failed_start_tells_why(void **state)
{
    struct world *world = *state;
    struct process *process = NULL;
    struct error err = {""};
    const char *const missing[] = {"no-such-program-here", NULL};
    const char *const folder[] = {"/", NULL};
    struct process_spec spec = {.arguments = missing};
    assert_int_equal(process_start(world->table, &spec, &process, &err),
                     -ENOENT);
    assert_string_equal(err.text, "there is no program 'no-such-program-here'");
    spec.arguments = folder;
    assert_int_equal(process_start(world->table, &spec, &process, &err),
                     -EACCES);
    assert_string_equal(err.text, "/ cannot be started: Permission denied");
    spec.arguments = shell("true");
    spec.user = "nobody-of-this-name";
    assert_int_equal(process_start(world->table, &spec, &process, &err),
                     -ESRCH);
    assert_non_null(strstr(err.text, "nobody-of-this-name"));
    assert_null(process);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_user_is_changed_with_its_groups(void **state)
{
    struct world *world = *state;
    struct process_spec spec = {.arguments = shell("id -un; id -Gn"),
                                .user = "nobody",
                                .line = note_line};
    if (geteuid() != 0) {
        struct process *process = NULL;
        struct error err = {""};
        assert_int_equal(process_start(world->table, &spec, &process, &err),
                         -EPERM);
        assert_non_null(strstr(err.text, "as user 'nobody'"));
        return;
    }
    start(world, spec);
    run(world);
    assert_string_equal(text_str(&world->lines), "nobody|nogroup|");
}

static void test_deadline_ends_it_and_its_children(void **state)
{
    struct world *world = *state;
    int64_t begun_ns = clock_monotonic_ns();
    start(world,
          (struct process_spec){.arguments = shell("sleep 60; echo late"),
                                .line = note_line,
                                .deadline_ns = begun_ns + 100 * NS_PER_MS});
    run(world);
    assert_string_equal(status_text(world->status), "was killed by SIGKILL");
    assert_true(clock_monotonic_ns() - begun_ns < 5 * NS_PER_S);
    assert_int_equal(world->lines.size, 0);
}

static void test_thousand_quick_children_are_all_reaped(void **state)
{
    struct world *world = *state;
    const char *const arguments[] = {"true", NULL};
    for (int i = 0; i < 1000; i++)
        start(world, (struct process_spec){.arguments = arguments});
    run(world);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The shell ends at once; what it leaves behind falls to us, the subreaper. */
static void test_orphans_are_reaped(void **state)
{
    struct world *world = *state;
    start(world, (struct process_spec){.arguments =
                                           shell("sleep 0.1 & sleep 0.2 & :")});
    run(world);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* there are some */
    run_for(world, 600);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* A closed pipe would end the grandchild before it has made the file. */
static void test_forgotten_output_hurts_nobody(void **state)
{
    struct world *world = *state;
    char path[] = "/tmp/test-process-XXXXXX", script[256];
    close(mkstemp(path));
    unlink(path);
    snprintf(
        script, sizeof(script),
        "(sleep 0.1; for i in 1 2 3; do echo $i; done; touch %s) & :", path);
    start(world,
          (struct process_spec){.arguments = shell(script), .line = note_line});
    run(world);
    run_for(world, 600);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    assert_int_equal(world->lines.size, 0);
}

static void test_freed_process_goes_on_and_is_reaped(void **state)
{
    struct world *world = *state;
    struct process *process = start(
        world, (struct process_spec){.arguments = shell("sleep 0.1; echo x"),
                                     .line = note_line});
    assert_null(process_free(process));
    run_for(world, 500);
    assert_int_equal(world->running, 1); /* nobody told us */
    assert_int_equal(world->lines.size, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A parent of its own dies. */
static void test_death_of_parent_is_told(void **state)
{
    struct world *world = *state;
    int pids[2];
    assert_int_equal(pipe(pids), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct process *process = NULL;
        struct process_spec spec = {.arguments = shell("exec sleep 60"),
                                    .parent_death_signal = SIGTERM};
        if (process_start(world->table, &spec, &process, NULL) < 0)
            _exit(1);
        pid_t pid = process_pid(process);
        _exit(write(pids[1], &pid, sizeof(pid)) < 0);
    }
    pid_t pid = 0;
    assert_int_equal(read(pids[0], &pid, sizeof(pid)), sizeof(pid));
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid); /* an orphan of ours */
    assert_string_equal(status_text(status), "was killed by SIGTERM");
    close(pids[0]);
    close(pids[1]);
}

static char child_flag[] = "--child";

/* The table reaps what is base/child.h's; its owner learns of it all the same.
 */
static void test_child_of_our_own_kind_keeps_its_status(void **state)
{
    struct world *world = *state;
    struct child child = CHILD_INIT;
    const char *const arguments[] = {"test-process", child_flag, NULL};
    assert_int_equal(child_spawn(&child, NULL, arguments, NULL), 0);
    struct pollfd ended = {.fd = child.pid_fd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 5000), 1);
    run_for(world, 50);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    int status = 0;
    assert_true(child_reap(&child, &status));
    assert_string_equal(status_text(status), "ended with code 7");
    child_deinit(&child);
}

#define process_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], child_flag) == 0)
        return 7;
    const struct CMUnitTest tests[] = {
        process_test(test_lines_come_before_the_end),
        process_test(test_output_in_pieces_becomes_lines),
        process_test(test_long_line_comes_in_pieces),
        process_test(test_input_is_given_whole),
        process_test(test_environment_is_as_told),
        process_test(test_failed_start_tells_why),
        process_test(test_user_is_changed_with_its_groups),
        process_test(test_deadline_ends_it_and_its_children),
        process_test(test_thousand_quick_children_are_all_reaped),
        process_test(test_orphans_are_reaped),
        process_test(test_forgotten_output_hurts_nobody),
        process_test(test_freed_process_goes_on_and_is_reaped),
        process_test(test_death_of_parent_is_told),
        process_test(test_child_of_our_own_kind_keeps_its_status),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
