/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tokens let whom in. That Slurm's own do is tested with scontrol
 * (dashboard-private.bats).
 */
#include "watchdog/jwt.h"

#include "base/cleanup.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S 1000

static const char key[] = "0123456789abcdef0123456789abcdef";

static void add_encoded(char *out, const void *bytes, size_t size)
{
    gnutls_datum_t text;
    const gnutls_datum_t input = {.data = (unsigned char *)(uintptr_t)bytes,
                                  .size = (unsigned int)size};
    assert_int_equal(gnutls_base64_encode2(&input, &text), 0);
    char *end = out + strlen(out);
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        char c = (char)text.data[i];
        *end++ = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    *end = '\0';
    gnutls_free(text.data);
}

static const char *make(const char *header, const char *claims)
{
    static char token[8192];
    unsigned char mac[32];
    token[0] = '\0';
    add_encoded(token, header, strlen(header));
    strcat(token, ".");
    add_encoded(token, claims, strlen(claims));
    gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, strlen(key), token, strlen(token),
                     mac);
    strcat(token, ".");
    add_encoded(token, mac, sizeof(mac));
    return token;
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static void who_is_named_comes_in(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *user;
        int64_t end_s;
    } cases[] = {
        {"{\"exp\":1500,\"iat\":900,\"sun\":\"ann\"}", "ann", 1500},
        {"{\"exp\":1500.5,\"sub\":\"ben\"}", "ben", 1500},
        {"{\"exp\":1500,\"sub\":\"ben\",\"sun\":\"ann\"}", "ann", 1500},
        {"{\"exp\":1500,\"nbf\":1000,\"sub\":\"j\xc3\xbcrg\"}", "j\xc3\xbcrg",
         1500},
        {"{\"exp\":1e99,\"sub\":\"ann\"}", "ann", INT64_C(1000000000000)},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct jwt_claims claims;
        struct error err = {.text = ""};
        if (jwt_read(make(HEADER, cases[i].claims), key, strlen(key), NOW_S,
                     &claims, &err) < 0)
            fail_msg("%s: %s", cases[i].claims, err.text);
        assert_string_equal(claims.user, cases[i].user);
        assert_true(claims.end_s == cases[i].end_s);
    }
}

static void expect_refusal(const char *token, const char *reason)
{
    struct jwt_claims claims;
    struct error err = {.text = ""};
    assert_int_equal(jwt_read(token, key, strlen(key), NOW_S, &claims, &err),
                     -EACCES);
    if (!strstr(err.text, reason))
        fail_msg("%s: %s", token, err.text);
}

static void what_is_not_signed_is_refused(void **state)
{
    (void)state;
    static const char claims[] = "{\"exp\":1500,\"sun\":\"root\"}";
    char token[512];
    static const char *const none[] = {"", ".", "..", "...", "a.b", "a.b.c"};
    for (size_t i = 0; i < array_size(none); i++)
        expect_refusal(none[i],
                       i == 0 || i == 1 || i == 4 ? "no token" : "key");
    expect_refusal(make("{\"alg\":\"none\"}", claims), "key");
    expect_refusal(make("{\"alg\":\"RS256\"}", claims), "key");
    expect_refusal(make("{}", claims), "key");
    expect_refusal(make("no", claims), "key");
    snprintf(token, sizeof(token), "%s", make(HEADER, claims));
    token[strlen(HEADER)] ^= 1;
    expect_refusal(token, "key");
    snprintf(token, sizeof(token), "%s", make(HEADER, claims));
    token[strlen(token) - 1] = '\0';
    expect_refusal(token, "key");
    snprintf(token, sizeof(token), "%s", make(HEADER, claims));
    strcpy(strrchr(token, '.'), ".");
    expect_refusal(token, "key");
    struct jwt_claims read;
    assert_int_equal(
        jwt_read(make(HEADER, claims), "other", 5, NOW_S, &read, NULL),
        -EACCES);
}

static void claims_that_let_nobody_in(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *reason;
    } cases[] = {
        {"{\"sun\":\"ann\"}", "no end"},
        {"{\"exp\":\"1500\",\"sun\":\"ann\"}", "no end"},
        {"{\"exp\":1000,\"sun\":\"ann\"}", "expired"},
        {"{\"exp\":1500,\"nbf\":1001,\"sun\":\"ann\"}", "not good yet"},
        {"{\"exp\":1500,\"nbf\":true,\"sun\":\"ann\"}", "not good yet"},
        {"{\"exp\":1500}", "no user"},
        {"{\"exp\":1500,\"sun\":\"\"}", "no user"},
        {"{\"exp\":1500,\"sun\":17}", "no user"},
        {"{\"exp\":1500,\"sun\":\"a b\"}", "no user"},
        {"{\"exp\":1500,\"sun\":\"a\\nb\"}", "no user"},
        {"{\"exp\":1500,\"sun\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaa\"}",
         "no user"},
        {"{\"exp\":1500,\"sun\":\"ann\",\"sun\":\"root\"}", "no token"},
        {"[]", "no token"},
        {"", "no token"},
    };
    for (size_t i = 0; i < array_size(cases); i++)
        expect_refusal(make(HEADER, cases[i].claims), cases[i].reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_named_comes_in),
        cmocka_unit_test(what_is_not_signed_is_refused),
        cmocka_unit_test(claims_that_let_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
