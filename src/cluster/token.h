/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Join tokens: GW1-<pin of the head, base32, 52>-<id, 6>-<secret, base32, 26>
 * with a checksum letter at the end; letters are lower case, and upper case is
 * read as well. Scanners for leaked secrets know them by their prefix.
 *
 * The store is a file of the head with what it needs to judge a token, never
 * the secret itself (its SHA-256). Times are real-time seconds.
 */
#pragma once

#include "base/error.h"
#include "cluster/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_ID_LENGTH = 6,
    TOKEN_SECRET_SIZE = 16,
    TOKEN_TEXT_SIZE = 96 /* room for the whole text and its zero */
};

struct token {
    struct pin pin;
    char id[TOKEN_ID_LENGTH + 1];
    uint8_t secret[TOKEN_SECRET_SIZE];
};

/* -EINVAL with ERR telling what is wrong: the prefix, a length (a piece is
 * missing: "the token ends early"), a letter, the checksum. */
int token_parse(const char *text, struct token *ret_token, struct error *err);
void token_format(const struct token *token, char ret_text[TOKEN_TEXT_SIZE]);

/* What the head knows of one. */
struct token_record {
    char id[TOKEN_ID_LENGTH + 1];
    uint8_t secret_sha256[32];
    int64_t created_s, expires_s;
    uint32_t uses_max;   /* 0: any number */
    uint32_t uses;       /* joins that were accepted */
    int64_t last_used_s; /* 0: never */
    char last_node[64];  /* that it admitted; "" */
    bool revoked;
};

struct token_store; /* the file, written at each change; only the head's daemon
                     * has it open, others ask that */

int token_store_open(const char *path,
                     struct token_store **ret_store,
                     struct error *err);
struct token_store *token_store_close(struct token_store *store);

/* Records that have not yet been dropped (a day after they ended). */
const struct token_record *token_store_list(struct token_store *store,
                                            size_t *ret_count);

/* A new token for the head with PIN. */
int token_store_create(struct token_store *store,
                       const struct pin *pin,
                       int64_t ttl_s,
                       uint32_t uses_max,
                       struct token *ret_token,
                       struct error *err);
int token_store_revoke(struct token_store *store,
                       const char *id,
                       struct error *err);

/* Is this one good now? -EACCES, with the reason for the person who joins
 * (unknown or wrong, expired, used up, revoked: what to type on the head). */
int token_store_check(struct token_store *store,
                      const char *id,
                      const uint8_t secret[TOKEN_SECRET_SIZE],
                      struct error *err);

/* Count one use; durable when it returns. -EACCES: it is no longer good, since
 * others who were checked at the same time have used it up, or it was revoked
 * meanwhile. */
int token_store_use(struct token_store *store,
                    const char *id,
                    const char *node,
                    struct error *err);
