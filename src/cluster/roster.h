/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of the cluster as the head remembers them, across its restarts:
 * who may come back under which name, told by the pin of its key. A file of
 * JSON in the head's state, written whole and synced at each change of
 * membership (not at each heartbeat).
 *
 * Slurm has its own list of nodes, which it forgets when its state is lost;
 * this one is what the nodes are made from anew.
 */
#pragma once

#include "base/error.h"
#include "cluster/identity.h"
#include "cluster/inventory.h"
#include "cluster/join-message.h"

#include <stdbool.h>
#include <stddef.h>

enum member_state {
    MEMBER_AWAY,    /* no connection since the head started, or in grace */
    MEMBER_PRESENT, /* connected */
    MEMBER_LOST,    /* away for too long: set DOWN in Slurm */
    MEMBER_LEAVING, /* asked to leave, still has jobs */
    MEMBER_STATE_COUNT
};

extern const char *const member_state_words[MEMBER_STATE_COUNT];

struct member {
    char name[JOIN_NAME_SIZE];
    struct pin pin;
    char host[JOIN_NAME_SIZE];
    char address[64];
    char version[32];
    slurm_version slurm;
    int64_t joined_s, seen_s;   /* real time */
    struct inventory inventory; /* owned */

    /* Not in the file; all but the state are the head's (head-join.c). */
    enum member_state state;
    int64_t seen_ns;    /* monotonic: last sign of life, or our start */
    int64_t touched_ns; /* monotonic: its node was last changed by us */
    bool leaving;       /* goes once it is empty */
    bool downed;        /* set down by us, not seen up since */
    void *connection;   /* of PRESENT and LEAVING: the head's; or NULL */
};

struct roster {
    char *path;
    struct member **members; /* owned; in the order of joining */
    size_t count;
};

/* Read PATH, or begin empty when it is missing. -EBADMSG: it is damaged; it is
 * left alone, ERR says what to do. */
int roster_open(const char *path, struct roster *ret_roster, struct error *err);
void roster_close(struct roster *roster);

/* Write the file; on failure the old content is there still. */
int roster_save(const struct roster *roster, struct error *err);

struct member *roster_find(const struct roster *roster, const char *name);
struct member *roster_find_pin(const struct roster *roster,
                               const struct pin *pin);

/* A new member called NAME; not saved yet. NULL without memory. */
struct member *roster_add(struct roster *roster, const char *name);
void roster_remove(struct roster *roster, struct member *member);

/* A free name "CLUSTER-N", or WISH when that is free. */
void roster_pick_name(const struct roster *roster,
                      const char *cluster,
                      const char *wish,
                      char ret_name[JOIN_NAME_SIZE]);
