/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "http/test-harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct http_content *page; /* three megabytes of metrics */

static void serve_page(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    (void)context;
    struct text fresh = TEXT_INIT;
    const char *extra = http_request_query(request, "fresh", 0);
    http_reply_vary(reply, "Accept");
    if (http_request_query(request, "alone", 0)) {
        http_reply_add(reply, page);
        return;
    }
    http_reply_set_type(reply, "text/plain; version=0.0.4");
    http_reply_add(reply, page);
    text_addf(&fresh, "fresh %s\n", extra ? extra : "");
    http_reply_add_text(reply, &fresh);
}

/* What the handler saw, one fact a line. */
static void serve_echo(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    (void)context;
    struct text t = TEXT_INIT;
    const char *name, *value;
    text_addf(&t, "path %s\n", http_request_path(request));
    for (size_t i = 0; http_request_parameter(request, i, &name, &value); i++)
        text_addf(&t, "parameter %s=%s\n", name, value);
    for (size_t i = 0; (value = http_request_query(request, "collect[]", i));
         i++)
        text_addf(&t, "collect %zu %s\n", i, value);
    value = http_request_header(request, "X-Test");
    text_addf(&t, "header %s\n", value ? value : "none");
    text_addf(&t, "peer %.10s\n", http_request_peer(request));
    http_reply_set_header(reply, "X-Frame-Options", "sameorigin");
    http_reply_add_text(reply, &t);
}

static void serve_nothing(void *context,
                          struct http_request *request,
                          struct http_reply *reply)
{
    (void)context;
    (void)request;
    struct text failed = TEXT_INIT;
    text_add(&failed, "half of it");
    text_reserve(&failed, SIZE_MAX);
    http_reply_add_text(reply, &failed);
}

static const struct http_route routes[] = {
    {"/metrics", serve_page, NULL, NULL},
    {"/echo", serve_echo, NULL, NULL},
    {"/broken", serve_nothing, NULL, NULL},
};

#define SETTINGS                                                               \
    {                                                                          \
        .routes = routes, .route_count = array_size(routes)                    \
    }

static int make_page(void **state)
{
    (void)state;
    struct text t = TEXT_INIT;
    for (int i = 0; t.size < 3000000; i++)
        text_addf(&t, "slurm_node_cpus{node=\"n%05d\"} %d\n", i % 10000,
                  i * 7919 % 128);
    page = http_content_take(&t);
    return page ? 0 : -1;
}

static int drop_page(void **state)
{
    (void)state;
    http_content_unref(page);
    return 0;
}

static bool body_is(const struct answer *answer, const char *text)
{
    return answer->body.size == strlen(text) &&
           memcmp(answer->body.data, text, answer->body.size) == 0;
}

static void test_request_reaches_its_handler(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct answer answer;
    harness_start(&harness, &settings);
    fetch(&harness, "GET /echo?collect[]=a&x=%20&collect%5b%5d=b",
          "X-Test: one\r\nx-test: two\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(body_is(&answer, "path /echo\n"
                                 "parameter collect[]=a\n"
                                 "parameter x= \n"
                                 "parameter collect[]=b\n"
                                 "collect 0 a\ncollect 1 b\n"
                                 "header one, two\npeer 127.0.0.1:\n"));
    assert_true(answer_has(&answer, "X-Content-Type-Options: nosniff"));
    assert_true(answer_has(&answer, "X-Frame-Options: sameorigin"));
    assert_true(answer_has(&answer, "Content-Type: text/plain; charset=utf-8"));
    answer_deinit(&answer);
    harness_stop(&harness);
    assert_int_equal(harness.rows[1].replies[1], 1);
}

static void test_page_is_same_plain_and_gzip(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct answer plain, packed, head;
    struct text unpacked;
    harness_start(&harness, &settings);
    fetch(&harness, "GET /metrics?fresh=1", "", &plain);
    fetch(&harness, "GET /metrics?fresh=1", "Accept-Encoding: gzip\r\n",
          &packed);
    fetch(&harness, "HEAD /metrics?fresh=1", "Accept-Encoding: gzip\r\n",
          &head);
    harness_stop(&harness);

    assert_int_equal(plain.body.size, http_content_size(page) + 8);
    assert_memory_equal(plain.body.data, http_content_data(page),
                        http_content_size(page));
    assert_string_equal(plain.body.data + http_content_size(page), "fresh 1\n");
    assert_true(answer_has(&plain, "Vary: Accept-Encoding, Accept"));
    assert_false(answer_has(&plain, "Content-Encoding: gzip"));

    assert_true(answer_has(&packed, "Content-Encoding: gzip"));
    assert_true(answer_has(&packed, "Vary: Accept-Encoding, Accept"));
    gunzip(&packed.body, &unpacked);
    assert_int_equal(unpacked.size, plain.body.size);
    assert_memory_equal(unpacked.data, plain.body.data, plain.body.size);

    char length[64];
    snprintf(length, sizeof(length), "Content-Length: %zu", packed.body.size);
    assert_true(answer_has(&head, length));
    assert_int_equal(harness.statistics.body_bytes,
                     plain.body.size + packed.body.size);
    answer_deinit(&plain);
    answer_deinit(&packed);
    answer_deinit(&head);
    text_deinit(&unpacked);
}

static void test_single_content_is_same_as_gzip(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct answer packed;
    struct text unpacked;
    harness_start(&harness, &settings);
    fetch(&harness, "GET /metrics?alone", "Accept-Encoding: gzip\r\n", &packed);
    harness_stop(&harness);
    gunzip(&packed.body, &unpacked);
    assert_int_equal(unpacked.size, http_content_size(page));
    assert_memory_equal(unpacked.data, http_content_data(page), unpacked.size);
    answer_deinit(&packed);
    text_deinit(&unpacked);
}

static void test_wrong_requests_are_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *request, *headers;
        unsigned int status;
        const char *line, *body;
    } cases[] = {
        {"GET /nothing", "", 404, "", "/metrics\n"},
        {"GET /metrics/", "", 404, "", "/echo\n"},
        {"POST /metrics", "Content-Length: 3\r\n", 405, "Allow: GET, HEAD",
         "use GET"},
        {"DELETE /metrics", "", 405, "Allow: GET, HEAD", "use GET"},
        {"OPTIONS *", "", 405, "Allow: GET, HEAD", "use GET"},
        {"BREW /metrics", "", 405, "Allow: GET, HEAD", "BREW"},
        {"GET /%zz", "", 400, "", ""}, /* libmicrohttpd 1.0 says why itself */
        {"GET /echo?%00", "", 400, "", "escapes"},
        {"GET *", "", 400, "", "escapes"},
        {"GET /echo", "Content-Length: 5\r\n", 400, "", "without a body"},
        {"GET /echo", "Transfer-Encoding: chunked\r\n", 400, "",
         "without a body"},
        {"GET /broken", "", 500, "", "Out of memory"},
    };
    struct http_settings settings = SETTINGS;
    struct harness harness;
    harness_start(&harness, &settings);
    for (size_t i = 0; i < array_size(cases); i++) {
        struct answer answer;
        fetch(&harness, cases[i].request, cases[i].headers, &answer);
        if (answer.status != cases[i].status)
            fail_msg("%s: %u", cases[i].request, answer.status);
        assert_true(!*cases[i].line || answer_has(&answer, cases[i].line));
        if (!strstr(text_str(&answer.body), cases[i].body))
            fail_msg("%s: %s", cases[i].request, text_str(&answer.body));
        answer_deinit(&answer);
    }
    harness_stop(&harness);
    assert_int_equal(harness.rows[0].replies[3], 3);
    assert_int_equal(harness.rows[2].replies[4], 1);
}

static void test_connection_is_kept_or_closed_as_asked(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct answer answer;
    harness_start(&harness, &settings);

    int fd = harness_connect(&harness);
    for (int i = 0; i < 3; i++) {
        send_string(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
                        "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        read_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
        answer_deinit(&answer);
        read_answer(fd, false, &answer);
        assert_int_equal(answer.status, 200);
        answer_deinit(&answer);
    }
    close(fd);

    static const char *const closing[] = {
        "GET /echo HTTP/1.0\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    for (size_t i = 0; i < array_size(closing); i++) {
        char more;
        fd = harness_connect(&harness);
        send_string(fd, closing[i]);
        read_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
        assert_int_equal(recv(fd, &more, 1, 0), 0);
        answer_deinit(&answer);
        close(fd);
    }
    harness_stop(&harness);
    assert_int_equal(harness.statistics.accepted, 3);
}

static void test_overlong_headers_are_refused(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct answer answer;
    struct text t = TEXT_INIT;
    harness_start(&harness, &settings);
    text_add(&t, "X-Long: ");
    for (int i = 0; i < 40000; i++)
        text_add_char(&t, 'a');
    text_add(&t, "\r\n");
    fetch(&harness, "GET /echo", text_str(&t), &answer);
    assert_int_equal(answer.status, 431);
    answer_deinit(&answer);

    text_clear(&t);
    text_add(&t, "GET /echo?");
    for (int i = 0; i < 40000; i++)
        text_add_char(&t, 'a');
    fetch(&harness, text_str(&t), "", &answer);
    assert_int_equal(answer.status, 414);
    answer_deinit(&answer);

    text_clear(&t);
    for (int i = 0; i < 4000; i++)
        text_addf(&t, "X-%d: 1\r\n", i);
    fetch(&harness, "GET /echo", text_str(&t), &answer);
    assert_int_equal(answer.status, 431);
    answer_deinit(&answer);
    text_deinit(&t);
    harness_stop(&harness);
}

/* Answered, and how long it took. */
static int64_t time_fetch(const struct harness *harness)
{
    struct answer answer;
    int64_t begun_ms = now_ms();
    fetch(harness, "GET /echo", "", &answer);
    assert_int_equal(answer.status, 200);
    answer_deinit(&answer);
    return now_ms() - begun_ms;
}

static void test_byte_by_byte_client_is_closed_in_time(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    settings.header_timeout_ms = 400;
    struct harness harness;
    harness_start(&harness, &settings);
    int fd = harness_connect(&harness);
    int64_t begun_ms = now_ms();
    const char *request = "GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: "
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    bool closed = false;
    for (; *request && !closed; request++) {
        char c;
        closed = send(fd, request, 1, MSG_NOSIGNAL) < 0 ||
                 recv(fd, &c, 1, MSG_DONTWAIT) == 0;
        assert_true(time_fetch(&harness) < 100);
        usleep(20000);
    }
    assert_true(closed);
    assert_in_range(now_ms() - begun_ms, 390, 1500);
    close(fd);
    harness_stop(&harness);
    assert_int_equal(harness.statistics.timed_out, 1);
}

static void test_client_that_does_not_read_is_closed(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    settings.send_timeout_ms = 300;
    struct harness harness;
    harness_start(&harness, &settings);
    int small = 4096;
    int fd = harness_connect(&harness);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 4; i++)
        send_string(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    usleep(600000);
    assert_true(time_fetch(&harness) < 100);
    close(fd);
    harness_stop(&harness);
    assert_int_equal(harness.statistics.timed_out, 1);
}

static void test_idle_connection_is_closed(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    settings.idle_timeout_ms = 200;
    struct harness harness;
    struct answer answer;
    char c;
    harness_start(&harness, &settings);
    int fd = harness_connect(&harness);
    send_string(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(fd, true, &answer);
    answer_deinit(&answer);
    int64_t begun_ms = now_ms();
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    assert_in_range(now_ms() - begun_ms, 150, 1000);
    close(fd);
    harness_stop(&harness);
}

static void test_clients_beyond_the_limit_are_told(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    settings.connections_max = 3;
    struct harness harness;
    struct answer answer;
    int fds[3];
    harness_start(&harness, &settings);
    for (int i = 0; i < 3; i++) {
        fds[i] = harness_connect(&harness);
        send_string(fds[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        read_answer(fds[i], true, &answer);
        assert_int_equal(answer.status, 200);
        answer_deinit(&answer);
    }
    fetch(&harness, "GET /echo", "", &answer);
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    answer_deinit(&answer);
    send_string(fds[1], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(fds[1], true, &answer);
    assert_int_equal(answer.status, 200);
    answer_deinit(&answer);
    close(fds[0]);
    usleep(50000);
    assert_true(time_fetch(&harness) < 100);
    close(fds[1]);
    close(fds[2]);
    harness_stop(&harness);
    assert_int_equal(harness.statistics.refused, 1);
    assert_int_equal(harness.statistics.accepted, 4);
}

static void test_500_connections_hold_up_nobody(void **state)
{
    (void)state;
    static const char *const halves[] = {
        "",
        "G",
        "GET /metrics",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ",
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02",
        "POST /x HTTP/1.1\r\n"};
    struct http_settings settings = SETTINGS;
    struct harness harness;
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    setrlimit(RLIMIT_NOFILE, &files);
    int fds[500];
    harness_start(&harness, &settings);
    for (size_t i = 0; i < array_size(fds); i++) {
        fds[i] = harness_connect(&harness);
        send_string(fds[i], halves[i % array_size(halves)]);
    }
    for (int i = 0; i < 20; i++)
        assert_true(time_fetch(&harness) < 100);
    for (size_t i = 0; i < array_size(fds); i++)
        close(fds[i]);
    harness_stop(&harness);
    assert_int_equal(harness.statistics.refused, 0);
}

static void test_clients_that_leave_do_no_harm(void **state)
{
    (void)state;
    struct http_settings settings = SETTINGS;
    struct harness harness;
    harness_start(&harness, &settings);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 50; i++) {
        int fd = harness_connect(&harness);
        send_string(fd, i % 2 ? "GET /metrics HTTP/1.1\r\nHost: x\r\n"
                                "Accept-Encoding: gzip\r\n\r\n"
                              : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i % 3 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        if (i % 5 == 0)
            usleep(2000);
        close(fd);
    }
    assert_true(time_fetch(&harness) < 500);
    harness_stop(&harness); /* with transfers under way, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_reaches_its_handler),
        cmocka_unit_test(test_page_is_same_plain_and_gzip),
        cmocka_unit_test(test_single_content_is_same_as_gzip),
        cmocka_unit_test(test_wrong_requests_are_told_why),
        cmocka_unit_test(test_connection_is_kept_or_closed_as_asked),
        cmocka_unit_test(test_overlong_headers_are_refused),
        cmocka_unit_test(test_byte_by_byte_client_is_closed_in_time),
        cmocka_unit_test(test_client_that_does_not_read_is_closed),
        cmocka_unit_test(test_idle_connection_is_closed),
        cmocka_unit_test(test_clients_beyond_the_limit_are_told),
        cmocka_unit_test(test_500_connections_hold_up_nobody),
        cmocka_unit_test(test_clients_that_leave_do_no_harm),
    };
    return cmocka_run_group_tests_name("server", tests, make_page, drop_page);
}
