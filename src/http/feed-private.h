/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds, as the server sees them. Private to this room.
 */
#pragma once

#include "http/feed.h"
#include "http/server-private.h"

/* Make the response of REPLY, which follows a feed; it stays without one when
 * memory runs out. */
void http_feed_begin(struct http_reply *reply,
                     struct http_server *server,
                     struct http_client *client);
