/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User names of user ids, remembered. The system's name service may ask a
 * directory server and take its time, so a cycle spends only so much on it;
 * who is not known by then is shown by number until a later cycle.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct user_names;

/* NULL when memory ran out. */
struct user_names *user_names_new(void);

/* Accepts NULL; returns NULL. */
struct user_names *user_names_free(struct user_names *users);

/* A cycle begins: names may be looked up again. */
void user_names_begin(struct user_names *users);

/* The name of UID, or its number in digits; valid until the next call. */
const char *user_name(struct user_names *users, uid_t uid);
