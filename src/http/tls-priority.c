/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suites are known by the two bytes that stand for them on the wire, which is
 * how a name of Go's finds the parts that GnuTLS calls it by.
 */
#include "http/tls-priority.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct suite {
    const char *name;
    uint16_t id;
};

static const struct suite suites[] = {
    {"TLS_AES_128_GCM_SHA256", 0x1301},
    {"TLS_AES_256_GCM_SHA384", 0x1302},
    {"TLS_CHACHA20_POLY1305_SHA256", 0x1303},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc009},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02b},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc00a},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02c},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc013},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xc014},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc030},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca8},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", 0x002f},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009c},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009d},
};

static const char *const groups[][2] = {
    {"CurveP256", "GROUP-SECP256R1"},
    {"CurveP384", "GROUP-SECP384R1"},
    {"CurveP521", "GROUP-SECP521R1"},
    {"X25519", "GROUP-X25519"},
};

static const struct suite *find_suite(const char *name)
{
    for (size_t i = 0; i < array_size(suites); i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    return NULL;
}

static const char *find_group(const char *name)
{
    for (size_t i = 0; i < array_size(groups); i++)
        if (strcmp(groups[i][0], name) == 0)
            return groups[i][1];
    return NULL;
}

bool http_tls_cipher_suite_is_known(const char *name)
{
    return find_suite(name) != NULL;
}

bool http_tls_group_is_known(const char *name)
{
    return find_group(name) != NULL;
}

static bool is_tls13_only(uint16_t id)
{
    return id >> 8 == 0x13;
}

/* The parts of a suite as GnuTLS names them, for the priority string. */
static bool add_parts(struct text *priority, const struct suite *suite)
{
    unsigned char id[2];
    gnutls_kx_algorithm_t kx;
    gnutls_cipher_algorithm_t cipher;
    gnutls_mac_algorithm_t mac;
    for (size_t i = 0;
         gnutls_cipher_suite_info(i, id, &kx, &cipher, &mac, NULL); i++) {
        if (id[0] << 8 != (suite->id & 0xff00) || id[1] != (suite->id & 0xff))
            continue;
        if (!is_tls13_only(suite->id))
            text_addf(priority, ":+%s", gnutls_kx_get_name(kx));
        text_addf(priority, ":+%s:+%s", gnutls_cipher_get_name(cipher),
                  gnutls_mac_get_name(mac));
        return true;
    }
    return false;
}

static int add_suites(struct text *priority,
                      const struct http_string_list *names,
                      struct error *err)
{
    if (names->count == 0)
        return 0;
    text_add(priority, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
    for (size_t i = 0; i < names->count; i++) {
        const struct suite *suite = find_suite(names->items[i]);
        assert(suite); /* the configuration was checked */
        if (!add_parts(priority, suite))
            return error_set(err, EINVAL,
                             "cipher_suites: this machine's GnuTLS does not "
                             "have %s; take it out",
                             suite->name);
    }
    return 0;
}

static void add_versions(struct text *priority, int lowest, int highest)
{
    text_add(priority, ":-VERS-ALL");
    for (int version = highest; version >= lowest; version--)
        text_addf(priority, ":+VERS-TLS1.%d", version - 10);
}

static void add_groups(struct text *priority,
                       const struct http_string_list *names)
{
    if (names->count == 0)
        return;
    text_add(priority, ":-GROUP-ALL");
    for (size_t i = 0; i < names->count; i++)
        text_addf(priority, ":+%s", find_group(names->items[i]));
}

static bool list_has(const struct http_string_list *names, uint16_t id)
{
    for (size_t i = 0; i < names->count; i++)
        if (find_suite(names->items[i])->id == id)
            return true;
    return false;
}

/* That PRIORITY lets in no suite of TLS 1.2 but those of NAMES. */
static int check_suites(gnutls_priority_t priority,
                        const struct http_string_list *names,
                        struct error *err)
{
    unsigned int index;
    for (unsigned int i = 0;; i++) {
        int r = gnutls_priority_get_cipher_suite_index(priority, i, &index);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return 0;
        if (r < 0)
            continue;
        unsigned char wire[2];
        const char *name =
            gnutls_cipher_suite_info(index, wire, NULL, NULL, NULL, NULL);
        uint16_t id = (uint16_t)(wire[0] << 8 | wire[1]);
        if (is_tls13_only(id) || list_has(names, id))
            continue;
        return error_set(err, EINVAL,
                         "cipher_suites: GnuTLS cannot allow these without "
                         "%s; name it too, or fewer kinds",
                         name);
    }
}

int http_tls_priority_new(const struct http_tls_config *config,
                          gnutls_priority_t *ret_priority,
                          struct error *err)
{
    _cleanup_(text_deinit) struct text text = TEXT_INIT;
    text_add(&text, "NORMAL");
    int r = add_suites(&text, &config->cipher_suites, err);
    if (r < 0)
        return r;
    add_versions(&text, config->version_min, config->version_max);
    add_groups(&text, &config->groups);
    if (config->server_chooses)
        text_add(&text, ":%SERVER_PRECEDENCE");
    const char *string = text_str(&text);
    if (!string)
        return error_errno(err, ENOMEM, "TLS priorities");

    gnutls_priority_t priority;
    r = gnutls_priority_init(&priority, string, NULL);
    if (r < 0)
        return error_set(err, EINVAL,
                         "tls_server_config: cipher_suites, curve_preferences "
                         "and TLS versions leave GnuTLS nothing to use (%s); "
                         "allow more",
                         gnutls_strerror(r));
    r = config->cipher_suites.count
            ? check_suites(priority, &config->cipher_suites, err)
            : 0;
    if (r < 0) {
        gnutls_priority_deinit(priority);
        return r;
    }
    *ret_priority = priority;
    return 0;
}
