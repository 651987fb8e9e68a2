/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of the cluster's users, and its file. Making them on a machine is
 * users-apply.c's.
 */
#include "cluster/users.h"

#include "base/cleanup.h"
#include "cluster/message.h"
#include "cluster/secret-file.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum {
    USERS_MAX = 10000,
    ID_MIN = 1000, /* those below are the system's */
    ID_MAX = 60000,
    FILE_SIZE_MAX = 4 * 1024 * 1024
};

void users_release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

/* What useradd(8) takes on Debian. */
static bool name_valid(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz_";
    static const char more[] = "abcdefghijklmnopqrstuvwxyz_0123456789-";
    size_t length = strlen(name);
    return length > 0 && length < USER_NAME_SIZE && strchr(first, *name) &&
           strspn(name, more) == length;
}

static bool home_valid(const char *home)
{
    return *home == '/' && !strchr(home, ':') && !strstr(home, "/../");
}

static struct user *append(struct users *users)
{
    struct user *grown =
        realloc(users->users, (users->count + 1) * sizeof(*users->users));
    if (!grown)
        return NULL;
    users->users = grown;
    grown[users->count] = (struct user){.uid = 0};
    return &grown[users->count++];
}

static const struct user *find(const struct users *users, const char *name)
{
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->users[i].name, name) == 0)
            return &users->users[i];
    return NULL;
}

/* ---- as JSON --------------------------------------------------------------
 */

json_t *users_write(const struct users *users)
{
    json_t *array = json_array();
    for (size_t i = 0; i < users->count; i++) {
        const struct user *u = &users->users[i];
        json_array_append_new(
            array, json_pack("{s:s, s:i, s:i, s:s}", "name", u->name, "uid",
                             (int)u->uid, "gid", (int)u->gid, "home", u->home));
    }
    return array;
}

static int
user_read(const json_t *object, struct users *users, struct error *err)
{
    int64_t uid, gid;
    char name[USER_NAME_SIZE] = "", home[sizeof(users->users->home)] = "";
    int r = message_read_text(object, "name", name, sizeof(name), err);
    if (r == 0)
        r = message_read_text(object, "home", home, sizeof(home), err);
    if (r == 0)
        r = message_read_number(object, "uid", ID_MIN, ID_MAX, &uid, err);
    if (r == 0)
        r = message_read_number(object, "gid", ID_MIN, ID_MAX, &gid, err);
    if (r == 0 && (!name_valid(name) || !home_valid(home)))
        r = error_set(err, EBADMSG, "\"%s\" with home \"%s\" is no user", name,
                      home);
    if (r < 0)
        return r;
    struct user *user = append(users);
    if (!user)
        return error_set(err, ENOMEM, "out of memory");
    user->uid = (uid_t)uid;
    user->gid = (gid_t)gid;
    snprintf(user->name, sizeof(user->name), "%s", name);
    snprintf(user->home, sizeof(user->home), "%s", home);
    return 0;
}

int users_read(const json_t *array, struct users *ret_users, struct error *err)
{
    *ret_users = (struct users){.count = 0};
    if (!json_is_array(array) || json_array_size(array) > USERS_MAX)
        return error_set(err, EBADMSG, "users: no list");
    for (size_t i = 0; i < json_array_size(array); i++) {
        int r = user_read(json_array_get(array, i), ret_users, err);
        if (r < 0) {
            error_prefix(err, "user %zu", i);
            return r;
        }
    }
    return 0;
}

/* ---- the file -------------------------------------------------------------
 */

int users_open(const char *path, struct users *ret_users, struct error *err)
{
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    *ret_users = (struct users){.count = 0};
    int r = secret_file_read(path, FILE_SIZE_MAX, true, &bytes, &size, err);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 0) {
        _cleanup_(users_release) json_t *array =
            json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
        r = users_read(array, ret_users, err);
        if (r < 0) {
            error_prefix(err, "%s is damaged", path);
            return r;
        }
    }
    ret_users->path = strdup(path);
    return ret_users->path ? 0 : error_set(err, ENOMEM, "out of memory");
}

void users_close(struct users *users)
{
    free(users->path);
    free(users->users);
    *users = (struct users){.count = 0};
}

static int save(const struct users *users, struct error *err)
{
    _cleanup_(users_release) json_t *array = users_write(users);
    _cleanup_(free_ptr) char *text =
        array ? json_dumps(array, JSON_INDENT(1)) : NULL;
    if (!text)
        return error_set(err, ENOMEM, "out of memory");
    return secret_file_write(users->path, text, strlen(text), 0600, NULL, err);
}

static uid_t next_id(const struct users *users)
{
    uid_t id = USER_ID_FIRST;
    for (size_t i = 0; i < users->count; i++)
        if (users->users[i].uid >= id)
            id = users->users[i].uid + 1;
    /* The head's own users are in the way, too. */
    while (id < ID_MAX && getpwuid(id))
        id++;
    return id;
}

int users_add(struct users *users,
              const char *name,
              const char *home,
              struct error *err)
{
    if (!name_valid(name))
        return error_set(err, EINVAL,
                         "\"%.40s\" cannot be a user; take lower-case letters, "
                         "digits, '-' and '_'",
                         name);
    if (find(users, name))
        return error_set(err, EEXIST, "the cluster has a user %s already",
                         name);
    const struct passwd *known = getpwnam(name);
    if (known && known->pw_uid < ID_MIN)
        return error_set(err, EINVAL, "%s is a user of the system", name);
    uid_t uid = known ? known->pw_uid : next_id(users);
    gid_t gid = known ? known->pw_gid : (gid_t)uid;
    struct user *user = append(users);
    if (!user)
        return error_set(err, ENOMEM, "out of memory");
    user->uid = uid;
    user->gid = gid;
    snprintf(user->name, sizeof(user->name), "%s", name);
    if (known && *known->pw_dir == '/' && !*home)
        snprintf(user->home, sizeof(user->home), "%s", known->pw_dir);
    else
        snprintf(user->home, sizeof(user->home), "%.90s/%s",
                 *home ? home : "/home", name);
    int r = save(users, err);
    if (r < 0)
        users->count--;
    return r;
}
