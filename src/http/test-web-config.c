/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/web-config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "http/tls-priority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"

static int
parse(const char *text, struct http_web_config *config, struct error *err)
{
    err->text[0] = '\0';
    return http_web_config_parse("/etc/site/web.yml", text, strlen(text),
                                 config, err);
}

static void test_all_keys_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "tls_server_config:\n"
        "  cert_file: server.crt\n"
        "  key_file: /keys/server.key\n"
        "  client_ca_file: ../ca.crt\n"
        "  client_auth_type: RequireAndVerifyClientCert\n"
        "  client_allowed_sans: [prometheus.example, 192.0.2.1]\n"
        "  min_version: TLS13\n"
        "  max_version: TLS13\n"
        "  cipher_suites:\n"
        "    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
        "  curve_preferences: [X25519, CurveP256]\n"
        "  prefer_server_cipher_suites: false\n"
        "http_server_config:\n"
        "  http2: false\n"
        "  headers:\n"
        "    X-Frame-Options: deny\n"
        "    Strict-Transport-Security: max-age=31536000\n"
        "basic_auth_users:\n"
        "  alice: " HASH "\n"
        "  bob: '" HASH "'\n"
        "rate_limit: {interval: 1m30.5s, burst: 20}\n";
    struct http_web_config c;
    struct error err;
    if (parse(text, &c, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(c.tls.enabled);
    assert_string_equal(c.tls.certificate_file, "/etc/site/server.crt");
    assert_string_equal(c.tls.key_file, "/keys/server.key");
    assert_string_equal(c.tls.client_ca_file, "/etc/site/../ca.crt");
    assert_int_equal(c.tls.client_auth, HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY);
    assert_int_equal(c.tls.client_names.count, 2);
    assert_string_equal(c.tls.client_names.items[1], "192.0.2.1");
    assert_int_equal(c.tls.version_min, 13);
    assert_int_equal(c.tls.cipher_suites.count, 1);
    assert_int_equal(c.tls.groups.count, 2);
    assert_false(c.tls.server_chooses);
    assert_false(c.http2);
    assert_string_equal(c.headers[3].value, "deny");
    assert_int_equal(c.user_count, 2);
    assert_string_equal(c.users[1].name, "bob");
    assert_string_equal(c.users[1].hash, HASH);
    assert_int_equal(c.rate_interval_ns, 90 * NS_PER_S + NS_PER_S / 2);
    assert_int_equal(c.rate_burst, 20);
    http_web_config_deinit(&c);
}

static void test_nothing_means_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "# only this\n",
        "---\n",
        "~\n",
        "tls_server_config:\nbasic_auth_users:\n",
        "tls_server_config: {cert_file: ~}\n",
        "tls_server_config: {}\nhttp_server_config: {headers: }\n"};
    for (size_t i = 0; i < array_size(texts); i++) {
        struct http_web_config c;
        struct error err;
        if (parse(texts[i], &c, &err) < 0)
            fail_msg("%s", err.text);
        assert_false(c.tls.enabled);
        assert_true(c.http2);
        assert_int_equal(c.tls.version_min, 12);
        assert_int_equal(c.user_count, 0);
        http_web_config_deinit(&c);
    }
}

static void test_mistakes_are_told_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line, *reason;
    } cases[] = {
        {"tls_server_conf:\n  a: b\n", ":2:", "unknown key"},
        {"\n\nbasic_auth_user: {}\n", ":3:", "basic_auth_users"},
        {"basic_auth_users:\n  a: plain\n", ":2:", "htpasswd -nBC 10 a"},
        {"basic_auth_users:\n  a: $2y$31$X0h1gDsPszWURQaxFh."
         "zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG\n",
         ":2:", "cost from 4 to 16"},
        {"basic_auth_users:\n  \"a:b\": " HASH "\n", ":2:", "colon"},
        {"basic_auth_users:\n  a: " HASH "\n  a: " HASH "\n", ":3:", "twice"},
        {"basic_auth_users: [a]\n", ":1:", "name: value"},
        {"- a\n", ":1:", "name: value"},
        {"a: [\n", ":2:", "not valid YAML"},
        {"\t\n", ":1:", "not valid YAML"},
        {"tls_server_config:\n  cert_file: a\n", ":1:", "key_file is missing"},
        {"tls_server_config:\n  key_file: a\n", ":1:", "cert_file is missing"},
        {"tls_server_config:\n  client_auth_type: RequireAndVerifyClientCert\n",
         ":1:", "cert_file is missing"},
        {"tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n",
         ":1:", "client_auth_type"},
        {"tls_server_config:\n  cert_file: a\n  key_file: b\n"
         "  client_allowed_sans: [x]\n",
         ":1:", "client_allowed_sans needs"},
        {"tls_server_config:\n  client_auth_type: Sometimes\n",
         ":2:", "NoClientCert"},
        {"tls_server_config:\n  min_version: SSL3\n", ":2:", "TLS12"},
        {"tls_server_config:\n  cert_file: a\n  key_file: b\n"
         "  min_version: TLS13\n  max_version: TLS12\n",
         ":1:", "above"},
        {"tls_server_config:\n  cipher_suites: [RC4]\n",
         ":2:", "unknown cipher suite \"RC4\""},
        {"tls_server_config:\n  curve_preferences:\n  - CurveP25\n",
         ":3:", "unknown curve"},
        {"tls_server_config:\n  cert_file: [a]\n", ":2:", "file name"},
        {"http_server_config:\n  http2: maybe\n", ":2:", "true or false"},
        {"http_server_config:\n  headers:\n    X-Own: a\n",
         ":3:", "X-XSS-Protection"},
        {"http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
         ":3:", "sameorigin"},
        {"http_server_config:\n  headers:\n"
         "    X-XSS-Protection: \"a\\r\\nSet-Cookie: b\"\n",
         ":3:", "one line"},
        {"rate_limit: {interval: 1x}\n", ":1:", "duration"},
        {"rate_limit: {interval: -1s}\n", ":1:", "duration"},
        {"rate_limit: {burst: -1}\n", ":1:", "number"},
        {"a: b\n---\nc: d\n", ":3:", "second document"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_web_config c;
        struct error err;
        if (parse(cases[i].text, &c, &err) != -EINVAL)
            fail_msg("%s was taken", cases[i].text);
        if (strncmp(err.text, "/etc/site/web.yml:", 18) != 0 ||
            !strstr(err.text, cases[i].line) ||
            !strstr(err.text, cases[i].reason))
            fail_msg("%s", err.text);
    }
}

static void test_missing_file_is_named(void **state)
{
    (void)state;
    struct http_web_config c;
    struct error err = {""};
    assert_true(http_web_config_load("/nonexistent/web.yml", &c, &err) < 0);
    assert_non_null(strstr(err.text, "/nonexistent/web.yml"));
    assert_true(http_web_config_load("/dev/zero", &c, &err) < 0);
    assert_non_null(strstr(err.text, "regular file"));
}

static void test_bcrypt_forms(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "$2y$10$short",
        "$1$abc",
        "$2x$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2y$03$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2y$1a$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG",
        "$2y$10$X0h1gDsPszWURQaxFh*zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"};
    assert_true(http_bcrypt_is_valid(HASH));
    for (size_t i = 0; i < array_size(bad); i++)
        assert_false(http_bcrypt_is_valid(bad[i]));
}

/* What becomes of a tls_server_config with these further lines. */
static int try_priority(const char *lines, struct error *err)
{
    char text[2048];
    struct http_web_config c;
    gnutls_priority_t priority;
    snprintf(text, sizeof(text),
             "tls_server_config:\n  cert_file: a\n  key_file: b\n%s", lines);
    int r = parse(text, &c, err);
    if (r < 0)
        return r;
    r = http_tls_priority_new(&c.tls, &priority, err);
    if (r == 0)
        gnutls_priority_deinit(priority);
    http_web_config_deinit(&c);
    return r;
}

static void test_priorities_hold_to_the_list(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *refusal; /* NULL: taken */
    } cases[] = {
        {"", NULL},
        {"  min_version: TLS10\n", NULL},
        {"  min_version: TLS13\n", NULL},
        {"  max_version: TLS12\n", NULL},
        {"  curve_preferences: [CurveP521, CurveP384]\n", NULL},
        {"  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", NULL},
        {"  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  min_version: TLS13\n",
         NULL},
        {"  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
         "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
         NULL},
        {"  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
         "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n",
         "name it too"},
        {"  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n"
         "  min_version: TLS13\n",
         "nothing to use"},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct error err;
        int r = try_priority(cases[i].lines, &err);
        if ((r < 0) != (cases[i].refusal != NULL) ||
            (r < 0 && !strstr(err.text, cases[i].refusal)))
            fail_msg("%s: %s", cases[i].lines, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_keys_are_read),
        cmocka_unit_test(test_nothing_means_defaults),
        cmocka_unit_test(test_mistakes_are_told_with_their_line),
        cmocka_unit_test(test_missing_file_is_named),
        cmocka_unit_test(test_bcrypt_forms),
        cmocka_unit_test(test_priorities_hold_to_the_list),
    };
    return cmocka_run_group_tests_name("web-config", tests, NULL, NULL);
}
