/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A feed: messages that many clients follow, each over an answer that does not
 * end (server-sent events). All get the same bytes, which lie in memory once.
 *
 * Nothing is queued for anybody: a client that is still busy with one message
 * gets the newest next, and misses those between. One that takes nothing for
 * HTTP_FEED_PATIENCE_MS while something is there for him is closed. So a slow
 * reader costs what an idle one does.
 */
#pragma once

#include "base/error.h"
#include "http/reply.h"

#include <stddef.h>

enum {
    HTTP_FEED_PATIENCE_MS = 20000
};

struct http_feed;

/* NULL without memory. */
struct http_feed *http_feed_new(void);

/* After the server of its followers. Accepts NULL; returns NULL. */
struct http_feed *http_feed_free(struct http_feed *feed);

/* Give MESSAGE, whose memory is taken over, to all who follow, and to who will,
 * when LASTING: as their first. Without memory nobody gets it. */
void http_feed_publish(struct http_feed *feed,
                       struct text *message,
                       bool lasting);

/* How many follow it now. */
size_t http_feed_followers(const struct http_feed *feed);
