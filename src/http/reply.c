/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building replies and handing them over. The body is a vector of the contents'
 * own bytes. As gzip it is one member (RFC 1952): a header, the contents'
 * blocks one behind the other, and an end with the checksum of the whole, which
 * is combined from the parts' without reading them again.
 */
#include "base/cleanup.h"
#include "http/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    /* Smaller bodies go out plain: they fit one packet anyway. */
    REPLY_GZIP_MIN = 1024
};

static void set_copy(struct http_reply *reply, char **target, const char *value)
{
    char *copy = strdup(value);
    if (!copy) {
        reply->failed = true;
        return;
    }
    free(*target);
    *target = copy;
}

void http_reply_set_status(struct http_reply *reply, unsigned int status)
{
    assert(status >= 200 && status <= 599);

    reply->status = status;
}

void http_reply_set_type(struct http_reply *reply, const char *type)
{
    set_copy(reply, &reply->type, type);
}

static struct http_header *find_header(struct http_reply *reply,
                                       const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->headers[i].name, name) == 0)
            return &reply->headers[i];
    return NULL;
}

void http_reply_set_header(struct http_reply *reply,
                           const char *name,
                           const char *value)
{
    assert(!strpbrk(value, "\r\n"));

    struct http_header *header = find_header(reply, name);
    if (header) {
        set_copy(reply, &header->value, value);
        return;
    }
    assert(reply->header_count < HTTP_REPLY_HEADERS_MAX);
    header = &reply->headers[reply->header_count];
    header->name = strdup(name);
    header->value = strdup(value);
    reply->header_count++;
    if (!header->name || !header->value)
        reply->failed = true;
}

void http_reply_vary(struct http_reply *reply, const char *field)
{
    text_add(&reply->vary, ", ");
    text_add(&reply->vary, field);
}

void http_reply_add(struct http_reply *reply, struct http_content *content)
{
    assert(reply->content_count < HTTP_REPLY_CONTENTS_MAX);

    if (content)
        reply->contents[reply->content_count++] = http_content_ref(content);
    else
        reply->failed = true;
}

void http_reply_add_text(struct http_reply *reply, struct text *text)
{
    struct http_content *content = http_content_take(text);
    http_reply_add(reply, content);
    http_content_unref(content);
}

void http_reply_follow(struct http_reply *reply, struct http_feed *feed)
{
    reply->feed = feed;
}

void http_reply_fail(struct http_reply *reply,
                     unsigned int status,
                     const char *format,
                     ...)
{
    struct text sentence = TEXT_INIT;
    va_list args;
    va_start(args, format);
    text_vaddf(&sentence, format, args);
    va_end(args);
    text_add_char(&sentence, '\n');
    http_reply_set_status(reply, status);
    http_reply_add_text(reply, &sentence);
}

/* What a body is made of while the library sends it: our references, and the
 * bytes that belong to this reply alone. */
struct parcel {
    struct http_content *contents[HTTP_REPLY_CONTENTS_MAX];
    size_t count;
    unsigned char end[HTTP_GZIP_END_SIZE];
};

static void free_parcel(void *context)
{
    struct parcel *parcel = context;
    for (size_t i = 0; i < parcel->count; i++)
        http_content_unref(parcel->contents[i]);
    free(parcel);
}

#if MHD_VERSION < 0x00097204
/* Debian 11's library cannot send vectors yet; see make_response(). */
struct MHD_IoVec {
    const void *iov_base;
    size_t iov_len;
};
#endif

/* A vector with room for every content and the end of gzip. */
struct vector {
    struct MHD_IoVec items[HTTP_REPLY_CONTENTS_MAX + 1];
    unsigned int count;
    uint64_t bytes;
};

static void vector_add(struct vector *vector, const void *data, size_t size)
{
    if (size == 0)
        return;
    vector->items[vector->count++] =
        (struct MHD_IoVec){.iov_base = data, .iov_len = size};
    vector->bytes += size;
}

static void fill_plain(const struct parcel *parcel, struct vector *vector)
{
    for (size_t i = 0; i < parcel->count; i++)
        vector_add(vector, http_content_data(parcel->contents[i]),
                   http_content_size(parcel->contents[i]));
}

/* The first content's gzip header serves for all; alone, it also has the right
 * end, and the reply is in one piece. */
static int fill_gzip(struct parcel *parcel, struct vector *vector)
{
    uLong crc = crc32_z(0, NULL, 0);
    uint64_t size = 0;
    for (size_t i = 0; i < parcel->count; i++) {
        struct http_deflated deflated;
        int r = http_content_deflate(parcel->contents[i], &deflated);
        if (r < 0)
            return r;
        size_t skipped = i == 0 ? 0 : HTTP_GZIP_HEADER_SIZE;
        size_t taken = HTTP_GZIP_HEADER_SIZE + deflated.blocks_size +
                       (parcel->count == 1 ? HTTP_GZIP_END_SIZE : 0);
        vector_add(vector, deflated.gzip + skipped, taken - skipped);
        size_t part = http_content_size(parcel->contents[i]);
        crc = crc32_combine(crc, deflated.crc, (z_off_t)part);
        size += part;
    }
    if (parcel->count > 1) {
        http_gzip_end((uint32_t)crc, size, parcel->end);
        vector_add(vector, parcel->end, sizeof(parcel->end));
    }
    return 0;
}

/* Move the contents of REPLY to a parcel. */
static struct parcel *pack(struct http_reply *reply)
{
    struct parcel *parcel = calloc(1, sizeof(*parcel));
    if (!parcel)
        return NULL;
    memcpy(parcel->contents, reply->contents, sizeof(parcel->contents));
    parcel->count = reply->content_count;
    reply->content_count = 0;
    return parcel;
}

/* Hand VECTOR, whose bytes PARCEL keeps alive, to the library. */
#if MHD_VERSION >= 0x00097204
static struct MHD_Response *make_response(struct vector *vector,
                                          struct parcel *parcel)
{
    struct MHD_Response *response = MHD_create_response_from_iovec(
        vector->items, vector->count, free_parcel, parcel);
    if (!response)
        free_parcel(parcel);
    return response;
}
#else
static struct MHD_Response *make_response(struct vector *vector,
                                          struct parcel *parcel)
{
    struct text all = TEXT_INIT;
    for (unsigned int i = 0; i < vector->count; i++)
        text_add_bytes(&all, vector->items[i].iov_base,
                       vector->items[i].iov_len);
    free_parcel(parcel);
    vector->count = 1;
    struct MHD_Response *response = NULL;
    if (text_str(&all))
        response = MHD_create_response_from_buffer(all.size, all.data,
                                                   MHD_RESPMEM_MUST_FREE);
    if (!response)
        text_deinit(&all);
    return response;
}
#endif

/* The body alone; sets GZIP to false where it was not worth it. */
static struct MHD_Response *
make_body(struct http_reply *reply, bool *gzip, struct http_body_size *ret_size)
{
    struct parcel *parcel = pack(reply);
    if (!parcel)
        return NULL;
    struct vector vector = {.count = 0};
    fill_plain(parcel, &vector);
    if (vector.bytes < REPLY_GZIP_MIN)
        *gzip = false;
    if (*gzip) {
        struct vector packed = {.count = 0};
        if (fill_gzip(parcel, &packed) == 0)
            vector = packed;
        else
            *gzip = false;
    }
    struct MHD_Response *response = make_response(&vector, parcel);
    *ret_size = (struct http_body_size){vector.bytes, vector.count};
    return response;
}

/* The usual headers, unless REPLY or the configuration has them. */
static const struct {
    const char *name, *value;
} usual_headers[] = {
    {"Cache-Control", "no-cache"},
    {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "deny"},
};

static bool add_headers(struct MHD_Response *response,
                        struct http_reply *reply,
                        const struct http_web_header *configured)
{
    for (size_t i = 0; i < array_size(usual_headers); i++)
        if (!find_header(reply, usual_headers[i].name))
            http_reply_set_header(reply, usual_headers[i].name,
                                  usual_headers[i].value);
    for (size_t i = 0; i < HTTP_WEB_HEADERS; i++)
        if (configured[i].value && *configured[i].value)
            http_reply_set_header(reply, configured[i].name,
                                  configured[i].value);
    bool good = !reply->failed;
    for (size_t i = 0; good && i < reply->header_count; i++)
        good = MHD_add_response_header(response, reply->headers[i].name,
                                       reply->headers[i].value) == MHD_YES;
    return good;
}

static bool add_representation(struct MHD_Response *response,
                               struct http_reply *reply,
                               bool gzip)
{
    const char *type = reply->type ? reply->type : "text/plain; charset=utf-8";
    _cleanup_(text_deinit) struct text vary = TEXT_INIT;
    text_add(&vary, "Accept-Encoding");
    if (reply->vary.size > 0)
        text_add_bytes(&vary, reply->vary.data, reply->vary.size);
    const char *fields = text_str(&vary);
    if (!fields || text_failed(&reply->vary))
        return false;
    return MHD_add_response_header(response, "Content-Type", type) == MHD_YES &&
           MHD_add_response_header(response, "Vary", fields) == MHD_YES &&
           (!gzip || MHD_add_response_header(response, "Content-Encoding",
                                             "gzip") == MHD_YES);
}

struct MHD_Response *
http_reply_finish(struct http_reply *reply,
                  bool gzip,
                  const struct http_web_header configured[HTTP_WEB_HEADERS],
                  struct http_body_size *ret_size)
{
    struct MHD_Response *response = take_ptr(reply->response);
    if (reply->failed || (reply->feed && !response)) {
        if (response)
            MHD_destroy_response(response);
        return NULL;
    }
    if (response)
        gzip = false;
    else
        response = make_body(reply, &gzip, ret_size);
    if (!response)
        return NULL;
    if (!add_headers(response, reply, configured) ||
        !add_representation(response, reply, gzip)) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}
