/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/loop.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* A source, what it saw, and what it does then. */
struct watcher {
    struct loop *loop;
    struct loop_source *source;
    struct watcher *frees; /* another's source, freed when called */
    unsigned int calls;
    unsigned int stop_after; /* 0: never */
    uint32_t events;
    int fd;
};

static void note_call(void *context, uint32_t events)
{
    struct watcher *w = context;
    w->calls++;
    w->events = events;
    if (w->frees)
        w->frees->source = loop_source_free(w->frees->source);
    if (w->calls == w->stop_after)
        loop_stop(w->loop, 42);
}

static int set_up(void **state)
{
    struct loop *loop = NULL;
    int r = loop_new(&loop, NULL);
    *state = loop;
    return r;
}

static int tear_down(void **state)
{
    loop_free(*state);
    return 0;
}

static void watch_eventfd(struct watcher *w, struct loop *loop, eventfd_t value)
{
    *w = (struct watcher){.loop = loop};
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (value)
        eventfd_write(w->fd, value);
    assert_int_equal(
        loop_add_fd(loop, w->fd, EPOLLIN, note_call, w, &w->source, NULL), 0);
}

static void unwatch(struct watcher *w)
{
    w->source = loop_source_free(w->source);
    close(w->fd);
}

static void test_readable_fd_calls_back_until_drained(void **state)
{
    struct watcher w;
    watch_eventfd(&w, *state, 1);
    w.stop_after = 3;
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(w.calls, 3);
    assert_true(w.events & EPOLLIN);
    unwatch(&w);
}

static void test_events_can_be_switched_off(void **state)
{
    struct watcher quiet, loud;
    watch_eventfd(&quiet, *state, 1);
    watch_eventfd(&loud, *state, 1);
    assert_int_equal(loop_set_events(quiet.source, 0), 0);
    loud.stop_after = 5;
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(quiet.calls, 0);
    unwatch(&quiet);
    unwatch(&loud);
}

static void test_timer_comes_once_and_not_early(void **state)
{
    struct watcher once = {.loop = *state}, end = {.loop = *state};
    int64_t begun_ns = clock_monotonic_ns();
    end.stop_after = 1;
    loop_add_timer(*state, note_call, &once, &once.source, NULL);
    loop_add_timer(*state, note_call, &end, &end.source, NULL);
    loop_timer_set(once.source, begun_ns + 10 * NS_PER_MS);
    loop_timer_set(end.source, begun_ns + 60 * NS_PER_MS);
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(once.calls, 1);
    assert_true(clock_monotonic_ns() - begun_ns >= 60 * NS_PER_MS);
    loop_source_free(once.source);
    loop_source_free(end.source);
}

static void test_past_due_is_at_once_and_zero_is_never(void **state)
{
    struct watcher never = {.loop = *state}, now = {.loop = *state};
    now.stop_after = 1;
    loop_add_timer(*state, note_call, &never, &never.source, NULL);
    loop_add_timer(*state, note_call, &now, &now.source, NULL);
    loop_timer_set(never.source, clock_monotonic_ns() + NS_PER_MS);
    loop_timer_set(never.source, 0);
    usleep(5000);
    loop_timer_set(now.source, -5);
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(never.calls, 0);
    loop_source_free(never.source);
    loop_source_free(now.source);
}

static void test_signal_becomes_a_call(void **state)
{
    struct watcher w = {.loop = *state};
    w.stop_after = 1;
    assert_int_equal(
        loop_add_signal(*state, SIGUSR1, note_call, &w, &w.source, NULL), 0);
    raise(SIGUSR1);
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(w.calls, 1);
    loop_source_free(w.source);
}

static void test_callback_may_free_any_source(void **state)
{
    /* Both are ready; whoever comes first frees the other. */
    struct watcher a, b, end = {.loop = *state};
    watch_eventfd(&a, *state, 1);
    watch_eventfd(&b, *state, 1);
    a.frees = &b;
    b.frees = &a;
    end.stop_after = 1;
    loop_add_timer(*state, note_call, &end, &end.source, NULL);
    loop_timer_set(end.source, clock_monotonic_ns() + 20 * NS_PER_MS);
    assert_int_equal(loop_run(*state), 42);
    assert_true((a.calls == 0) != (b.calls == 0));
    assert_true((a.source == NULL) != (b.source == NULL));
    unwatch(&a);
    unwatch(&b);
    loop_source_free(end.source);
}

static void test_callback_may_free_itself(void **state)
{
    struct watcher self, end = {.loop = *state};
    watch_eventfd(&self, *state, 1);
    self.frees = &self;
    end.stop_after = 1;
    loop_add_timer(*state, note_call, &end, &end.source, NULL);
    loop_timer_set(end.source, clock_monotonic_ns() + 20 * NS_PER_MS);
    assert_int_equal(loop_run(*state), 42);
    assert_int_equal(self.calls, 1);
    unwatch(&self);
    loop_source_free(end.source);
}

static void test_bad_fd_is_told(void **state)
{
    struct loop_source *source = NULL;
    struct error err = {""};
    int fd = eventfd(0, EFD_CLOEXEC);
    close(fd);
    assert_int_equal(
        loop_add_fd(*state, fd, EPOLLIN, note_call, NULL, &source, &err),
        -EBADF);
    assert_null(source);
    assert_true(err.text[0] != '\0');
    assert_null(loop_source_free(NULL));
}

#define loop_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        loop_test(test_readable_fd_calls_back_until_drained),
        loop_test(test_events_can_be_switched_off),
        loop_test(test_timer_comes_once_and_not_early),
        loop_test(test_past_due_is_at_once_and_zero_is_never),
        loop_test(test_signal_becomes_a_call),
        loop_test(test_callback_may_free_any_source),
        loop_test(test_callback_may_free_itself),
        loop_test(test_bad_fd_is_told),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
