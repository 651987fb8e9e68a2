/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte string that is served: immutable, counted by reference, shared by all
 * clients that ask for it. Its compressed form is made when the first client
 * wants it, and once.
 *
 * The compressed form is deflate blocks that end on a byte boundary, none of
 * them final, so that those of several contents can stand one behind the other
 * in one gzip member.
 *
 * Used by the thread of the event loop only: the count is a plain number.
 */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_content;

/* Take TEXT's memory over, leaving TEXT empty. NULL when TEXT failed or memory
 * ran out; TEXT is emptied then too. */
struct http_content *http_content_take(struct text *text);

/* DATA lives as long as the program does and is not copied. */
struct http_content *http_content_static(const void *data, size_t size);

struct http_content *http_content_ref(struct http_content *content);

/* Accepts NULL; returns NULL. */
struct http_content *http_content_unref(struct http_content *content);

const void *http_content_data(const struct http_content *content);
size_t http_content_size(const struct http_content *content);

enum {
    HTTP_GZIP_HEADER_SIZE = 10,
    HTTP_GZIP_END_SIZE = 10 /* empty final block, CRC-32, length */
};

/* The compressed form twice over: the blocks, to be joined with others, and
 * around them the whole of a gzip file, which is header, blocks and end. */
struct http_deflated {
    const unsigned char
        *gzip; /* HTTP_GZIP_HEADER_SIZE in front of the blocks */
    size_t blocks_size;
    uint32_t crc; /* CRC-32 of the content itself */
};

/* The end of a gzip file whose content has this checksum and size. */
void http_gzip_end(uint32_t crc,
                   uint64_t size,
                   unsigned char ret_end[HTTP_GZIP_END_SIZE]);

/* The compressed form, made now if it was not yet; it lives as long as
 * CONTENT. 0, or -ENOMEM. A megabyte takes about two milliseconds, once. */
int http_content_deflate(struct http_content *content,
                         struct http_deflated *ret_deflated);

/* Whether that has been done: somebody wanted it. */
bool http_content_is_deflated(const struct http_content *content);
