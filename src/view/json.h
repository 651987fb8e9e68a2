/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing JSON (RFC 8259) into a text: commas, escapes and numbers, nothing
 * else. What comes from outside may be no UTF-8; what is written always is: a
 * byte that belongs to no character becomes U+FFFD. Control characters are
 * written as escapes.
 *
 * It does not check that objects and arrays are closed in the right order, and
 * leaves memory's end to the text (base/text.h).
 */
#pragma once

#include "base/text.h"

struct json {
    struct text *out;
    bool comma; /* a value stands before the next one */
};

#define JSON_INIT(text)                                                        \
    {                                                                          \
        .out = (text)                                                          \
    }

/* KEY is NULL for what stands in an array. Keys are ours: they are not
 * escaped. */
void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);

void json_text(struct json *json, const char *key, const char *value);
void json_text_part(struct json *json,
                    const char *key,
                    const char *value,
                    size_t size);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* Absent is not zero: nothing is written for "", for a time that is not
 * positive, for what is not finite. */
void json_text_known(struct json *json, const char *key, const char *value);
void json_time(struct json *json, const char *key, int64_t value_s);
void json_real(struct json *json, const char *key, double value);

/* A key of a map that comes from outside, and its count. */
void json_count(struct json *json, const char *name, uint64_t value);
