/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server under a web configuration: passwords, certificates, reload. Keys
 * and certificates are made here, in a folder that is removed in the end.
 */
#include "base/cleanup.h"
#include "http/test-harness.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define ALICE "Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
#define WRONG "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n"

/* bcrypt of "secret": a millisecond, and a quarter of a second. */
#define QUICK_HASH                                                             \
    "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define SLOW_HASH "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW"

static char folder[] = "/tmp/test-http-web-XXXXXX";

/* The full name of FILE in our folder; valid until the next call but one. */
static const char *in_folder(const char *file)
{
    static char paths[2][128];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", folder, file);
    return paths[turn];
}

static void write_file(const char *file, const void *data, size_t size)
{
    FILE *out = fopen(in_folder(file), "w");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    fclose(out);
}

static void write_config(const char *text)
{
    write_file("web.yml", text, strlen(text));
}

struct identity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
};

/* Make BASE.crt and BASE.key for NAME, signed by SIGNER (NULL: by itself). */
static struct identity
make_identity(const char *base, const char *name, const struct identity *signer)
{
    struct identity id;
    time_t now = time(NULL);
    unsigned char serial = (unsigned char)strlen(name);
    gnutls_x509_privkey_init(&id.key);
    assert_int_equal(gnutls_x509_privkey_generate(
                         id.key, GNUTLS_PK_ECDSA,
                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    gnutls_x509_crt_init(&id.certificate);
    gnutls_x509_crt_set_version(id.certificate, 3);
    gnutls_x509_crt_set_serial(id.certificate, &serial, 1);
    gnutls_x509_crt_set_activation_time(id.certificate, now - 3600);
    gnutls_x509_crt_set_expiration_time(id.certificate, now + 3600);
    gnutls_x509_crt_set_dn_by_oid(id.certificate, GNUTLS_OID_X520_COMMON_NAME,
                                  0, name, (unsigned int)strlen(name));
    gnutls_x509_crt_set_subject_alt_name(id.certificate, GNUTLS_SAN_DNSNAME,
                                         name, (unsigned int)strlen(name),
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_basic_constraints(id.certificate, signer == NULL, -1);
    if (signer)
        gnutls_x509_crt_set_key_purpose_oid(id.certificate,
                                            GNUTLS_KP_TLS_WWW_CLIENT, 0);
    gnutls_x509_crt_set_key(id.certificate, id.key);
    assert_int_equal(gnutls_x509_crt_sign2(
                         id.certificate,
                         signer ? signer->certificate : id.certificate,
                         signer ? signer->key : id.key, GNUTLS_DIG_SHA256, 0),
                     0);

    char file[64];
    gnutls_datum_t pem;
    gnutls_x509_crt_export2(id.certificate, GNUTLS_X509_FMT_PEM, &pem);
    snprintf(file, sizeof(file), "%s.crt", base);
    write_file(file, pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_privkey_export2(id.key, GNUTLS_X509_FMT_PEM, &pem);
    snprintf(file, sizeof(file), "%s.key", base);
    write_file(file, pem.data, pem.size);
    gnutls_free(pem.data);
    return id;
}

static void identity_deinit(struct identity *id)
{
    gnutls_x509_crt_deinit(id->certificate);
    gnutls_x509_privkey_deinit(id->key);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    /* The impostor's authority bears the right name and has another key. */
    struct identity ids[6];
    ids[0] = make_identity("authority", "authority", NULL);
    ids[1] = make_identity("false-authority", "authority", NULL);
    ids[2] = make_identity("server", "server", NULL);
    ids[3] = make_identity("client", "client.example", &ids[0]);
    ids[4] = make_identity("impostor", "client.example", &ids[1]);
    ids[5] = make_identity("stranger", "stranger", NULL);
    for (size_t i = 0; i < array_size(ids); i++)
        identity_deinit(&ids[i]);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const bases[] = {"authority", "false-authority",
                                        "server",    "client",
                                        "impostor",  "stranger"};
    for (size_t i = 0; i < array_size(bases); i++) {
        char file[64];
        snprintf(file, sizeof(file), "%s.crt", bases[i]);
        unlink(in_folder(file));
        snprintf(file, sizeof(file), "%s.key", bases[i]);
        unlink(in_folder(file));
    }
    unlink(in_folder("web.yml"));
    return rmdir(folder);
}

static void serve_user(void *context,
                       struct http_request *request,
                       struct http_reply *reply)
{
    (void)context;
    struct text t = TEXT_INIT;
    const char *user = http_request_user(request);
    text_addf(&t, "user %s\n", user ? user : "nobody");
    while (t.size < 100000 && http_request_query(request, "long", 0))
        text_addf(&t, "line %zu\n", t.size);
    http_reply_add_text(reply, &t);
}

static const struct http_route routes[] = {{"/", serve_user, NULL, NULL}};

static char last_reload[512];

static void note_reload(void *context, const struct error *err)
{
    (void)context;
    snprintf(last_reload, sizeof(last_reload), "%s", err ? err->text : "good");
}

static void start(struct harness *harness, struct http_settings *settings)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s", in_folder("web.yml"));
    *settings = (struct http_settings){.routes = routes,
                                       .route_count = 1,
                                       .realm = "test",
                                       .web_config_path = path,
                                       .reloaded = note_reload};
    last_reload[0] = '\0';
    harness_start(harness, settings);
}

static unsigned int get_status(const struct harness *harness,
                               const char *headers)
{
    struct answer answer;
    fetch(harness, "GET /", headers, &answer);
    unsigned int status = answer.status;
    answer_deinit(&answer);
    return status;
}

static void test_password_is_asked_for(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    struct answer answer;
    write_config("basic_auth_users:\n  alice: " QUICK_HASH "\n");
    start(&harness, &settings);
    fetch(&harness, "GET /", "", &answer);
    assert_int_equal(answer.status, 401);
    assert_true(answer_has(
        &answer, "WWW-Authenticate: Basic realm=\"test\", charset=\"UTF-8\""));
    answer_deinit(&answer);
    assert_int_equal(get_status(&harness, WRONG), 401);
    fetch(&harness, "GET /nothing", "", &answer);
    assert_int_equal(answer.status, 401);
    answer_deinit(&answer);
    for (int i = 0; i < 3; i++) {
        fetch(&harness, "GET /", ALICE, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(text_str(&answer.body), "user alice\n");
        answer_deinit(&answer);
    }
    harness_stop(&harness);
    assert_int_equal(harness.statistics.password_checks, 2);
    assert_int_equal(harness.statistics.auth_failures, 3);
}

static void test_password_checks_hold_up_nobody(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    struct answer answer;
    int fds[8];
    write_config("basic_auth_users:\n  alice: " SLOW_HASH "\n");
    start(&harness, &settings);
    assert_int_equal(get_status(&harness, ALICE), 200);
    for (size_t i = 0; i < array_size(fds); i++) {
        fds[i] = harness_connect(&harness);
        send_string(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n" WRONG "\r\n");
    }
    for (int i = 0; i < 20; i++) {
        int64_t begun_ms = now_ms();
        assert_int_equal(get_status(&harness, ALICE), 200);
        assert_true(now_ms() - begun_ms < 100);
    }
    for (size_t i = 0; i < array_size(fds); i++) {
        read_answer(fds[i], true, &answer);
        assert_int_equal(answer.status, 401);
        answer_deinit(&answer);
        close(fds[i]);
    }
    /* Stopping with somebody waiting is no harm either. */
    int fd = harness_connect(&harness);
    send_string(fd, "GET / HTTP/1.1\r\nHost: x\r\n"
                    "Authorization: Basic YTpi\r\n\r\n");
    usleep(50000);
    harness_stop(&harness);
    close(fd);
    assert_int_equal(harness.statistics.password_checks, 2);
}

static void test_changed_file_is_taken_over(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    write_config("");
    start(&harness, &settings);
    assert_int_equal(get_status(&harness, ""), 200);

    usleep(1100000); /* files are looked at once a second */
    write_config("basic_auth_users:\n  alice: " QUICK_HASH "\n");
    assert_int_equal(get_status(&harness, ""), 401);
    assert_string_equal(last_reload, "good");
    assert_int_equal(get_status(&harness, ALICE), 200);

    usleep(1100000);
    write_config("basic_auth_userz: {}\n");
    assert_int_equal(get_status(&harness, ""), 401);
    assert_non_null(strstr(last_reload, "web.yml:1: unknown key"));
    assert_int_equal(get_status(&harness, ALICE), 200);

    struct error err;
    assert_int_equal(harness_reload(&harness, &err), -EINVAL);
    write_config("tls_server_config: {cert_file: server.crt, "
                 "key_file: server.key}\n");
    assert_int_equal(harness_reload(&harness, &err), -EINVAL);
    assert_non_null(strstr(err.text, "restart"));
    write_config("http_server_config: {headers: {X-Frame-Options: deny}}\n");
    assert_int_equal(harness_reload(&harness, &err), 0);
    assert_int_equal(get_status(&harness, ""), 200);
    harness_stop(&harness);
    assert_int_equal(harness.statistics.reload_failures, 1);
}

static void test_rate_limit_refuses_what_is_above(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    write_config("rate_limit: {interval: 1h, burst: 3}\n");
    start(&harness, &settings);
    for (int i = 0; i < 3; i++)
        assert_int_equal(get_status(&harness, ""), 200);
    assert_int_equal(get_status(&harness, ""), 429);
    harness_stop(&harness);
}

/* Fetch TARGET over TLS as CLIENT ("" for without a certificate). Returns the
 * status, 0 when there was no answer, and the size of the body. */
static unsigned int tls_fetch(const struct harness *harness,
                              const char *client,
                              const char *priority,
                              size_t *ret_size)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    struct text answer = TEXT_INIT;
    static const char request[] = "GET /?long HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    char certificate[64], key[64];
    int fd = harness_connect(harness);
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    assert_int_equal(gnutls_priority_set_direct(session, priority, NULL), 0);
    if (*client) {
        snprintf(certificate, sizeof(certificate), "%s.crt", client);
        snprintf(key, sizeof(key), "%s.key", client);
        assert_int_equal(gnutls_certificate_set_x509_key_file(
                             credentials, in_folder(certificate),
                             in_folder(key), GNUTLS_X509_FMT_PEM),
                         0);
    }
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, 5000);
    int r;
    do
        r = gnutls_handshake(session);
    while (r < 0 && !gnutls_error_is_fatal(r));
    if (r == 0 && gnutls_record_send(session, request, sizeof(request) - 1) > 0)
        for (;;) {
            char *at = text_reserve(&answer, 16384);
            ssize_t got = gnutls_record_recv(session, at, 16384);
            if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
                continue;
            if (got <= 0)
                break;
            answer.size += (size_t)got;
        }
    unsigned int status = 0;
    sscanf(text_str(&answer), "HTTP/1.1 %u", &status);
    const char *body = strstr(text_str(&answer), "\r\n\r\n");
    *ret_size = body ? answer.size - (size_t)(body + 4 - answer.data) : 0;
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    text_deinit(&answer);
    close(fd);
    return status;
}

#define CERTIFICATES                                                           \
    "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
#define AUTHORITY CERTIFICATES "  client_ca_file: authority.crt\n"

static void test_certificates_decide_who_comes_in(void **state)
{
    (void)state;
    static const char tls12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
    static const struct {
        const char *config, *client, *priority;
        unsigned int status;
    } cases[] = {
        {CERTIFICATES, "", "NORMAL", 200},
        {CERTIFICATES, "", tls12, 200},
        {CERTIFICATES "  min_version: TLS13\n", "", tls12, 0},
        {CERTIFICATES "  min_version: TLS13\n", "", "NORMAL", 200},
        {CERTIFICATES "  max_version: TLS12\n  cipher_suites: "
                      "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n",
         "", "NORMAL", 200},
        {CERTIFICATES "  max_version: TLS12\n  cipher_suites: "
                      "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n",
         "", "NORMAL:-AES-256-GCM", 0},
        {CERTIFICATES "  curve_preferences: [CurveP384]\n", "",
         "NORMAL:-GROUP-SECP384R1", 0},
        {CERTIFICATES "  client_auth_type: RequestClientCert\n", "", "NORMAL",
         200},
        {CERTIFICATES "  client_auth_type: RequireAnyClientCert\n", "",
         "NORMAL", 0},
        {CERTIFICATES "  client_auth_type: RequireAnyClientCert\n", "stranger",
         "NORMAL", 200},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n", "",
         "NORMAL", 0},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n", "",
         tls12, 0},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n",
         "impostor", "NORMAL", 0},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n", "client",
         "NORMAL", 200},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n", "client",
         tls12, 200},
        {AUTHORITY "  client_auth_type: VerifyClientCertIfGiven\n", "",
         "NORMAL", 200},
        {AUTHORITY "  client_auth_type: VerifyClientCertIfGiven\n", "client",
         "NORMAL", 200},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n"
                   "  client_allowed_sans: [other, client.example]\n",
         "client", "NORMAL", 200},
        {AUTHORITY "  client_auth_type: RequireAndVerifyClientCert\n"
                   "  client_allowed_sans: [other]\n",
         "client", "NORMAL", 403},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_settings settings;
        struct harness harness;
        size_t size;
        write_config(cases[i].config);
        start(&harness, &settings);
        unsigned int status =
            tls_fetch(&harness, cases[i].client, cases[i].priority, &size);
        harness_stop(&harness);
        if (status != cases[i].status)
            fail_msg("case %zu: %s as \"%s\" with %s: %u", i, cases[i].config,
                     cases[i].client, cases[i].priority, status);
        if (status == 200)
            assert_in_range(size, 100000, 100100);
    }
}

static void test_renewed_certificate_is_used(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    struct error err;
    size_t size;
    write_config(CERTIFICATES);
    start(&harness, &settings);
    assert_int_equal(tls_fetch(&harness, "", "NORMAL", &size), 200);
    write_file("server.key", "nonsense", 8);
    assert_int_equal(harness_reload(&harness, &err), -EINVAL);
    assert_non_null(strstr(err.text, "server.key"));
    assert_int_equal(tls_fetch(&harness, "", "NORMAL", &size), 200);
    struct identity renewed = make_identity("server", "server", NULL);
    identity_deinit(&renewed);
    assert_int_equal(harness_reload(&harness, &err), 0);
    assert_int_equal(tls_fetch(&harness, "", "NORMAL", &size), 200);
    harness_stop(&harness);
}

static void test_plain_clients_at_tls_do_no_harm(void **state)
{
    (void)state;
    struct http_settings settings;
    struct harness harness;
    size_t size;
    write_config(CERTIFICATES);
    start(&harness, &settings);
    assert_int_equal(get_status(&harness, ""), 0);
    assert_int_equal(tls_fetch(&harness, "", "NORMAL", &size), 200);
    harness_stop(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_is_asked_for),
        cmocka_unit_test(test_password_checks_hold_up_nobody),
        cmocka_unit_test(test_changed_file_is_taken_over),
        cmocka_unit_test(test_rate_limit_refuses_what_is_above),
        cmocka_unit_test(test_certificates_decide_who_comes_in),
        cmocka_unit_test(test_renewed_certificate_is_used),
        cmocka_unit_test(test_plain_clients_at_tls_do_no_harm),
    };
    return cmocka_run_group_tests_name("web", tests, make_folder,
                                       remove_folder);
}
