/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers that come later: the others do not wait for them. */
#include "http/test-harness.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last, as it may jump. */
#include <cmocka.h>

enum {
    WAITERS_MAX = 16
};

static struct {
    struct http_later *waiters[WAITERS_MAX];
    size_t count;
} waiting;

static void answer(struct http_later *later, const char *line)
{
    struct text text = TEXT_INIT;
    text_add(&text, line);
    http_reply_add_text(http_later_reply(later), &text);
    http_later_send(later);
}

static void serve_later(void *context,
                        struct http_request *request,
                        struct http_reply *reply)
{
    (void)context;
    (void)request;
    waiting.waiters[waiting.count++] = http_reply_later(reply);
}

/* It comes later, and is there already. */
static void serve_at_once(void *context,
                          struct http_request *request,
                          struct http_reply *reply)
{
    (void)context;
    (void)request;
    answer(http_reply_later(reply), "at once\n");
}

/* Answers who waits. */
static void
serve_now(void *context, struct http_request *request, struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    (void)context;
    (void)request;
    text_addf(&text, "%zu\n", waiting.count);
    http_reply_add_text(reply, &text);
    while (waiting.count > 0)
        answer(waiting.waiters[--waiting.count], "at last\n");
}

static const struct http_route routes[] = {
    {.path = "/later", .handler = serve_later},
    {.path = "/at-once", .handler = serve_at_once},
    {.path = "/now", .handler = serve_now},
};

static void start(struct harness *harness)
{
    struct http_settings settings = {.routes = routes,
                                     .route_count = array_size(routes)};
    harness_start(harness, &settings);
}

static void
expect(const struct harness *harness, const char *request, const char *body)
{
    struct answer got;
    fetch(harness, request, "", &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(text_str(&got.body), body);
    answer_deinit(&got);
}

static int ask_later(const struct harness *harness, const char *method)
{
    char request[128];
    int fd = harness_connect(harness);
    snprintf(request, sizeof(request),
             "%s /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
             method);
    send_string(fd, request);
    usleep(50000);
    return fd;
}

static void test_others_do_not_wait(void **state)
{
    (void)state;
    struct harness harness;
    struct answer got;
    start(&harness);
    int first = ask_later(&harness, "GET"),
        second = ask_later(&harness, "HEAD");
    expect(&harness, "GET /now", "2\n");
    read_answer(first, true, &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(text_str(&got.body), "at last\n");
    answer_deinit(&got);
    read_answer(second, false, &got);
    assert_int_equal(got.status, 200);
    answer_deinit(&got);
    close(first);
    close(second);
    harness_stop(&harness);
}

static void test_an_answer_may_come_at_once(void **state)
{
    (void)state;
    struct harness harness;
    start(&harness);
    expect(&harness, "GET /at-once", "at once\n");
    expect(&harness, "GET /now", "0\n");
    harness_stop(&harness);
}

static void test_who_hung_up_is_no_trouble(void **state)
{
    (void)state;
    struct harness harness;
    start(&harness);
    close(ask_later(&harness, "GET"));
    usleep(50000);
    expect(&harness, "GET /now", "1\n");
    expect(&harness, "GET /now", "0\n");
    harness_stop(&harness);
    assert_int_equal(harness.statistics.connections, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_do_not_wait),
        cmocka_unit_test(test_an_answer_may_come_at_once),
        cmocka_unit_test(test_who_hung_up_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
