/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tokens that the head has given out, in a file of JSON: written whole at
 * each change, before the change counts.
 */
#include "cluster/token.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/message.h"
#include "cluster/secret-file.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_FORMAT = 1,
    FILE_SIZE_MAX = 16 * 1024 * 1024,
    TOKENS_MAX = 10000,
    REMEMBER_S = 86400, /* so long after its end a token is listed */
    TTL_MAX_S = INT32_MAX
};

/* The year 9999: far from where adding a TTL would overflow. */
#define TIME_MAX_S INT64_C(253402300799)

struct token_store {
    char *path;
    struct token_record *records; /* owned; oldest first */
    size_t count;
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static int64_t now_s(void)
{
    return clock_realtime_ns() / NS_PER_S;
}

/* ---- the file -------------------------------------------------------------
 */

static json_t *record_write(const struct token_record *record)
{
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:b}", "id", record->id,
        "created_s", (json_int_t)record->created_s, "expires_s",
        (json_int_t)record->expires_s, "uses_max", (json_int_t)record->uses_max,
        "uses", (json_int_t)record->uses, "last_used_s",
        (json_int_t)record->last_used_s, "last_node", record->last_node,
        "revoked", record->revoked);
    if (object &&
        message_set_bytes(object, "secret_sha256", record->secret_sha256,
                          sizeof(record->secret_sha256)) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int record_read(const json_t *object,
                       struct token_record *record,
                       struct error *err)
{
    int64_t uses_max, uses;
    size_t size;
    int r =
        message_read_text(object, "id", record->id, sizeof(record->id), err);
    if (r == 0)
        r = message_read_text(object, "last_node", record->last_node,
                              sizeof(record->last_node), err);
    if (r == 0)
        r = message_read_number(object, "created_s", 0, TIME_MAX_S,
                                &record->created_s, err);
    if (r == 0)
        r = message_read_number(object, "expires_s", 0, TIME_MAX_S,
                                &record->expires_s, err);
    if (r == 0)
        r = message_read_number(object, "last_used_s", 0, TIME_MAX_S,
                                &record->last_used_s, err);
    if (r == 0)
        r = message_read_number(object, "uses_max", 0, UINT32_MAX, &uses_max,
                                err);
    if (r == 0)
        r = message_read_number(object, "uses", 0, UINT32_MAX, &uses, err);
    if (r == 0)
        r = message_read_bool(object, "revoked", &record->revoked, err);
    if (r == 0)
        r = message_read_bytes(object, "secret_sha256", record->secret_sha256,
                               sizeof(record->secret_sha256), &size, err);
    if (r == 0 && size != sizeof(record->secret_sha256))
        r = error_set(err, EBADMSG, "secret_sha256: too short");
    if (r < 0)
        return r;
    record->uses_max = (uint32_t)uses_max;
    record->uses = (uint32_t)uses;
    return 0;
}

static int records_read(const json_t *document,
                        struct token_store *store,
                        struct error *err)
{
    int64_t format;
    const json_t *array = json_object_get(document, "tokens");
    size_t count = json_array_size(array);
    int r = message_read_number(document, "format", FILE_FORMAT, FILE_FORMAT,
                                &format, err);
    if (r < 0)
        return r;
    if (!json_is_array(array) || count > TOKENS_MAX)
        return error_set(err, EBADMSG, "tokens: no list");
    if (count == 0)
        return 0;
    store->records = calloc(count, sizeof(*store->records));
    if (!store->records)
        return error_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < count && r == 0; i++)
        r = record_read(json_array_get(array, i), &store->records[i], err);
    store->count = count;
    return r;
}

static int load(struct token_store *store, struct error *err)
{
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    int r =
        secret_file_read(store->path, FILE_SIZE_MAX, true, &bytes, &size, err);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    _cleanup_(json_release) json_t *document =
        json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    r = records_read(document, store, err);
    if (r == -EBADMSG)
        error_prefix(err,
                     "%s is damaged (nothing is done to it; move it away, and "
                     "make new tokens)",
                     store->path);
    return r;
}

static int save(const struct token_store *store, struct error *err)
{
    json_t *array = json_array();
    _cleanup_(json_release) json_t *document =
        json_pack("{s:i, s:o}", "format", FILE_FORMAT, "tokens", array);
    int r = document ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < store->count; i++)
        r = json_array_append_new(array, record_write(&store->records[i]));
    _cleanup_(free_ptr) char *text =
        r == 0 ? json_dumps(document, JSON_INDENT(1)) : NULL;
    if (!text)
        return error_set(err, ENOMEM, "out of memory");
    return secret_file_write(store->path, text, strlen(text), 0600, NULL, err);
}

int token_store_open(const char *path,
                     struct token_store **ret_store,
                     struct error *err)
{
    struct token_store *store = calloc(1, sizeof(*store));
    if (!store)
        return error_set(err, ENOMEM, "out of memory");
    store->path = strdup(path);
    int r = store->path ? load(store, err)
                        : error_set(err, ENOMEM, "out of memory");
    if (r < 0) {
        token_store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

struct token_store *token_store_close(struct token_store *store)
{
    if (!store)
        return NULL;
    free(store->path);
    free(store->records);
    free(store);
    return NULL;
}

/* ---- records --------------------------------------------------------------
 */

static struct token_record *find(const struct token_store *store,
                                 const char *id)
{
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(store->records[i].id, id) == 0)
            return &store->records[i];
    return NULL;
}

static void drop_old(struct token_store *store)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++)
        if (store->records[i].expires_s + REMEMBER_S > now_s())
            store->records[kept++] = store->records[i];
    store->count = kept;
}

const struct token_record *token_store_list(struct token_store *store,
                                            size_t *ret_count)
{
    drop_old(store);
    *ret_count = store->count;
    return store->records;
}

static void random_id(const struct token_store *store, char *ret_id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[TOKEN_ID_LENGTH];
    do {
        gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes));
        for (size_t i = 0; i < TOKEN_ID_LENGTH; i++)
            ret_id[i] = letters[bytes[i] & 31];
        ret_id[TOKEN_ID_LENGTH] = '\0';
    } while (find(store, ret_id));
}

int token_store_create(struct token_store *store,
                       const struct pin *pin,
                       int64_t ttl_s,
                       uint32_t uses_max,
                       struct token *ret_token,
                       struct error *err)
{
    drop_old(store);
    if (ttl_s <= 0 || ttl_s > TTL_MAX_S)
        return error_set(err, EINVAL,
                         "a token is good for 1 second to %d years; give "
                         "another --ttl",
                         TTL_MAX_S / 86400 / 366);
    if (store->count >= TOKENS_MAX)
        return error_set(err, ENOSPC,
                         "there are %d tokens already; let some expire",
                         TOKENS_MAX);
    struct token_record *records =
        realloc(store->records, (store->count + 1) * sizeof(*store->records));
    if (!records)
        return error_set(err, ENOMEM, "out of memory");
    store->records = records;
    struct token_record *record = &records[store->count];
    *record = (struct token_record){.created_s = now_s(),
                                    .expires_s = now_s() + ttl_s,
                                    .uses_max = uses_max};
    random_id(store, record->id);
    ret_token->pin = *pin;
    memcpy(ret_token->id, record->id, sizeof(record->id));
    if (gnutls_rnd(GNUTLS_RND_KEY, ret_token->secret,
                   sizeof(ret_token->secret)) < 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA256, ret_token->secret,
                         sizeof(ret_token->secret), record->secret_sha256) < 0)
        return error_set(err, EIO, "no random bytes for a token");
    store->count++;
    int r = save(store, err);
    if (r < 0)
        store->count--;
    return r;
}

int token_store_revoke(struct token_store *store,
                       const char *id,
                       struct error *err)
{
    struct token_record *record = find(store, id);
    if (!record)
        return error_set(err, ENOENT,
                         "there is no token %s; \"gpu-watchdog token list\" "
                         "shows those there are",
                         id);
    bool before = record->revoked;
    record->revoked = true;
    int r = save(store, err);
    if (r < 0)
        record->revoked = before;
    return r;
}

static int refuse(struct error *err, const char *what)
{
    return error_set(
        err, EACCES,
        "%s; type \"gpu-watchdog token\" on the head for a new one", what);
}

static int judge(const struct token_record *record, struct error *err)
{
    if (record->revoked)
        return refuse(err, "the token was revoked");
    if (now_s() >= record->expires_s)
        return refuse(err, "the token has expired");
    if (record->uses_max > 0 && record->uses >= record->uses_max)
        return refuse(err, "the token is used up");
    return 0;
}

/* What is wrong with a token is told only to who knows its secret. */
int token_store_check(struct token_store *store,
                      const char *id,
                      const uint8_t secret[TOKEN_SECRET_SIZE],
                      struct error *err)
{
    static const struct token_record nobody;
    uint8_t sha256[32];
    const struct token_record *record = find(store, id);
    const struct token_record *compared = record ? record : &nobody;
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, secret, TOKEN_SECRET_SIZE, sha256) <
        0)
        return error_set(err, EIO, "the token cannot be checked");
    bool equal =
        gnutls_memcmp(sha256, compared->secret_sha256, sizeof(sha256)) == 0;
    if (!record || !equal)
        return refuse(err, "the head knows no such token");
    return judge(record, err);
}

int token_store_use(struct token_store *store,
                    const char *id,
                    const char *node,
                    struct error *err)
{
    struct token_record *record = find(store, id);
    int r = record ? judge(record, err)
                   : refuse(err, "the head knows no such token");
    if (r < 0)
        return r;
    const struct token_record before = *record;
    record->uses++;
    record->last_used_s = now_s();
    snprintf(record->last_node, sizeof(record->last_node), "%s", node);
    r = save(store, err);
    if (r < 0)
        *record = before;
    return r;
}
