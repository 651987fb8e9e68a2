/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tls_server_config of the web configuration says, as it says it: names
 * of files, not their content; tls.c makes credentials from it.
 */
#pragma once

#include "base/document.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum http_client_auth {
    HTTP_CLIENT_AUTH_NONE,
    HTTP_CLIENT_AUTH_REQUEST,
    HTTP_CLIENT_AUTH_REQUIRE_ANY,
    HTTP_CLIENT_AUTH_VERIFY_IF_GIVEN,
    HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY
};

struct http_string_list {
    char **items;
    size_t count;
};

/* Files are given by name or their content inline; NULL for what is not set. */
struct http_tls_config {
    bool enabled;
    char *certificate_file, *certificate;
    char *key_file, *key;
    char *client_ca_file, *client_ca;
    enum http_client_auth client_auth;
    struct http_string_list client_names;  /* one must be in the certificate */
    int version_min, version_max;          /* 10 to 13: TLS 1.0 to 1.3 */
    struct http_string_list cipher_suites; /* Go's names; empty: the usual */
    struct http_string_list groups;        /* Go's names of curves, the same */
    bool server_chooses;
};

/* The toolkit's defaults, without TLS; owns nothing. */
void http_tls_config_init(struct http_tls_config *tls);
void http_tls_config_deinit(struct http_tls_config *tls);

/* A document_reader; the target is a struct http_tls_config. */
int http_tls_config_read(const struct document *document,
                         document_node node,
                         void *target,
                         struct error *err);

/* The rules between the keys, once all are read; sets tls->enabled. */
int http_tls_config_check(const struct document *document,
                          struct http_tls_config *tls,
                          struct error *err);
