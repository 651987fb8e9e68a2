/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing text buffer: how every longer result is built. Running out of
 * memory is remembered in the buffer, so that writers need not check each
 * call; whoever takes the result asks once, with text_failed().
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    char *data; /* owned; not zero-terminated until text_str() */
    size_t size;
    size_t capacity;
    bool failed; /* out of memory: the content is not complete */
};

enum {
    TEXT_U64_SIZE = 20 /* the longest that text_add_u64() writes */
};

#define TEXT_INIT                                                              \
    {                                                                          \
        .data = NULL                                                           \
    }

void text_deinit(struct text *t);

/* Forget the content, keep the memory. */
void text_clear(struct text *t);

/* Make room for MORE bytes and return where they go, or NULL without memory.
 * The writer then adds what it really wrote to t->size. */
char *text_reserve(struct text *t, size_t more);

void text_add_u64(struct text *t, uint64_t value);
void text_add_i64(struct text *t, int64_t value);

/* A number as Prometheus reads it: shortest form that reads back the same;
 * NaN, +Inf and -Inf spelled so. */
void text_add_double(struct text *t, double value);

void text_addf(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *t, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* The content as a C string, "" when empty, NULL when memory ran out. Belongs
 * to T and lives until T changes. */
const char *text_str(struct text *t);

static inline bool text_failed(const struct text *t)
{
    return t->failed;
}

static inline void text_add_bytes(struct text *t, const void *data, size_t size)
{
    if (size == 0 || (size > t->capacity - t->size && !text_reserve(t, size)))
        return;
    memcpy(t->data + t->size, data, size);
    t->size += size;
}

static inline void text_add(struct text *t, const char *string)
{
    text_add_bytes(t, string, strlen(string));
}

static inline void text_add_char(struct text *t, char c)
{
    text_add_bytes(t, &c, 1);
}
