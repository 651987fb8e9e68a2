/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child is this program again: its first argument says what it does.
 */
#include "base/child.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* The open descriptors of this process, as "0 1 2 3", without the one that
 * reads the folder. */
static void list_descriptors(char *ret_text, size_t size)
{
    DIR *folder = opendir("/proc/self/fd");
    bool open_fds[64] = {false};
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd < 64 && fd != dirfd(folder))
            open_fds[fd] = true;
    }
    closedir(folder);
    size_t used = 0;
    ret_text[0] = '\0';
    for (int fd = 0; fd < 64; fd++)
        if (open_fds[fd])
            used += (size_t)snprintf(ret_text + used, size - used, "%s%d",
                                     used ? " " : "", fd);
}

static void child_answer(const char *text)
{
    send(CHILD_CHANNEL_FD, text, strlen(text), MSG_NOSIGNAL);
}

static int be_child(const char *role)
{
    char text[256];
    if (!child_follow_parent())
        return 9;
    if (strcmp(role, "exit") == 0) {
        fprintf(stderr, "fatal: no configuration\n");
        return 7;
    }
    if (strcmp(role, "descriptors") == 0) {
        list_descriptors(text, sizeof(text));
        child_answer(text);
        return 0;
    }
    if (strcmp(role, "signals") == 0) {
        sigset_t mask;
        struct sigaction pipe_action;
        sigprocmask(SIG_BLOCK, NULL, &mask);
        sigaction(SIGPIPE, NULL, &pipe_action);
        snprintf(text, sizeof(text), "%d %d", sigismember(&mask, SIGUSR1),
                 pipe_action.sa_handler == SIG_DFL);
        child_answer(text);
        return 0;
    }
    if (strcmp(role, "echo") == 0) {
        ssize_t size = recv(CHILD_CHANNEL_FD, text, sizeof(text) - 1, 0);
        text[size > 0 ? size : 0] = '\0';
        child_answer(text);
        return 0;
    }
    child_answer("hanging");
    for (;;)
        pause();
}

static char program[] = "test-child";
static char role_flag[] = "--child";

static void spawn(struct child *child, const char *role)
{
    char argument[32];
    snprintf(argument, sizeof(argument), "%s", role);
    const char *const arguments[] = {program, role_flag, argument, NULL};
    struct error err = {""};
    if (child_spawn(child, NULL, arguments, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(child->pid > 0);
}

static bool wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 5000) == 1;
}

static void receive(const struct child *child, char *ret_text, size_t size)
{
    assert_true(wait_readable(child->channel_fd));
    ssize_t got = recv(child->channel_fd, ret_text, size - 1, 0);
    assert_true(got >= 0);
    ret_text[got] = '\0';
}

static int wait_for_end(struct child *child)
{
    int status = -1;
    assert_true(wait_readable(child->pid_fd));
    assert_true(child_reap(child, &status));
    assert_int_equal(child->pid, 0);
    return status;
}

static void test_end_and_last_words_are_seen(void **state)
{
    (void)state;
    _cleanup_(child_deinit) struct child child = CHILD_INIT;
    char text[64] = "";
    spawn(&child, "exit");
    int status = wait_for_end(&child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_true(read(child.stderr_fd, text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "fatal: no configuration\n");
    assert_int_equal(read(child.stderr_fd, text, 1), 0);
}

static void test_nothing_is_inherited_by_accident(void **state)
{
    (void)state;
    _cleanup_(child_deinit) struct child child = CHILD_INIT;
    char text[256];
    /* Low numbers are free, so that the pair and the pipe land on them. */
    int stranger = open("/dev/null", O_RDONLY | O_CLOEXEC);
    spawn(&child, "descriptors");
    receive(&child, text, sizeof(text));
    assert_string_equal(text, "0 1 2 3");
    close(stranger);
}

static void test_signals_are_as_in_a_fresh_program(void **state)
{
    (void)state;
    _cleanup_(child_deinit) struct child child = CHILD_INIT;
    char text[64];
    sigset_t mask, old;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, &old);
    signal(SIGPIPE, SIG_IGN);
    spawn(&child, "signals");
    receive(&child, text, sizeof(text));
    assert_string_equal(text, "0 1");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void test_channel_carries_both_ways(void **state)
{
    (void)state;
    _cleanup_(child_deinit) struct child child = CHILD_INIT;
    char text[64];
    spawn(&child, "echo");
    assert_int_equal(send(child.channel_fd, "hello", 5, MSG_NOSIGNAL), 5);
    receive(&child, text, sizeof(text));
    assert_string_equal(text, "hello");
    assert_true(WIFEXITED(wait_for_end(&child)));
}

static void test_hanging_child_is_killed(void **state)
{
    (void)state;
    struct child child = CHILD_INIT;
    char text[64];
    int status;
    spawn(&child, "hang");
    receive(&child, text, sizeof(text));
    assert_false(child_reap(&child, &status));
    pid_t pid = child.pid;
    child_deinit(&child);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(child.channel_fd, -1);
    child_deinit(&child);
}

/* A parent of its own dies under the child. */
static void test_child_ends_with_its_parent(void **state)
{
    (void)state;
    int pids[2];
    assert_int_equal(pipe(pids), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct child child = CHILD_INIT;
        char hang[] = "hang";
        const char *const arguments[] = {program, role_flag, hang, NULL};
        char text[16];
        if (child_spawn(&child, NULL, arguments, NULL) < 0 ||
            !wait_readable(child.channel_fd) ||
            recv(child.channel_fd, text, sizeof(text), 0) < 0 ||
            write(pids[1], &child.pid, sizeof(child.pid)) < 0)
            _exit(1);
        _exit(0);
    }
    pid_t pid = 0;
    assert_int_equal(read(pids[0], &pid, sizeof(pid)), sizeof(pid));
    waitpid(parent, NULL, 0);
    bool gone = false;
    for (int tries = 0; tries < 500 && !gone; tries++) {
        char path[64], state_letter = 'X';
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        FILE *stat = fopen(path, "r");
        if (stat) {
            if (fscanf(stat, "%*d %*s %c", &state_letter) != 1)
                state_letter = 'X';
            fclose(stat);
        }
        gone = state_letter == 'X' || state_letter == 'Z';
        usleep(10000);
    }
    assert_true(gone);
    close(pids[0]);
    close(pids[1]);
}

int main(int argc, char *argv[])
{
    if (argc == 3 && strcmp(argv[1], role_flag) == 0)
        return be_child(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_and_last_words_are_seen),
        cmocka_unit_test(test_nothing_is_inherited_by_accident),
        cmocka_unit_test(test_signals_are_as_in_a_fresh_program),
        cmocka_unit_test(test_channel_carries_both_ways),
        cmocka_unit_test(test_hanging_child_is_killed),
        cmocka_unit_test(test_child_ends_with_its_parent),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
