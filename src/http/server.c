/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server: libmicrohttpd in the event loop. The library runs without a
 * thread and without a socket of its own; its epoll descriptor is one source of
 * our loop, and a timer calls it again when it has more to do than one turn.
 *
 * How a request is answered stands in dispatch.c; this file is about
 * connections and about starting and ending.
 */
#include "http/server-private.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SERVER_CONNECTIONS_MAX = 512,
    SERVER_HEADER_TIMEOUT_MS = 10000,
    SERVER_IDLE_TIMEOUT_MS = 100000,
    SERVER_SEND_TIMEOUT_MS = 60000,
    /* Per connection, for the header of the request and that of the reply. */
    SERVER_HEADER_BYTES = 16384,
    /* What the kernel holds of an answer on its way (Linux takes twice that).
     * Left to itself it takes megabytes for each client, and no processor's
     * cache holds what several of them are sent: with this, large pages go out
     * half as fast again (bench/RESULTS.md). */
    SERVER_SEND_BUFFER = 512 * 1024,
    SERVER_CROWD = 64
};

/* When a crowd has gone, what it needed is given back to the system: the heap,
 * in which something always stays behind, would keep it for the next one. */
static void forget_crowd(struct http_server *server)
{
    if (server->crowd < SERVER_CROWD ||
        server->clients.count > server->crowd / 4)
        return;
    server->crowd = server->clients.count;
    malloc_trim(0);
}

/* Let the library do one round of what there is to do, then others have their
 * turn; the timer comes back for the rest. */
static void run_library(void *context, uint32_t events)
{
    (void)events;
    struct http_server *server = context;
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(server->library);
    forget_crowd(server);
    if (MHD_get_timeout(server->library, &wait_ms) == MHD_YES)
        loop_timer_set(server->library_timer,
                       clock_monotonic_ns() + (int64_t)wait_ms * NS_PER_MS + 1);
}

void http_server_run(struct http_server *server)
{
    run_library(server, 0);
}

void http_server_run_soon(struct http_server *server)
{
    loop_timer_set(server->library_timer, 1);
}

/* A password has been checked: everybody who waits for one asks again. */
static void wake_clients(void *context)
{
    struct http_server *server = context;
    for (struct http_client *c = server->clients.first; c; c = c->next) {
        if (!c->suspended)
            continue;
        c->suspended = false;
        MHD_resume_connection(c->connection);
    }
    run_library(server, 0);
}

static struct http_client *begin_client(struct http_server *server,
                                        struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info->connect_fd;
    struct http_client *client =
        http_client_new(&server->clients, connection, fd);
    bool good = client != NULL;
    if (good && server->web->tls) {
        client->tls = http_tls_ref(server->web->tls);
        info = MHD_get_connection_info(connection,
                                       MHD_CONNECTION_INFO_GNUTLS_SESSION);
        good = http_tls_apply(client->tls, info->tls_session) == 0;
    }
    if (!good)
        shutdown(fd, SHUT_RDWR);
    server->statistics.accepted++;
    if (server->crowd < server->clients.count)
        server->crowd = server->clients.count;
    http_server_set_due(server, client, server->header_timeout_ms);
    return client;
}

/* The library tells of a connection's begin and end. */
static void notify_connection(void *context,
                              struct MHD_Connection *connection,
                              void **socket_context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = begin_client(server, connection);
        return;
    }
    http_client_free(&server->clients, *socket_context);
    *socket_context = NULL;
}

void http_server_set_due(struct http_server *server,
                         struct http_client *client,
                         unsigned int timeout_ms)
{
    if (client)
        http_client_set_due(&server->clients, client,
                            clock_monotonic_ns() + timeout_ms * NS_PER_MS);
}

/* Tell a client beyond the limit, without waiting for what he wants. */
static void refuse(struct http_server *server, int fd)
{
#define FULL_BODY "All connections are in use; try again in a second.\n"
    static const char full[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 51\r\n"
                               "Retry-After: 1\r\n"
                               "Connection: close\r\n\r\n" FULL_BODY;
    _Static_assert(sizeof(FULL_BODY) - 1 == 51, "the length above");
#undef FULL_BODY
    server->statistics.refused++;
    if (!server->web->tls) {
        char unread[4096];
        if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 &&
            shutdown(fd, SHUT_WR) == 0)
            /* What is unread at close() would turn into a reset, which takes
             * the answer away from the client. */
            (void)!recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
    }
    close(fd);
}

static void accept_client(void *context,
                          int fd,
                          const struct sockaddr *address,
                          socklen_t size)
{
    struct http_server *server = context;
    http_server_notice_changes(server);
    if (server->clients.count >= server->connections_max)
        refuse(server, fd);
    else {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SERVER_SEND_BUFFER},
                         sizeof(int));
        MHD_add_connection(server->library, fd, address, size);
    }
}

/* The library wants certificates from somewhere when TLS is on; ours are set
 * on each session (tls.c), so this is not called. */
static int find_no_certificate(gnutls_session_t session,
                               const gnutls_datum_t *authorities,
                               int authority_count,
                               const gnutls_pk_algorithm_t *algorithms,
                               int algorithm_count,
                               gnutls_pcert_st **ret_chain,
                               unsigned int *ret_chain_size,
                               gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    (void)ret_chain;
    (void)ret_chain_size;
    (void)ret_key;
    return -1;
}

static int start_library(struct http_server *server, struct error *err)
{
    unsigned int flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)find_no_certificate},
        {MHD_OPTION_END, 0, NULL}};
    if (server->web->tls)
        flags |= MHD_USE_TLS;
    else
        tls_options[0].option = MHD_OPTION_END;
    server->library = MHD_start_daemon(
        flags, 0, NULL, NULL, http_server_answer, server,
        MHD_OPTION_CONNECTION_LIMIT, server->connections_max + 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_HEADER_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, http_server_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_server_complete, server,
        MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
        MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
    if (!server->library)
        return error_set(err, EIO,
                         "HTTP server: libmicrohttpd %s would not start%s",
                         MHD_get_version(),
                         server->web->tls ? "; is it built with TLS?" : "");

    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->library, MHD_DAEMON_INFO_EPOLL_FD);
    int r = loop_add_timer(server->loop, run_library, server,
                           &server->library_timer, err);
    if (r == 0)
        r = loop_add_fd(server->loop, info->epoll_fd, EPOLLIN, run_library,
                        server, &server->library_source, err);
    return r;
}

static unsigned int or_default(unsigned int value, unsigned int usual)
{
    return value ? value : usual;
}

/* Copy the routes, and make a table of numbers with one row more. */
static int copy_settings(struct http_server *server,
                         const struct http_settings *s,
                         struct error *err)
{
    server->guarded = s->guarded;
    server->realm = s->realm ? s->realm : "gpu-watchdog";
    server->reloaded = s->reloaded;
    server->reloaded_context = s->reloaded_context;
    server->connections_max =
        or_default(s->connections_max, SERVER_CONNECTIONS_MAX);
    server->header_timeout_ms =
        or_default(s->header_timeout_ms, SERVER_HEADER_TIMEOUT_MS);
    server->idle_timeout_ms =
        or_default(s->idle_timeout_ms, SERVER_IDLE_TIMEOUT_MS);
    server->send_timeout_ms =
        or_default(s->send_timeout_ms, SERVER_SEND_TIMEOUT_MS);

    server->routes = calloc(s->route_count + 1, sizeof(*server->routes));
    server->rows = calloc(s->route_count + 1, sizeof(*server->rows));
    if (!server->routes || !server->rows)
        return error_errno(err, ENOMEM, "HTTP server");
    for (size_t i = 0; i < s->route_count; i++) {
        server->routes[i] = s->routes[i];
        server->rows[i].path = s->routes[i].path;
    }
    server->route_count = s->route_count;
    server->rows[s->route_count].path = "";
    server->statistics.route_count = s->route_count + 1;
    server->statistics.routes = server->rows;
    return 0;
}

/* Put WEB in force; the rate limit begins with a full burst. */
static void use_web(struct http_server *server, struct http_web *web)
{
    http_web_free(server->web);
    server->web = web;
    server->rate_tokens = web->config.rate_burst;
    server->rate_ns = clock_monotonic_ns();
}

/* Everybody who can reach us is asked for a password or a certificate. */
static bool asks_everybody(const struct http_web *web)
{
    enum http_client_auth asked = web->config.tls.client_auth;
    return web->config.user_count > 0 ||
           (web->tls && (asked == HTTP_CLIENT_AUTH_REQUIRE_ANY ||
                         asked == HTTP_CLIENT_AUTH_REQUIRE_AND_VERIFY));
}

static int check_guard(const struct http_server *server,
                       const struct http_web *web,
                       struct error *err)
{
    if (!server->guarded || !server->reached || asks_everybody(web))
        return 0;
    return error_set(err, EPERM,
                     "others can reach the server, and it would ask them for "
                     "neither password nor certificate");
}

static void free_server(struct http_server **server)
{
    http_server_free(*server);
}

int http_server_new(struct loop *loop,
                    const struct http_settings *settings,
                    struct http_server **ret_server,
                    struct error *err)
{
    assert(loop && settings && settings->address_count > 0);

    _cleanup_(free_server) struct http_server *server =
        calloc(1, sizeof(*server));
    if (!server)
        return error_errno(err, ENOMEM, "HTTP server");
    server->loop = loop;
    int r = copy_settings(server, settings, err);
    struct http_web *web = NULL;
    if (r == 0)
        r = http_web_new(settings->web_config_path, &web, err);
    if (r == 0)
        use_web(server, web);
    if (r == 0)
        r = http_clients_init(&server->clients, loop, err);
    if (r == 0)
        r = http_auth_new(loop, wake_clients, server, &server->auth, err);
    if (r == 0)
        r = start_library(server, err);
    if (r == 0)
        r = http_listeners_new(loop, settings->addresses,
                               settings->address_count, accept_client, server,
                               &server->listeners, err);
    if (r == 0) {
        server->reached = !http_listeners_are_loopback(server->listeners);
        r = check_guard(server, server->web, err);
    }
    if (r < 0)
        return r;
    *ret_server = take_ptr(server);
    return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
    if (!server)
        return NULL;
    http_listeners_free(server->listeners);
    loop_source_free(server->library_source);
    loop_source_free(server->library_timer);
    if (server->library) {
        /* Nobody may be suspended when the library stops. */
        for (struct http_client *c = server->clients.first; c; c = c->next)
            if (c->suspended)
                MHD_resume_connection(c->connection);
        MHD_stop_daemon(server->library);
    }
    http_auth_free(server->auth);
    http_clients_deinit(&server->clients);
    http_web_free(server->web);
    free(server->routes);
    free(server->rows);
    free(server);
    return NULL;
}

int http_server_reload(struct http_server *server, struct error *err)
{
    struct http_web *web = NULL;
    int r = http_web_new(server->web->path, &web, err);
    if (r < 0)
        return r;
    if (!web->tls != !server->web->tls) {
        r = error_set(err, EINVAL,
                      "%s: TLS cannot be switched %s while running; restart",
                      web->path, web->tls ? "on" : "off");
        http_web_free(web);
        return r;
    }
    r = check_guard(server, web, err);
    if (r < 0) {
        http_web_free(web);
        return r;
    }
    use_web(server, web);
    return 0;
}

/* Reload when the files have changed; after a failure until it succeeds. */
void http_server_notice_changes(struct http_server *server)
{
    int64_t now_ns = clock_monotonic_ns();
    if (!server->web->path || now_ns - server->noticed_ns < NS_PER_S)
        return;
    server->noticed_ns = now_ns;
    if (!http_web_has_changed(server->web))
        return;
    struct error err = {""};
    int r = http_server_reload(server, &err);
    if (r == 0) {
        server->refusal = (struct error){""};
    } else if (strcmp(err.text, server->refusal.text) != 0) {
        server->statistics.reload_failures++;
        server->refusal = err;
    } else {
        return; /* told already */
    }
    if (server->reloaded)
        server->reloaded(server->reloaded_context, r < 0 ? &err : NULL);
}

const char *http_server_address(const struct http_server *server, size_t index)
{
    return http_listeners_address(server->listeners, index);
}

const char *http_server_scheme(const struct http_server *server)
{
    return server->web->tls ? "https" : "http";
}

const struct http_statistics *http_server_statistics(struct http_server *server)
{
    server->statistics.connections = server->clients.count;
    server->statistics.timed_out = server->clients.timed_out;
    server->statistics.password_checks = http_auth_checks(server->auth);
    return &server->statistics;
}
