/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credentials. They are set on each session by ourselves instead of once on the
 * daemon of libmicrohttpd: that way certificates, authorities and rules change
 * without a new daemon, and a client certificate can be required at all.
 */
#include "http/tls.h"

#include "base/cleanup.h"
#include "http/tls-priority.h"

#include <arpa/inet.h>
#include <assert.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <string.h>

struct http_tls {
    unsigned int references;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    enum http_client_auth client_auth;
    struct http_string_list client_names; /* owned */
};

/* A file's or an inline text's bytes, with who they belong to. */
struct pem {
    gnutls_datum_t bytes;
    const char *name; /* for messages */
    bool loaded;      /* bytes are freed by gnutls_free() */
};

static void pem_deinit(struct pem *pem)
{
    if (!pem->loaded)
        return;
    gnutls_memset(pem->bytes.data, 0, pem->bytes.size);
    gnutls_free(pem->bytes.data);
}

/* From FILE if it is set, else from the text INLINED of the key KEY. */
static int pem_init(struct pem *pem,
                    const char *file,
                    const char *inlined,
                    const char *key,
                    struct error *err)
{
    *pem = (struct pem){.name = key};
    if (!file || !*file) {
        pem->bytes.data = (unsigned char *)(uintptr_t)inlined;
        pem->bytes.size = (unsigned int)strlen(inlined);
        return 0;
    }
    pem->name = file;
    errno = 0;
    int r = gnutls_load_file(file, &pem->bytes);
    if (r < 0)
        return error_set(err, EINVAL,
                         "%s: cannot be read (%s); name another in %s_file of "
                         "tls_server_config",
                         file, errno ? strerror(errno) : gnutls_strerror(r),
                         key);
    pem->loaded = true;
    return 0;
}

static int load_certificate(struct http_tls *tls,
                            const struct http_tls_config *config,
                            struct error *err)
{
    _cleanup_(pem_deinit) struct pem certificate = {0};
    _cleanup_(pem_deinit) struct pem key = {0};
    int r = pem_init(&certificate, config->certificate_file,
                     config->certificate, "cert", err);
    if (r == 0)
        r = pem_init(&key, config->key_file, config->key, "key", err);
    if (r < 0)
        return r;
    r = gnutls_certificate_set_x509_key_mem2(tls->credentials,
                                             &certificate.bytes, &key.bytes,
                                             GNUTLS_X509_FMT_PEM, NULL, 0);
    if (r < 0)
        return error_set(err, EINVAL,
                         "certificate %s with key %s: %s; both must be PEM "
                         "and belong together",
                         certificate.name, key.name, gnutls_strerror(r));
    return 0;
}

static bool verifies(enum http_client_auth auth)
{
    return auth == HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN ||
           auth == HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY;
}

/* Without authorities of its own a server trusts the system's, as Go's does. */
static int load_authorities(struct http_tls *tls,
                            const struct http_tls_config *config,
                            struct error *err)
{
    bool has_file = config->client_ca_file && *config->client_ca_file;
    bool has_text = config->client_ca && *config->client_ca;
    int r;
    if (!has_file && !has_text) {
        if (!verifies(config->client_auth))
            return 0;
        r = gnutls_certificate_set_x509_system_trust(tls->credentials);
        if (r > 0)
            return 0;
        return error_set(err, EINVAL,
                         "tls_server_config: no certificate authorities are "
                         "known to this machine; name yours with "
                         "client_ca_file");
    }
    _cleanup_(pem_deinit) struct pem ca = {0};
    r = pem_init(&ca, config->client_ca_file, config->client_ca, "client_ca",
                 err);
    if (r < 0)
        return r;
    r = gnutls_certificate_set_x509_trust_mem(tls->credentials, &ca.bytes,
                                              GNUTLS_X509_FMT_PEM);
    if (r <= 0)
        return error_set(err, EINVAL,
                         "%s: holds no certificate in PEM form%s%s", ca.name,
                         r < 0 ? ": " : "", r < 0 ? gnutls_strerror(r) : "");
    return 0;
}

static int copy_list(struct http_string_list *to,
                     const struct http_string_list *from)
{
    if (from->count == 0)
        return 0;
    to->items = calloc(from->count, sizeof(*to->items));
    if (!to->items)
        return -ENOMEM;
    for (; to->count < from->count; to->count++) {
        to->items[to->count] = strdup(from->items[to->count]);
        if (!to->items[to->count])
            return -ENOMEM;
    }
    return 0;
}

static void unref_tls(struct http_tls **tls)
{
    http_tls_unref(*tls);
}

int http_tls_new(const struct http_tls_config *config,
                 struct http_tls **ret_tls,
                 struct error *err)
{
    assert(config->enabled);

    _cleanup_(unref_tls) struct http_tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return error_errno(err, ENOMEM, "TLS");
    tls->references = 1;
    tls->client_auth = config->client_auth;
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0 ||
        copy_list(&tls->client_names, &config->client_names) < 0)
        return error_errno(err, ENOMEM, "TLS");
    int r = load_certificate(tls, config, err);
    if (r == 0)
        r = load_authorities(tls, config, err);
    if (r == 0)
        r = http_tls_priority_new(config, &tls->priority, err);
    if (r < 0)
        return r;
    *ret_tls = take_ptr(tls);
    return 0;
}

struct http_tls *http_tls_ref(struct http_tls *tls)
{
    tls->references++;
    return tls;
}

struct http_tls *http_tls_unref(struct http_tls *tls)
{
    if (!tls || --tls->references > 0)
        return NULL;
    if (tls->credentials)
        gnutls_certificate_free_credentials(tls->credentials);
    if (tls->priority)
        gnutls_priority_deinit(tls->priority);
    for (size_t i = 0; i < tls->client_names.count; i++)
        free(tls->client_names.items[i]);
    free(tls->client_names.items);
    free(tls);
    return NULL;
}

/* Called in the handshake; 0 goes on. Whether there is a certificate at all is
 * GnuTLS's own check. */
static int verify_client(gnutls_session_t session)
{
    unsigned int count = 0;
    if (!gnutls_certificate_get_peers(session, &count) || count == 0)
        return 0;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned int status = GNUTLS_CERT_INVALID;
    int r = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return r < 0 || status != 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

int http_tls_apply(struct http_tls *tls, gnutls_session_t session)
{
    static const gnutls_certificate_request_t requests[] = {
        [HTTP_CLIENT_AUTH_NONE] = GNUTLS_CERT_IGNORE,
        [HTTP_CLIENT_AUTH_REQUEST] = GNUTLS_CERT_REQUEST,
        [HTTP_CLIENT_AUTH_REQUIRE_ANY] = GNUTLS_CERT_REQUIRE,
        [HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN] = GNUTLS_CERT_REQUEST,
        [HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY] = GNUTLS_CERT_REQUIRE,
    };
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                               tls->credentials) < 0 ||
        gnutls_priority_set(session, tls->priority) < 0)
        return -ENOMEM;
    gnutls_certificate_server_set_request(session, requests[tls->client_auth]);
    if (verifies(tls->client_auth))
        gnutls_session_set_verify_function(session, verify_client);
    return 0;
}

/* A name of a certificate as text: an address from its bytes, others as they
 * are. False for kinds that the toolkit does not compare. */
static bool show_name(int kind,
                      const unsigned char *bytes,
                      size_t size,
                      char *ret_text,
                      size_t text_size)
{
    switch (kind) {
    case GNUTLS_SAN_DNSNAME:
    case GNUTLS_SAN_RFC822NAME:
    case GNUTLS_SAN_URI:
        if (size >= text_size || memchr(bytes, '\0', size))
            return false;
        memcpy(ret_text, bytes, size);
        ret_text[size] = '\0';
        return true;
    case GNUTLS_SAN_IPADDRESS:
        return (size == 4 || size == 16) &&
               inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, ret_text,
                         (socklen_t)text_size);
    default:
        return false;
    }
}

static bool certificate_has_name(gnutls_x509_crt_t certificate,
                                 const struct http_string_list *names)
{
    for (unsigned int i = 0;; i++) {
        unsigned char bytes[1024];
        char text[1024];
        size_t size = sizeof(bytes);
        int kind = gnutls_x509_crt_get_subject_alt_name(certificate, i, bytes,
                                                        &size, NULL);
        if (kind == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (kind < 0)
            return false;
        if (!show_name(kind, bytes, size, text, sizeof(text)))
            continue;
        for (size_t n = 0; n < names->count; n++)
            if (strcmp(names->items[n], text) == 0)
                return true;
    }
}

bool http_tls_admits(const struct http_tls *tls, gnutls_session_t session)
{
    if (tls->client_names.count == 0)
        return true;
    unsigned int count = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t certificate;
    if (!peers || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return false;
    bool admitted = gnutls_x509_crt_import(certificate, &peers[0],
                                           GNUTLS_X509_FMT_DER) >= 0 &&
                    certificate_has_name(certificate, &tls->client_names);
    gnutls_x509_crt_deinit(certificate);
    return admitted;
}
