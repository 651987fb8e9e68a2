/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listen addresses: "HOST:PORT", "[IPv6]:PORT", ":PORT" (or "*:PORT") for all
 * addresses of the machine. Written as in Go programs, since the options that
 * take them (vpenso's -listen-address among them) come from there.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <sys/socket.h>

enum {
    HTTP_ADDRESS_SOCKETS_MAX = 8,
    HTTP_ADDRESS_TEXT_SIZE = 64 /* "[IPv6%scope]:port" and its zero */
};

struct http_address {
    char host[256]; /* "" for all addresses */
    char port[6];
};

/* -EINVAL when TEXT is not of the form; ERR says what the form is. */
int http_address_parse(const char *text,
                       struct http_address *ret_address,
                       struct error *err);

/* Open listening, non-blocking sockets on all that ADDRESS means: a name may
 * stand for several. Returns how many, at least 1; the caller closes them. Asks
 * the resolver, so it may block: for a program's start only. */
int http_address_listen(const struct http_address *address,
                        int ret_fds[HTTP_ADDRESS_SOCKETS_MAX],
                        struct error *err);

/* "192.0.2.1:80", "[2001:db8::1]:80"; an IPv4 address inside IPv6 is shown as
 * the IPv4 address that it is. */
void http_address_format(const struct sockaddr *address,
                         char ret_text[HTTP_ADDRESS_TEXT_SIZE]);
