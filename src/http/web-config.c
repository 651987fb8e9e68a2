/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the file as tables, then the rules between them.
 */
#include "http/web-config.h"

#include "base/cleanup.h"
#include "base/document.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const header_names[HTTP_WEB_HEADERS] = {
    "Content-Security-Policy", "Strict-Transport-Security",
    "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection"};

void http_web_config_init(struct http_web_config *config)
{
    *config = (struct http_web_config){.http2 = true};
    http_tls_config_init(&config->tls);
    for (size_t i = 0; i < HTTP_WEB_HEADERS; i++)
        config->headers[i].name = header_names[i];
}

void http_web_config_deinit(struct http_web_config *config)
{
    http_tls_config_deinit(&config->tls);
    for (size_t i = 0; i < HTTP_WEB_HEADERS; i++)
        free(config->headers[i].value);
    for (size_t i = 0; i < config->user_count; i++)
        free(config->users[i].name);
    free(config->users);
    http_web_config_init(config);
}

static int read_header(const struct document *document,
                       const char *key,
                       document_node value,
                       void *target,
                       struct error *err)
{
    struct http_web_header *headers = target;
    const char *text = document_scalar(document, value);
    for (size_t i = 0; i < HTTP_WEB_HEADERS; i++) {
        if (strcmp(key, headers[i].name) != 0)
            continue;
        if (text && strpbrk(text, "\r\n"))
            return document_refuse(document, value, err,
                                   "a header must be one line");
        if (text && strcmp(key, "X-Content-Type-Options") == 0 && *text &&
            strcmp(text, "nosniff") != 0)
            return document_refuse(document, value, err,
                                   "%s can only be nosniff", key);
        if (text && strcmp(key, "X-Frame-Options") == 0 && *text &&
            strcmp(text, "deny") != 0 && strcmp(text, "sameorigin") != 0)
            return document_refuse(document, value, err,
                                   "%s can only be deny or sameorigin", key);
        return document_read_string(document, value, &headers[i].value, err);
    }
    return document_refuse(document, value, err,
                           "header \"%s\" cannot be set here; these can: "
                           "Content-Security-Policy, "
                           "Strict-Transport-Security, X-Content-Type-Options, "
                           "X-Frame-Options, X-XSS-Protection",
                           key);
}

static int read_headers(const struct document *document,
                        document_node node,
                        void *target,
                        struct error *err)
{
    return document_read_entries(document, node, read_header, target, err);
}

static int read_http(const struct document *document,
                     document_node node,
                     void *target,
                     struct error *err)
{
    static const struct document_field fields[] = {
        {"headers", read_headers, offsetof(struct http_web_config, headers)},
        {"http2", document_read_bool, offsetof(struct http_web_config, http2)},
    };
    return document_read_fields(document, node, fields, array_size(fields),
                                target, err);
}

static int read_user(const struct document *document,
                     const char *key,
                     document_node value,
                     void *target,
                     struct error *err)
{
    struct http_web_config *config = target;
    const char *hash = document_scalar(document, value);
    if (*key == '\0' || strchr(key, ':'))
        return document_refuse(document, value, err,
                               "user name \"%s\": it must not be empty or "
                               "hold a colon, as no client could send it",
                               key);
    if (!hash || !http_bcrypt_is_valid(hash))
        return document_refuse(document, value, err,
                               "the password of \"%s\" is not a bcrypt hash "
                               "with a cost from 4 to %d; make one with: "
                               "htpasswd -nBC 10 %s",
                               key, (int)HTTP_BCRYPT_COST_MAX, key);
    struct http_user *users = reallocarray(
        config->users, config->user_count + 1, sizeof(*config->users));
    char *name = strdup(key);
    if (users)
        config->users = users;
    if (!users || !name) {
        free(name);
        return error_errno(err, ENOMEM, "%s", document_name(document));
    }
    struct http_user *user = &users[config->user_count++];
    user->name = name;
    memcpy(user->hash, hash, sizeof(user->hash));
    return 0;
}

static int read_users(const struct document *document,
                      document_node node,
                      void *target,
                      struct error *err)
{
    return document_read_entries(document, node, read_user, target, err);
}

static int read_burst(const struct document *document,
                      document_node node,
                      void *target,
                      struct error *err)
{
    const char *text = document_scalar(document, node);
    size_t size = text ? strlen(text) : 0;
    if (size < 1 || size > 6 || strspn(text, "0123456789") != size)
        return document_refuse(document, node, err,
                               "expected a number from 0 to 999999 here");
    *(int *)target = atoi(text);
    return 0;
}

static int read_rate(const struct document *document,
                     document_node node,
                     void *target,
                     struct error *err)
{
    static const struct document_field fields[] = {
        {"burst", read_burst, offsetof(struct http_web_config, rate_burst)},
        {"interval", document_read_duration,
         offsetof(struct http_web_config, rate_interval_ns)},
    };
    return document_read_fields(document, node, fields, array_size(fields),
                                target, err);
}

static int read_document(const struct document *document,
                         struct http_web_config *config,
                         struct error *err)
{
    static const struct document_field fields[] = {
        {"basic_auth_users", read_users, 0},
        {"http_server_config", read_http, 0},
        {"rate_limit", read_rate, 0},
        {"tls_server_config", http_tls_config_read,
         offsetof(struct http_web_config, tls)},
    };
    int r = document_read_fields(document, document_root(document), fields,
                                 array_size(fields), config, err);
    return r < 0 ? r : http_tls_config_check(document, &config->tls, err);
}

static int finish(struct document *document,
                  struct http_web_config *ret_config,
                  struct error *err)
{
    struct http_web_config config;
    http_web_config_init(&config);
    int r = read_document(document, &config, err);
    document_free(document);
    if (r < 0) {
        http_web_config_deinit(&config);
        return r;
    }
    *ret_config = config;
    return 0;
}

int http_web_config_parse(const char *path,
                          const char *text,
                          size_t size,
                          struct http_web_config *ret_config,
                          struct error *err)
{
    struct document *document;
    int r = document_parse(path, text, size, &document, err);
    return r < 0 ? r : finish(document, ret_config, err);
}

int http_web_config_load(const char *path,
                         struct http_web_config *ret_config,
                         struct error *err)
{
    struct document *document;
    int r = document_load(path, &document, err);
    if (r < 0) {
        error_prefix(err, "web configuration");
        return r;
    }
    return finish(document, ret_config, err);
}

bool http_bcrypt_is_valid(const char *hash)
{
    static const char letters[] = "./0123456789"
                                  "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (strlen(hash) != HTTP_BCRYPT_SIZE || strspn(hash + 7, letters) != 53 ||
        hash[0] != '$' || hash[1] != '2' || !strchr("aby", hash[2]) ||
        hash[3] != '$' || hash[6] != '$' || strspn(hash + 4, "0123456789") != 2)
        return false;
    int cost = atoi(hash + 4);
    return cost >= 4 && cost <= HTTP_BCRYPT_COST_MAX;
}
