/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop. Events are taken from epoll one at a time: a callback may
 * free another source whose event would otherwise already lie in our hands.
 * The extra system call is nothing beside what one event of ours does.
 */
#include "base/loop.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

struct loop {
    int epoll_fd;
    int exit_code;
    bool stopping;
    unsigned int sources;
};

struct loop_source {
    struct loop *loop;
    int fd;
    bool owns_fd;      /* timers and signals: the descriptor is ours */
    size_t drain_size; /* bytes to read off before the callback; 0: none */
    loop_callback callback;
    void *context;
};

int loop_new(struct loop **ret_loop, struct error *err)
{
    _cleanup_(free_ptr) struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return error_errno(err, ENOMEM, "event loop");
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return error_errno(err, errno, "event loop: epoll");
    *ret_loop = take_ptr(loop);
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    assert(loop->sources == 0);
    close(loop->epoll_fd);
    free(loop);
}

int loop_add_fd(struct loop *loop,
                int fd,
                uint32_t events,
                loop_callback callback,
                void *context,
                struct loop_source **ret_source,
                struct error *err)
{
    assert(loop && fd >= 0 && callback && ret_source);

    _cleanup_(free_ptr) struct loop_source *source = calloc(1, sizeof(*source));
    if (!source)
        return error_errno(err, ENOMEM, "event loop");
    *source = (struct loop_source){
        .loop = loop, .fd = fd, .callback = callback, .context = context};
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_errno(err, errno, "event loop: watching fd %d", fd);
    loop->sources++;
    *ret_source = take_ptr(source);
    return 0;
}

int loop_set_events(struct loop_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    int r =
        epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
    return r < 0 ? -errno : 0;
}

/* Hand FD to a new source that owns it and reads SIZE bytes per event. */
static int add_owned(struct loop *loop,
                     int fd,
                     size_t size,
                     loop_callback callback,
                     void *context,
                     struct loop_source **ret_source,
                     struct error *err)
{
    int r = loop_add_fd(loop, fd, EPOLLIN, callback, context, ret_source, err);
    if (r < 0) {
        close(fd);
        return r;
    }
    (*ret_source)->owns_fd = true;
    (*ret_source)->drain_size = size;
    return 0;
}

int loop_add_timer(struct loop *loop,
                   loop_callback callback,
                   void *context,
                   struct loop_source **ret_source,
                   struct error *err)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "event loop: timer");
    return add_owned(loop, fd, sizeof(uint64_t), callback, context, ret_source,
                     err);
}

void loop_timer_set(struct loop_source *timer, int64_t due_ns)
{
    assert(timer->drain_size == sizeof(uint64_t));

    if (due_ns < 0)
        due_ns = 1;
    struct itimerspec when = {.it_value = {.tv_sec = due_ns / NS_PER_S,
                                           .tv_nsec = due_ns % NS_PER_S}};
    int r = timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &when, NULL);
    assert(r == 0);
    (void)r;
}

int loop_add_signal(struct loop *loop,
                    int signal_number,
                    loop_callback callback,
                    void *context,
                    struct loop_source **ret_source,
                    struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_errno(err, errno, "event loop: signal mask");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "event loop: signal %d", signal_number);
    return add_owned(loop, fd, sizeof(struct signalfd_siginfo), callback,
                     context, ret_source, err);
}

struct loop_source *loop_source_free(struct loop_source *source)
{
    if (!source)
        return NULL;
    epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->loop->sources--;
    if (source->owns_fd)
        close(source->fd);
    free(source);
    return NULL;
}

/* Take the expiry or the signal off SOURCE's descriptor; false when there is
 * none after all, for instance because the timer was set anew meanwhile. */
static bool drain(const struct loop_source *source)
{
    union {
        uint64_t expirations;
        struct signalfd_siginfo signal;
    } taken;
    assert(source->drain_size <= sizeof(taken));
    ssize_t size = read(source->fd, &taken, source->drain_size);
    return size == (ssize_t)source->drain_size;
}

int loop_run(struct loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping) {
        struct epoll_event event;
        int n = epoll_wait(loop->epoll_fd, &event, 1, -1);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n <= 0)
            continue;
        const struct loop_source *source = event.data.ptr;
        if (source->drain_size == 0 || drain(source))
            source->callback(source->context, event.events);
    }
    return loop->exit_code;
}

void loop_stop(struct loop *loop, int exit_code)
{
    loop->stopping = true;
    loop->exit_code = exit_code;
}
