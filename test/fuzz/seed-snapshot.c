/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seed-snapshot DIR: write the seeds of fuzz-snapshot, a sample of each part
 * and of all, into DIR, which is made when it is not there. They are made, not
 * kept, since they would grow stale with every change of a record.
 */
#include "base/cleanup.h"
#include "model/test-sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int write_seed(const char *directory,
                      const char *name,
                      unsigned int parts,
                      uint32_t count)
{
    char path[4096];
    struct error err = {.text = ""};
    _cleanup_(free_ptr) void *data = NULL;
    size_t size;
    if (sample_new(parts, count, &data, &size, &err) < 0) {
        fprintf(stderr, "seed-snapshot: %s\n", err.text);
        return -1;
    }
    snprintf(path, sizeof(path), "%s/%s-%u", directory, name, count);
    unlink(path); /* so that DIR itself is as new, for ninja */
    FILE *file = fopen(path, "we");
    bool good = file && fwrite(data, size, 1, file) == 1;
    if (file && fclose(file) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "seed-snapshot: %s: %s\n", path, strerror(errno));
    return good ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seed-snapshot DIR\n");
        return 2;
    }
    if (mkdir(argv[1], 0777) < 0 && errno != EEXIST) {
        fprintf(stderr, "seed-snapshot: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    int r = write_seed(argv[1], "none", 0, 0);
    for (uint32_t count = 0; r == 0 && count <= 3; count += 3)
        r = write_seed(argv[1], "all", SAMPLE_ALL_PARTS, count);
    for (unsigned int kind = 0; r == 0 && kind < SNAPSHOT_PART_COUNT; kind++)
        r = write_seed(argv[1], snapshot_part_names[kind], 1U << kind, 2);
    return r == 0 ? 0 : 1;
}
