/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor of a collector child. It is driven by five events of the
 * loop: a message of the child, its standard error, its end, the deadline, and
 * the time to start the next one. None of them ever waits.
 *
 * There is always either a child that runs, with the deadline timer set, or
 * none, with the restart timer set. So nothing needs a hand to go on.
 */
#include "source/collector.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "source/collector-protocol.h"
#include "source/complaint.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS (30 * NS_PER_S)

enum {
    STDERR_CHUNK = 16 * 1024,
    /* A child that writes more in a cycle is no longer read: it then blocks
     * in its own write, and the deadline finds it. */
    STDERR_CYCLE_MAX = 1024 * 1024,
    /* Messages of an ended child that are still looked at. */
    LAST_MESSAGES_MAX = 32
};

struct collector {
    struct loop *loop;
    struct collector_settings settings;
    uint32_t wanted;
    const char **arguments; /* settings.arguments; ours */
    collector_publish publish;
    collector_changed changed;
    void *context;

    struct child child;
    struct loop_source *on_exit, *on_message, *on_stderr;
    struct loop_source *deadline, *restart;
    int64_t spawned_ns;
    int64_t backoff_ns; /* before the next start; 0: at once */
    bool completed;     /* this child finished a complete cycle */
    bool killed;        /* by us, for KILL_CAUSE */
    enum collector_end kill_cause;
    int asking;          /* part whose request is under way; -1: none */
    size_t stderr_bytes; /* in this cycle */
    struct complaint complaint;

    double ended_cpu_seconds;
    struct mapped_snapshot *last;
    struct collector_status status;
};

/* ---- settings -------------------------------------------------------------
 */

static int take_settings(struct collector *c,
                         const struct collector_settings *settings,
                         struct error *err)
{
    const char **arguments = child_arguments_copy(settings->arguments);
    if (!arguments)
        return error_errno(err, ENOMEM, "collector");
    child_arguments_free(c->arguments);
    c->settings = *settings;
    c->settings.arguments = c->arguments = arguments;
    return 0;
}

static int send_settings(const struct collector *c, int fd, struct error *err)
{
    struct collector_message message = {
        .kind = COLLECTOR_SETTINGS,
        .parts = c->settings.parts,
        .wanted = c->wanted,
        .interval_ns = c->settings.interval_ns,
        .jobs_interval_ns = c->settings.jobs_interval_ns,
        .slow_interval_ns = c->settings.slow_interval_ns,
    };
    return collector_send(c->child.channel_fd, &message, fd, err);
}

/* ---- how a child ends -----------------------------------------------------
 */

static void set_reason(struct collector *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set_reason(struct collector *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->status.reason, sizeof(c->status.reason), format, args);
    va_end(args);
}

/* Kill the child; its end is then told by the loop. */
static void kill_child(struct collector *c, enum collector_end cause)
{
    if (c->killed)
        return;
    c->killed = true;
    c->kill_cause = cause;
    c->on_message = loop_source_free(c->on_message);
    loop_timer_set(c->deadline, 0);
    kill(c->child.pid, SIGKILL);
}

static void kill_for_nonsense(struct collector *c, const struct error *err)
{
    set_reason(c, "the collector sent nonsense: %s", err->text);
    kill_child(c, COLLECTOR_END_NONSENSE);
}

static void read_cpu(struct collector *c)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(c->child.pid, &clock) == 0 &&
        clock_gettime(clock, &used) == 0)
        c->status.cpu_seconds = c->ended_cpu_seconds + (double)used.tv_sec +
                                (double)used.tv_nsec / (double)NS_PER_S;
}

/* Why the child that ended with wait status STATUS did so; sets the reason
 * unless a better one is known. */
static enum collector_end judge_end(struct collector *c, int status)
{
    char complaint[sizeof(c->status.reason)];

    if (c->killed)
        return c->kill_cause;
    if (WIFSIGNALED(status)) {
        set_reason(c, "the collector was ended by signal %d (%s)",
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
        return COLLECTOR_END_KILLED;
    }
    if (WEXITSTATUS(status) == COLLECTOR_EXIT_RENEW)
        return COLLECTOR_END_RENEWED;
    if (complaint_reason(&c->complaint, complaint, sizeof(complaint))[0])
        set_reason(c, "%s", complaint);
    else
        set_reason(c, "the collector exited with status %d",
                   WEXITSTATUS(status));
    return COLLECTOR_END_EXITED;
}

/*
 * Let the next child start: at once after one that did its work for a while,
 * else later and later. Life is asked for besides success, since a child that
 * ends right after each complete cycle would collect without pause.
 */
static void schedule_start(struct collector *c)
{
    int64_t now = clock_monotonic_ns();
    if (c->completed && now - c->spawned_ns >= c->settings.interval_ns)
        c->backoff_ns = 0;
    loop_timer_set(c->restart, now + c->backoff_ns);
    c->backoff_ns = c->backoff_ns ? c->backoff_ns * 2 : BACKOFF_FIRST_NS;
    if (c->backoff_ns > BACKOFF_MAX_NS)
        c->backoff_ns = BACKOFF_MAX_NS;
}

/* Forget the child, which has ended or never started. */
static void drop_child(struct collector *c)
{
    c->on_exit = loop_source_free(c->on_exit);
    c->on_message = loop_source_free(c->on_message);
    c->on_stderr = loop_source_free(c->on_stderr);
    child_deinit(&c->child);
    loop_timer_set(c->deadline, 0);
    c->ended_cpu_seconds = c->status.cpu_seconds;
    c->status.running = false;
    c->status.cycle_began_ns = 0;
}

/* ---- events of a running child --------------------------------------------
 */

/* Read what there is, at most one chunk; false when nothing was there. */
static bool read_stderr(struct collector *c)
{
    char chunk[STDERR_CHUNK];
    ssize_t n = read(c->child.stderr_fd, chunk, sizeof(chunk));
    if (n <= 0)
        return false;
    complaint_add(&c->complaint, chunk, (size_t)n);
    c->stderr_bytes += (size_t)n;
    return true;
}

static void handle_stderr(void *context, uint32_t events)
{
    struct collector *c = context;
    (void)events;
    bool more = read_stderr(c);
    /* Closed, or too much: the end or the deadline follow. */
    if (!more || c->stderr_bytes > STDERR_CYCLE_MAX)
        c->on_stderr = loop_source_free(c->on_stderr);
}

static void drain_stderr(struct collector *c)
{
    while (c->stderr_bytes <= STDERR_CYCLE_MAX && read_stderr(c))
        ;
}

static void begin_cycle(struct collector *c)
{
    int64_t now = clock_monotonic_ns();
    c->asking = -1;
    c->status.cycle_began_ns = now;
    loop_timer_set(c->deadline, now + c->settings.deadline_ns);
}

static void count_requests(struct collector_status *status,
                           const struct snapshot *snapshot)
{
    for (unsigned int kind = 0; kind < SNAPSHOT_PART_COUNT; kind++) {
        const struct snapshot_part *part =
            snapshot_part(snapshot, (enum snapshot_part_kind)kind);
        status->requests[kind][part->outcome]++;
        status->request_seconds[kind] +=
            (double)part->wall_ns / (double)NS_PER_S;
    }
}

static void judge_snapshot(struct collector *c, const struct snapshot *snapshot)
{
    bool failed = !snapshot->header->complete;
    for (unsigned int kind = 0; kind < SNAPSHOT_PART_COUNT; kind++)
        failed |=
            snapshot_part(snapshot, (enum snapshot_part_kind)kind)->outcome ==
            SNAPSHOT_FAILED;
    c->completed |= snapshot->header->complete != 0;
    c->status.reason[0] = '\0';
    if (!failed)
        return;
    char complaint[sizeof(c->status.reason)];
    if (complaint_reason(&c->complaint, complaint, sizeof(complaint))[0])
        set_reason(c, "%s", complaint);
    else
        set_reason(c, "a request failed, without a word why");
}

/* The longest pause that a child may announce after a cycle. */
static int64_t longest_pause(const struct collector *c)
{
    int64_t stretched = 5 * c->settings.deadline_ns;
    return stretched > c->settings.interval_ns ? stretched
                                               : c->settings.interval_ns;
}

static int end_cycle(struct collector *c, int fd, struct error *err)
{
    struct mapped_snapshot *snapshot;
    int r = mapped_snapshot_new(fd, true, &snapshot, err);
    if (r < 0)
        return r;
    int64_t now = clock_monotonic_ns();
    int64_t pause = snapshot->snapshot.header->interval_ns;
    if (pause < 0 || pause > longest_pause(c))
        pause = longest_pause(c);
    loop_timer_set(c->deadline, now + pause + c->settings.deadline_ns);

    /* The two channels keep no common order, but all that was complained of
     * before this message lies in the pipe by now: here, and not where a cycle
     * begins, one cycle's complaints can be told from the next one's. */
    drain_stderr(c);
    judge_snapshot(c, &snapshot->snapshot);
    complaint_forget(&c->complaint);
    c->stderr_bytes = 0;
    read_cpu(c);
    count_requests(&c->status, &snapshot->snapshot);
    c->status.cycle_began_ns = 0;
    c->status.snapshot_ns = now;
    c->status.snapshots++;
    mapped_snapshot_unref(c->last);
    c->last = snapshot;
    c->publish(c->context, snapshot);
    return 0;
}

static int handle_one(struct collector *c,
                      const struct collector_message *message,
                      int fd,
                      struct error *err)
{
    bool in_cycle = c->status.cycle_began_ns != 0;
    if ((fd >= 0) == (message->kind == COLLECTOR_SNAPSHOT)) {
        if (message->kind == COLLECTOR_BEGIN && !in_cycle) {
            begin_cycle(c);
            return 0;
        }
        if (message->kind == COLLECTOR_ASK && in_cycle &&
            message->part < SNAPSHOT_PART_COUNT) {
            c->asking = (int)message->part;
            return 0;
        }
        if (message->kind == COLLECTOR_SNAPSHOT && in_cycle)
            return end_cycle(c, fd, err);
    }
    if (fd >= 0)
        close(fd);
    return error_set(err, EPROTO, "message %" PRIu32 " out of turn",
                     message->kind);
}

/* Take one message; false when there is none, or will be none. */
static bool read_message(struct collector *c)
{
    struct collector_message message;
    struct error err;
    int fd;
    int r = collector_receive(c->child.channel_fd, &message, &fd, &err);
    if (r == -EAGAIN)
        return false;
    if (r == 1)
        r = handle_one(c, &message, fd, &err) < 0 ? -EPROTO : 1;
    if (r == -EPROTO)
        kill_for_nonsense(c, &err);
    return r == 1;
}

static void handle_message(void *context, uint32_t events)
{
    struct collector *c = context;
    if (read_message(c) || c->killed)
        return;
    /* Closed by the child: its end, or else the deadline, comes next. */
    if (events & (EPOLLHUP | EPOLLERR))
        c->on_message = loop_source_free(c->on_message);
}

static void handle_deadline(void *context, uint32_t events)
{
    struct collector *c = context;
    (void)events;
    double seconds = (double)c->settings.deadline_ns / (double)NS_PER_S;
    char complaint[sizeof(c->status.reason)];

    drain_stderr(c);
    complaint_reason(&c->complaint, complaint, sizeof(complaint));
    if (c->status.cycle_began_ns == 0)
        set_reason(c, "the collector began no cycle within %g s", seconds);
    else if (c->asking < 0)
        set_reason(c, "the cycle did not end within %g s", seconds);
    else
        set_reason(c, "%s: no answer within %g s",
                   snapshot_part_names[c->asking], seconds);
    size_t used = strlen(c->status.reason);
    if (complaint[0])
        snprintf(c->status.reason + used, sizeof(c->status.reason) - used,
                 " (%s)", complaint);
    kill_child(c, COLLECTOR_END_DEADLINE);
}

static void handle_exit(void *context, uint32_t events)
{
    struct collector *c = context;
    (void)events;
    for (int i = 0; i < LAST_MESSAGES_MAX && !c->killed && read_message(c); i++)
        ;
    drain_stderr(c);
    complaint_end(&c->complaint);
    read_cpu(c);
    int status;
    if (!child_reap(&c->child, &status))
        return;
    enum collector_end end = judge_end(c, status);
    c->status.ends[end]++;
    c->status.last_end = end;
    drop_child(c);
    schedule_start(c);
    c->changed(c->context);
}

/* ---- starting -------------------------------------------------------------
 */

static int try_start(struct collector *c, struct error *err)
{
    int r = child_spawn(&c->child, c->settings.program, c->arguments, err);
    if (r < 0)
        return r;
    c->status.running = true;
    r = loop_add_fd(c->loop, c->child.pid_fd, EPOLLIN, handle_exit, c,
                    &c->on_exit, err);
    if (r == 0)
        r = loop_add_fd(c->loop, c->child.channel_fd, EPOLLIN, handle_message,
                        c, &c->on_message, err);
    if (r == 0)
        r = loop_add_fd(c->loop, c->child.stderr_fd, EPOLLIN, handle_stderr, c,
                        &c->on_stderr, err);
    if (r == 0)
        r = send_settings(c, c->last ? c->last->fd : -1, err);
    /* One that has ended already is known by its end. */
    return r == -EPIPE ? 0 : r;
}

static void start_child(struct collector *c)
{
    struct error err;
    c->complaint = (struct complaint){.used = 0};
    c->completed = false;
    c->killed = false;
    c->asking = -1;
    c->stderr_bytes = 0;
    c->spawned_ns = clock_monotonic_ns();
    if (try_start(c, &err) < 0) {
        set_reason(c, "%s", err.text);
        c->status.last_end = COLLECTOR_END_EXITED; /* before it began */
        drop_child(c);
        schedule_start(c);
        return;
    }
    loop_timer_set(c->deadline, c->spawned_ns + c->settings.deadline_ns);
}

static void handle_restart(void *context, uint32_t events)
{
    struct collector *c = context;
    (void)events;
    start_child(c);
    if (!c->status.running)
        c->changed(c->context);
}

/* ---- public ---------------------------------------------------------------
 */

int collector_new(struct loop *loop,
                  const struct collector_settings *settings,
                  collector_publish publish,
                  collector_changed changed,
                  void *context,
                  struct collector **ret_collector,
                  struct error *err)
{
    assert(settings->arguments && settings->arguments[0]);
    assert(settings->interval_ns > 0 && settings->deadline_ns > 0);

    struct collector *c = calloc(1, sizeof(*c));
    if (!c)
        return error_errno(err, ENOMEM, "collector");
    *c = (struct collector){.loop = loop,
                            .publish = publish,
                            .changed = changed,
                            .context = context,
                            .child = CHILD_INIT};
    int r = take_settings(c, settings, err);
    if (r == 0)
        r = loop_add_timer(loop, handle_deadline, c, &c->deadline, err);
    if (r == 0)
        r = loop_add_timer(loop, handle_restart, c, &c->restart, err);
    if (r < 0) {
        collector_free(c);
        return r;
    }
    start_child(c);
    *ret_collector = c;
    return 0;
}

struct collector *collector_free(struct collector *c)
{
    if (!c)
        return NULL;
    if (c->deadline)
        drop_child(c);
    loop_source_free(c->deadline);
    loop_source_free(c->restart);
    mapped_snapshot_unref(c->last);
    child_arguments_free(c->arguments);
    free(c);
    return NULL;
}

const struct collector_status *collector_status(const struct collector *c)
{
    return &c->status;
}

void collector_hurry(struct collector *c)
{
    struct collector_message message = {.kind = COLLECTOR_NOW};
    /* A full channel means that the child has heard enough already. */
    if (c->status.running)
        collector_send(c->child.channel_fd, &message, -1, NULL);
}

int collector_reconfigure(struct collector *c,
                          const struct collector_settings *settings,
                          struct error *err)
{
    int r = take_settings(c, settings, err);
    if (r == 0 && c->status.running)
        send_settings(c, -1, NULL); /* a child that is ending needs none */
    return r;
}

void collector_want(struct collector *c, uint32_t wanted)
{
    if (wanted == c->wanted)
        return;
    c->wanted = wanted;
    if (c->status.running)
        send_settings(c, -1, NULL); /* as above */
}
