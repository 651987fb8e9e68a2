/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting Slurm's files in place. A machine may belong to another cluster
 * already; its files are left alone.
 */
#include "base/cleanup.h"
#include "cluster/secret-file.h"
#include "cluster/slurm-files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024 /* of one that we read to compare */
};

static const char *const names[] = {"slurm.conf", "cgroup.conf", "gres.conf"};

static int path_of(const char *directory,
                   const char *name,
                   char *ret_path,
                   struct error *err)
{
    if ((size_t)snprintf(ret_path, PATH_MAX, "%s/%s", directory, name) >=
        PATH_MAX)
        return error_set(err, ENAMETOOLONG, "%.60s...: too long a path",
                         directory);
    return 0;
}

/* RET_CONTENT is NULL when there is no such file. */
static int read_file(const char *path, char **ret_content, struct error *err)
{
    size_t size;
    *ret_content = NULL;
    int r =
        secret_file_read(path, FILE_SIZE_MAX, false, ret_content, &size, err);
    return r == -ENOENT ? 0 : r;
}

static bool is_ours(const char *content)
{
    return strncmp(content, SLURM_FILES_MARK, strlen(SLURM_FILES_MARK)) == 0;
}

int slurm_files_check(const char *directory, struct error *err)
{
    for (size_t i = 0; i < array_size(names); i++) {
        char path[PATH_MAX];
        _cleanup_(free_ptr) char *content = NULL;
        int r = path_of(directory, names[i], path, err);
        if (r == 0)
            r = read_file(path, &content, err);
        if (r < 0)
            return r;
        /* An empty one is nobody's. */
        if (content && content[0] != '\0' && !is_ours(content))
            return error_set(err, EEXIST,
                             "%s is not ours: this machine belongs to another "
                             "cluster. If it does no more: mv %s %s.old",
                             path, directory, directory);
    }
    return 0;
}

/* Users read these files, whatever our umask is. */
static int make_directory(const char *directory, struct error *err)
{
    if (mkdir(directory, 0755) < 0)
        return errno == EEXIST
                   ? 0
                   : error_errno(err, errno, "%s: cannot make the folder",
                                 directory);
    if (chmod(directory, 0755) < 0)
        return error_errno(err, errno, "%s: cannot set its mode", directory);
    return 0;
}

/* 1 when it was written, 0 when it was the same already. */
static int write_file(const char *directory,
                      const char *name,
                      const char *content,
                      struct error *err)
{
    char path[PATH_MAX];
    _cleanup_(free_ptr) char *before = NULL;
    int r = path_of(directory, name, path, err);
    if (r == 0)
        r = read_file(path, &before, err);
    if (r < 0)
        return r;
    if (before && strcmp(before, content) == 0)
        return 0;
    r = secret_file_write(path, content, strlen(content), 0644, NULL, err);
    return r < 0 ? r : 1;
}

int slurm_files_write(const char *directory,
                      const struct slurm_files *files,
                      struct error *err)
{
    const char *contents[] = {files->slurm_conf, files->cgroup_conf,
                              files->gres_conf};
    bool changed = false;
    int r = slurm_files_check(directory, err);
    if (r == 0)
        r = make_directory(directory, err);
    for (size_t i = 0; r >= 0 && i < array_size(names); i++) {
        r = write_file(directory, names[i], contents[i], err);
        changed |= r > 0;
    }
    return r < 0 ? r : changed;
}

int slurm_files_remove(const char *directory, struct error *err)
{
    int first = 0;
    for (size_t i = 0; i < array_size(names); i++) {
        char path[PATH_MAX];
        _cleanup_(free_ptr) char *content = NULL;
        struct error reason = {0};
        int r = path_of(directory, names[i], path, &reason);
        if (r == 0)
            r = read_file(path, &content, &reason);
        if (r == 0 && content && is_ours(content) && unlink(path) < 0)
            r = error_errno(&reason, errno, "%s: cannot remove it", path);
        if (r < 0 && first == 0)
            first = error_set(err, -r, "%s", reason.text);
    }
    return first;
}
