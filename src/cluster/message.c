/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames and fields of messages. What cannot be read is refused with the name
 * of the field; the content of a message never gets into an error, since it may
 * be a key.
 */
#include "cluster/message.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

enum {
    TYPE_LENGTH_MAX = 40
};

int message_encode(const json_t *message, struct text *out, struct error *err)
{
    char *body = json_dumps(message, JSON_COMPACT);
    if (!body)
        return error_set(err, ENOMEM, "a message cannot be written");
    size_t size = strlen(body);
    int r = 0;
    if (size > MESSAGE_SIZE_MAX)
        r = error_set(err, EMSGSIZE, "a message of %zu bytes is too long",
                      size);
    const uint8_t header[MESSAGE_HEADER_SIZE] = {
        (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
        (uint8_t)size};
    if (r == 0) {
        text_add_bytes(out, header, sizeof(header));
        text_add_bytes(out, body, size);
        if (text_failed(out))
            r = error_set(err, ENOMEM, "out of memory");
    }
    explicit_bzero(body, size);
    free(body);
    return r;
}

int message_length(const uint8_t header[MESSAGE_HEADER_SIZE],
                   size_t *ret_size,
                   struct error *err)
{
    size_t size = (size_t)header[0] << 24 | (size_t)header[1] << 16 |
                  (size_t)header[2] << 8 | header[3];
    if (size == 0 || size > MESSAGE_SIZE_MAX)
        return error_set(err, EBADMSG,
                         "a message of %zu bytes (at most %d are taken)", size,
                         MESSAGE_SIZE_MAX);
    *ret_size = size;
    return 0;
}

/* It is shown in logs, so it is a word. */
static bool is_type(const char *type)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
    size_t length = strlen(type);
    return length > 0 && length <= TYPE_LENGTH_MAX &&
           strspn(type, letters) == length;
}

int message_decode(const char *bytes,
                   size_t size,
                   json_t **ret_message,
                   struct error *err)
{
    json_error_t fault;
    json_t *message = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
    if (!message)
        return error_set(err, EBADMSG, "no JSON, at byte %d", fault.position);
    if (!json_is_object(message) || !is_type(message_type(message))) {
        json_decref(message);
        return error_set(err, EBADMSG, "a message without a type");
    }
    *ret_message = message;
    return 0;
}

const char *message_type(const json_t *message)
{
    const char *type = json_string_value(json_object_get(message, "type"));
    return type ? type : "";
}

/* ---- fields ---------------------------------------------------------------
 */

static const char *
find_text(const json_t *message, const char *key, struct error *err)
{
    const json_t *value = json_object_get(message, key);
    if (!json_is_string(value)) {
        error_set(err, EBADMSG, value ? "%s: no text" : "%s: missing", key);
        return NULL;
    }
    return json_string_value(value);
}

/* jansson has looked that it is UTF-8. */
static bool is_printable(const char *text)
{
    for (size_t size; *text; text += size) {
        uint32_t code;
        size = utf8_decode(text, &code);
        if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return false;
    }
    return true;
}

int message_read_text(const json_t *message,
                      const char *key,
                      char *ret_text,
                      size_t size,
                      struct error *err)
{
    const char *text = find_text(message, key, err);
    if (!text)
        return -EBADMSG;
    size_t length = strlen(text);
    if (length >= size)
        return error_set(err, EBADMSG, "%s: longer than %zu bytes", key,
                         size - 1);
    if (!is_printable(text))
        return error_set(err, EBADMSG, "%s: not printable", key);
    memcpy(ret_text, text, length + 1);
    return 0;
}

int message_read_number(const json_t *message,
                        const char *key,
                        int64_t min,
                        int64_t max,
                        int64_t *ret_number,
                        struct error *err)
{
    const json_t *value = json_object_get(message, key);
    if (!json_is_integer(value))
        return error_set(err, EBADMSG, value ? "%s: no number" : "%s: missing",
                         key);
    json_int_t number = json_integer_value(value);
    if (number < min || number > max)
        return error_set(err, EBADMSG,
                         "%s: %" JSON_INTEGER_FORMAT " is not from %" PRId64
                         " to %" PRId64,
                         key, number, min, max);
    *ret_number = number;
    return 0;
}

int message_read_bool(const json_t *message,
                      const char *key,
                      bool *ret_value,
                      struct error *err)
{
    const json_t *value = json_object_get(message, key);
    if (!json_is_boolean(value))
        return error_set(err, EBADMSG,
                         value ? "%s: neither true nor false" : "%s: missing",
                         key);
    *ret_value = json_is_true(value);
    return 0;
}

/* ---- bytes, as base64 (RFC 4648) ------------------------------------------
 */

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char letter)
{
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? (int)(at - letters) : -1;
}

int message_read_bytes(const json_t *message,
                       const char *key,
                       uint8_t *ret_bytes,
                       size_t size,
                       size_t *ret_size,
                       struct error *err)
{
    const char *text = find_text(message, key, err);
    if (!text)
        return -EBADMSG;
    size_t length = strlen(text);
    if (length % 4 != 0)
        return error_set(err, EBADMSG, "%s: not base64", key);
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
        length--;
    if (length * 3 / 4 > size)
        return error_set(err, EBADMSG, "%s: longer than %zu bytes", key, size);
    uint32_t bits = 0;
    size_t count = 0, bit_count = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return error_set(err, EBADMSG, "%s: not base64", key);
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            ret_bytes[count++] = (uint8_t)(bits >> bit_count);
        }
    }
    /* One way only to write the same bytes. */
    if ((bits & ((1U << bit_count) - 1)) != 0)
        return error_set(err, EBADMSG, "%s: not base64", key);
    *ret_size = count;
    return 0;
}

int message_set_bytes(json_t *message,
                      const char *key,
                      const void *bytes,
                      size_t size)
{
    const uint8_t *at = bytes;
    size_t text_size = (size + 2) / 3 * 4 + 1;
    char *text = malloc(text_size);
    if (!text)
        return -ENOMEM;
    size_t used = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)at[i] << 16;
        if (i + 1 < size)
            bits |= (uint32_t)at[i + 1] << 8;
        if (i + 2 < size)
            bits |= at[i + 2];
        text[used++] = letters[bits >> 18 & 63];
        text[used++] = letters[bits >> 12 & 63];
        text[used++] = i + 1 < size ? letters[bits >> 6 & 63] : '=';
        text[used++] = i + 2 < size ? letters[bits & 63] : '=';
    }
    text[used] = '\0';
    int r = json_object_set_new(message, key, json_string(text));
    explicit_bzero(text, text_size);
    free(text);
    return r < 0 ? -ENOMEM : 0;
}
