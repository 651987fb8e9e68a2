/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of tls_server_config, and the rules between them.
 */
#include "http/tls-config.h"

#include "base/cleanup.h"
#include "http/tls-priority.h"

#include <string.h>

void http_tls_config_init(struct http_tls_config *tls)
{
    *tls = (struct http_tls_config){
        .version_min = 12, .version_max = 13, .server_chooses = true};
}

static void free_list(struct http_string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

void http_tls_config_deinit(struct http_tls_config *tls)
{
    free(tls->certificate_file);
    free(tls->certificate);
    free(tls->key_file);
    free(tls->key);
    free(tls->client_ca_file);
    free(tls->client_ca);
    free_list(&tls->client_names);
    free_list(&tls->cipher_suites);
    free_list(&tls->groups);
    http_tls_config_init(tls);
}

static int read_string_item(const struct document *document,
                            document_node node,
                            void *target,
                            struct error *err)
{
    struct http_string_list *list = target;
    char **items = reallocarray(list->items, list->count + 1, sizeof(char *));
    if (!items)
        return error_errno(err, ENOMEM, "%s", document_name(document));
    list->items = items;
    items[list->count] = NULL;
    int r = document_read_string(document, node, &items[list->count], err);
    if (r == 0)
        list->count++;
    return r;
}

static int read_strings(const struct document *document,
                        document_node node,
                        void *target,
                        struct error *err)
{
    return document_read_items(document, node, read_string_item, target, err);
}

static int read_cipher_suite(const struct document *document,
                             document_node node,
                             void *target,
                             struct error *err)
{
    const char *name = document_scalar(document, node);
    if (!name || !http_tls_cipher_suite_is_known(name))
        return document_refuse(document, node, err,
                               "unknown cipher suite \"%s\"; they are named "
                               "as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                               name ? name : "?");
    return read_string_item(document, node, target, err);
}

static int read_cipher_suites(const struct document *document,
                              document_node node,
                              void *target,
                              struct error *err)
{
    return document_read_items(document, node, read_cipher_suite, target, err);
}

static int read_group(const struct document *document,
                      document_node node,
                      void *target,
                      struct error *err)
{
    const char *name = document_scalar(document, node);
    if (!name || !http_tls_group_is_known(name))
        return document_refuse(document, node, err,
                               "unknown curve \"%s\"; known: CurveP256, "
                               "CurveP384, CurveP521, X25519",
                               name ? name : "?");
    return read_string_item(document, node, target, err);
}

static int read_groups(const struct document *document,
                       document_node node,
                       void *target,
                       struct error *err)
{
    return document_read_items(document, node, read_group, target, err);
}

static int read_client_auth(const struct document *document,
                            document_node node,
                            void *target,
                            struct error *err)
{
    static const struct {
        const char *name;
        enum http_client_auth value;
    } names[] = {
        {"", HTTP_CLIENT_AUTH_NONE},
        {"NoClientCert", HTTP_CLIENT_AUTH_NONE},
        {"RequestClientCert", HTTP_CLIENT_AUTH_REQUEST},
        {"RequireClientCert", HTTP_CLIENT_AUTH_REQUIRE_ANY},
        {"RequireAnyClientCert", HTTP_CLIENT_AUTH_REQUIRE_ANY},
        {"VerifyClientCertIfGiven", HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN},
        {"RequireAndVerifyClientCert", HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY},
    };
    const char *text = document_scalar(document, node);
    for (size_t i = 0; text && i < array_size(names); i++)
        if (strcmp(names[i].name, text) == 0) {
            *(enum http_client_auth *)target = names[i].value;
            return 0;
        }
    return document_refuse(
        document, node, err,
        "unknown client_auth_type \"%s\"; known: NoClientCert, "
        "RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, "
        "RequireAndVerifyClientCert",
        text ? text : "?");
}

static int read_version(const struct document *document,
                        document_node node,
                        void *target,
                        struct error *err)
{
    static const char *const names[] = {"TLS10", "TLS11", "TLS12", "TLS13"};
    const char *text = document_scalar(document, node);
    for (size_t i = 0; text && i < array_size(names); i++)
        if (strcmp(names[i], text) == 0) {
            *(int *)target = 10 + (int)i;
            return 0;
        }
    return document_refuse(document, node, err,
                           "unknown TLS version \"%s\"; known: TLS10, TLS11, "
                           "TLS12, TLS13",
                           text ? text : "?");
}

int http_tls_config_read(const struct document *document,
                         document_node node,
                         void *target,
                         struct error *err)
{
#define FIELD(key, member, reader)                                             \
    {                                                                          \
        key, reader, offsetof(struct http_tls_config, member)                  \
    }
    static const struct document_field fields[] = {
        FIELD("cert", certificate, document_read_string),
        FIELD("cert_file", certificate_file, document_read_path),
        FIELD("cipher_suites", cipher_suites, read_cipher_suites),
        FIELD("client_allowed_sans", client_names, read_strings),
        FIELD("client_auth_type", client_auth, read_client_auth),
        FIELD("client_ca", client_ca, document_read_string),
        FIELD("client_ca_file", client_ca_file, document_read_path),
        FIELD("curve_preferences", groups, read_groups),
        FIELD("key", key, document_read_string),
        FIELD("key_file", key_file, document_read_path),
        FIELD("max_version", version_max, read_version),
        FIELD("min_version", version_min, read_version),
        FIELD("prefer_server_cipher_suites", server_chooses,
              document_read_bool),
    };
#undef FIELD
    return document_read_fields(document, node, fields, array_size(fields),
                                target, err);
}

static bool is_set(const char *text)
{
    return text && *text;
}

/* The rules between the keys of tls_server_config. */
int http_tls_config_check(const struct document *document,
                          struct http_tls_config *tls,
                          struct error *err)
{
    const document_node root = document_root(document);
    bool has_ca = is_set(tls->client_ca) || is_set(tls->client_ca_file);
    bool has_certificate =
        is_set(tls->certificate) || is_set(tls->certificate_file);
    bool has_key = is_set(tls->key) || is_set(tls->key_file);
    tls->enabled = has_certificate || has_key || has_ca ||
                   tls->client_auth != HTTP_CLIENT_AUTH_NONE;
    if (!tls->enabled)
        return 0;
    if (!has_certificate || !has_key)
        return document_refuse(document, root, err,
                               "tls_server_config: %s is missing; TLS needs "
                               "cert_file and key_file",
                               has_certificate ? "key_file" : "cert_file");
    if (has_ca && tls->client_auth == HTTP_CLIENT_AUTH_NONE)
        return document_refuse(document, root, err,
                               "tls_server_config: client_ca_file without "
                               "client_auth_type; add client_auth_type: "
                               "RequireAndVerifyClientCert");
    if (tls->client_names.count > 0 &&
        tls->client_auth != HTTP_CLIENT_AUTH_REQUIRE_ANY &&
        tls->client_auth != HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY)
        return document_refuse(document, root, err,
                               "tls_server_config: client_allowed_sans needs "
                               "client_auth_type RequireAnyClientCert or "
                               "RequireAndVerifyClientCert");
    if (tls->version_min > tls->version_max)
        return document_refuse(document, root, err,
                               "tls_server_config: min_version is above "
                               "max_version");
    return 0;
}
