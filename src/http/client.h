/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connected clients and their deadlines. libmicrohttpd's own timeout begins
 * anew with every byte, so that a client that sends one a second would stay for
 * ever. Here every phase of a connection has one deadline for the whole of it;
 * who misses it has his socket shut down, which the library sees as an end.
 */
#pragma once

#include "base/loop.h"
#include "http/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct MHD_Connection;

struct http_client {
    struct http_client *previous, *next;
    struct MHD_Connection *connection;
    struct http_tls *tls; /* a reference; NULL without TLS */
    int fd;               /* the library's */
    int64_t due_ns;
    bool suspended; /* waits for its password, a feed, or an answer */
    bool admitted;  /* its certificate has been looked at */
    bool held;      /* between http_client_hold() and http_client_push() */
};

struct http_clients {
    struct http_client *first;
    unsigned int count;
    uint64_t timed_out;
    struct loop_source *timer;
    int64_t timer_due_ns; /* INT64_MAX when it does not run */
};

int http_clients_init(struct http_clients *clients,
                      struct loop *loop,
                      struct error *err);

/* All clients must be gone. */
void http_clients_deinit(struct http_clients *clients);

/* NULL without memory. */
struct http_client *http_client_new(struct http_clients *clients,
                                    struct MHD_Connection *connection,
                                    int fd);
void http_client_free(struct http_clients *clients, struct http_client *client);

/* Give CLIENT until DUE_NS (monotonic) for the phase that begins now. */
void http_client_set_due(struct http_clients *clients,
                         struct http_client *client,
                         int64_t due_ns);

/* Keep what is sent to CLIENT back until a packet is full, and let go of it.
 * The library pushes the header of a reply in several parts out as a packet of
 * its own, which wakes the client twice and halves the requests per second. */
void http_client_hold(struct http_client *client);
void http_client_push(struct http_client *client);
