/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot that readers share: sealed memory or a recording, mapped
 * read-only, verified, counted. Publishing one is a swap of pointers; the
 * memory goes when the last reader lets go. One thread only.
 */
#pragma once

#include "model/snapshot.h"

struct mapped_snapshot {
    struct snapshot snapshot; /* read this */
    int fd;                   /* the sealed memfd or the file; ours */
    unsigned int references;
};

/*
 * Map the descriptor FD, which is taken over even on failure. SEALED demands a
 * memfd that can no longer shrink or change (what a collector hands over); a
 * recording is a plain file, which is read into memory of our own instead,
 * since a file may be cut short under a map.
 */
int mapped_snapshot_new(int fd,
                        bool sealed,
                        struct mapped_snapshot **ret_snapshot,
                        struct error *err);

/* Open the recording at PATH. */
int mapped_snapshot_open_file(const char *path,
                              struct mapped_snapshot **ret_snapshot,
                              struct error *err);

/* Write the snapshot to PATH (a new file beside it, then renamed over it). */
int mapped_snapshot_save(const struct mapped_snapshot *mapped,
                         const char *path,
                         struct error *err);

struct mapped_snapshot *mapped_snapshot_ref(struct mapped_snapshot *mapped);

/* Accepts NULL; returns NULL. */
struct mapped_snapshot *mapped_snapshot_unref(struct mapped_snapshot *mapped);
