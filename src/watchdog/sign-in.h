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
 * A link may be for somebody: then the cookie says who, and what he may do. Of
 * people whom a password or a proxy lets in the settings say what they may.
 */
#pragma once

#include "http/server.h"

#include <stdbool.h>
#include <stdint.h>

struct sign_in;

/* What somebody may do; each may what those before him may. */
enum sign_in_role {
    ROLE_NONE,     /* nothing: not signed in where that is needed */
    ROLE_VIEWER,   /* look */
    ROLE_OPERATOR, /* act, as the user of his name; Slurm decides what he may */
    ROLE_ADMIN,    /* act on all jobs and nodes, as Slurm's own user */
    ROLE_COUNT
};

/* As they are written; NULL at the end, "none" not among them. */
extern const char *const sign_in_role_words[ROLE_COUNT];

struct viewer {
    enum sign_in_role role;
    char user[64]; /* "": nobody in particular */
};

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

/* Whether a browser that sends these COOKIES (NULL: none) has signed in, and
 * who that is. */
bool sign_in_accepts(const struct sign_in *sign_in,
                     const char *cookies,
                     struct viewer *ret_viewer);

/* Who asks: by cookie, proxy or password; else a viewer without a name, or,
 * where one has to sign in, nobody. SIGN_IN NULL: nobody ever signs in. */
void sign_in_find(const struct sign_in *sign_in,
                  struct http_request *request,
                  struct viewer *ret_viewer);

/* What they may who are called so, and come by a password or a proxy; others
 * are viewers. The lists live longer. */
void sign_in_name(struct sign_in *sign_in,
                  const char *const *operators,
                  size_t operator_count,
                  const char *const *admins,
                  size_t admin_count);

/* Put it before the COUNT routes: who has not signed in is sent away. */
void sign_in_guard(struct sign_in *sign_in,
                   struct http_route *routes,
                   size_t count);

/* Whether it stands before any. */
bool sign_in_is_needed(const struct sign_in *sign_in);

/* The route of the links themselves. */
struct http_route sign_in_route(struct sign_in *sign_in);

/* Let in as well whom a proxy at one of the COUNT ADDRESSES names in HEADER.
 * The strings live longer. */
void sign_in_trust(struct sign_in *sign_in,
                   const char *header,
                   const char *const *addresses,
                   size_t count);

/* Let in as well who shows a token (jwt.h) that is signed with the key in the
 * file PATH: "Authorization: Bearer TOKEN" for once, "/sign-in?token=TOKEN" for
 * as long as it is good. */
int sign_in_trust_key(struct sign_in *sign_in,
                      const char *path,
                      struct error *err);

/* Where the dashboard is, for who makes links; SECURE: over TLS. */
int sign_in_tell(struct sign_in *sign_in,
                 const char *address,
                 bool secure,
                 struct error *err);

/* In "token web": make a link for VIEWER in the folder of a dashboard that was
 * told where it is. HOST stands for an address of all. -ENOENT: there is none.
 */
int sign_in_make_link(const char *folder,
                      const char *host,
                      const struct viewer *viewer,
                      struct text *ret_link,
                      struct error *err);
