/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request as handlers see it, over libmicrohttpd's connection.
 */
#include "base/cleanup.h"
#include "http/address.h"
#include "http/exchange.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

struct http_exchange *http_exchange_new(struct http_server *server,
                                        struct MHD_Connection *connection,
                                        const char *raw_target)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return NULL;
    exchange->reply.status = MHD_HTTP_OK;
    exchange->server = server;
    exchange->request.connection = connection;
    exchange->request.target_error =
        http_target_parse(raw_target, &exchange->request.target);
    return exchange;
}

static void request_deinit(struct http_request *request)
{
    http_target_deinit(&request->target);
    for (size_t i = 0; i < request->joined_count; i++)
        free(request->joined[i]);
    free(request->user);
    text_deinit(&request->body);
}

static void reply_deinit(struct http_reply *reply)
{
    free(reply->type);
    text_deinit(&reply->vary);
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    for (size_t i = 0; i < reply->content_count; i++)
        http_content_unref(reply->contents[i]);
}

struct http_exchange *http_exchange_free(struct http_exchange *exchange)
{
    if (!exchange)
        return NULL;
    request_deinit(&exchange->request);
    reply_deinit(&exchange->reply);
    free(exchange);
    return NULL;
}

const char *http_request_path(const struct http_request *request)
{
    return request->target.path;
}

/* All values of one field. */
struct collected {
    const char *name;
    const char *first;
    size_t count;
    struct text all;
};

static enum MHD_Result collect_value(void *context,
                                     enum MHD_ValueKind kind,
                                     const char *name,
                                     const char *value)
{
    (void)kind;
    struct collected *c = context;
    if (strcasecmp(name, c->name) != 0 || !value)
        return MHD_YES;
    if (c->count++ == 0)
        c->first = value;
    else
        text_add(&c->all, ", ");
    text_add(&c->all, value);
    return MHD_YES;
}

const char *http_request_header(struct http_request *request, const char *name)
{
    const char *only =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
    if (!only)
        return NULL;
    struct collected c = {.name = name, .all = TEXT_INIT};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
                              collect_value, &c);
    const char *all = c.count > 1 ? text_str(&c.all) : NULL;
    if (!all || request->joined_count == HTTP_REQUEST_JOINED_MAX) {
        text_deinit(&c.all);
        return only;
    }
    request->joined[request->joined_count++] = c.all.data;
    return all;
}

bool http_request_parameter(const struct http_request *request,
                            size_t index,
                            const char **ret_name,
                            const char **ret_value)
{
    if (index >= request->target.parameter_count)
        return false;
    *ret_name = request->target.parameters[index].name;
    *ret_value = request->target.parameters[index].value;
    return true;
}

const char *http_request_query(const struct http_request *request,
                               const char *name,
                               size_t index)
{
    const struct http_target *target = &request->target;
    for (size_t i = 0; i < target->parameter_count; i++)
        if (strcmp(target->parameters[i].name, name) == 0 && index-- == 0)
            return target->parameters[i].value;
    return NULL;
}

const char *http_request_body(const struct http_request *request,
                              size_t *ret_size)
{
    *ret_size = request->body.size;
    return request->body.size ? request->body.data : "";
}

const char *http_request_peer(struct http_request *request)
{
    _Static_assert(sizeof(request->peer) >= HTTP_ADDRESS_TEXT_SIZE, "peer");
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return "?";
    http_address_format(info->client_addr, request->peer);
    return request->peer;
}

const char *http_request_user(const struct http_request *request)
{
    return request->user;
}
