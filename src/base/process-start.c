/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork and exec. posix_spawn cannot change the user, so this is done by hand:
 * everything that may allocate or look something up happens before the fork,
 * and what fails after it comes back through a pipe that exec closes.
 */
#include "base/process-start.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

extern char **environ;

enum {
    GROUPS_MAX = 64
};

/* Who the program will be. */
struct person {
    bool changes;
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

/* What the child needs, all of it made ready before the fork. */
struct plan {
    const struct process_spec *spec;
    struct person person;
    int input_fd;
    int output_fd; /* -1: stay with ours */
    int failure_fd;
    pid_t parent;
};

/* What the child says when it cannot become the program. */
struct failure {
    enum {
        FAILED_TO_LAY_OUT,
        FAILED_TO_CHANGE_USER,
        FAILED_TO_EXECUTE
    } what;
    int code; /* errno */
};

static int
person_look_up(struct person *person, const char *name, struct error *err)
{
    *person = (struct person){.changes = false};
    if (!name)
        return 0;
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (!entry && errno && errno != ENOENT)
        return error_errno(err, errno, "user '%s' cannot be looked up", name);
    if (!entry)
        return error_set(err, ESRCH, "there is no user '%s' on this machine",
                         name);
    person->changes = entry->pw_uid != geteuid();
    person->uid = entry->pw_uid;
    person->gid = entry->pw_gid;
    person->group_count = GROUPS_MAX;
    if (getgrouplist(name, entry->pw_gid, person->groups,
                     &person->group_count) < 0)
        person->group_count = GROUPS_MAX; /* the first of them */
    return 0;
}

static int become(const struct person *person)
{
    if (!person->changes)
        return 0;
    if (setgroups((size_t)person->group_count, person->groups) < 0 ||
        setresgid(person->gid, person->gid, person->gid) < 0 ||
        setresuid(person->uid, person->uid, person->uid) < 0)
        return -1;
    return 0;
}

/* Signals as a fresh program expects them. */
static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int lay_out(const struct plan *plan)
{
    if (setsid() < 0 || dup2(plan->input_fd, STDIN_FILENO) < 0)
        return -1;
    if (plan->output_fd >= 0 && (dup2(plan->output_fd, STDOUT_FILENO) < 0 ||
                                 dup2(plan->output_fd, STDERR_FILENO) < 0))
        return -1;
    return 0;
}

/* After the change of user, which takes the setting away again. */
static int follow_parent(const struct plan *plan)
{
    int number = plan->spec->parent_death_signal;
    if (!number)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, number) < 0)
        return -1;
    if (getppid() != plan->parent)
        _exit(127);
    return 0;
}

/* In the child; only calls that are safe between fork and exec. */
_Noreturn static void run(const struct plan *plan)
{
    const struct process_spec *spec = plan->spec;
    struct failure failure = {.what = FAILED_TO_LAY_OUT};
    reset_signals();
    if (lay_out(plan) == 0) {
        failure.what = FAILED_TO_CHANGE_USER;
        if (become(&plan->person) == 0 && follow_parent(plan) == 0) {
            failure.what = FAILED_TO_EXECUTE;
            const char *const *environment = spec->environment
                                                 ? spec->environment
                                                 : (const char *const *)environ;
            /* Which it promises not to write to. */
            execvpe(spec->arguments[0],
                    (char *const *)(uintptr_t)spec->arguments,
                    (char *const *)(uintptr_t)environment);
        }
    }
    failure.code = errno;
    ssize_t n = write(plan->failure_fd, &failure, sizeof(failure));
    (void)n;
    _exit(127);
}

static int failure_tell(const struct failure *failure,
                        const struct process_spec *spec,
                        struct error *err)
{
    const char *program = spec->arguments[0];
    if (failure->what == FAILED_TO_CHANGE_USER)
        return error_errno(err, failure->code,
                           "%s cannot be started as user '%s'", program,
                           spec->user ? spec->user : "");
    if (failure->what == FAILED_TO_EXECUTE && failure->code == ENOENT)
        return error_set(err, ENOENT, "there is no program '%s'", program);
    return error_errno(err, failure->code, "%s cannot be started", program);
}

/* Descriptors that the layout (0, 1, 2) does not overwrite; takes FD over. */
static int move_up(int fd)
{
    if (fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close_fd(&fd);
    return moved;
}

static int pipe_above(int ret_fds[2])
{
    if (pipe2(ret_fds, O_CLOEXEC) < 0)
        return -1;
    ret_fds[0] = move_up(ret_fds[0]);
    ret_fds[1] = move_up(ret_fds[1]);
    return 0;
}

/* A file in memory rather than a pipe: it can be filled whole before anybody
 * reads, and a program that does not read cannot hurt us. */
static int open_input(const char *text)
{
    if (!text)
        return move_up(open("/dev/null", O_RDONLY | O_CLOEXEC));
    int fd = move_up(memfd_create("input", MFD_CLOEXEC));
    size_t size = strlen(text);
    if (fd >= 0 && (write(fd, text, size) != (ssize_t)size ||
                    lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Fork and wait until PLAN's program runs or FAILURE_FD tells why it cannot. */
static int fork_and_ask(const struct plan *plan,
                        int failure_fd,
                        pid_t *ret_pid,
                        struct error *err)
{
    /* No signal of ours may be taken in the child with our handlers. */
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = fork();
    int code = errno;
    if (pid == 0)
        run(plan);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (pid < 0)
        return error_errno(err, code, "%s cannot be started",
                           plan->spec->arguments[0]);

    struct failure failure;
    ssize_t size;
    close(plan->failure_fd);
    do
        size = read(failure_fd, &failure, sizeof(failure));
    while (size < 0 && errno == EINTR);
    if (size == (ssize_t)sizeof(failure)) {
        waitpid(pid, NULL, 0);
        return failure_tell(&failure, plan->spec, err);
    }
    *ret_pid = pid;
    return 0;
}

int process_fork(const struct process_spec *spec,
                 pid_t *ret_pid,
                 int *ret_output_fd,
                 struct error *err)
{
    struct plan plan = {.spec = spec, .parent = getpid()};
    int r = person_look_up(&plan.person, spec->user, err);
    if (r < 0)
        return r;

    int output[2] = {-1, -1}, failure[2];
    if (spec->line && pipe_above(output) < 0)
        return error_errno(err, errno, "starting %s: pipe", spec->arguments[0]);
    _cleanup_(close_fd) int output_ours = output[0];
    _cleanup_(close_fd) int output_theirs = output[1];
    _cleanup_(close_fd) int input = open_input(spec->input);
    if (pipe_above(failure) < 0)
        return error_errno(err, errno, "starting %s: pipe", spec->arguments[0]);
    _cleanup_(close_fd) int failure_ours = failure[0];
    if (input < 0 ||
        (output_ours >= 0 && fcntl(output_ours, F_SETFL, O_NONBLOCK) < 0)) {
        r = error_errno(err, errno, "starting %s: descriptors",
                        spec->arguments[0]);
        close(failure[1]);
        return r;
    }
    plan.input_fd = input;
    plan.output_fd = output_theirs;
    plan.failure_fd = failure[1];
    r = fork_and_ask(&plan, failure_ours, ret_pid, err);
    if (r < 0)
        return r;
    *ret_output_fd = take_fd(output_ours);
    return 0;
}
