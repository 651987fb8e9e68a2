/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents and their compressed form. Level 1 of zlib: on a page of metrics
 * level 6 saves a fifth of the bytes more and takes twice the time, in a thread
 * that everybody waits for.
 *
 * Z_FULL_FLUSH ends the compressed form on a byte boundary without a final
 * block. Nothing in it refers to what stands before it, as each content is
 * compressed from a fresh state, so contents may be joined in any order.
 */
#include "http/content.h"

#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <zlib.h>

enum {
    CONTENT_LEVEL = 1,
    /* zlib's window bits (negative: raw) and memory level: 268 KB of state.
     * That much is given back to the system and fetched again each time, so
     * small contents, which gain nothing by it, make do with 24 KB. */
    CONTENT_WINDOW = -15,
    CONTENT_MEMORY = 8,
    CONTENT_SMALL_MAX = 16384,
    CONTENT_SMALL_WINDOW = -11,
    CONTENT_SMALL_MEMORY = 5,
    /* Below this, compressing costs more than it saves. Must fit a stored
     * block's 16 bits of length. */
    CONTENT_STORED_MAX = 512,
    CONTENT_STORED_HEADER = 5
};

struct http_content {
    unsigned int references;
    const void *data;
    size_t size;
    void *owned;       /* freed in the end; NULL for static data */
    bool has_deflated; /* the next two are set */
    struct http_deflated deflated;
    struct text deflated_text; /* owns its bytes */
};

static struct http_content *
content_new(const void *data, size_t size, void *owned)
{
    struct http_content *content = calloc(1, sizeof(*content));
    if (!content) {
        free(owned);
        return NULL;
    }
    *content = (struct http_content){
        .references = 1, .data = data, .size = size, .owned = owned};
    return content;
}

struct http_content *http_content_take(struct text *text)
{
    struct text taken = *text;
    *text = (struct text)TEXT_INIT;
    if (text_failed(&taken)) {
        text_deinit(&taken);
        return NULL;
    }
    return content_new(taken.data, taken.size, taken.data);
}

struct http_content *http_content_static(const void *data, size_t size)
{
    return content_new(data, size, NULL);
}

struct http_content *http_content_ref(struct http_content *content)
{
    assert(content->references > 0 && content->references < UINT_MAX);

    content->references++;
    return content;
}

struct http_content *http_content_unref(struct http_content *content)
{
    if (!content)
        return NULL;
    assert(content->references > 0);
    if (--content->references == 0) {
        text_deinit(&content->deflated_text);
        free(content->owned);
        free(content);
    }
    return NULL;
}

const void *http_content_data(const struct http_content *content)
{
    return content->data;
}

size_t http_content_size(const struct http_content *content)
{
    return content->size;
}

/* One block of type "stored", not the final one. */
static void store(struct text *out, const void *data, size_t size)
{
    assert(size > 0 && size <= CONTENT_STORED_MAX);

    unsigned char length[2] = {(unsigned char)(size & 0xff),
                               (unsigned char)(size >> 8)};
    unsigned char header[CONTENT_STORED_HEADER] = {0, length[0], length[1],
                                                   (unsigned char)~length[0],
                                                   (unsigned char)~length[1]};
    text_add_bytes(out, header, sizeof(header));
    text_add_bytes(out, data, size);
}

/* Let zlib write until it has taken all input and flushed it. */
static void run_deflate(struct text *out, z_stream *stream, size_t size)
{
    size_t rest = size;
    size_t room = size / 8 + 1024;
    do {
        if (!text_reserve(out, room))
            return;
        size_t free_size = out->capacity - out->size;
        stream->avail_out = (uInt)(free_size < INT_MAX ? free_size : INT_MAX);
        stream->next_out = (unsigned char *)out->data + out->size;
        if (stream->avail_in == 0 && rest > 0) {
            stream->avail_in = (uInt)(rest < INT_MAX ? rest : INT_MAX);
            rest -= stream->avail_in;
        }
        const uInt offered = stream->avail_out;
        int r = deflate(stream, rest > 0 ? Z_NO_FLUSH : Z_FULL_FLUSH);
        assert(r == Z_OK || r == Z_BUF_ERROR);
        (void)r;
        out->size += offered - stream->avail_out;
        room = 4096;
    } while (stream->avail_out == 0 || rest > 0);
}

static int compress_content(struct text *out, const void *data, size_t size)
{
    z_stream stream = {0};
    bool small = size <= CONTENT_SMALL_MAX;
    if (deflateInit2(&stream, CONTENT_LEVEL, Z_DEFLATED,
                     small ? CONTENT_SMALL_WINDOW : CONTENT_WINDOW,
                     small ? CONTENT_SMALL_MEMORY : CONTENT_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    stream.next_in = (unsigned char *)(uintptr_t)data;
    run_deflate(out, &stream, size);
    deflateEnd(&stream);
    return 0;
}

static void put_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

void http_gzip_end(uint32_t crc,
                   uint64_t size,
                   unsigned char ret_end[HTTP_GZIP_END_SIZE])
{
    ret_end[0] = 3; /* a final block of fixed codes with nothing in it */
    ret_end[1] = 0;
    put_u32(ret_end + 2, crc);
    put_u32(ret_end + 6, (uint32_t)size);
}

/* The whole gzip file of CONTENT. */
static int
make_gzip(const struct http_content *content, struct text *out, uint32_t crc)
{
    static const unsigned char header[HTTP_GZIP_HEADER_SIZE] = {
        0x1f, 0x8b, 8 /* deflate */, 0, 0, 0, 0, 0, 0, 255 /* any system */};
    unsigned char end[HTTP_GZIP_END_SIZE];
    int r = 0;
    text_add_bytes(out, header, sizeof(header));
    if (content->size > CONTENT_STORED_MAX)
        r = compress_content(out, content->data, content->size);
    else if (content->size > 0)
        store(out, content->data, content->size);
    http_gzip_end(crc, content->size, end);
    text_add_bytes(out, end, sizeof(end));
    return r < 0 || text_failed(out) ? -ENOMEM : 0;
}

int http_content_deflate(struct http_content *content,
                         struct http_deflated *ret_deflated)
{
    if (!content->has_deflated) {
        struct text out = TEXT_INIT;
        uint32_t crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), content->data,
                                         content->size);
        if (make_gzip(content, &out, crc) < 0) {
            text_deinit(&out);
            return -ENOMEM;
        }
        content->deflated_text = out;
        content->deflated = (struct http_deflated){
            .gzip = (const unsigned char *)out.data,
            .blocks_size =
                out.size - HTTP_GZIP_HEADER_SIZE - HTTP_GZIP_END_SIZE,
            .crc = crc};
        content->has_deflated = true;
    }
    *ret_deflated = content->deflated;
    return 0;
}

bool http_content_is_deflated(const struct http_content *content)
{
    return content->has_deflated;
}
