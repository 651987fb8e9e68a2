/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server's own state, shared by server.c (connections) and dispatch.c
 * (requests).
 */
#pragma once

#include "http/auth.h"
#include "http/client.h"
#include "http/exchange.h"
#include "http/listener.h"
#include "http/server.h"
#include "http/web.h"

#include <microhttpd.h>

struct http_server {
    struct loop *loop;
    struct http_route *routes;
    size_t route_count;
    const char *realm;
    bool guarded; /* it may not be open to others */
    bool reached; /* by others: some address is not loopback */
    unsigned int connections_max;
    unsigned int header_timeout_ms;
    unsigned int idle_timeout_ms;
    unsigned int send_timeout_ms;
    void (*reloaded)(void *context, const struct error *err);
    void *reloaded_context;

    struct http_web *web; /* in force */
    struct error refusal; /* of the last change on disk that was refused */
    int64_t noticed_ns;   /* when the files were last looked at */
    double rate_tokens;   /* requests that may come now */
    int64_t rate_ns;      /* when that was counted */

    struct http_listeners *listeners;
    struct http_clients clients;
    unsigned int crowd; /* the most clients at once since memory was trimmed */
    struct http_auth *auth;
    struct MHD_Daemon *library;
    struct loop_source *library_source;
    struct loop_source *library_timer;

    struct http_statistics statistics;
    struct http_route_statistics *rows; /* one a route, one for the rest */
};

/* CLIENT (NULL: none) has TIMEOUT_MS for what begins now. */
void http_server_set_due(struct http_server *server,
                         struct http_client *client,
                         unsigned int timeout_ms);

/* Let the library go on with clients that were woken. */
void http_server_run(struct http_server *server);

/* The same in the loop's next turn, for who may be called by the library. */
void http_server_run_soon(struct http_server *server);

/* Look, at most once a second, whether the web configuration has changed. */
void http_server_notice_changes(struct http_server *server);

/* The library's callbacks: a request line was read; a header is complete, and
 * the request is to be answered; an exchange has ended. CONTEXT is the server.
 */
void *http_server_begin(void *context,
                        const char *uri,
                        struct MHD_Connection *connection);
enum MHD_Result http_server_answer(void *context,
                                   struct MHD_Connection *connection,
                                   const char *url,
                                   const char *method,
                                   const char *version,
                                   const char *upload_data,
                                   size_t *upload_size,
                                   void **request_context);
void http_server_complete(void *context,
                          struct MHD_Connection *connection,
                          void **request_context,
                          enum MHD_RequestTerminationCode code);
