/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A main for fuzz targets without libFuzzer: give the target every file of the
 * folders named as arguments, so that seeds and once-crashing inputs run as
 * unit tests under any compiler. It makes no inputs of its own.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

/* Read the whole of FILE in FOLDER. */
static bool read_input(int folder, const char *file, struct text *t)
{
    _cleanup_(close_fd) int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    for (;;) {
        char *at = text_reserve(t, 65536);
        ssize_t size = at ? read(fd, at, 65536) : -1;
        if (size <= 0)
            return size == 0;
        t->size += (size_t)size;
    }
}

/* The target gets a copy of exactly the input's size, so that a sanitizer sees
 * a read past its end. */
static bool replay(int folder, const char *file)
{
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    if (!read_input(folder, file, &t))
        return false;
    _cleanup_(free_ptr) uint8_t *input = malloc(t.size ? t.size : 1);
    if (!input)
        return false;
    memcpy(input, t.data, t.size);
    LLVMFuzzerTestOneInput(input, t.size);
    return true;
}

int main(int argc, char *argv[])
{
    unsigned int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            perror(argv[i]);
            return 1;
        }
        const struct dirent *entry;
        while ((entry = readdir(folder))) {
            if (entry->d_name[0] == '.')
                continue;
            if (!replay(dirfd(folder), entry->d_name)) {
                perror(entry->d_name);
                return 1;
            }
            count++;
        }
        closedir(folder);
    }
    printf("%u inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
