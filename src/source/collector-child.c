/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a collector child: wait, collect, send. It blocks wherever it
 * likes; the parent holds the clock over it.
 *
 * The last snapshot is kept as a descriptor and mapped only while a cycle
 * runs, so that between cycles it is no memory of this process.
 */
#include "source/collector-child.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "source/mapped-snapshot.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BREATH_NS NS_PER_S

enum {
    /* A cycle takes at most this part of the time, so that a slow controller
     * is never pushed. */
    STRETCH = 5
};

struct runner {
    const struct collector_source *source;
    int channel;
    struct collector_message settings;
    int last_fd; /* of the last snapshot; -1: none */
    bool first;
    bool hurry;
};

void collector_child_complain(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "error: %s\n", line);
}

void collector_child_ask(const struct collector_cycle *cycle,
                         enum snapshot_part_kind part)
{
    struct collector_message message = {.kind = COLLECTOR_ASK, .part = part};
    collector_send(cycle->channel, &message, -1, NULL);
}

/* ---- messages from the parent ---------------------------------------------
 */

/* Keep the snapshot in FD for parts to be carried from it. It comes from a
 * collector before us, perhaps one of another source: it is verified. */
static void take_last(struct runner *runner, int fd)
{
    struct mapped_snapshot *mapped;
    struct error err;
    if (mapped_snapshot_new(fd, true, &mapped, &err) < 0) {
        collector_child_complain("carried over: %s", err.text);
        return;
    }
    close_fd(&runner->last_fd);
    runner->last_fd = fcntl(mapped->fd, F_DUPFD_CLOEXEC, 0);
    mapped_snapshot_unref(mapped);
}

/* Take one message. 1: taken; otherwise as collector_receive(). */
static int take_message(struct runner *runner, struct error *err)
{
    struct collector_message message;
    _cleanup_(close_fd) int fd = -1;
    int r = collector_receive(runner->channel, &message, &fd, err);
    if (r <= 0)
        return r;
    if (message.kind == COLLECTOR_SETTINGS) {
        runner->settings = message;
        if (fd >= 0 && runner->last_fd < 0)
            take_last(runner, take_fd(fd));
    } else if (message.kind == COLLECTOR_NOW) {
        runner->hurry = true;
    }
    return 1;
}

/*
 * Pause until DUE_NS (monotonic), or until EARLIEST_NS when the parent is in a
 * hurry, taking messages meanwhile. Results as take_message().
 */
static int pause_until(struct runner *runner,
                       int64_t due_ns,
                       int64_t earliest_ns,
                       struct error *err)
{
    for (;;) {
        int64_t until = runner->hurry ? earliest_ns : due_ns;
        int64_t left = until - clock_monotonic_ns();
        if (left <= 0)
            return 1;
        struct timespec timeout = {.tv_sec = left / NS_PER_S,
                                   .tv_nsec = left % NS_PER_S};
        struct pollfd waiting = {.fd = runner->channel, .events = POLLIN};
        int n = ppoll(&waiting, 1, &timeout, NULL);
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "waiting");
        if (n <= 0)
            continue;
        int r = take_message(runner, err);
        if (r <= 0)
            return r;
    }
}

/* ---- one cycle ------------------------------------------------------------
 */

/* Map the last snapshot. It needs no verifying: it is sealed, and was either
 * written by this process or verified on arrival. */
static bool map_last(const struct runner *runner, struct snapshot *ret_snapshot)
{
    struct stat status;
    if (runner->last_fd < 0 || fstat(runner->last_fd, &status) < 0)
        return false;
    size_t size = (size_t)status.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, runner->last_fd, 0);
    if (data == MAP_FAILED)
        return false;
    *ret_snapshot =
        (struct snapshot){.header = data, .bytes = data, .size = size};
    return true;
}

static void unmap(const struct snapshot *snapshot)
{
    munmap((void *)(uintptr_t)snapshot->bytes, snapshot->size);
}

/*
 * How long after its beginning the next cycle begins: the wanted interval,
 * longer when the controller is slow. A cycle that failed took as long as the
 * time-outs are and burdened nobody; it must not delay the next, which would
 * find the controller back, by more than a breath.
 */
static int64_t
next_interval(const struct runner *runner, int64_t cycle_ns, bool complete)
{
    int64_t wanted = runner->settings.interval_ns;
    int64_t breath = wanted < BREATH_NS ? wanted : BREATH_NS;
    int64_t least = complete ? cycle_ns * STRETCH : cycle_ns + breath;
    return least > wanted ? least : wanted;
}

static int fill(struct runner *runner,
                struct snapshot_builder *builder,
                int64_t *ret_interval_ns,
                struct error *err)
{
    int64_t began = clock_monotonic_ns();
    int64_t cpu_began = clock_process_cpu_ns();
    int64_t started = clock_realtime_ns();
    struct snapshot previous;
    bool have_previous = map_last(runner, &previous);
    struct collector_cycle cycle = {
        .settings = &runner->settings,
        .previous = have_previous ? &previous : NULL,
        .builder = builder,
        .first = runner->first,
        .channel = runner->channel,
    };
    int r = runner->source->collect(runner->source->context, &cycle, err);
    struct snapshot_header *header = snapshot_builder_header(builder);
    /* Not "have_previous ? ... + 1 : 1": gcc 14.2 of Debian 13 makes that a
     * load without the condition, which ends in a null pointer. */
    header->sequence = 1;
    if (have_previous) {
        header->sequence = previous.header->sequence + 1;
        unmap(&previous);
    }
    header->started_ns = started;
    header->finished_ns = clock_realtime_ns();
    header->cycle_wall_ns = clock_monotonic_ns() - began;
    header->cycle_cpu_ns = clock_process_cpu_ns() - cpu_began;
    header->interval_ns =
        next_interval(runner, header->cycle_wall_ns, header->complete);
    for (unsigned int kind = 0; kind < SNAPSHOT_PART_COUNT; kind++)
        if (runner->settings.parts & 1U << kind &&
            header->parts[kind].interval_ns < header->interval_ns)
            header->parts[kind].interval_ns = header->interval_ns;
    *ret_interval_ns = header->interval_ns;
    return r;
}

/* Collect once and send it off. */
static int
run_cycle(struct runner *runner, int64_t *ret_interval_ns, struct error *err)
{
    struct collector_message begin = {.kind = COLLECTOR_BEGIN};
    int r = collector_send(runner->channel, &begin, -1, err);
    if (r < 0)
        return r;
    struct snapshot_builder *builder;
    r = snapshot_builder_new(&builder, err);
    if (r < 0)
        return r;
    int fd = -1;
    r = fill(runner, builder, ret_interval_ns, err);
    if (r == 0)
        r = snapshot_builder_finish(builder, &fd, err);
    snapshot_builder_free(builder);
    if (r < 0)
        return r;
    close_fd(&runner->last_fd);
    runner->last_fd = fd;
    struct collector_message done = {.kind = COLLECTOR_SNAPSHOT};
    return collector_send(runner->channel, &done, fd, err);
}

/* Cycles until the channel closes (0), something fails, or the source is
 * outdated (1). */
static int run_cycles(struct runner *runner, struct error *err)
{
    for (;;) {
        const struct collector_source *source = runner->source;
        if (!runner->first && source->outdated &&
            source->outdated(source->context))
            return 1;
        int64_t began = clock_monotonic_ns();
        int64_t interval;
        runner->hurry = false;
        int r = run_cycle(runner, &interval, err);
        if (r < 0)
            return r;
        int64_t took = clock_monotonic_ns() - began;
        int64_t earliest =
            took * STRETCH < interval ? took * STRETCH : interval;
        runner->first = false;
        malloc_trim(0);
        r = pause_until(runner, began + interval, began + earliest, err);
        if (r <= 0)
            return r;
    }
}

int collector_child_run(const struct collector_source *source)
{
    struct runner runner = {.source = source,
                            .channel = CHILD_CHANNEL_FD,
                            .last_fd = -1,
                            .first = true};
    struct error err;
    int r = take_message(&runner, &err);
    if (r == 1 && runner.settings.kind != COLLECTOR_SETTINGS)
        r = error_set(&err, EPROTO, "the parent sent no settings");
    if (r == 1)
        r = run_cycles(&runner, &err);
    close_fd(&runner.last_fd);
    if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
        collector_child_complain("%s", err.text);
        return COLLECTOR_EXIT_FAILED;
    }
    return r == 1 ? COLLECTOR_EXIT_RENEW : COLLECTOR_EXIT_DONE;
}
