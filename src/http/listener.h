/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening sockets in the event loop. Connections are taken here and not
 * by libmicrohttpd, which knows one address only and lets clients beyond its
 * limit wait unheard instead of telling them.
 */
#pragma once

#include "base/loop.h"
#include "http/address.h"

#include <stdbool.h>
#include <stddef.h>

struct http_listeners;

/* Takes the new connection FD over. */
typedef void (*http_accept)(void *context,
                            int fd,
                            const struct sockaddr *address,
                            socklen_t size);

/* Listen on all ADDRESSES, or on none. */
int http_listeners_new(struct loop *loop,
                       const char *const *addresses,
                       size_t count,
                       http_accept accepted,
                       void *context,
                       struct http_listeners **ret_listeners,
                       struct error *err);

/* Accepts NULL; returns NULL. */
struct http_listeners *http_listeners_free(struct http_listeners *listeners);

/* Whether each is on loopback, where nobody else can come from. */
bool http_listeners_are_loopback(const struct http_listeners *listeners);

/* Where the socket INDEX listens; NULL behind the last. */
const char *http_listeners_address(const struct http_listeners *listeners,
                                   size_t index);
