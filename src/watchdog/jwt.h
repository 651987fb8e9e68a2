/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON Web Tokens (RFC 7519) as Slurm makes them: "scontrol token", signed with
 * HS256 under the key that slurm.conf names (AuthAltParameters=jwt_key=). So
 * who has a token for slurmrestd has one for the dashboard. Other issuers that
 * share a key are understood as well; no other algorithm is, least of all none.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct jwt_claims {
    char user[64]; /* Slurm's "sun", else "sub" */
    int64_t end_s; /* "exp", which there must be */
};

enum {
    JWT_SIZE_MAX = 4096, /* of a token */
    JWT_KEY_SIZE_MAX = 4096
};

/* -EACCES and a sentence why TOKEN lets nobody in: it tells nothing of the key.
 */
int jwt_read(const char *token,
             const void *key,
             size_t key_size,
             int64_t now_s,
             struct jwt_claims *ret_claims,
             struct error *err);
