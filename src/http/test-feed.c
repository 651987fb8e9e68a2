/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Followers of a feed: those who keep up, those who are slow, those who stop.
 */
#include "http/feed.h"
#include "http/test-harness.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The last, as it may jump. */
#include <cmocka.h>

enum {
    MESSAGE_SIZE = 64 * 1024,
    MESSAGES = 100
};

static struct http_feed *feed;
static int published;

static void serve_feed(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    (void)context;
    (void)request;
    http_reply_set_type(reply, "text/event-stream");
    http_reply_follow(reply, feed);
}

static const struct http_route routes[] = {
    {.path = "/stream", .handler = serve_feed},
};

/* "data: 000007 xxx...", of MESSAGE_SIZE bytes. */
static void publish(void *context)
{
    struct text text = TEXT_INIT;
    (void)context;
    text_addf(&text, "data: %06d ", ++published);
    while (text.size < MESSAGE_SIZE - 2)
        text_add_char(&text, 'x');
    text_add(&text, "\n\n");
    http_feed_publish(feed, &text, true);
}

static void count_followers(void *context)
{
    *(size_t *)context = http_feed_followers(feed);
}

static size_t followers(struct harness *harness)
{
    size_t count;
    harness_call(harness, count_followers, &count);
    return count;
}

static void start(struct harness *harness)
{
    struct http_settings settings = {.routes = routes,
                                     .route_count = array_size(routes)};
    published = 0;
    feed = http_feed_new();
    assert_non_null(feed);
    harness_start(harness, &settings);
}

static void stop_serving(struct harness *harness)
{
    harness_stop(harness);
    feed = http_feed_free(feed);
}

/* A connection that follows, after ALREADY others; the header has been read. An
 * answer to HTTP/1.0 is not cut into chunks. */
static int follow(struct harness *harness, size_t already)
{
    int fd = harness_connect(harness);
    char end[4] = "";
    send_string(fd, "GET /stream HTTP/1.0\r\n\r\n");
    while (memcmp(end, "\r\n\r\n", 4) != 0) {
        memmove(end, end + 1, 3);
        assert_int_equal(read(fd, end + 3, 1), 1);
    }
    while (followers(harness) <= already)
        usleep(1000);
    return fd;
}

/* One for whom the kernel keeps little, when he does not read. */
static int follow_slowly(struct harness *harness)
{
    int fd = follow(harness, 0), room = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    return fd;
}

/* The number of the next message; 0: the connection was closed. It is whole. */
static int next_message(int fd)
{
    static char message[MESSAGE_SIZE + 1];
    size_t size = 0;
    int number = 0;
    while (size < MESSAGE_SIZE) {
        ssize_t more = read(fd, message + size, MESSAGE_SIZE - size);
        if (more <= 0)
            return 0;
        size += (size_t)more;
    }
    message[size] = '\0';
    assert_int_equal(sscanf(message, "data: %6d ", &number), 1);
    assert_int_equal(strspn(message + 13, "x"), MESSAGE_SIZE - 15);
    assert_string_equal(message + MESSAGE_SIZE - 2, "\n\n");
    return number;
}

static void who_keeps_up_gets_all(void **state)
{
    (void)state;
    struct harness harness;
    start(&harness);
    harness_call(&harness, publish, NULL);
    int first = follow(&harness, 0), second = follow(&harness, 1);
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(next_message(first), i);
        assert_int_equal(next_message(second), i);
        harness_call(&harness, publish, NULL);
    }
    close(first);
    close(second);
    stop_serving(&harness);
}

/* Nothing is kept for him but what he is busy with and the newest. */
static void a_slow_reader_misses_what_was_between(void **state)
{
    (void)state;
    struct harness harness;
    start(&harness);
    int slow = follow_slowly(&harness), quick = follow(&harness, 1);
    for (int i = 1; i <= MESSAGES; i++) {
        harness_call(&harness, publish, NULL);
        assert_int_equal(next_message(quick), i);
    }
    int last = 0, count = 0;
    while (last < MESSAGES) {
        int number = next_message(slow);
        assert_true(number > last);
        last = number;
        count++;
    }
    assert_true(count < 10);
    harness_call(&harness, publish, NULL);
    assert_int_equal(next_message(slow), MESSAGES + 1);
    close(slow);
    close(quick);
    stop_serving(&harness);
}

static void who_takes_nothing_is_closed_and_the_others_stay(void **state)
{
    (void)state;
    struct harness harness;
    start(&harness);
    int stuck = follow_slowly(&harness), quick = follow(&harness, 1);
    int64_t begin_ms = now_ms();
    for (int i = 1; followers(&harness) == 2; i++) {
        harness_call(&harness, publish, NULL);
        assert_int_equal(next_message(quick), i);
        assert_true(now_ms() - begin_ms < 2 * HTTP_FEED_PATIENCE_MS);
        usleep(200000);
    }
    assert_true(now_ms() - begin_ms >= HTTP_FEED_PATIENCE_MS / 2);
    harness_call(&harness, publish, NULL);
    assert_int_equal(next_message(quick), published);
    close(stuck);
    close(quick);
    stop_serving(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_keeps_up_gets_all),
        cmocka_unit_test(a_slow_reader_misses_what_was_between),
        cmocka_unit_test(who_takes_nothing_is_closed_and_the_others_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
