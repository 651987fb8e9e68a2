/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client asks for, as a handler sees it. All strings belong to the
 * request and live until the handler returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_request;

/* The decoded path: "/metrics", never empty, without the query. */
const char *http_request_path(const struct http_request *request);

/* A header field's value, NULL when the client did not send it. A field sent
 * on several lines is joined with ", ", which means the same. */
const char *http_request_header(struct http_request *request, const char *name);

/* The value of query parameter NAME, decoded; "" for one without "=". NULL when
 * there is none. INDEX 0 is the first of several of the same name: walk them
 * by counting up until NULL. */
const char *http_request_query(const struct http_request *request,
                               const char *name,
                               size_t index);

/* All parameters in the order of the query; false behind the last one. */
bool http_request_parameter(const struct http_request *request,
                            size_t index,
                            const char **ret_name,
                            const char **ret_value);

enum {
    HTTP_BODY_MAX = 128 * 1024 /* longer ones are refused unread */
};

/* What was sent with a POST: RET_SIZE bytes, any of which may be 0, and one
 * more that is 0. "" when nothing was. */
const char *http_request_body(const struct http_request *request,
                              size_t *ret_size);

/* The client's address, for logs: "192.0.2.1:4711", "[2001:db8::1]:4711". */
const char *http_request_peer(struct http_request *request);

/* The user whom basic authentication let in; NULL where none is asked for. */
const char *http_request_user(const struct http_request *request);
