/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/join-message.h"

#include "base/cleanup.h"
#include "base/test.h"

#include <string.h>

static void json_release(json_t **json)
{
    json_decref(*json);
}

static json_t *parse(const char *text)
{
    json_t *message = NULL;
    struct error err = {""};
    if (message_decode(text, strlen(text), &message, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return message;
}

static void test_frame_reads_back(void **state)
{
    (void)state;
    _cleanup_(json_release) json_t *message = parse("{\"type\":\"a\",\"n\":1}");
    _cleanup_(json_release) json_t *again = NULL;
    _cleanup_(text_deinit) struct text out = TEXT_INIT;
    struct error err = {""};
    size_t size;
    assert_int_equal(message_encode(message, &out, &err), 0);
    assert_int_equal(message_length((const uint8_t *)out.data, &size, &err), 0);
    assert_int_equal(size, out.size - MESSAGE_HEADER_SIZE);
    assert_int_equal(
        message_decode(out.data + MESSAGE_HEADER_SIZE, size, &again, &err), 0);
    assert_true(json_equal(message, again));
    assert_string_equal(message_type(again), "a");
    assert_string_equal(message_type(NULL), "");
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        uint8_t header[MESSAGE_HEADER_SIZE];
        size_t size; /* 0: refused */
    } cases[] = {
        {{0, 0, 0, 0}, 0},         {{0, 0, 0, 1}, 1},
        {{0, 0, 1, 2}, 258},       {{0, 4, 0, 0}, MESSAGE_SIZE_MAX},
        {{0, 4, 0, 1}, 0},         {{0x80, 0, 0, 0}, 0},
        {{255, 255, 255, 255}, 0},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        size_t size = 0;
        struct error err = {""};
        int r = message_length(cases[i].header, &size, &err);
        assert_int_equal(r, cases[i].size ? 0 : -EBADMSG);
        assert_int_equal(size, cases[i].size);
    }
}

static void test_what_is_no_message(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "x",
        "[]",
        "{}",
        "null",
        "\"type\"",
        "{\"type\":1}",
        "{\"type\":\"\"}",
        "{\"type\":\"a b\"}",
        "{\"type\":\"a\\n\"}",
        "{\"type\":\"A\"}",
        "{\"type\":\"abcdefghijklmnopqrstuvwxyzabcdefghijklmno\"}",
        "{\"type\":\"a\",\"type\":\"a\"}",
        "{\"type\":\"a\"} x",
        "{\"type\":\"a\\u0000\"}",
        "{\"type\":\"a\",\"t\":\"\xff\"}",
        "{\"type\":\"secret\",\"key\":\"hidden",
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        json_t *message = NULL;
        struct error err = {""};
        if (message_decode(cases[i], strlen(cases[i]), &message, &err) !=
            -EBADMSG)
            fail_msg("%s was taken", cases[i]);
        assert_null(message);
        assert_string_not_equal(err.text, "");
        assert_null(strstr(err.text, "hidden")); /* it may be a key */
    }
}

static void test_deep_nesting_is_refused(void **state)
{
    (void)state;
    enum {
        DEPTH = 100000
    };
    _cleanup_(text_deinit) struct text deep = TEXT_INIT;
    text_add(&deep, "{\"type\":\"a\",\"deep\":");
    for (int i = 0; i < DEPTH; i++)
        text_add_char(&deep, '[');
    json_t *message;
    assert_int_equal(message_decode(deep.data, deep.size, &message, NULL),
                     -EBADMSG);
}

static void test_texts(void **state)
{
    (void)state;
    _cleanup_(json_release) json_t *message =
        parse("{\"type\":\"a\",\"good\":\"N\xc3\xbc\",\"line\":\"a\\nb\","
              "\"escape\":\"\\u001b[2J\",\"c1\":\"\\u009b\",\"empty\":\"\","
              "\"number\":1}");
    struct error err = {""};
    char text[4] = "?";
    assert_int_equal(message_read_text(message, "good", text, 4, &err), 0);
    assert_string_equal(text, "N\xc3\xbc");
    assert_int_equal(message_read_text(message, "empty", text, 4, &err), 0);
    assert_string_equal(text, "");
    assert_int_equal(message_read_text(message, "good", text, 3, &err),
                     -EBADMSG);
    assert_string_equal(err.text, "good: longer than 2 bytes");
    static const char *const bad[] = {"line", "escape", "c1", "number", "none"};
    char room[64];
    for (size_t i = 0; i < array_size(bad); i++) {
        assert_int_equal(
            message_read_text(message, bad[i], room, sizeof(room), &err),
            -EBADMSG);
        assert_memory_equal(err.text, bad[i], strlen(bad[i]));
    }
}

static void test_numbers_and_truths(void **state)
{
    (void)state;
    _cleanup_(json_release) json_t *message =
        parse("{\"type\":\"a\",\"n\":5,\"real\":5.0,\"text\":\"5\","
              "\"large\":9223372036854775807,\"yes\":true}");
    struct error err = {""};
    int64_t n = 0;
    bool yes = false;
    assert_int_equal(message_read_number(message, "n", 5, 5, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_int_equal(message_read_number(message, "n", 0, 4, &n, &err),
                     -EBADMSG);
    assert_string_equal(err.text, "n: 5 is not from 0 to 4");
    assert_int_equal(message_read_number(message, "n", 6, 9, &n, &err),
                     -EBADMSG);
    assert_int_equal(
        message_read_number(message, "large", 0, INT64_MAX, &n, &err), 0);
    assert_true(n == INT64_MAX);
    assert_int_equal(message_read_number(message, "real", 0, 9, &n, &err),
                     -EBADMSG);
    assert_int_equal(message_read_number(message, "text", 0, 9, &n, &err),
                     -EBADMSG);
    assert_int_equal(message_read_bool(message, "yes", &yes, &err), 0);
    assert_true(yes);
    assert_int_equal(message_read_bool(message, "n", &yes, &err), -EBADMSG);
    assert_int_equal(message_read_bool(message, "none", &yes, &err), -EBADMSG);
}

static void test_bytes_read_back(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    size_t size;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t i = 0; i <= sizeof(bytes); i++) {
        _cleanup_(json_release) json_t *message = parse("{\"type\":\"a\"}");
        struct error err = {""};
        assert_int_equal(message_set_bytes(message, "key", bytes, i), 0);
        assert_int_equal(
            message_read_bytes(message, "key", again, i, &size, &err), 0);
        assert_int_equal(size, i);
        assert_memory_equal(bytes, again, i);
        if (i > 0)
            assert_int_equal(
                message_read_bytes(message, "key", again, i - 1, &size, &err),
                -EBADMSG);
    }
}

static void test_bytes_as_the_standard_writes_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(json_release) json_t *message = parse("{\"type\":\"a\"}");
        assert_int_equal(
            message_set_bytes(message, "key", cases[i][0], strlen(cases[i][0])),
            0);
        assert_string_equal(json_string_value(json_object_get(message, "key")),
                            cases[i][1]);
    }
}

static void test_bytes_that_are_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z",        "Zg",   "Zg=",   "Zh==", "Zm9=", "Z===", "====",
        "Zg==Zg==", "Zm 9", "Zm9v=", "Zm9-", "=Zm9", "Zm=v"};
    for (size_t i = 0; i < array_size(cases); i++) {
        uint8_t bytes[16];
        size_t size;
        struct error err = {""};
        _cleanup_(json_release) json_t *message =
            json_pack("{s:s, s:s}", "type", "a", "key", cases[i]);
        if (message_read_bytes(message, "key", bytes, sizeof(bytes), &size,
                               &err) != -EBADMSG)
            fail_msg("%s was taken", cases[i]);
        assert_string_equal(err.text, "key: not base64");
    }
}

static void test_a_cluster_that_nobody_named_has_no_name_in_words(void **state)
{
    (void)state;
    char words[JOIN_CLUSTER_WORDS_SIZE];
    assert_string_equal(join_cluster_words("lab", words), "the cluster lab");
    assert_string_equal(join_cluster_words("cluster", words), "the cluster");
    assert_string_equal(join_cluster_words("", words), "the cluster");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_reads_back),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_what_is_no_message),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_numbers_and_truths),
        cmocka_unit_test(test_bytes_read_back),
        cmocka_unit_test(test_bytes_as_the_standard_writes_them),
        cmocka_unit_test(test_bytes_that_are_none),
        cmocka_unit_test(test_a_cluster_that_nobody_named_has_no_name_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
