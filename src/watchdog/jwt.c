/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing in a token is looked into before its MAC has shown that it is
 * genuine; the header only chooses an algorithm, and there is one.
 */
#include "watchdog/jwt.h"

#include "base/cleanup.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

enum {
    MAC_SIZE = 32
};

static void free_json(json_t **value)
{
    json_decref(*value);
}

static void free_datum(gnutls_datum_t *datum)
{
    gnutls_free(datum->data);
}

/* Base64 with the two other characters and without padding (RFC 4648 §5). */
static bool decode(const char *text, size_t size, gnutls_datum_t *ret_bytes)
{
    unsigned char standard[JWT_SIZE_MAX + 4];
    gnutls_datum_t input = {.data = standard};
    if (size > JWT_SIZE_MAX || size % 4 == 1)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '+' || c == '/' || c == '=')
            return false;
        standard[i] = (unsigned char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    while (size % 4)
        standard[size++] = '=';
    input.size = (unsigned int)size;
    return gnutls_base64_decode2(&input, ret_bytes) == 0;
}

static json_t *decode_object(const char *text, size_t size)
{
    _cleanup_(free_datum) gnutls_datum_t bytes = {.data = NULL};
    if (!decode(text, size, &bytes))
        return NULL;
    json_t *object = json_loadb((const char *)bytes.data, bytes.size,
                                JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool is_signed(const char *token,
                      size_t size,
                      const char *signature,
                      const void *key,
                      size_t key_size)
{
    _cleanup_(free_datum) gnutls_datum_t given = {.data = NULL};
    unsigned char mac[MAC_SIZE];
    return decode(signature, strlen(signature), &given) &&
           given.size == MAC_SIZE &&
           gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_size, token, size,
                            mac) == 0 &&
           gnutls_memcmp(mac, given.data, MAC_SIZE) == 0;
}

static bool is_hs256(const char *header, size_t size)
{
    _cleanup_(free_json) json_t *object = decode_object(header, size);
    const char *algorithm = json_string_value(json_object_get(object, "alg"));
    return algorithm && strcmp(algorithm, "HS256") == 0;
}

/* A name that does not fit would be another's. */
static bool take_user(const json_t *claims, struct jwt_claims *ret_claims)
{
    const char *user = json_string_value(json_object_get(claims, "sun"));
    if (!user)
        user = json_string_value(json_object_get(claims, "sub"));
    if (!user || !*user || strlen(user) >= sizeof(ret_claims->user))
        return false;
    for (const char *p = user; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return false;
    strcpy(ret_claims->user, user);
    return true;
}

static int read_claims(const json_t *claims,
                       int64_t now_s,
                       struct jwt_claims *ret_claims,
                       struct error *err)
{
    const json_t *end = json_object_get(claims, "exp");
    const json_t *begin = json_object_get(claims, "nbf");
    if (!json_is_number(end))
        return error_set(err, EACCES, "The token has no end.");
    if (json_number_value(end) <= (double)now_s)
        return error_set(err, EACCES, "The token has expired.");
    if (begin &&
        (!json_is_number(begin) || json_number_value(begin) > (double)now_s))
        return error_set(err, EACCES, "The token is not good yet.");
    if (!take_user(claims, ret_claims))
        return error_set(err, EACCES, "The token names no user.");
    double end_s = json_number_value(end);
    ret_claims->end_s = end_s < 1e15 ? (int64_t)end_s : INT64_C(1000000000000);
    return 0;
}

int jwt_read(const char *token,
             const void *key,
             size_t key_size,
             int64_t now_s,
             struct jwt_claims *ret_claims,
             struct error *err)
{
    const char *payload = strchr(token, '.');
    const char *signature = payload ? strchr(payload + 1, '.') : NULL;
    if (!signature || strlen(token) > JWT_SIZE_MAX)
        return error_set(err, EACCES, "That is no token.");
    if (!is_signed(token, (size_t)(signature - token), signature + 1, key,
                   key_size) ||
        !is_hs256(token, (size_t)(payload - token)))
        return error_set(err, EACCES,
                         "The token is not signed with this cluster's key.");
    _cleanup_(free_json) json_t *claims =
        decode_object(payload + 1, (size_t)(signature - payload) - 1);
    if (!claims)
        return error_set(err, EACCES, "That is no token.");
    return read_claims(claims, now_s, ret_claims, err);
}
