/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading small files of /proc into one buffer that is used again and again.
 * The content is a string; a zero byte within ends it for string functions,
 * and SIZE tells its whole length.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    /* An environment may have megabytes; Slurm's variables are among the last,
     * since slurmstepd adds them, so the cap is generous. */
    JOB_FILE_MAX = 1 << 20
};

struct job_file {
    int proc_fd; /* borrowed */
    char *data;
    size_t size, room;
};

void job_file_deinit(struct job_file *file);

/* PROC/PID/NAME, at most JOB_FILE_MAX of it; valid until the next call. NULL,
 * with errno, when it cannot be read. */
const char *
job_file_read(struct job_file *file, uint32_t pid, const char *name);

/* The same of FOLDER_FD/NAME. */
const char *
job_file_read_at(struct job_file *file, int folder_fd, const char *name);

/* Real time of the boot, of PROC/stat; 0: not told. */
int64_t job_file_boot_time(struct job_file *file);
