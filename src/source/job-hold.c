/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own files are believed before anything else, so they must be root's or
 * ours and nobody else's to write.
 */
#include "source/job-hold.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    /* Between prolog and the first slurmstepd may lie so much. */
    FRESH_S = 300,
    FILES_MAX = 4096 /* looked at in one folder */
};

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* NULL with *RET_READABLE true: there is no such folder. */
static DIR *open_folder(const char *folder, bool *ret_readable)
{
    DIR *dir = folder && *folder ? opendir(folder) : NULL;
    *ret_readable =
        dir || !folder || !*folder || errno == ENOENT || errno == ENOTDIR;
    return dir;
}

/* The next regular file; dot files are being written. */
static const char *
next_file(DIR *dir, unsigned int *files, struct stat *ret_stat)
{
    struct dirent *entry;
    while (*files < FILES_MAX && (entry = readdir(dir))) {
        ++*files;
        if (entry->d_name[0] != '.' &&
            fstatat(dirfd(dir), entry->d_name, ret_stat, AT_SYMLINK_NOFOLLOW) ==
                0 &&
            S_ISREG(ret_stat->st_mode))
            return entry->d_name;
    }
    return NULL;
}

static bool is_trustworthy(const struct stat *stat)
{
    return (stat->st_uid == 0 || stat->st_uid == geteuid()) &&
           !(stat->st_mode & S_IWOTH);
}

static bool is_fresh(const struct stat *stat)
{
    return time(NULL) - stat->st_mtime < FRESH_S;
}

bool job_hold_hooks(const char *folder,
                    struct job_file *file,
                    const struct gpu_scan *scan,
                    const struct gpu_numbering *numbering,
                    struct claim_book *book)
{
    bool readable;
    _cleanup_(close_dir) DIR *dir = open_folder(folder, &readable);
    struct stat stat;
    unsigned int files = 0;
    for (const char *name; dir && (name = next_file(dir, &files, &stat));) {
        struct job_environment environment;
        const char *text = job_file_read_at(file, dirfd(dir), name);
        if (!text || !is_trustworthy(&stat))
            continue;
        job_environment_parse(text, file->size, '\n', &environment);
        struct claim_job *job =
            environment.job_id ? claim_job_get(book, environment.job_id) : NULL;
        if (!job)
            continue;
        job->hooked = true;
        job->fresh = is_fresh(&stat);
        job->user_id = environment.user_id;
        job->environment = environment;
        claim_hold_list(book, scan, numbering, environment.job_id,
                        environment.visible[0] ? environment.visible
                                               : environment.job_gpus,
                        GPU_JOB_FROM_HOOK);
    }
    return readable;
}

/* The job, NULL without memory. */
static struct claim_job *hold(struct claim_book *book,
                              uint32_t job_id,
                              uint32_t device,
                              uint32_t source,
                              const struct stat *stat)
{
    claim_hold(book, job_id, device, source);
    struct claim_job *job = claim_job_find(book, job_id);
    if (job)
        job->fresh = job->fresh || is_fresh(stat);
    return job;
}

bool job_hold_mapping(const char *folder,
                      struct job_file *file,
                      const struct gpu_scan *scan,
                      struct claim_book *book)
{
    bool readable;
    _cleanup_(close_dir) DIR *dir = open_folder(folder, &readable);
    struct stat stat;
    unsigned int files = 0;
    for (const char *name; dir && (name = next_file(dir, &files, &stat));) {
        uint32_t index, instance, jobs[JOB_LINES_MAX];
        if (!job_mapping_name_parse(name, &index, &instance))
            continue;
        uint32_t device = gpu_find_index(scan, index, instance);
        const char *text = job_file_read_at(file, dirfd(dir), name);
        size_t count =
            text && device != GPU_NONE ? job_mapping_parse(text, jobs) : 0;
        for (size_t i = 0; i < count; i++)
            hold(book, jobs[i], device, GPU_JOB_FROM_MAPPING_DIR, &stat);
    }
    return readable;
}

bool job_hold_gpustat(const char *folder,
                      struct job_file *file,
                      const struct gpu_scan *scan,
                      struct claim_book *book)
{
    bool readable;
    _cleanup_(close_dir) DIR *dir = open_folder(folder, &readable);
    struct stat stat;
    unsigned int files = 0;
    for (const char *name; dir && (name = next_file(dir, &files, &stat));) {
        uint32_t index, instance, job_id, user;
        uint32_t device = job_mapping_name_parse(name, &index, &instance)
                              ? gpu_find_index(scan, index, instance)
                              : gpu_find_uuid(scan, name);
        const char *text = device == GPU_NONE
                               ? NULL
                               : job_file_read_at(file, dirfd(dir), name);
        if (!text || !job_gpustat_parse(text, &job_id, &user))
            continue;
        struct claim_job *job =
            hold(book, job_id, device, GPU_JOB_FROM_GPUSTAT, &stat);
        if (job && job->user_id == JOB_UID_UNKNOWN)
            job->user_id = user;
    }
    return readable;
}
