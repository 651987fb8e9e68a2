/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping and saving snapshots. A map of memory that somebody else may still
 * shrink ends in SIGBUS, so what a collector sends must carry all the seals;
 * a file, which cannot be sealed, is copied.
 */
#include "source/mapped-snapshot.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
    SEALS_NEEDED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
};

static int check_seals(int fd, struct error *err)
{
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return error_errno(err, EPROTO, "snapshot: not a memfd");
    if ((seals & SEALS_NEEDED) != SEALS_NEEDED)
        return error_set(err, EPROTO, "snapshot: not sealed");
    return 0;
}

/* Read SIZE bytes of FD to DATA. */
static int read_whole(int fd, char *data, size_t size, struct error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, data + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "snapshot: reading");
        if (n == 0)
            return error_set(err, EPROTO, "snapshot: became shorter");
        done += (size_t)n;
    }
    return 0;
}

/* The bytes of FD in memory that can be given back with munmap. */
static int
map_bytes(int fd, bool sealed, size_t size, void **ret_data, struct error *err)
{
    void *data = sealed ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0)
                        : mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return error_errno(err, errno, "snapshot: mapping %zu bytes", size);
    int r = sealed ? 0 : read_whole(fd, data, size, err);
    if (r < 0) {
        munmap(data, size);
        return r;
    }
    *ret_data = data;
    return 0;
}

int mapped_snapshot_new(int fd,
                        bool sealed,
                        struct mapped_snapshot **ret_snapshot,
                        struct error *err)
{
    _cleanup_(close_fd) int ours = fd;
    struct stat status;
    int r = sealed ? check_seals(ours, err) : 0;
    if (r < 0)
        return r;
    if (fstat(ours, &status) < 0)
        return error_errno(err, errno, "snapshot");
    if (!S_ISREG(status.st_mode) || status.st_size <= 0 ||
        (uintmax_t)status.st_size > SIZE_MAX)
        return error_set(err, EPROTO, "snapshot: empty, or not a file");
    size_t size = (size_t)status.st_size;

    _cleanup_(free_ptr) struct mapped_snapshot *mapped =
        calloc(1, sizeof(*mapped));
    if (!mapped)
        return error_errno(err, ENOMEM, "snapshot");
    void *data = NULL;
    r = map_bytes(ours, sealed, size, &data, err);
    if (r < 0)
        return r;
    r = snapshot_open(data, size, &mapped->snapshot, err);
    if (r < 0) {
        munmap(data, size);
        error_prefix(err, "snapshot");
        return r;
    }
    mapped->fd = take_fd(ours);
    mapped->references = 1;
    *ret_snapshot = take_ptr(mapped);
    return 0;
}

int mapped_snapshot_open_file(const char *path,
                              struct mapped_snapshot **ret_snapshot,
                              struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, errno, "recording %s", path);
    int r = mapped_snapshot_new(fd, false, ret_snapshot, err);
    if (r < 0)
        error_prefix(err, "recording %s", path);
    return r;
}

static int write_whole(
    int fd, const char *data, size_t size, const char *path, struct error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "recording %s: writing", path);
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

int mapped_snapshot_save(const struct mapped_snapshot *mapped,
                         const char *path,
                         struct error *err)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return error_errno(err, ENAMETOOLONG, "recording %s", path);
    _cleanup_(close_fd) int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "recording %s: making a file", path);
    const struct snapshot *snapshot = &mapped->snapshot;
    int r = write_whole(fd, snapshot->bytes, snapshot->size, path, err);
    if (r == 0 && fsync(fd) < 0)
        r = error_errno(err, errno, "recording %s: writing", path);
    if (r == 0 && rename(beside, path) < 0)
        r = error_errno(err, errno, "recording %s: renaming", path);
    if (r < 0)
        unlink(beside);
    return r;
}

struct mapped_snapshot *mapped_snapshot_ref(struct mapped_snapshot *mapped)
{
    mapped->references++;
    return mapped;
}

struct mapped_snapshot *mapped_snapshot_unref(struct mapped_snapshot *mapped)
{
    if (!mapped || --mapped->references > 0)
        return NULL;
    /* The map was made here; that its readers get it as const is for them. */
    munmap((void *)(uintptr_t)mapped->snapshot.bytes, mapped->snapshot.size);
    close(mapped->fd);
    free(mapped);
    return NULL;
}
