/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking passwords against bcrypt hashes, which takes tens of milliseconds by
 * intent. One worker thread does that; the outcomes are remembered under a
 * digest with a key that only this process knows, so that a scraper pays once
 * and no password is kept.
 *
 * All calls belong to the thread of the event loop.
 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "http/web-config.h"

#include <stdint.h>

struct http_auth;

enum http_auth_verdict {
    HTTP_AUTH_GRANTED,
    HTTP_AUTH_DENIED,
    HTTP_AUTH_PENDING, /* ask again when told that something is settled */
    HTTP_AUTH_BUSY     /* too many wait already; nothing was queued */
};

/* SETTLED is called each time a check has come to its end. */
int http_auth_new(struct loop *loop,
                  void (*settled)(void *context),
                  void *context,
                  struct http_auth **ret_auth,
                  struct error *err);

/* Waits for the check under way. Accepts NULL; returns NULL. */
struct http_auth *http_auth_free(struct http_auth *auth);

/* May a client with this AUTHORIZATION header (NULL: none) come in as one of
 * COUNT (at least one) USERS? RET_USER is set to the one when granted. Unknown
 * users take as long as known ones with a wrong password. */
enum http_auth_verdict http_auth_check(struct http_auth *auth,
                                       const struct http_user *users,
                                       size_t count,
                                       const char *authorization,
                                       const struct http_user **ret_user);

/* How often bcrypt was run. */
uint64_t http_auth_checks(const struct http_auth *auth);
