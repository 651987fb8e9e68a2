/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becoming another user: groups first, the user last, and a look back whether
 * it really holds.
 */
#include "watchdog/become.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

int become_user(const char *name, struct error *err)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (!user)
        return error_set(err, EINVAL,
                         "user \"%s\": there is none of this name; name "
                         "another with --user, or create it with adduser",
                         name);
    if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
        setuid(user->pw_uid) < 0)
        return error_errno(err, errno, "becoming user \"%s\"", name);
    if (user->pw_uid != 0 && setuid(0) == 0)
        return error_set(err, EPERM, "becoming user \"%s\": root came back",
                         name);
    return 0;
}
