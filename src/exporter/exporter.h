/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the program gpu-exporter.
 */
#pragma once

#include "exporter/settings.h"
#include "http/server.h"
#include "source/collector.h"

/* ---- exporter.c: the program as it runs. Returns what to exit with. */

int exporter_main(const struct settings *settings);

/* The hidden child. */
#define COLLECT_GPUS "collect-gpus"
int collect_main(const struct settings *settings);

/* ---- pages.c: what is served */

struct pages;

int pages_new(const struct settings *settings,
              struct pages **ret_pages,
              struct error *err);
/* Take new settings, which live longer. A collectors file that cannot be used
 * is refused, and nothing changes. */
int pages_configure(struct pages *pages,
                    const struct settings *settings,
                    struct error *err);

/* Accepts NULL; returns NULL. */
struct pages *pages_free(struct pages *pages); /* after the server */

/* SERVER lives as long as PAGES; COLLECTOR may be NULL, and is told anew when
 * it comes and goes. */
void pages_set_server(struct pages *pages, struct http_server *server);
void pages_set_collector(struct pages *pages,
                         const struct collector *collector);

/* Take the next snapshot; a reference is kept. */
void pages_publish(struct pages *pages, struct mapped_snapshot *snapshot);

/* Why there is nothing to serve, or not all; "" when all is well. */
const char *pages_reason(const struct pages *pages);

/* The GPUs were let go of, or taken up again. */
void pages_set_released(struct pages *pages, bool released);

const struct http_route *pages_routes(const struct pages *pages,
                                      size_t *ret_count);

/* ---- control.c: "gpu-exporter release" and "resume" */

struct control;

/* Listen on the socket PATH (made, with its folder; 0600). COMMAND is called
 * with "release" or "resume", and writes one sentence of what came of it. */
int control_new(struct loop *loop,
                const char *path,
                void (*command)(void *context,
                                const char *word,
                                char *ret_answer,
                                size_t size),
                void *context,
                struct control **ret_control,
                struct error *err);
struct control *control_free(struct control *control);

/* The other side: send WORD, print the answer. Returns what to exit with. */
int control_main(const struct settings *settings, const char *word);
