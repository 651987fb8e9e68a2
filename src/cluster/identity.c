/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making and reading key pairs, by GnuTLS. The file is PEM: the private key,
 * then the certificate.
 */
#include "cluster/identity.h"

#include "base/cleanup.h"
#include "cluster/secret-file.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FILE_SIZE_MAX = 65536,
    /* A certificate that expires would end a cluster for no gain. */
    YEARS_VALID = 100
};

static int gnutls_fault(int r, struct error *err, const char *what)
{
    return error_set(err, EIO, "%s: %s", what, gnutls_strerror(r));
}

/* ---- making ---------------------------------------------------------------
 */

static int sign(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
    static const char name[] = "gpu-watchdog";
    static const unsigned char serial[] = {1};
    /* A clock that is behind must not make it "not yet valid" for anybody. */
    int r = gnutls_x509_crt_set_version(certificate, 3);
    if (r >= 0)
        r = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
    if (r >= 0)
        r = gnutls_x509_crt_set_activation_time(certificate, 0);
    if (r >= 0)
        r = gnutls_x509_crt_set_expiration_time(
            certificate, time(NULL) + (time_t)YEARS_VALID * 365 * 86400);
    if (r >= 0)
        r = gnutls_x509_crt_set_dn_by_oid(certificate,
                                          GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                          sizeof(name) - 1);
    if (r >= 0)
        r = gnutls_x509_crt_set_key(certificate, key);
    if (r >= 0)
        r = gnutls_x509_crt_sign2(certificate, certificate, key,
                                  GNUTLS_DIG_SHA256, 0);
    return r;
}

static int export(gnutls_x509_crt_t certificate,
                  gnutls_x509_privkey_t key,
                  const char *path,
                  struct error *err)
{
    gnutls_datum_t key_pem = {.data = NULL}, certificate_pem = {.data = NULL};
    int r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);
    if (r >= 0)
        r = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM,
                                    &certificate_pem);
    if (r < 0) {
        r = gnutls_fault(r, err, "writing a key pair");
    } else {
        size_t size = key_pem.size + certificate_pem.size;
        char *both = malloc(size);
        if (both) {
            memcpy(both, key_pem.data, key_pem.size);
            memcpy(both + key_pem.size, certificate_pem.data,
                   certificate_pem.size);
            r = secret_file_write(path, both, size, 0600, NULL, err);
            explicit_bzero(both, size);
            free(both);
        } else {
            r = error_set(err, ENOMEM, "out of memory");
        }
    }
    if (key_pem.data)
        explicit_bzero(key_pem.data, key_pem.size);
    gnutls_free(key_pem.data);
    gnutls_free(certificate_pem.data);
    return r;
}

static int make(const char *path, struct error *err)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t certificate = NULL;
    int r = gnutls_x509_privkey_init(&key);
    if (r >= 0)
        r = gnutls_x509_crt_init(&certificate);
    if (r >= 0)
        r = gnutls_x509_privkey_generate(
            key, GNUTLS_PK_ECDSA,
            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (r >= 0)
        r = sign(certificate, key);
    r = r < 0 ? gnutls_fault(r, err, "making a key pair")
              : export(certificate, key, path, err);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    return r;
}

/* ---- pins -----------------------------------------------------------------
 */

static int pin_of_certificate(const gnutls_datum_t *bytes,
                              gnutls_x509_crt_fmt_t format,
                              struct pin *ret_pin)
{
    gnutls_pcert_st certificate;
    gnutls_datum_t spki = {.data = NULL};
    int r = gnutls_pcert_import_x509_raw(&certificate, bytes, format, 0);
    if (r < 0)
        return r;
    r = gnutls_pubkey_export2(certificate.pubkey, GNUTLS_X509_FMT_DER, &spki);
    if (r >= 0)
        r = gnutls_hash_fast(GNUTLS_DIG_SHA256, spki.data, spki.size,
                             ret_pin->bytes);
    gnutls_free(spki.data);
    gnutls_pcert_deinit(&certificate);
    return r;
}

int identity_of_peer(gnutls_session_t session,
                     struct pin *ret_pin,
                     struct error *err)
{
    unsigned int count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (!chain || count == 0)
        return error_set(err, EACCES, "the other side shows no key");
    int r = pin_of_certificate(&chain[0], GNUTLS_X509_FMT_DER, ret_pin);
    return r < 0 ? error_set(err, EACCES, "the other side's key: %s",
                             gnutls_strerror(r))
                 : 0;
}

void pin_format(const struct pin *pin, char ret_text[PIN_SIZE * 2 + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < PIN_SIZE; i++) {
        ret_text[2 * i] = digits[pin->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[pin->bytes[i] & 15];
    }
    ret_text[PIN_SIZE * 2] = '\0';
}

int pin_parse(const char *text, struct pin *ret_pin)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != PIN_SIZE * 2 || strspn(text, digits) != PIN_SIZE * 2)
        return -EINVAL;
    for (size_t i = 0; i < PIN_SIZE; i++)
        ret_pin->bytes[i] =
            (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
                      (strchr(digits, text[2 * i + 1]) - digits));
    return 0;
}

/* ---- reading --------------------------------------------------------------
 */

static int load(const char *path, struct identity *identity, struct error *err)
{
    char *bytes = NULL;
    size_t size;
    int r = secret_file_read(path, FILE_SIZE_MAX, true, &bytes, &size, err);
    if (r < 0)
        return r;
    const gnutls_datum_t pem = {.data = (unsigned char *)bytes,
                                .size = (unsigned int)size};
    r = gnutls_certificate_allocate_credentials(&identity->credentials);
    if (r >= 0)
        r = gnutls_certificate_set_x509_key_mem(identity->credentials, &pem,
                                                &pem, GNUTLS_X509_FMT_PEM);
    if (r >= 0)
        r = pin_of_certificate(&pem, GNUTLS_X509_FMT_PEM, &identity->pin);
    explicit_bzero(bytes, size);
    free(bytes);
    return r < 0 ? gnutls_fault(r, err, path) : 0;
}

int identity_load(const char *path,
                  struct identity **ret_identity,
                  struct error *err)
{
    struct identity *identity = calloc(1, sizeof(*identity));
    if (!identity)
        return error_set(err, ENOMEM, "out of memory");
    int r = load(path, identity, err);
    if (r == -ENOENT) {
        r = make(path, err);
        if (r == 0)
            r = load(path, identity, err);
    }
    if (r < 0) {
        identity_free(identity);
        return r;
    }
    *ret_identity = identity;
    return 0;
}

struct identity *identity_free(struct identity *identity)
{
    if (!identity)
        return NULL;
    if (identity->credentials)
        gnutls_certificate_free_credentials(identity->credentials);
    free(identity);
    return NULL;
}
