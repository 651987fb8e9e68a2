/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the cluster's users on this machine, with groupadd(8) and useradd(8),
 * which know what /etc/passwd, /etc/shadow and their locks want.
 */
#include "cluster/users.h"

#include "base/cleanup.h"

#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

/* Run it to its end: a user is made in milliseconds, and rarely. */
static int run(const char *const arguments[], struct error *err)
{
    pid_t pid;
    int status = 0;
    int r = posix_spawnp(&pid, arguments[0], NULL, NULL,
                         (char *const *)(uintptr_t)arguments, environ);
    if (r != 0)
        return error_errno(err, r, "%s", arguments[0]);
    if (waitpid(pid, &status, 0) < 0)
        return 0; /* somebody reaped it for us; what it did is looked at */
    if (status == 0)
        return 0;
    return error_set(err, EIO, "%s %s failed; it has said why", arguments[0],
                     arguments[1]);
}

static int conflict(const struct user *user,
                    const char *what,
                    const char *other,
                    struct error *err)
{
    return error_set(err, EEXIST,
                     "user %s (%u) of the cluster cannot be made here: %s %s; "
                     "jobs of %s fail on this node. Rename or renumber it "
                     "(usermod, groupmod)",
                     user->name, user->uid, what, other, user->name);
}

static int make_group(const struct user *user, struct error *err)
{
    char gid[16];
    const struct group *group = getgrnam(user->name);
    if (group && group->gr_gid == user->gid)
        return 0;
    if (group)
        return conflict(user, "another group has the name", user->name, err);
    group = getgrgid(user->gid);
    if (group)
        return 0; /* a shared group such as "users": it is used as it is */
    snprintf(gid, sizeof(gid), "%u", user->gid);
    const char *const words[] = {"groupadd", "--gid", gid, user->name, NULL};
    return run(words, err);
}

static int make_user(const struct user *user, struct error *err)
{
    char uid[16], gid[16];
    snprintf(uid, sizeof(uid), "%u", user->uid);
    snprintf(gid, sizeof(gid), "%u", user->gid);
    struct stat status;
    bool has_home = stat(user->home, &status) == 0;
    const char *const words[] = {
        "useradd",  "--uid",
        uid,        "--gid",
        gid,        "--home-dir",
        user->home, has_home ? "--no-create-home" : "--create-home",
        "--shell",  "/bin/bash",
        user->name, NULL};
    return run(words, err);
}

static int apply(const struct user *user, struct error *err)
{
    const struct passwd *known = getpwnam(user->name);
    if (known && known->pw_uid == user->uid)
        return 0;
    if (known)
        return conflict(user, "another user has the name", user->name, err);
    known = getpwuid(user->uid);
    if (known)
        return conflict(user, "the number belongs to", known->pw_name, err);
    int r = make_group(user, err);
    return r < 0 ? r : make_user(user, err);
}

int users_apply(const struct users *users, struct error *err)
{
    int first = 0;
    for (size_t i = 0; i < users->count; i++) {
        struct error own;
        int r = apply(&users->users[i], &own);
        if (r < 0 && first == 0) {
            first = r;
            *err = own;
        }
    }
    return first;
}
