/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The new content goes to a file of its own in the same folder, with a name
 * that nobody can foresee, so that two writers do not meet and a link that
 * somebody has laid is not followed. What a crash leaves there is readable by
 * nobody else; it is not looked for.
 */
#include "cluster/secret-file.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ACCOUNT_SIZE = 16384 /* of one entry of passwd, with its strings */
};

/* The folder that PATH lies in. */
static int folder_of(const char *path, char *ret_folder, struct error *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= PATH_MAX)
        return error_set(err, ENAMETOOLONG, "%.60s...: too long a path", path);
    if (!slash) {
        strcpy(ret_folder, ".");
    } else if (size == 0) {
        strcpy(ret_folder, "/");
    } else {
        memcpy(ret_folder, path, size);
        ret_folder[size] = '\0';
    }
    return 0;
}

static int make_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    int r = folder_of(path, folder, err);
    if (r < 0)
        return r;
    for (char *p = folder + 1; p[-1] != '\0'; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char kept = *p;
        *p = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return error_errno(err, errno, "%s: cannot make the folder",
                               folder);
        *p = kept;
    }
    return 0;
}

static int sync_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    int r = folder_of(path, folder, err);
    if (r < 0)
        return r;
    _cleanup_(close_fd) int fd =
        open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "%s: cannot sync the folder", folder);
    return 0;
}

static int set_owner(int fd, const char *owner, struct error *err)
{
    struct passwd account, *found = NULL;
    _cleanup_(free_ptr) char *strings = malloc(ACCOUNT_SIZE);
    if (!strings)
        return error_set(err, ENOMEM, "out of memory");
    int r = getpwnam_r(owner, &account, strings, ACCOUNT_SIZE, &found);
    if (!found)
        return error_set(err, r > 0 ? r : ENOENT,
                         "there is no user \"%s\" on this machine", owner);
    if (fchown(fd, account.pw_uid, account.pw_gid) < 0)
        return error_errno(err, errno, "cannot give it to user %s", owner);
    return 0;
}

static int write_all(int fd, const char *bytes, size_t size, struct error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "cannot write");
        bytes += n;
        size -= (size_t)n;
    }
    if (fsync(fd) < 0)
        return error_errno(err, errno, "cannot write to the disk");
    return 0;
}

static int fill(int fd,
                const void *bytes,
                size_t size,
                mode_t mode,
                const char *owner,
                struct error *err)
{
    int r = owner ? set_owner(fd, owner, err) : 0;
    if (r < 0)
        return r;
    if (fchmod(fd, mode) < 0)
        return error_errno(err, errno, "cannot set its mode");
    return write_all(fd, bytes, size, err);
}

int secret_file_write(const char *path,
                      const void *bytes,
                      size_t size,
                      mode_t mode,
                      const char *owner,
                      struct error *err)
{
    char beside[PATH_MAX];
    if ((size_t)snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >=
        sizeof(beside))
        return error_set(err, ENAMETOOLONG, "%.60s...: too long a path", path);
    int r = make_folder(path, err);
    if (r < 0)
        return r;
    _cleanup_(close_fd) int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "%s: cannot write", path);
    r = fill(fd, bytes, size, mode, owner, err);
    if (r == 0 && rename(beside, path) < 0)
        r = error_errno(err, errno, "cannot put it in place");
    if (r < 0) {
        unlink(beside);
        error_prefix(err, "%s", path);
        return r;
    }
    return sync_folder(path, err);
}

static int check_file(int fd,
                      const char *path,
                      size_t size_max,
                      int private_only,
                      struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: not a file", path);
    if (private_only && st.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, EACCES,
                         "%s: others may read it (mode %04o), so it is no "
                         "secret any more; make a new one, or: chmod 600 %s",
                         path, st.st_mode & 07777, path);
    if (st.st_size > 0 && (uintmax_t)st.st_size > size_max)
        return error_set(err, EFBIG, "%s: longer than %zu bytes", path,
                         size_max);
    return 0;
}

/* At most SIZE bytes to BYTES. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = read(fd, bytes + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

int secret_file_read(const char *path,
                     size_t size_max,
                     int private_only,
                     char **ret_bytes,
                     size_t *ret_size,
                     struct error *err)
{
    /* Not to be held up by a fifo. */
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    int r = check_file(fd, path, size_max, private_only, err);
    if (r < 0)
        return r;
    /* One more than allowed tells whether it has grown meanwhile. */
    _cleanup_(free_ptr) char *bytes = malloc(size_max + 2);
    if (!bytes)
        return error_set(err, ENOMEM, "out of memory");
    ssize_t size = read_all(fd, bytes, size_max + 1);
    if (size < 0)
        return error_errno(err, (int)-size, "%s: cannot read", path);
    if ((size_t)size > size_max)
        return error_set(err, EFBIG, "%s: longer than %zu bytes", path,
                         size_max);
    bytes[size] = '\0';
    *ret_bytes = take_ptr(bytes);
    *ret_size = (size_t)size;
    return 0;
}
