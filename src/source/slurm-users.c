/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A direct-mapped cache: a user id has one place, and a newcomer to a taken
 * place replaces who was there. That bounds the memory without any order to
 * keep; with 4096 places collisions cost a site little.
 *
 * Entries are asked for again after an hour, since names do change.
 */
#include "source/slurm-users.h"

#include "base/clock.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_NS (3600 * NS_PER_S)
#define BUDGET_NS (500 * NS_PER_MS) /* of lookups a cycle */

enum {
    PLACES = 4096,
    NAME_SIZE = 40
};

struct user_entry {
    uid_t uid;
    bool known;       /* the name service said so, or said that there is none */
    int64_t asked_ns; /* monotonic; the beginning of that cycle */
    char name[NAME_SIZE]; /* "": a free place */
};

struct user_names {
    int64_t began_ns; /* this cycle */
    int64_t budget_ns;
    struct user_entry entries[PLACES];
};

struct user_names *user_names_new(void)
{
    return calloc(1, sizeof(struct user_names));
}

struct user_names *user_names_free(struct user_names *users)
{
    free(users);
    return NULL;
}

void user_names_begin(struct user_names *users)
{
    users->began_ns = clock_monotonic_ns();
    users->budget_ns = BUDGET_NS;
}

static void look_up(struct user_entry *entry)
{
    char buffer[4096];
    struct passwd record, *found = NULL;
    int r = getpwuid_r(entry->uid, &record, buffer, sizeof(buffer), &found);
    if (r == 0 && found && strlen(found->pw_name) < NAME_SIZE)
        snprintf(entry->name, NAME_SIZE, "%s", found->pw_name);
    entry->known = r == 0;
}

/* Good for this cycle: asked in it, or known for less than the lifetime. */
static bool is_fresh(const struct user_names *users,
                     const struct user_entry *entry)
{
    return entry->asked_ns >= users->began_ns ||
           (entry->known && users->began_ns - entry->asked_ns < LIFETIME_NS);
}

const char *user_name(struct user_names *users, uid_t uid)
{
    struct user_entry *entry = &users->entries[uid % PLACES];
    bool there = entry->name[0] != '\0' && entry->uid == uid;
    if (there && is_fresh(users, entry))
        return entry->name;
    if (!there) {
        *entry = (struct user_entry){.uid = uid};
        snprintf(entry->name, NAME_SIZE, "%u", (unsigned int)uid);
    }
    entry->asked_ns = users->began_ns;
    if (users->budget_ns > 0) {
        int64_t now = clock_monotonic_ns();
        look_up(entry);
        users->budget_ns -= clock_monotonic_ns() - now;
    }
    return entry->name;
}
