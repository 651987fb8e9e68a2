/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of the join protocol as structs: what a worker says of itself
 * and what the head gives it. Reading takes nothing on trust: each field has
 * bounds, and an inventory that no machine can have is refused.
 *
 * The talk, on one TLS connection that stays (channel.h):
 *   worker -> head   HELLO (first with a token, later known by its key)
 *   head -> worker   REFUSED, or WELCOME: name, key, files, users
 *   worker -> head   BEAT every beat_ms, with the state of its services
 *   head -> worker   RESTART_SLURMD (Slurm has lost or misplaced the node)
 *   head -> worker   STATE (Slurm's word for the node has changed)
 *   worker -> head   STOPPING (it will be gone in a moment), or LEAVE
 *   head -> worker   PROGRESS (of a leave), LEFT
 */
#pragma once

#include "cluster/inventory.h"
#include "cluster/message.h"
#include "cluster/slurm-files.h"
#include "cluster/token.h"

/* Of a cluster that nobody named. */
#define JOIN_CLUSTER_DEFAULT "cluster"

#define JOIN_HELLO "hello"
#define JOIN_REFUSED "refused"
#define JOIN_WELCOME "welcome"
#define JOIN_BEAT "beat"
#define JOIN_RESTART_SLURMD "restart-slurmd"
#define JOIN_STATE "state"
#define JOIN_STOPPING "stopping"
#define JOIN_LEAVE "leave"
#define JOIN_PROGRESS "progress"
#define JOIN_LEFT "left"

enum {
    JOIN_PORT = 6824,
    JOIN_NAME_SIZE = 64, /* of a node, zero included */
    JOIN_CLUSTER_WORDS_SIZE = JOIN_NAME_SIZE + 16,
    JOIN_NONCE_SIZE = 33, /* 32 letters */
    JOIN_REASON_SIZE = 512,
    JOIN_KEY_SIZE_MAX = 1024, /* munge takes no longer one */
    JOIN_PROTOCOL = MESSAGE_PROTOCOL
};

struct join_hello {
    int64_t protocol;
    bool has_token; /* joins anew; else a member that is back */
    char token_id[TOKEN_ID_LENGTH + 1];
    uint8_t token_secret[TOKEN_SECRET_SIZE];
    char name[JOIN_NAME_SIZE]; /* wished for, or the member's; "": any */
    char host[JOIN_NAME_SIZE]; /* gethostname() */
    char version[32];          /* of gpu-watchdog */
    slurm_version slurm;
    bool auth_slurm;    /* its Slurm can do without munge */
    bool confines_gpus; /* it can keep jobs to their GPUs */
    int64_t clock_ns;   /* real time when it was sent */
    /* What the worker answers with on its slurmd port and an srun port while
     * it waits for the answer; 0: slurmd runs already, do not look. */
    char nonce[JOIN_NONCE_SIZE];
    int64_t slurmd_port, srun_port;
    struct inventory inventory; /* owned */
};

struct join_welcome {
    char node[JOIN_NAME_SIZE];
    char cluster[JOIN_NAME_SIZE];
    char address[64]; /* of the worker, as the head sees it */
    bool auth_slurm;  /* KEY is for auth/slurm, else for munge */
    bool confine_gpus;
    uint8_t key[JOIN_KEY_SIZE_MAX];
    size_t key_size;
    const char *slurm_conf; /* the message's */
    int64_t beat_ms;
    const json_t *users; /* the message's; see users.h */
};

/* New objects; NULL without memory. */
json_t *join_hello_write(const struct join_hello *hello);
json_t *join_welcome_write(const struct join_welcome *welcome);

/* A message with one sentence for a person: REFUSED, PROGRESS, LEFT, ... */
json_t *join_text_write(const char *type, const char *text);

/* -EBADMSG with ERR telling the field. RET_HELLO is zeroed first, and to be
 * released with join_hello_deinit() whatever the outcome. */
int join_hello_read(const json_t *message,
                    struct join_hello *ret_hello,
                    struct error *err);
void join_hello_deinit(struct join_hello *hello);

/* RET_WELCOME refers to MESSAGE; nothing to release, but its key is to be
 * wiped. */
int join_welcome_read(const json_t *message,
                      struct join_welcome *ret_welcome,
                      struct error *err);

/* Letters, digits, '-', '_' and '.', beginning with a letter or digit, not only
 * digits: what Slurm takes for a node and what cannot be mistaken for a list.
 */
bool join_name_valid(const char *name);

/* "the cluster", or "the cluster lab": the name that one gets whom nobody named
 * says nothing. */
const char *join_cluster_words(const char *name,
                               char ret_words[JOIN_CLUSTER_WORDS_SIZE]);

/* An inventory as a JSON object, for HELLO, the roster and status --json. */
json_t *inventory_write(const struct inventory *inventory);
int inventory_read(const json_t *object,
                   struct inventory *ret_inventory,
                   struct error *err);
