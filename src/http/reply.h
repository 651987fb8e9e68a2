/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a handler answers: a status, headers and a list of contents, which are
 * sent one behind the other without being copied. The server adds length, date,
 * compression and security headers by itself.
 *
 * Running out of memory is remembered in the reply, which then becomes a plain
 * 500: handlers need not check each call.
 */
#pragma once

#include "base/text.h"
#include "http/content.h"

struct http_reply;

enum {
    HTTP_REPLY_CONTENTS_MAX = 16
};

/* 200 unless set. */
void http_reply_set_status(struct http_reply *reply, unsigned int status);

/* Content-Type; "text/plain; charset=utf-8" unless set. */
void http_reply_set_type(struct http_reply *reply, const char *type);

/* Any other header; replaces one of the same name. Both strings are copied. */
void http_reply_set_header(struct http_reply *reply,
                           const char *name,
                           const char *value);

/* The answer depends on request header FIELD ("Accept"); Accept-Encoding is
 * always among them. */
void http_reply_vary(struct http_reply *reply, const char *field);

/* Append CONTENT; the reply takes a reference of its own. At most
 * HTTP_REPLY_CONTENTS_MAX. NULL marks the reply as out of memory, so that the
 * result of http_content_take() can be passed unchecked. */
void http_reply_add(struct http_reply *reply, struct http_content *content);

/* Append TEXT, taking its memory over. */
void http_reply_add_text(struct http_reply *reply, struct text *text);

/* The answer is FEED (feed.h), and has no end. */
struct http_feed;
void http_reply_follow(struct http_reply *reply, struct http_feed *feed);

/*
 * The answer needs something that is not there yet. The handler returns with
 * this, its client sleeps, and whoever has the answer writes it into
 * http_later_reply() and sends it. That must happen, once, before the server is
 * freed: who may wait for ever sets himself a deadline. The request is gone by
 * then. A client that hangs up is noticed by sending.
 */
struct http_later;
struct http_later *http_reply_later(struct http_reply *reply);
struct http_reply *http_later_reply(struct http_later *later);
void http_later_send(struct http_later *later);

/* A whole answer in one line: STATUS and a plain text of one sentence. */
void http_reply_fail(struct http_reply *reply,
                     unsigned int status,
                     const char *format,
                     ...) __attribute__((format(printf, 3, 4)));
