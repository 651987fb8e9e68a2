/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web configuration in force: what the file said and the credentials made
 * from it, whole, and how the files looked on disk then. A new one replaces it
 * only when it is good.
 */
#pragma once

#include "base/error.h"
#include "http/tls.h"
#include "http/web-config.h"

#include <stdbool.h>

struct http_web {
    struct http_web_config config;
    struct http_tls *tls; /* NULL without TLS */
    char *path;           /* NULL: no file, everything at its default */
    uint64_t stamp;       /* of the file and those that it names */
};

/* PATH may be NULL. */
int http_web_new(const char *path,
                 struct http_web **ret_web,
                 struct error *err);

/* Accepts NULL; returns NULL. */
struct http_web *http_web_free(struct http_web *web);

/* Whether a file has changed since. A few stat() calls. */
bool http_web_has_changed(const struct http_web *web);
