/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that must survive and files that must stay secret: written whole
 * beside, synced, renamed over. Readers see the old content or the new one.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/* MODE and owner (with that user's first group) are set before there is
 * content; OWNER NULL: ours. Folders are made (0700) when they are missing. */
int secret_file_write(const char *path,
                      const void *bytes,
                      size_t size,
                      mode_t mode,
                      const char *owner,
                      struct error *err);

/* The whole file, zero-terminated, to free(); at most size_max bytes.
 * PRIVATE_ONLY: -EACCES when group or others may read it. */
int secret_file_read(const char *path,
                     size_t size_max,
                     int private_only,
                     char **ret_bytes,
                     size_t *ret_size,
                     struct error *err);
