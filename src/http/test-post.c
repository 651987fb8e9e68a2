/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST: who may send what, and that no body is kept that nobody wants. */
#include "http/test-harness.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last, as it may jump. */
#include <cmocka.h>

static void
serve_get(void *context, struct http_request *request, struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    (void)context;
    (void)request;
    text_add(&text, "got\n");
    http_reply_add_text(reply, &text);
}

/* "SIZE:" and the body. */
static void serve_post(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    size_t size;
    (void)context;
    const char *body = http_request_body(request, &size);
    text_addf(&text, "%zu:%s", size, body);
    http_reply_add_text(reply, &text);
}

static const struct http_route routes[] = {
    {.path = "/take", .handler = serve_get, .post = serve_post},
    {.path = "/give", .handler = serve_get},
};

static void start(struct harness *harness)
{
    struct http_settings settings = {.routes = routes,
                                     .route_count = array_size(routes)};
    harness_start(harness, &settings);
}

/* Sends SIZE bytes in two pieces. */
static void post(const struct harness *harness,
                 const char *path,
                 size_t size,
                 struct answer *ret_answer)
{
    char head[256];
    char *body = calloc(1, size + 1);
    assert_non_null(body);
    memset(body, 'x', size);
    snprintf(head, sizeof(head),
             "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
             "Content-Length: %zu\r\n\r\n",
             path, size);
    int fd = harness_connect(harness);
    send_string(fd, head);
    send_string(fd, body + size / 2);
    usleep(20000);
    body[size - size / 2] = '\0';
    send_string(fd, body);
    read_answer(fd, true, ret_answer);
    close(fd);
    free(body);
}

static void test_body_arrives_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 20000, HTTP_BODY_MAX};
    struct harness harness;
    start(&harness);
    for (size_t i = 0; i < array_size(sizes); i++) {
        struct answer answer;
        char begin[32];
        post(&harness, "/take", sizes[i], &answer);
        assert_int_equal(answer.status, 200);
        snprintf(begin, sizeof(begin), "%zu:", sizes[i]);
        assert_memory_equal(answer.body.data, begin, strlen(begin));
        assert_int_equal(answer.body.size, strlen(begin) + sizes[i]);
        answer_deinit(&answer);
    }
    harness_stop(&harness);
}

static void test_what_cannot_be_taken_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request, *headers;
        unsigned int status;
        const char *body;
    } cases[] = {
        {"POST /give", "Content-Length: 3\r\n", 405, "use GET or HEAD"},
        {"PUT /take", "Content-Length: 3\r\n", 405, "use GET, HEAD or POST"},
        {"POST /take", "Content-Length: 131073\r\n", 413, "131072 bytes"},
        {"POST /take", "Transfer-Encoding: chunked\r\n", 411, "Content-Length"},
        {"POST /take", "", 411, "Content-Length"},
        {"POST /none", "Content-Length: 3\r\n", 405, "use GET"},
        {"GET /take", "", 200, "got"},
        {"GET /take", "Content-Length: 3\r\n", 400, "without a body"},
    };
    struct harness harness;
    start(&harness);
    for (size_t i = 0; i < array_size(cases); i++) {
        struct answer answer;
        fetch(&harness, cases[i].request, cases[i].headers, &answer);
        if (answer.status != cases[i].status)
            fail_msg("%s: %u", cases[i].request, answer.status);
        if (!strstr(text_str(&answer.body), cases[i].body))
            fail_msg("%s: %s", cases[i].request, text_str(&answer.body));
        answer_deinit(&answer);
    }
    harness_stop(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_arrives_whole),
        cmocka_unit_test(test_what_cannot_be_taken_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
