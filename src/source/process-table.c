/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/process-table.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    STAT_SIZE = 1024,
    TITLE_SIZE = 256,
    DEPTH_MAX = 256 /* of descent; what is deeper is a ring, or nobody's */
};

static ssize_t
read_at(int folder, const char *path, char *ret_bytes, size_t size)
{
    _cleanup_(close_fd) int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t total = 0;
    while (total < size - 1) {
        ssize_t n = read(fd, ret_bytes + total, size - 1 - total);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        total += (size_t)n;
    }
    ret_bytes[total] = '\0';
    return (ssize_t)total;
}

ssize_t process_file_read(const char *root,
                          uint32_t pid,
                          const char *name,
                          char *ret_bytes,
                          size_t size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%u/%s", root, pid, name);
    return read_at(AT_FDCWD, path, ret_bytes, size);
}

static int add_step(struct process_list *list,
                    int folder,
                    const char *number,
                    struct process_entry *entry)
{
    char path[64], title[TITLE_SIZE];
    struct process_step found = {.pid = entry->pid};
    snprintf(path, sizeof(path), "%s/cmdline", number);
    /* Anybody can call a program so; only root can be Slurm's. */
    if (entry->user_id != 0 ||
        read_at(folder, path, title, sizeof(title)) <= 0 ||
        !job_title_parse(title, &found.step))
        return 0;
    struct process_step *grown =
        reallocarray(list->steps, list->step_count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    list->steps = grown;
    grown[list->step_count++] = found;
    entry->step = (uint32_t)list->step_count;
    return 0;
}

static int
add_process(struct process_list *list, int folder, const char *number)
{
    char path[64], text[STAT_SIZE];
    struct job_stat parsed;
    struct stat owner;
    snprintf(path, sizeof(path), "%.16s/stat", number);
    if (read_at(folder, path, text, sizeof(text)) <= 0 ||
        !job_stat_parse(text, &parsed) ||
        fstatat(folder, number, &owner, 0) < 0)
        return 0; /* it is gone */
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 256;
        struct process_entry *grown =
            reallocarray(list->entries, room, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        list->entries = grown;
        list->room = room;
    }
    struct process_entry *entry = &list->entries[list->count++];
    *entry = (struct process_entry){.pid = parsed.pid,
                                    .parent = parsed.parent,
                                    .user_id = owner.st_uid,
                                    .start_ticks = parsed.start_ticks};
    memcpy(entry->command, parsed.command, sizeof(entry->command));
    entry->command[sizeof(entry->command) - 1] = '\0';
    return strcmp(entry->command, "slurmstepd") == 0
               ? add_step(list, folder, number, entry)
               : 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct process_entry *left = a, *right = b;
    return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static struct process_entry *find(const struct process_list *list, uint32_t pid)
{
    const struct process_entry key = {.pid = pid};
    return list->count
               ? bsearch(&key, list->entries, list->count, sizeof(key), by_pid)
               : NULL;
}

/* Give each process the step of its nearest ancestor that has one. */
static void inherit_steps(struct process_list *list)
{
    for (size_t i = 0; list->step_count > 0 && i < list->count; i++) {
        struct process_entry *entry = &list->entries[i];
        const struct process_entry *ancestor = entry;
        for (int depth = 0; ancestor && !ancestor->step && depth < DEPTH_MAX;
             depth++)
            ancestor = ancestor->parent ? find(list, ancestor->parent) : NULL;
        if (ancestor)
            entry->step = ancestor->step;
    }
}

int process_list_read(struct process_list *list,
                      const char *root,
                      struct error *err)
{
    DIR *folder = opendir(root);
    int r = 0;
    list->count = list->step_count = 0;
    if (!folder)
        return error_errno(err, errno, "%s", root);
    for (const struct dirent *entry; r == 0 && (entry = readdir(folder));)
        if (isdigit((unsigned char)entry->d_name[0]))
            r = add_process(list, dirfd(folder), entry->d_name);
    closedir(folder);
    if (r < 0)
        return error_errno(err, -r, "%s", root);
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof(*list->entries), by_pid);
    inherit_steps(list);
    return 0;
}

void process_list_deinit(struct process_list *list)
{
    free(list->entries);
    free(list->steps);
    *list = (struct process_list){.count = 0};
}

const struct process_entry *process_list_find(const struct process_list *list,
                                              uint32_t pid)
{
    return find(list, pid);
}

const struct process_step *process_list_step(const struct process_list *list,
                                             uint32_t pid)
{
    const struct process_entry *entry = find(list, pid);
    return entry && entry->step ? &list->steps[entry->step - 1] : NULL;
}
