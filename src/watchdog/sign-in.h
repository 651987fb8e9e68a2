/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing in to the dashboard with a link that is good once: root types
 * "gpu-watchdog token web" and opens what it prints. Where the dashboard can be
 * reached by others and the web configuration asks for no password, this is
 * what stands before every page.
 *
 * A link is a random number; in the folder lies a file named by its hash, which
 * is removed by its use: so it is good once, over restarts as well, and the
 * folder tells nobody a link. What the browser keeps is a cookie with an end
 * and a MAC under a key of the folder, so that a restart signs nobody out.
 *
 * It is about who may look; it knows no names.
 */
#pragma once

#include "http/server.h"

#include <stdbool.h>
#include <stdint.h>

struct sign_in;

enum {
    SIGN_IN_LINK_S = 15 * 60,      /* how long a link waits for its use */
    SIGN_IN_SESSION_S = 12 * 3600, /* how long a browser stays signed in */
    SIGN_IN_ROUTES_MAX = 64
};

/* FOLDER is where links and the key lie, ours alone; both are made. */
int sign_in_new(const char *folder,
                struct sign_in **ret_sign_in,
                struct error *err);

/* Accepts NULL; returns NULL. */
struct sign_in *sign_in_free(struct sign_in *sign_in);

/* Whether a browser that sends these COOKIES (NULL: none) has signed in. */
bool sign_in_accepts(const struct sign_in *sign_in, const char *cookies);

/* Put it before the COUNT routes, and add that of the link itself; ROUTES has
 * room for one more. The new count. */
size_t
sign_in_guard(struct sign_in *sign_in, struct http_route *routes, size_t count);

/* Let in as well whom a proxy at one of the COUNT ADDRESSES names in HEADER.
 * The strings live longer. */
void sign_in_trust(struct sign_in *sign_in,
                   const char *header,
                   const char *const *addresses,
                   size_t count);

/* Where the dashboard is, for who makes links; SECURE: over TLS. */
int sign_in_tell(struct sign_in *sign_in,
                 const char *address,
                 bool secure,
                 struct error *err);

/* In "token web": make a link in the folder of a dashboard that was told where
 * it is. HOST stands for an address of all. -ENOENT: there is none. */
int sign_in_make_link(const char *folder,
                      const char *host,
                      struct text *ret_link,
                      struct error *err);
