/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard's page: the files of web/dist, which are part of the program.
 * Where the program was built without them, a page says how they are made. With
 * a folder of one's own (--ui-dir) files are read from there for each request,
 * for work on them.
 */
#pragma once

#include "http/server.h"

#include <stddef.h>

/* What tools/embed-files makes; a row without a name ends the table. */
struct page_file {
    const char *name; /* "app.js" */
    const char *tag;  /* with its quotes, as ETag has it */
    const unsigned char *data;
    size_t size;
};
extern const struct page_file page_files[];

struct page;

enum {
    PAGE_ROUTES_MAX = 32
};

/* FOLDER is "" for the embedded files; it must outlive the page. */
int page_new(const char *folder, struct page **ret_page, struct error *err);

/* After the server that uses it. Accepts NULL; returns NULL. */
struct page *page_free(struct page *page);

/* Add its routes to ROUTES, which has room for PAGE_ROUTES_MAX. */
size_t page_routes(struct page *page, struct http_route *routes);
