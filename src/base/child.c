/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and ending the child. posix_spawn does the fork; the descriptors
 * are laid out by its file actions. Everything else of ours is close-on-exec.
 */
#include "base/child.h"

#include "base/cleanup.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

/* Children that child_reap() has not told yet. A process has one set of
 * children, so this is one list: base/process.c, which reaps them all, finds
 * ours here and leaves the status (child_take_status). */
struct record {
    struct record *next;
    pid_t pid;
    int status;
    bool ended;
};

static struct record *records;

/* Signals as a fresh program expects them: the parent blocks some for its
 * event loop, and ignores SIGPIPE. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &all);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
    return r;
}

static int spawn(pid_t *ret_pid,
                 const char *program,
                 const char *const arguments[],
                 int stderr_fd,
                 int channel_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return r;
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return r;
    }
    r = set_signals(&attributes);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                             "/dev/null", O_RDONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, stderr_fd,
                                             STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
                                             STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, channel_fd,
                                             CHILD_CHANNEL_FD);
    if (r == 0)
        r = posix_spawn(ret_pid, program ? program : "/proc/self/exe", &actions,
                        &attributes,
                        /* which it promises not to write to */
                        (char *const *)(uintptr_t)arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* A descriptor above those that the child's layout uses, so that no dup2
 * overwrites another's source; takes FD over. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_CHANNEL_FD + 1);
    close(fd);
    return moved;
}

/* The place that holds, or would hold, the record of PID. */
static struct record **record_find(pid_t pid)
{
    struct record **place = &records;
    while (*place && (*place)->pid != pid)
        place = &(*place)->next;
    return place;
}

bool child_take_status(pid_t pid, int status)
{
    struct record *record = *record_find(pid);
    if (!record)
        return false;
    record->status = status;
    record->ended = true;
    return true;
}

int child_spawn(struct child *child,
                const char *program,
                const char *const arguments[],
                struct error *err)
{
    assert(child->pid == 0);

    int pair[2], pipe_fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, errno, "starting a child: socket");
    _cleanup_(close_fd) int ours = pair[0];
    _cleanup_(close_fd) int theirs = move_up(pair[1]);
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return error_errno(err, errno, "starting a child: pipe");
    _cleanup_(close_fd) int stderr_ours = pipe_fds[0];
    _cleanup_(close_fd) int stderr_theirs = move_up(pipe_fds[1]);
    if (theirs < 0 || stderr_theirs < 0 ||
        fcntl(ours, F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(stderr_ours, F_SETFL, O_NONBLOCK) < 0)
        return error_errno(err, errno, "starting a child: descriptors");

    _cleanup_(free_ptr) struct record *record = calloc(1, sizeof(*record));
    if (!record)
        return error_errno(err, ENOMEM, "starting a child");

    pid_t pid;
    int r = spawn(&pid, program, arguments, stderr_theirs, theirs);
    if (r != 0)
        return error_errno(err, r, "starting a child");
    int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0) {
        r = errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return error_errno(err, r, "starting a child: pidfd");
    }
    record->pid = pid;
    record->next = records;
    records = take_ptr(record);
    *child = (struct child){.pid = pid,
                            .pid_fd = pid_fd,
                            .channel_fd = take_fd(ours),
                            .stderr_fd = take_fd(stderr_ours)};
    return 0;
}

void child_arguments_free(const char **arguments)
{
    for (size_t i = 0; arguments && arguments[i]; i++)
        free((void *)(uintptr_t)arguments[i]);
    free(arguments);
}

const char **child_arguments_copy(const char *const arguments[])
{
    size_t count = 0;
    while (arguments[count])
        count++;
    const char **copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(arguments[i]);
        if (!copy[i]) {
            child_arguments_free(copy);
            return NULL;
        }
    }
    return copy;
}

static void close_all(struct child *child)
{
    close_fd(&child->pid_fd);
    close_fd(&child->channel_fd);
    close_fd(&child->stderr_fd);
    *child = (struct child)CHILD_INIT;
}

bool child_reap(struct child *child, int *ret_status)
{
    if (child->pid == 0)
        return false;
    struct record **place = record_find(child->pid), *record = *place;
    if (record && record->ended) {
        *ret_status = record->status;
    } else {
        pid_t pid = waitpid(child->pid, ret_status, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            *ret_status = 0;
        else if (pid != child->pid)
            return false;
    }
    if (record) {
        *place = record->next;
        free(record);
    }
    child->pid = 0;
    return true;
}

void child_deinit(struct child *child)
{
    int status;
    /* Reaped by another already, its number may be somebody else's by now. */
    if (child->pid > 0 && !child_reap(child, &status)) {
        kill(child->pid, SIGKILL);
        for (int tries = 0; tries < 100 && !child_reap(child, &status); tries++)
            usleep(1000);
    }
    close_all(child);
}

bool child_follow_parent(void)
{
    pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return false;
    return getppid() == parent;
}
