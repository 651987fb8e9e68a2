/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/token.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/test.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the text -------------------------------------------------------------
 */

static const struct token example = {
    .pin.bytes = {0x00, 0x01, 0xfe, 0xff, 0x80, [31] = 0x7f},
    .id = "ab2zy7",
    .secret = {0xff, 0x00, 0xaa, [15] = 0x01},
};

static void test_text_reads_back(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE];
    struct token again;
    token_format(&example, text);
    assert_int_equal(strlen(text), 4 + 52 + 1 + 6 + 1 + 26 + 1);
    assert_memory_equal(text, "GW1-", 4);
    assert_int_equal(token_parse(text, &again, NULL), 0);
    assert_memory_equal(&again.pin, &example.pin, sizeof(again.pin));
    assert_string_equal(again.id, example.id);
    assert_memory_equal(again.secret, example.secret, sizeof(again.secret));
}

static void test_case_does_not_matter(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE];
    struct token again;
    token_format(&example, text);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    assert_int_equal(token_parse(text, &again, NULL), 0);
    assert_memory_equal(again.secret, example.secret, sizeof(again.secret));
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    assert_int_equal(token_parse(text, &again, NULL), 0);
}

static void assert_refused(const char *text, const char *word)
{
    struct token token, before;
    struct error err = {""};
    memset(&token, 0x5a, sizeof(token));
    before = token;
    if (token_parse(text, &token, &err) != -EINVAL)
        fail_msg("\"%s\" was taken", text);
    if (!strstr(err.text, word))
        fail_msg("\"%s\": %s", text, err.text);
    /* Nothing of a token that may be good but for a letter is shown. */
    for (size_t i = 0; strlen(text) > 20 && i + 10 < strlen(text); i++) {
        char piece[11];
        snprintf(piece, sizeof(piece), "%s", text + i);
        assert_null(strstr(err.text, piece));
    }
    assert_memory_equal(&token, &before, sizeof(token));
}

static void test_each_truncation_is_seen(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE], piece[TOKEN_TEXT_SIZE + 1];
    token_format(&example, text);
    for (size_t length = 2; length < strlen(text); length++) {
        memcpy(piece, text, length);
        piece[length] = '\0';
        assert_refused(piece, "ends early");
    }
    snprintf(piece, sizeof(piece), "%sx", text);
    assert_refused(piece, "too long");
    assert_refused("", "no join token");
    assert_refused("G", "no join token");
    assert_refused("K10abc::server:def", "no join token");
    assert_refused("GW2-abc", "another version");
}

static void test_each_wrong_letter_is_seen(void **state)
{
    (void)state;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567-018=_ \x80";
    char text[TOKEN_TEXT_SIZE];
    token_format(&example, text);
    for (size_t i = 4; i < strlen(text); i++) {
        char right = text[i];
        for (const char *wrong = letters; *wrong; wrong++) {
            text[i] = *wrong;
            if (*wrong != right)
                assert_refused(text, "a letter of the token is wrong");
        }
        text[i] = right;
    }
}

/* ---- the store ------------------------------------------------------------
 */

static char folder[64], path[80];
static struct token_store *store;
static const struct pin pin = {.bytes = {1, 2, 3}};

static void open_store(void)
{
    struct error err = {""};
    if (token_store_open(path, &store, &err) < 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-token.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/tokens", folder);
    return token_store_open(path, &store, NULL);
}

static int teardown(void **state)
{
    (void)state;
    char command[100];
    store = token_store_close(store);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static struct token create(int64_t ttl_s, uint32_t uses_max)
{
    struct token token;
    struct error err = {""};
    if (token_store_create(store, &pin, ttl_s, uses_max, &token, &err) < 0)
        fail_msg("%s", err.text);
    return token;
}

static void assert_good(const struct token *token)
{
    struct error err = {""};
    if (token_store_check(store, token->id, token->secret, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_bad(const struct token *token, const char *word)
{
    struct error err = {""};
    assert_int_equal(token_store_check(store, token->id, token->secret, &err),
                     -EACCES);
    assert_non_null(strstr(err.text, word));
    assert_non_null(strstr(err.text, "gpu-watchdog token"));
}

static void reopen(void)
{
    store = token_store_close(store);
    open_store();
}

/* As if the file had been written otherwise. */
static void edit(const char *key, int64_t value)
{
    json_t *document = json_load_file(path, 0, NULL);
    assert_non_null(document);
    json_t *record = json_array_get(json_object_get(document, "tokens"), 0);
    json_object_set_new(record, key, json_integer(value));
    assert_int_equal(json_dump_file(document, path, 0), 0);
    json_decref(document);
}

static int64_t now_s(void)
{
    return clock_realtime_ns() / NS_PER_S;
}

static void test_wrong_secret_or_id(void **state)
{
    (void)state;
    struct token token = create(60, 0), other = create(60, 0);
    assert_memory_equal(&token.pin, &pin, sizeof(pin));
    assert_good(&token);
    struct token wrong = token;
    wrong.secret[15] ^= 1;
    assert_bad(&wrong, "knows no such token");
    memcpy(wrong.secret, other.secret, sizeof(wrong.secret));
    assert_bad(&wrong, "knows no such token");
    wrong = token;
    strcpy(wrong.id, "aaaaaa");
    assert_bad(&wrong, "knows no such token");
    /* No secret of all zeroes matches an id that is not there. */
    memset(wrong.secret, 0, sizeof(wrong.secret));
    assert_bad(&wrong, "knows no such token");
    wrong.id[0] = '\0';
    assert_bad(&wrong, "knows no such token");
}

static void test_revoked_even_for_who_was_checked(void **state)
{
    (void)state;
    struct token token = create(60, 0);
    struct error err = {""};
    assert_good(&token);
    assert_int_equal(token_store_revoke(store, token.id, &err), 0);
    assert_bad(&token, "revoked");
    assert_int_equal(token_store_use(store, token.id, "w1", &err), -EACCES);
    assert_int_equal(token_store_revoke(store, "nobody", &err), -ENOENT);
    reopen();
    assert_bad(&token, "revoked");
}

/* The reason is for who knows the secret. */
static void test_reason_is_not_told_to_strangers(void **state)
{
    (void)state;
    struct token token = create(60, 0);
    assert_int_equal(token_store_revoke(store, token.id, NULL), 0);
    token.secret[0] ^= 0x80;
    assert_bad(&token, "knows no such token");
}

/* Two workers are checked, both are then let in: only one may be. */
static void test_last_use_is_had_once(void **state)
{
    (void)state;
    struct token token = create(60, 2);
    struct error err = {""};
    assert_int_equal(token_store_use(store, token.id, "w1", &err), 0);
    assert_good(&token);
    assert_good(&token);
    assert_int_equal(token_store_use(store, token.id, "w2", &err), 0);
    assert_int_equal(token_store_use(store, token.id, "w3", &err), -EACCES);
    assert_non_null(strstr(err.text, "used up"));
    reopen();
    assert_bad(&token, "used up");
    size_t count;
    const struct token_record *records = token_store_list(store, &count);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].uses, 2);
    assert_string_equal(records[0].last_node, "w2");
}

static void test_expired(void **state)
{
    (void)state;
    struct token token = create(60, 0);
    edit("expires_s", now_s());
    reopen();
    assert_bad(&token, "expired");
    assert_int_equal(token_store_use(store, token.id, "w1", NULL), -EACCES);
}

static void test_old_ones_are_dropped(void **state)
{
    (void)state;
    struct token old = create(60, 0);
    size_t count;
    edit("expires_s", now_s() - 90000);
    reopen();
    struct token token = create(60, 0);
    token_store_list(store, &count);
    assert_int_equal(count, 1);
    assert_bad(&old, "knows no such token");
    assert_good(&token);
}

static void test_lifetimes_that_are_none(void **state)
{
    (void)state;
    static const int64_t cases[] = {0, -1, INT64_MIN, INT64_MAX,
                                    INT64_C(1) << 40};
    for (size_t i = 0; i < array_size(cases); i++) {
        struct token token;
        struct error err = {""};
        assert_int_equal(
            token_store_create(store, &pin, cases[i], 0, &token, &err),
            -EINVAL);
        assert_non_null(strstr(err.text, "--ttl"));
    }
}

static void test_file_is_private_and_has_no_secret(void **state)
{
    (void)state;
    struct token token = create(60, 0);
    char text[TOKEN_TEXT_SIZE], hexadecimal[2 * TOKEN_SECRET_SIZE + 1];
    char content[4096] = "";
    struct stat st;
    token_format(&token, text);
    for (size_t i = 0; i < TOKEN_SECRET_SIZE; i++)
        snprintf(hexadecimal + 2 * i, 3, "%02x", token.secret[i]);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(content, 1, sizeof(content) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(content, token.id));
    assert_null(strstr(content, hexadecimal));
    text[strlen(text) - 1] = '\0'; /* the checksum letter */
    assert_null(strstr(content, strrchr(text, '-') + 1));
}

static void test_damaged_file_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "not JSON",
        "[]",
        "{\"format\": 2, \"tokens\": []}",
        "{\"format\": 1}",
        "{\"format\": 1, \"tokens\": [{}]}",
        "{\"format\": 1, \"format\": 1, \"tokens\": []}",
        "{\"format\": 1, \"tokens\": [{\"id\": \"abcdefghijkl\"}]}",
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(cases[i], file);
        fclose(file);
        assert_int_equal(chmod(path, 0600), 0);
        struct token_store *none = NULL;
        struct error err = {""};
        if (token_store_open(path, &none, &err) != -EBADMSG)
            fail_msg("%s was taken", cases[i]);
        assert_non_null(strstr(err.text, path));
        assert_null(none);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, strlen(cases[i]));
    }
}

static void test_nothing_changes_when_it_cannot_be_saved(void **state)
{
    (void)state;
    struct token token = create(60, 1), none;
    struct error err = {""};
    char moved[120];
    snprintf(moved, sizeof(moved), "%s.moved", folder);
    assert_int_equal(rename(folder, moved), 0);
    FILE *file = fopen(folder, "we"); /* a file where the folder was */
    assert_non_null(file);
    fclose(file);
    assert_true(token_store_use(store, token.id, "w1", &err) < 0);
    assert_true(token_store_revoke(store, token.id, &err) < 0);
    assert_true(token_store_create(store, &pin, 60, 0, &none, &err) < 0);
    assert_int_equal(unlink(folder), 0);
    assert_int_equal(rename(moved, folder), 0);
    size_t count;
    token_store_list(store, &count);
    assert_int_equal(count, 1);
    assert_good(&token);
}

int main(void)
{
#define STORE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_reads_back),
        cmocka_unit_test(test_case_does_not_matter),
        cmocka_unit_test(test_each_truncation_is_seen),
        cmocka_unit_test(test_each_wrong_letter_is_seen),
        STORE_TEST(wrong_secret_or_id),
        STORE_TEST(revoked_even_for_who_was_checked),
        STORE_TEST(reason_is_not_told_to_strangers),
        STORE_TEST(last_use_is_had_once),
        STORE_TEST(expired),
        STORE_TEST(old_ones_are_dropped),
        STORE_TEST(lifetimes_that_are_none),
        STORE_TEST(file_is_private_and_has_no_secret),
        STORE_TEST(damaged_file_is_refused_and_left_alone),
        STORE_TEST(nothing_changes_when_it_cannot_be_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
