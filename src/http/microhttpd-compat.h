/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the oldest libmicrohttpd that we build with lacks: 0.9.72, of Debian 11,
 * cannot send a body that lies in several pieces. There the pieces are joined,
 * at the price of one copy for each reply; everywhere else this is empty.
 */
#pragma once

#include <microhttpd.h>

#if MHD_VERSION < 0x00097204

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct MHD_IoVec {
    const void *iov_base;
    size_t iov_len;
};

/* As later versions have it: FREE_PIECES is called with CONTEXT when the
 * pieces are no longer needed, and not at all when NULL is returned. */
static inline struct MHD_Response *
MHD_create_response_from_iovec(const struct MHD_IoVec *pieces,
                               unsigned int count,
                               MHD_ContentReaderFreeCallback free_pieces,
                               void *context)
{
    struct MHD_Response *response;
    size_t size = 0, at = 0;
    char *body;

    for (unsigned int i = 0; i < count; i++)
        size += pieces[i].iov_len;
    body = malloc(size ? size : 1);
    if (!body)
        return NULL;
    for (unsigned int i = 0; i < count; i++) {
        memcpy(body + at, pieces[i].iov_base, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
    response =
        MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(body);
    else if (free_pieces)
        free_pieces(context);
    return response;
}

#endif
