/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web configuration file of Prometheus' exporter-toolkit: TLS, client
 * certificates, basic authentication, headers, rate limit. The same file serves
 * all exporters of a site, so its names and rules are the toolkit's. Where we
 * differ: cipher suites hold for TLS 1.3 too (tls-priority.h), bcrypt costs
 * above 16 are refused, and HTTP/2 may be asked for but is not spoken.
 */
#pragma once

#include "base/error.h"
#include "http/tls-config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_WEB_HEADERS = 5,     /* those that may be set */
    HTTP_BCRYPT_SIZE = 60,    /* "$2y$10$" and 53 letters */
    HTTP_BCRYPT_COST_MAX = 16 /* four seconds of a CPU for each wrong word */
};

struct http_user {
    char *name;
    char hash[HTTP_BCRYPT_SIZE + 1];
};

struct http_web_header {
    const char *name;
    char *value; /* NULL: not set */
};

struct http_web_config {
    struct http_tls_config tls;
    bool http2; /* read, and without effect */
    struct http_web_header headers[HTTP_WEB_HEADERS];
    struct http_user *users;
    size_t user_count;
    int64_t rate_interval_ns; /* a request each; 0: no limit */
    int rate_burst;
};

/* What an empty file means; owns nothing. */
void http_web_config_init(struct http_web_config *config);
void http_web_config_deinit(struct http_web_config *config);

/* Read TEXT; PATH stands for it in messages, and names in it are relative to
 * where it lies. The files that it names are not read here. A mistake refuses
 * the whole with -EINVAL, and ERR says "FILE:LINE: what and what to do". */
int http_web_config_parse(const char *path,
                          const char *text,
                          size_t size,
                          struct http_web_config *ret_config,
                          struct error *err);

int http_web_config_load(const char *path,
                         struct http_web_config *ret_config,
                         struct error *err);

/* Whether HASH is bcrypt's: "$2a$", "$2b$" or "$2y$", a cost, 53 letters. */
bool http_bcrypt_is_valid(const char *hash);
