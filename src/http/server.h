/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTTP server that all programs share. It runs in the thread of the event
 * loop and never blocks it: libmicrohttpd speaks the protocol over its epoll
 * descriptor, which is nested in the loop; passwords are checked by a worker
 * thread of the server's own (auth.h).
 *
 * GET and HEAD on known paths, POST where a route takes it; everything else is
 * refused by the server. TLS,
 * client certificates, basic authentication and headers come from a web
 * configuration file in the format of Prometheus' exporter-toolkit
 * (web-config.h). Every path is behind that authentication, as there.
 */
#pragma once

#include "base/error.h"
#include "base/loop.h"
#include "http/reply.h"
#include "http/request.h"

#include <stddef.h>
#include <stdint.h>

struct http_server;

/* Answer at once, or say that it comes later (reply.h): the loop stands still
 * meanwhile. */
typedef void (*http_handler)(void *context,
                             struct http_request *request,
                             struct http_reply *reply);

struct http_route {
    /* Exact, "/metrics"; one that ends in "/" (but "/" itself) stands for all
     * below it that has no route of its own. */
    const char *path;
    http_handler handler; /* of GET and HEAD */
    void *context;
    /* Of POST, once the whole body is there (http_request_body()); NULL: POST
     * is refused. It has to see for itself that a page of ours is asking. */
    http_handler post;
};

struct http_settings {
    /* "HOST:PORT", "[::1]:PORT", ":PORT" for all addresses, port 0 for any. */
    const char *const *addresses;
    size_t address_count;

    const char *web_config_path; /* NULL: plain HTTP for everybody */

    /* Copied, but for the strings and contexts. */
    const struct http_route *routes;
    size_t route_count;

    /* Refuse, with -EPERM, to be open to others: some address is not loopback,
     * and the web configuration asks for neither password nor certificate. A
     * change of it that would open the server is refused as well. */
    bool guarded;

    const char *realm; /* what a browser shows when asking for a password */

    /* 0 means the value in brackets. */
    unsigned int connections_max;   /* [512] more are told 503 and closed */
    unsigned int header_timeout_ms; /* [10000] connect to end of first header */
    unsigned int idle_timeout_ms;   /* [100000] answer to end of next header */
    unsigned int send_timeout_ms;   /* [60000] header to end of answer */

    /* The web configuration or a certificate changed on disk: taken over (ERR
     * is NULL), or refused and the last good one kept. For the log; NULL: do
     * not tell. */
    void (*reloaded)(void *context, const struct error *err);
    void *reloaded_context;
};

/* Listen on every address, or fail on the first that cannot be had. ERR says
 * which, why and what to do. -EINVAL: the settings or the web configuration are
 * wrong (a usage error); else the system refused. */
int http_server_new(struct loop *loop,
                    const struct http_settings *settings,
                    struct http_server **ret_server,
                    struct error *err);

/* Close everything, answers under way included. Not from within a handler.
 * Waits for a password check that is under way. Accepts NULL; returns NULL. */
struct http_server *http_server_free(struct http_server *server);

/* Read the web configuration (and the files it names) again. On failure the
 * last good one stays in force. Changes on disk are also noticed without this
 * call, a second after them at the latest when requests come in. */
int http_server_reload(struct http_server *server, struct error *err);

/* Where it listens, "127.0.0.1:9341"; NULL behind the last. With a port 0 this
 * tells the one that was found. */
const char *http_server_address(const struct http_server *server, size_t index);

/* "https" or "http", for the addresses that a program prints. */
const char *http_server_scheme(const struct http_server *server);

enum {
    HTTP_STATUS_CLASSES = 5 /* 1xx to 5xx */
};

struct http_route_statistics {
    const char *path; /* "" for what no route answered */
    uint64_t replies[HTTP_STATUS_CLASSES];
};

struct http_statistics {
    unsigned int connections; /* open now */
    uint64_t accepted;        /* connections since the start */
    uint64_t refused;         /* beyond connections_max */
    uint64_t timed_out;       /* closed for being too slow */
    uint64_t body_bytes;      /* of answers sent to their end */
    uint64_t auth_failures;   /* wrong or no password */
    uint64_t password_checks; /* bcrypt runs; others came from the cache */
    uint64_t reload_failures; /* web configurations refused since start */
    size_t route_count;       /* the routes, then one with path "" */
    const struct http_route_statistics *routes;
};

/* The numbers as they are now; they live as long as SERVER. */
const struct http_statistics *
http_server_statistics(struct http_server *server);
