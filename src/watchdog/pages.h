/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of the exporter: /metrics and the paths below it, the start page
 * and the two health checks. A page is made at most once for each state of the
 * cluster and shared by all clients; only the few lines about the exporter
 * itself are made for each request. Pages in use are made when a snapshot
 * arrives, others when they are asked for.
 */
#pragma once

#include "http/server.h"
#include "source/collector.h"
#include "watchdog/watch.h"

struct pages;

struct pages_settings {
    uint32_t families;       /* what is served, FAMILY_MASK() */
    const char *replay_path; /* NULL: a live cluster */
};

int pages_new(struct watch *watch,
              const struct pages_settings *settings,
              struct pages **ret_pages,
              struct error *err);

/* After the server that uses it. Accepts NULL; returns NULL. */
struct pages *pages_free(struct pages *pages);

void pages_reconfigure(struct pages *pages,
                       const struct pages_settings *settings);

/* What /metrics tells of both; either may be NULL, and must live as long as
 * PAGES otherwise. */
void pages_set_sources(struct pages *pages,
                       const struct collector *collector,
                       struct http_server *server);

/* Make the pages that were asked for since the last snapshot for the one that
 * has just been published. A page that nobody asked for is not made again. */
void pages_prepare(struct pages *pages);

/* The routes for http_server_new(), owned by PAGES. */
const struct http_route *pages_routes(const struct pages *pages,
                                      size_t *ret_count);
