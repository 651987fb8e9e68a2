/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /proc have no size to ask for: they are read until nothing comes.
 */
#include "source/job-process-file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_file_deinit(struct job_file *file)
{
    free(file->data);
    file->data = NULL;
}

/* Room for MORE bytes and a zero. */
static bool make_room(struct job_file *file, size_t more)
{
    if (file->room - file->size > more)
        return true;
    size_t room = file->room ? file->room * 2 : 8192;
    char *grown = realloc(file->data, room);
    if (!grown)
        return false;
    file->data = grown;
    file->room = room;
    return true;
}

/* What is not a file, a pipe in a folder that others write to, must not keep us
 * waiting. */
const char *
job_file_read_at(struct job_file *file, int folder_fd, const char *name)
{
    _cleanup_(close_fd) int fd =
        openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    file->size = 0;
    while (file->size < JOB_FILE_MAX) {
        if (!make_room(file, 2048)) {
            errno = ENOMEM;
            return NULL;
        }
        ssize_t got =
            read(fd, file->data + file->size, file->room - file->size - 1);
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        file->size += (size_t)got;
    }
    file->data[file->size] = '\0';
    return file->data;
}

const char *job_file_read(struct job_file *file, uint32_t pid, const char *name)
{
    char path[40];
    snprintf(path, sizeof(path), "%" PRIu32 "/%s", pid, name);
    return job_file_read_at(file, file->proc_fd, path);
}

int64_t job_file_boot_time(struct job_file *file)
{
    int64_t boot_s = 0;
    const char *text = job_file_read_at(file, file->proc_fd, "stat");
    const char *line = text ? strstr(text, "\nbtime ") : NULL;
    if (line)
        sscanf(line, " btime %" SCNd64, &boot_s);
    return boot_s;
}
