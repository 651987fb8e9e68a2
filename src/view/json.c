/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON writer. Strings are copied in runs: most have nothing to escape.
 */
#include "view/json.h"

#include "base/utf8.h"

#include <math.h>

static void add_key(struct json *json, const char *key)
{
    if (json->comma)
        text_add_char(json->out, ',');
    json->comma = true;
    if (!key)
        return;
    text_add_char(json->out, '"');
    text_add(json->out, key);
    text_add_bytes(json->out, "\":", 2);
}

static void open(struct json *json, const char *key, char bracket)
{
    add_key(json, key);
    text_add_char(json->out, bracket);
    json->comma = false;
}

static void close(struct json *json, char bracket)
{
    text_add_char(json->out, bracket);
    json->comma = true;
}

void json_begin_object(struct json *json, const char *key)
{
    open(json, key, '{');
}

void json_end_object(struct json *json)
{
    close(json, '}');
}

void json_begin_array(struct json *json, const char *key)
{
    open(json, key, '[');
}

void json_end_array(struct json *json)
{
    close(json, ']');
}

/* Stands for itself: ASCII but for quotes, backslashes and control characters,
 * DEL among them. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_escape(struct text *out, unsigned char c)
{
    switch (c) {
    case '"':
        text_add(out, "\\\"");
        break;
    case '\\':
        text_add(out, "\\\\");
        break;
    case '\n':
        text_add(out, "\\n");
        break;
    case '\t':
        text_add(out, "\\t");
        break;
    default:
        text_addf(out, "\\u%04x", c);
    }
}

/* The length of what stands at TEXT, at most LEFT bytes, and is no plain ASCII;
 * it is written. */
static size_t add_special(struct text *out, const char *text, size_t left)
{
    unsigned char c = (unsigned char)*text;
    if (c < 0x80) {
        add_escape(out, c);
        return 1;
    }
    char buffer[5] = "";
    memcpy(buffer, text, left < 4 ? left : 4);
    uint32_t code;
    size_t length = utf8_decode(buffer, &code);
    if (length == 0) {
        text_add(out, "\xef\xbf\xbd");
        return 1;
    }
    /* Line ends of old JavaScript, and C1 control characters. */
    if (code == 0x2028 || code == 0x2029 || code < 0xa0)
        text_addf(out, "\\u%04x", (unsigned int)code);
    else
        text_add_bytes(out, text, length);
    return length;
}

static void add_string(struct text *out, const char *value, size_t size)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < size;) {
        size_t run = i;
        while (run < size && is_plain((unsigned char)value[run]))
            run++;
        text_add_bytes(out, value + i, run - i);
        i = run;
        if (i < size)
            i += add_special(out, value + i, size - i);
    }
    text_add_char(out, '"');
}

void json_text_part(struct json *json,
                    const char *key,
                    const char *value,
                    size_t size)
{
    add_key(json, key);
    add_string(json->out, value, size);
}

void json_text(struct json *json, const char *key, const char *value)
{
    json_text_part(json, key, value, strlen(value));
}

void json_text_known(struct json *json, const char *key, const char *value)
{
    if (*value)
        json_text(json, key, value);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    add_key(json, key);
    text_add_u64(json->out, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
    add_key(json, key);
    text_add_i64(json->out, value);
}

void json_time(struct json *json, const char *key, int64_t value_s)
{
    if (value_s > 0)
        json_i64(json, key, value_s);
}

void json_bool(struct json *json, const char *key, bool value)
{
    add_key(json, key);
    text_add(json->out, value ? "true" : "false");
}

void json_real(struct json *json, const char *key, double value)
{
    if (!isfinite(value))
        return;
    add_key(json, key);
    text_add_double(json->out, value);
}

void json_count(struct json *json, const char *name, uint64_t value)
{
    if (json->comma)
        text_add_char(json->out, ',');
    json->comma = true;
    add_string(json->out, name, strlen(name));
    text_add_char(json->out, ':');
    text_add_u64(json->out, value);
}
