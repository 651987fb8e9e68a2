/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of running programs. A process stays in it until it is reaped, its
 * output has come to an end and its owner has let go of it, in whatever order
 * these three come: a grandchild may hold the pipe for days.
 */
#include "base/process.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/process-start.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
    LINE_SIZE = 1024,
    /* Read at a time; also what is read after the end, a full pipe. */
    OUTPUT_SIZE = 64 * 1024
};

struct process {
    struct process_table *table;
    struct process *next;
    pid_t pid; /* 0: reaped */
    int output_fd;
    struct loop_source *output;
    struct loop_source *deadline;
    void (*line_callback)(void *context, const char *line);
    void (*ended)(void *context, struct process *process, int status);
    void *context;
    bool forgotten;       /* by its owner */
    unsigned int busy;    /* calls into it on the stack */
    char line[LINE_SIZE]; /* that is not complete yet */
    size_t line_size;
};

struct process_table {
    struct loop *loop;
    struct loop_source *child_signal;
    struct process *processes;
};

static void output_close(struct process *process)
{
    process->output = loop_source_free(process->output);
    close_fd(&process->output_fd);
    process->output_fd = -1;
}

static void process_destroy(struct process *process)
{
    struct process **place = &process->table->processes;
    while (*place != process)
        place = &(*place)->next;
    *place = process->next;
    output_close(process);
    loop_source_free(process->deadline);
    free(process);
}

/* Is anything left to do for it? */
static void process_settle(struct process *process)
{
    if (process->forgotten && process->busy == 0 && process->pid == 0 &&
        process->output_fd < 0)
        process_destroy(process);
}

/* ---- what it writes ------------------------------------------------------ */

static void line_tell(struct process *process)
{
    process->line[process->line_size] = '\0';
    process->line_size = 0;
    if (!process->forgotten)
        process->line_callback(process->context, process->line);
}

static void output_take(struct process *process, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            line_tell(process);
            continue;
        }
        if (process->line_size == LINE_SIZE - 1)
            line_tell(process);
        process->line[process->line_size++] = bytes[i] ? bytes[i] : ' ';
    }
}

/* Read what is there, at most a pipe full, so that nobody who writes without
 * end keeps us. */
static void output_read(struct process *process)
{
    char bytes[4096];
    for (size_t total = 0; process->output_fd >= 0 && total < OUTPUT_SIZE;) {
        ssize_t size = read(process->output_fd, bytes, sizeof(bytes));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            if (process->line_size > 0)
                line_tell(process);
            output_close(process);
            return;
        }
        output_take(process, bytes, (size_t)size);
        total += (size_t)size;
    }
}

static void on_output(void *context, uint32_t events)
{
    struct process *process = context;
    (void)events;
    process->busy++;
    output_read(process);
    process->busy--;
    process_settle(process);
}

/* ---- how it ends --------------------------------------------------------- */

static void on_deadline(void *context, uint32_t events)
{
    const struct process *process = context;
    (void)events;
    if (process->pid > 0)
        kill(-process->pid, SIGKILL); /* its session's first group */
}

static void process_end(struct process *process, int status)
{
    process->busy++;
    process->pid = 0;
    process->deadline = loop_source_free(process->deadline);
    output_read(process);
    if (process->line_size > 0)
        line_tell(process);
    if (process->ended && !process->forgotten)
        process->ended(process->context, process, status);
    process->busy--;
    process_settle(process);
}

static void on_child_signal(void *context, uint32_t events)
{
    struct process_table *table = context;
    int status;
    pid_t pid;
    (void)events;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (child_take_status(pid, status))
            continue;
        struct process *process = table->processes;
        while (process && process->pid != pid)
            process = process->next;
        if (process)
            process_end(process, status);
    }
}

/* ---- for the owner ------------------------------------------------------- */

int process_table_new(struct loop *loop,
                      bool subreaper,
                      struct process_table **ret_table,
                      struct error *err)
{
    _cleanup_(free_ptr) struct process_table *table = calloc(1, sizeof(*table));
    if (!table)
        return error_errno(err, ENOMEM, "table of processes");
    table->loop = loop;
    if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return error_errno(err, errno, "becoming the parent of orphans");
    /* Ignored, which is inherited, the kernel would reap for us. */
    signal(SIGCHLD, SIG_DFL);
    int r = loop_add_signal(loop, SIGCHLD, on_child_signal, table,
                            &table->child_signal, err);
    if (r < 0)
        return r;
    *ret_table = take_ptr(table);
    return 0;
}

struct process_table *process_table_free(struct process_table *table)
{
    if (!table)
        return NULL;
    while (table->processes) {
        assert(table->processes->forgotten);
        process_destroy(table->processes);
    }
    loop_source_free(table->child_signal);
    free(table);
    return NULL;
}

/* The loop's sources of PROCESS. */
static int
process_watch(struct process *process, int64_t deadline_ns, struct error *err)
{
    struct loop *loop = process->table->loop;
    int r = 0;
    if (process->output_fd >= 0)
        r = loop_add_fd(loop, process->output_fd, EPOLLIN, on_output, process,
                        &process->output, err);
    if (r == 0 && deadline_ns)
        r = loop_add_timer(loop, on_deadline, process, &process->deadline, err);
    if (r == 0 && deadline_ns)
        loop_timer_set(process->deadline, deadline_ns);
    return r;
}

int process_start(struct process_table *table,
                  const struct process_spec *spec,
                  struct process **ret_process,
                  struct error *err)
{
    assert(spec->arguments && spec->arguments[0]);

    struct process *process = calloc(1, sizeof(*process));
    if (!process)
        return error_errno(err, ENOMEM, "starting %s", spec->arguments[0]);
    *process = (struct process){.table = table,
                                .next = table->processes,
                                .output_fd = -1,
                                .line_callback = spec->line,
                                .ended = spec->ended,
                                .context = spec->context};
    table->processes = process;
    int r = process_fork(spec, &process->pid, &process->output_fd, err);
    if (r == 0)
        r = process_watch(process, spec->deadline_ns, err);
    if (r < 0) {
        if (process->pid > 0) {
            kill(-process->pid, SIGKILL);
            waitpid(process->pid, NULL, 0);
        }
        process_destroy(process);
        return r;
    }
    *ret_process = process;
    return 0;
}

pid_t process_pid(const struct process *process)
{
    return process->pid;
}

void process_signal(struct process *process, int signal_number)
{
    if (process->pid > 0)
        kill(process->pid, signal_number);
}

struct process *process_free(struct process *process)
{
    if (!process)
        return NULL;
    process->forgotten = true;
    process_settle(process);
    return NULL;
}

void process_status_text(int status, char *ret_text, size_t size)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
        {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
        {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"},
        {SIGPIPE, "SIGPIPE"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
        {SIGSYS, "SIGSYS"},
    };
    if (!WIFSIGNALED(status)) {
        snprintf(ret_text, size, "ended with code %d", WEXITSTATUS(status));
        return;
    }
    for (size_t i = 0; i < array_size(names); i++)
        if (names[i].number == WTERMSIG(status)) {
            snprintf(ret_text, size, "was killed by %s", names[i].name);
            return;
        }
    snprintf(ret_text, size, "was killed by signal %d", WTERMSIG(status));
}
