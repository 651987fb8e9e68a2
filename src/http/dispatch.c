/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answering a request. The library calls http_server_answer() once when the
 * header is complete, where what we do not serve is refused without reading its
 * body, and again to have the answer; a third time and more after waiting for a
 * password to be checked. The doors stand in the order of the exporter-toolkit:
 * rate limit, then password, then the path.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"
#include "http/feed-private.h"
#include "http/negotiate.h"
#include "http/server-private.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
    STATUS_CONTENT_TOO_LARGE = 413 /* older libraries name it otherwise */
};

void *http_server_begin(void *context,
                        const char *uri,
                        struct MHD_Connection *connection)
{
    return http_exchange_new(context, connection, uri);
}

static struct http_client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void http_server_complete(void *context,
                          struct MHD_Connection *connection,
                          void **request_context,
                          enum MHD_RequestTerminationCode code)
{
    struct http_server *server = context;
    struct http_exchange *exchange = *request_context;
    if (exchange && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        server->statistics.body_bytes += exchange->body_bytes;
    *request_context = http_exchange_free(exchange);
    struct http_client *client = client_of(connection);
    if (client)
        http_client_push(client);
    http_server_set_due(server, client, server->idle_timeout_ms);
}

/* Whether ROUTE stands for all that is below it, PATH among it. */
static bool is_below(const struct http_route *route, const char *path)
{
    size_t length = strlen(route->path);
    return length > 1 && route->path[length - 1] == '/' &&
           strncmp(path, route->path, length) == 0;
}

/* The number of the route of PATH, the longest one that fits; route_count, the
 * last row, for none. */
static size_t find_route(const struct http_server *server, const char *path)
{
    size_t found = server->route_count, length = 0;
    for (size_t i = 0; path && i < server->route_count; i++) {
        const struct http_route *route = &server->routes[i];
        if (strcmp(route->path, path) == 0)
            return i;
        if (is_below(route, path) && strlen(route->path) > length) {
            found = i;
            length = strlen(route->path);
        }
    }
    return found;
}

/* What is left to say when memory runs out; nothing in it is allocated by us.
 */
static struct MHD_Response *make_failure(struct http_body_size *ret_size)
{
    static char text[] = "Out of memory; try again.\n";
    *ret_size = (struct http_body_size){sizeof(text) - 1, 1};
    return MHD_create_response_from_buffer(sizeof(text) - 1, text,
                                           MHD_RESPMEM_PERSISTENT);
}

/* Send what stands in the reply, counted in ROW. */
static enum MHD_Result send_reply(struct http_server *server,
                                  struct http_exchange *exchange,
                                  size_t row)
{
    struct MHD_Connection *connection = exchange->request.connection;
    struct http_client *client = client_of(connection);
    if (exchange->reply.feed)
        http_feed_begin(&exchange->reply, server, client);
    bool gzip = http_accepts_gzip(
        http_request_header(&exchange->request, "Accept-Encoding"));
    struct http_body_size size = {0};
    struct MHD_Response *response = http_reply_finish(
        &exchange->reply, gzip, server->web->config.headers, &size);
    unsigned int status = exchange->reply.status;
    if (!response) {
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        response = make_failure(&size);
    }
    if (!response)
        return MHD_NO;
    if (client && size.parts > 1)
        http_client_hold(client);
    exchange->body_bytes = size.bytes;
    server->rows[row].replies[status / 100 - 1]++;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse_method(struct http_server *server,
                                     struct http_exchange *exchange,
                                     const char *method)
{
    size_t row = find_route(server, exchange->request.target.path);
    bool posts = row < server->route_count && server->routes[row].post;
    http_reply_set_header(&exchange->reply, "Allow",
                          posts ? "GET, HEAD, POST" : "GET, HEAD");
    http_reply_fail(&exchange->reply, MHD_HTTP_METHOD_NOT_ALLOWED,
                    "%.32s is not served here; use GET%s.", method,
                    posts ? ", HEAD or POST" : " or HEAD");
    return send_reply(server, exchange, row);
}

/* A POST: its body will be kept in memory, so its length comes first. */
static enum MHD_Result begin_post(struct http_server *server,
                                  struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const char *length = http_request_header(request, "Content-Length");
    uint64_t size = 0;
    if (http_request_header(request, "Transfer-Encoding") || !length ||
        !number_parse(length, &size))
        http_reply_fail(&exchange->reply, MHD_HTTP_LENGTH_REQUIRED,
                        "Say the length of the body in Content-Length.");
    else if (size > HTTP_BODY_MAX)
        http_reply_fail(&exchange->reply, STATUS_CONTENT_TOO_LARGE,
                        "The body has more than %d bytes.", HTTP_BODY_MAX);
    else {
        exchange->post = true;
        return MHD_YES;
    }
    return send_reply(server, exchange,
                      find_route(server, request->target.path));
}

/* Some more of the body; the library sees to its length. */
static enum MHD_Result
take_body(struct http_exchange *exchange, const char *data, size_t *size)
{
    struct text *body = &exchange->request.body;
    if (exchange->post && body->size + *size <= HTTP_BODY_MAX &&
        text_reserve(body, *size + 1)) {
        text_add_bytes(body, data, *size);
        body->data[body->size] = '\0';
    }
    *size = 0;
    return text_failed(body) ? MHD_NO : MHD_YES;
}

static bool takes_post(const struct http_server *server,
                       const struct http_exchange *exchange)
{
    size_t row = find_route(server, exchange->request.target.path);
    return row < server->route_count && server->routes[row].post;
}

static bool announces_body(struct http_request *request)
{
    const char *length = http_request_header(request, "Content-Length");
    return (length && strcmp(length, "0") != 0) ||
           http_request_header(request, "Transfer-Encoding");
}

/* The header is complete. Whatever is queued here makes the library close the
 * connection afterwards, so the answer itself waits for the next call. */
static enum MHD_Result begin_answer(struct http_server *server,
                                    struct http_exchange *exchange,
                                    const char *method)
{
    struct http_request *request = &exchange->request;
    exchange->begun = true;
    http_server_notice_changes(server);
    http_server_set_due(server, client_of(request->connection),
                        server->send_timeout_ms);
    if (strcmp(method, "POST") == 0 && takes_post(server, exchange))
        return begin_post(server, exchange);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse_method(server, exchange, method);
    if (announces_body(request)) {
        http_reply_fail(&exchange->reply, MHD_HTTP_BAD_REQUEST,
                        "Send %s without a body.", method);
        return send_reply(server, exchange, server->route_count);
    }
    return MHD_YES;
}

/* A token for each request, a new one every interval, a burst of them at most.
 * False when there is none. */
static bool take_token(struct http_server *server)
{
    const struct http_web_config *config = &server->web->config;
    if (config->rate_interval_ns == 0)
        return true;
    int64_t now_ns = clock_monotonic_ns();
    server->rate_tokens +=
        (double)(now_ns - server->rate_ns) / (double)config->rate_interval_ns;
    server->rate_ns = now_ns;
    if (server->rate_tokens > config->rate_burst)
        server->rate_tokens = config->rate_burst;
    if (server->rate_tokens < 1)
        return false;
    server->rate_tokens -= 1;
    return true;
}

static bool pass_rate_limit(struct http_server *server,
                            struct http_exchange *exchange)
{
    if (exchange->rate_counted)
        return true;
    exchange->rate_counted = true;
    if (take_token(server))
        return true;
    http_reply_fail(&exchange->reply, MHD_HTTP_TOO_MANY_REQUESTS,
                    "More requests than rate_limit of the web configuration "
                    "lets in.");
    return false;
}

/* Once per connection: is the certificate one of those that may come in? */
static bool pass_certificate(struct http_exchange *exchange)
{
    struct http_client *client = client_of(exchange->request.connection);
    if (!client || !client->tls || client->admitted)
        return true;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        client->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    client->admitted = info && http_tls_admits(client->tls, info->tls_session);
    if (!client->admitted)
        http_reply_fail(&exchange->reply, MHD_HTTP_FORBIDDEN,
                        "Your certificate has none of the names in "
                        "client_allowed_sans of the web configuration.");
    return client->admitted;
}

enum pass {
    PASS_GO,
    PASS_REFUSED, /* the reply says why */
    PASS_WAIT     /* the connection sleeps */
};

static enum pass admit(struct http_exchange *exchange,
                       const struct http_user *user)
{
    free(exchange->request.user);
    exchange->request.user = strdup(user->name);
    if (exchange->request.user)
        return PASS_GO;
    exchange->reply.failed = true;
    return PASS_REFUSED;
}

static enum pass deny(struct http_server *server,
                      struct http_exchange *exchange)
{
    _cleanup_(text_deinit) struct text challenge = TEXT_INIT;
    text_addf(&challenge, "Basic realm=\"%s\", charset=\"UTF-8\"",
              server->realm);
    const char *value = text_str(&challenge);
    server->statistics.auth_failures++;
    http_reply_set_header(&exchange->reply, "WWW-Authenticate",
                          value ? value : "Basic");
    http_reply_fail(&exchange->reply, MHD_HTTP_UNAUTHORIZED,
                    "A user and a password of the web configuration are "
                    "needed.");
    return PASS_REFUSED;
}

static enum pass pass_password(struct http_server *server,
                               struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const struct http_web_config *config = &server->web->config;
    struct http_client *client = client_of(request->connection);
    if (config->user_count == 0)
        return PASS_GO;
    const struct http_user *user;
    switch (http_auth_check(server->auth, config->users, config->user_count,
                            http_request_header(request, "Authorization"),
                            &user)) {
    case HTTP_AUTH_GRANTED:
        return admit(exchange, user);
    case HTTP_AUTH_DENIED:
        return deny(server, exchange);
    case HTTP_AUTH_PENDING:
        if (client) {
            client->suspended = true;
            MHD_suspend_connection(request->connection);
            return PASS_WAIT;
        }
        break;
    case HTTP_AUTH_BUSY:
        break;
    }
    http_reply_set_header(&exchange->reply, "Retry-After", "1");
    http_reply_fail(&exchange->reply, MHD_HTTP_SERVICE_UNAVAILABLE,
                    "Too many passwords are being checked; try again in a "
                    "second.");
    return PASS_REFUSED;
}

static void answer_not_found(struct http_server *server,
                             struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    text_add(&text, "Nothing is served under this path. There are:\n");
    for (size_t i = 0; i < server->route_count; i++)
        text_addf(&text, "%s\n", server->routes[i].path);
    http_reply_set_status(reply, MHD_HTTP_NOT_FOUND);
    http_reply_add_text(reply, &text);
}

static void call_handler(struct http_server *server,
                         struct http_exchange *exchange,
                         size_t route)
{
    if (exchange->request.target_error == -EINVAL)
        http_reply_fail(&exchange->reply, MHD_HTTP_BAD_REQUEST,
                        "The request target cannot be read: a path that "
                        "begins with / and good %%-escapes are needed.");
    else if (exchange->request.target_error < 0)
        exchange->reply.failed = true;
    else if (route == server->route_count)
        answer_not_found(server, &exchange->reply);
    else if (exchange->post)
        server->routes[route].post(server->routes[route].context,
                                   &exchange->request, &exchange->reply);
    else
        server->routes[route].handler(server->routes[route].context,
                                      &exchange->request, &exchange->reply);
}

/* ---- answers that come later ----------------------------------------------
 */

static struct http_exchange *exchange_of(struct http_later *later)
{
    return (struct http_exchange *)later;
}

struct http_later *http_reply_later(struct http_reply *reply)
{
    struct http_exchange *exchange =
        (struct http_exchange *)((char *)reply -
                                 offsetof(struct http_exchange, reply));
    exchange->later = true;
    return (struct http_later *)exchange;
}

struct http_reply *http_later_reply(struct http_later *later)
{
    return &exchange_of(later)->reply;
}

void http_later_send(struct http_later *later)
{
    struct http_exchange *exchange = exchange_of(later);
    struct http_server *server = exchange->server;
    exchange->later = false;
    if (!exchange->asleep)
        return; /* its handler still runs */
    exchange->asleep = false;
    struct http_client *client = client_of(exchange->request.connection);
    if (!client->suspended)
        return; /* awake for another reason, and about to be asked */
    client->suspended = false;
    MHD_resume_connection(exchange->request.connection);
    http_server_run_soon(server);
}

/* Who waits for a password wakes the others, too: they sleep on. */
static enum MHD_Result sleep_on(struct http_exchange *exchange)
{
    /* A request without one does not come this far (server.c). */
    client_of(exchange->request.connection)->suspended = true;
    exchange->asleep = true;
    MHD_suspend_connection(exchange->request.connection);
    return MHD_YES;
}

/* Through the doors to the handler. */
static enum pass
go_in(struct http_server *server, struct http_exchange *exchange, size_t route)
{
    if (!pass_certificate(exchange) || !pass_rate_limit(server, exchange))
        return PASS_REFUSED;
    enum pass pass = pass_password(server, exchange);
    if (pass == PASS_GO) {
        exchange->answered = true;
        call_handler(server, exchange, route);
    }
    return pass;
}

enum MHD_Result http_server_answer(void *context,
                                   struct MHD_Connection *connection,
                                   const char *url,
                                   const char *method,
                                   const char *version,
                                   const char *upload_data,
                                   size_t *upload_size,
                                   void **request_context)
{
    (void)connection;
    (void)url;
    (void)version;
    struct http_server *server = context;
    struct http_exchange *exchange = *request_context;
    if (!exchange)
        return MHD_NO;
    if (!exchange->begun)
        return begin_answer(server, exchange, method);
    if (*upload_size > 0)
        return take_body(exchange, upload_data, upload_size);

    size_t route = find_route(server, exchange->request.target.path);
    if (!exchange->answered && go_in(server, exchange, route) == PASS_WAIT)
        return MHD_YES;
    if (exchange->later)
        return sleep_on(exchange);
    enum MHD_Result result = send_reply(server, exchange, route);
    if (strcmp(method, "HEAD") == 0)
        exchange->body_bytes = 0;
    return result;
}
