/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: what a stranger sends to the port for joins, frame by frame. A
 * message that is taken reads back the same when it is sent on, and what is
 * read of its fields keeps to its bounds.
 */
#include "fuzz.h"

#include "cluster/message.h"

#include <errno.h>

static const char *const keys[] = {"a", "key", "name", "n"};

static void check_text(const json_t *message, const char *key)
{
    char text[16];
    memset(text, 0x7f, sizeof(text));
    struct error err = {""};
    if (message_read_text(message, key, text, sizeof(text), &err) < 0) {
        fuzz_check(err.text[0] != '\0');
        return;
    }
    const char *end = memchr(text, '\0', sizeof(text));
    fuzz_check(end);
    for (const char *c = text; c < end; c++)
        fuzz_check((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_bytes(const json_t *message, const char *key)
{
    uint8_t bytes[16];
    size_t size;
    struct error err = {""};
    if (message_read_bytes(message, key, bytes, sizeof(bytes), &size, &err) < 0)
        return;
    fuzz_check(size <= sizeof(bytes));
    json_t *again = json_object();
    fuzz_check(again && message_set_bytes(again, key, bytes, size) == 0);
    fuzz_check(
        json_equal(json_object_get(again, key), json_object_get(message, key)));
    json_decref(again);
}

static void check_fields(const json_t *message)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        int64_t number;
        bool truth;
        check_text(message, keys[i]);
        check_bytes(message, keys[i]);
        if (message_read_number(message, keys[i], -5, 500, &number, NULL) == 0)
            fuzz_check(number >= -5 && number <= 500);
        message_read_bool(message, keys[i], &truth, NULL);
    }
}

static void check_written(const json_t *message)
{
    struct text out = TEXT_INIT;
    struct error err = {""};
    size_t size;
    json_t *again;
    int r = message_encode(message, &out, &err);
    if (r < 0) {
        fuzz_check(r == -EMSGSIZE); /* escapes have made it longer */
    } else {
        fuzz_check(message_length((const uint8_t *)out.data, &size, &err) == 0);
        fuzz_check(message_decode(out.data + MESSAGE_HEADER_SIZE, size, &again,
                                  &err) == 0);
        fuzz_check(json_equal(message, again));
        json_decref(again);
    }
    text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size >= MESSAGE_HEADER_SIZE) {
        struct error err = {""};
        size_t length;
        json_t *message;
        if (message_length(data, &length, &err) < 0) {
            fuzz_check(err.text[0] != '\0');
            return 0;
        }
        fuzz_check(length > 0 && length <= MESSAGE_SIZE_MAX);
        data += MESSAGE_HEADER_SIZE;
        size -= MESSAGE_HEADER_SIZE;
        if (length > size)
            length = size; /* cut off */
        if (message_decode((const char *)data, length, &message, &err) < 0) {
            fuzz_check(err.text[0] != '\0');
        } else {
            fuzz_check(*message_type(message));
            check_fields(message);
            check_written(message);
            json_decref(message);
        }
        data += length;
        size -= length;
    }
    return 0;
}
