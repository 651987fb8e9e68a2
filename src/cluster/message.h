/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What head, workers and our own commands say to each other: a message is a
 * JSON object with a "type" of lower-case letters and "-", in a frame of four
 * bytes of length (big endian) and as many of text. At most MESSAGE_SIZE_MAX
 * bytes, nested at most so deep as jansson allows, read strictly (no duplicate
 * keys).
 *
 * message_read_*() take one field of an object and set ERR to what is wrong
 * with it: missing, of another type, too long, out of range.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_HEADER_SIZE = 4,
    MESSAGE_SIZE_MAX = 256 * 1024,
    MESSAGE_PROTOCOL = 1 /* raised when old and new cannot talk */
};

/* The bytes of MESSAGE with its frame, appended to OUT. */
int message_encode(const json_t *message, struct text *out, struct error *err);

/* The length that a frame's header tells; -EBADMSG when it is 0 or too long. */
int message_length(const uint8_t header[MESSAGE_HEADER_SIZE],
                   size_t *ret_size,
                   struct error *err);

/* The object in BYTES; json_decref() it. -EBADMSG. */
int message_decode(const char *bytes,
                   size_t size,
                   json_t **ret_message,
                   struct error *err);

/* "" when there is none. Lives as long as the message. */
const char *message_type(const json_t *message);

/* RET_TEXT gets at most SIZE - 1 bytes of printable ASCII or UTF-8 without
 * control characters. */
int message_read_text(const json_t *message,
                      const char *key,
                      char *ret_text,
                      size_t size,
                      struct error *err);
int message_read_number(const json_t *message,
                        const char *key,
                        int64_t min,
                        int64_t max,
                        int64_t *ret_number,
                        struct error *err);
int message_read_bool(const json_t *message,
                      const char *key,
                      bool *ret_value,
                      struct error *err);
/* Base64 of exactly or at most SIZE bytes; RET_SIZE tells how many. */
int message_read_bytes(const json_t *message,
                       const char *key,
                       uint8_t *ret_bytes,
                       size_t size,
                       size_t *ret_size,
                       struct error *err);
int message_set_bytes(json_t *message,
                      const char *key,
                      const void *bytes,
                      size_t size);
