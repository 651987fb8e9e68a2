/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The people of the cluster: jobs run as ordinary users with the same number on
 * every node, so the head makes them and its workers make them alike. Only
 * users that were made here are touched; what a machine's own passwd holds
 * beside them is its own business. Home directories are made on each node, and
 * shared only where --home names a shared folder.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    USER_NAME_SIZE = 33,
    USER_ID_FIRST = 20001 /* above what adduser(8) gives out by itself */
};

struct user {
    char name[USER_NAME_SIZE];
    uid_t uid;
    gid_t gid; /* of its own group of the same name */
    char home[128];
};

struct users {
    char *path;
    struct user *users; /* owned */
    size_t count;
};

/* Read the file PATH, or begin empty. */
int users_open(const char *path, struct users *ret_users, struct error *err);
void users_close(struct users *users);

/* Take in NAME with the next free number (or the one that this machine's own
 * NAME has), home in HOME (a folder) or /home, and save. -EEXIST. */
int users_add(struct users *users,
              const char *name,
              const char *home,
              struct error *err);

/* As they travel in WELCOME. */
json_t *users_write(const struct users *users);
void users_release(json_t **json);

/* Read what came; -EBADMSG. Release with users_close(). */
int users_read(const json_t *array, struct users *ret_users, struct error *err);

/* Make every one of them here who is missing: passwd, group, home. One who is
 * there with another number is a conflict: nothing is changed, and ERR says who
 * and what to do (-EEXIST); the others are made all the same. */
int users_apply(const struct users *users, struct error *err);
