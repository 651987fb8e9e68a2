/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program, run for a limited time. base/process.h does this within an event
 * loop; the doctor does one thing after another and has none.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    OUTPUT_MAX = 4 * 1024 * 1024
};

/* In the child; only what is safe after fork. */
__attribute__((noreturn)) static void
become(const char *const arguments[], int input, int output)
{
    int null = open("/dev/null", O_RDWR);
    setpgid(0, 0);
    dup2(input >= 0 ? input : null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* What it prints, until it closes its output. */
static int collect(int fd, int64_t due_ns, struct text *output)
{
    for (;;) {
        int64_t left_ms = (due_ns - clock_monotonic_ns()) / 1000000;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&poll_fd, 1, (int)left_ms) == 0)
            return -ETIME;
        char *room = text_reserve(output, 4096);
        ssize_t n = room ? read(fd, room, 4096) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || output->size > OUTPUT_MAX)
            return 0;
        output->size += (size_t)n;
    }
}

/* Inputs are credentials: they fit into a pipe, so that writing never waits. */
static int input_pipe(const struct text *input)
{
    int ends[2];
    if (!input || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    bool good =
        write(ends[1], input->data, input->size) == (ssize_t)input->size;
    close(ends[1]);
    fcntl(ends[0], F_SETFL, 0);
    if (good)
        return ends[0];
    close(ends[0]);
    return -1;
}

int doctor_run(const char *const arguments[],
               const struct text *input,
               int seconds,
               struct text *ret_output)
{
    int ends[2], status = 0;
    int64_t due_ns = clock_monotonic_ns() + seconds * NS_PER_S;
    _cleanup_(close_fd) int in = input_pipe(input);
    if ((input && in < 0) || pipe2(ends, O_CLOEXEC) < 0)
        return -EMFILE;
    _cleanup_(close_fd) int out = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, in, ends[1]);
    close(ends[1]);
    if (pid < 0)
        return -EAGAIN;
    int r = collect(out, due_ns, ret_output);
    if (r < 0) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return r;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
