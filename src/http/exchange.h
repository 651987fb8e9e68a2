/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request and its reply, from the request line to the last byte: what
 * request.h and reply.h show to handlers, as the server sees it. Private to
 * this room.
 */
#pragma once

#include "base/text.h"
#include "http/client.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/target.h"
#include "http/web-config.h"

#include <microhttpd.h>

enum {
    HTTP_REPLY_HEADERS_MAX = 16,
    HTTP_REQUEST_JOINED_MAX = 8
};

struct http_request {
    struct MHD_Connection *connection;
    struct http_target target;
    int target_error; /* of http_target_parse() */
    char *user;       /* owned; NULL before or without authentication */
    char *joined[HTTP_REQUEST_JOINED_MAX]; /* owned: headers put together */
    size_t joined_count;
    char peer[64];
    struct text body;
};

struct http_header {
    char *name, *value; /* owned */
};

struct http_reply {
    unsigned int status;
    bool failed; /* out of memory: becomes a 500 */
    char *type;  /* owned; NULL for the usual */
    struct text vary;
    struct http_header headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    struct http_content *contents[HTTP_REPLY_CONTENTS_MAX];
    size_t content_count;
    struct http_feed *feed;        /* instead of contents; NULL: none */
    struct MHD_Response *response; /* of the feed; owned until finished */
};

struct http_server;

struct http_exchange {
    struct http_request request;
    struct http_reply reply;
    struct http_server *server;
    bool begun;        /* the header is complete, the handler was called once */
    bool post;         /* GET or HEAD otherwise */
    bool rate_counted; /* against the rate limit */
    bool later;        /* the handler has returned, its answer is to come */
    bool asleep;       /* the client is, for that */
    bool answered;     /* by a handler; what is left is to send it */
    uint64_t body_bytes; /* to be counted when it has been sent */
};

/* RAW_TARGET as it stands in the request line. NULL without memory. */
struct http_exchange *http_exchange_new(struct http_server *server,
                                        struct MHD_Connection *connection,
                                        const char *raw_target);
struct http_exchange *http_exchange_free(struct http_exchange *exchange);

/* How much a body is, and in how many parts it lies. */
struct http_body_size {
    uint64_t bytes;
    unsigned int parts;
};

/* The reply as the library wants it; GZIP when the client takes that.
 * CONFIGURED headers stand above the reply's own, and these above the usual
 * ones. NULL without memory. */
struct MHD_Response *
http_reply_finish(struct http_reply *reply,
                  bool gzip,
                  const struct http_web_header configured[HTTP_WEB_HEADERS],
                  struct http_body_size *ret_size);
