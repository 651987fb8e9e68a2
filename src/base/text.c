/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The growing text buffer. Integers are formatted by hand, because a page of
 * metrics is some hundred thousand of them and printf would be most of its
 * cost (bench/RESULTS.md).
 */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TEXT_FIRST_CAPACITY = 256
};

void text_deinit(struct text *t)
{
    free(t->data);
    *t = (struct text)TEXT_INIT;
}

void text_clear(struct text *t)
{
    t->size = 0;
    t->failed = false;
}

char *text_reserve(struct text *t, size_t more)
{
    if (t->capacity - t->size >= more && t->data)
        return t->data + t->size;
    size_t wanted;
    if (t->failed || __builtin_add_overflow(t->size, more, &wanted)) {
        t->failed = true;
        return NULL;
    }
    size_t capacity = t->capacity ? t->capacity : TEXT_FIRST_CAPACITY;
    while (capacity < wanted)
        if (__builtin_add_overflow(capacity, capacity / 2 + 1, &capacity))
            capacity = wanted;
    char *data = realloc(t->data, capacity);
    if (!data) {
        t->failed = true;
        return NULL;
    }
    t->data = data;
    t->capacity = capacity;
    return t->data + t->size;
}

static size_t count_digits(uint64_t value)
{
    size_t count = 1;
    for (; value >= 10000; value /= 10000)
        count += 4;
    return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

void text_add_u64(struct text *t, uint64_t value)
{
    char *at = text_reserve(t, TEXT_U64_SIZE);
    if (!at)
        return;
    size_t count = count_digits(value);
    t->size += count;
    for (at += count; count > 0; count--) {
        *--at = (char)('0' + value % 10);
        value /= 10;
    }
}

void text_add_i64(struct text *t, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        text_add_char(t, '-');
        magnitude = 0 - magnitude;
    }
    text_add_u64(t, magnitude);
}

void text_add_double(struct text *t, double value)
{
    if (isnan(value)) {
        text_add(t, "NaN");
        return;
    }
    if (isinf(value)) {
        text_add(t, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (fabs(value) < 1e15 && value == floor(value)) {
        text_add_i64(t, (int64_t)value);
        return;
    }
    char digits[32];
    /* Whatever has up to 15 digits comes out as those: %g drops zeros. */
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_add(t, digits);
}

void text_vaddf(struct text *t, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size < 0) {
        t->failed = true;
    } else {
        char *at = text_reserve(t, (size_t)size + 1);
        if (at) {
            vsnprintf(at, (size_t)size + 1, format, again);
            t->size += (size_t)size;
        }
    }
    va_end(again);
}

void text_addf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vaddf(t, format, args);
    va_end(args);
}

const char *text_str(struct text *t)
{
    if (t->failed)
        return NULL;
    char *at = text_reserve(t, 1);
    if (!at)
        return NULL;
    *at = '\0';
    return t->data;
}
