/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where this machine is: the folder that keeps our state, and the address under
 * which other nodes reach us.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* The folder for "" (none asked for): /workspace/gpu-watchdog where /workspace
 * is a volume of its own (a rented pod's only lasting place), otherwise
 * /var/lib/gpu-watchdog. */
void place_state_default(char *ret_path, size_t size);

/* "" when PATH outlasts a restart of the machine, else why not: "an overlay,
 * which is gone with the container". */
const char *place_impermanence(const char *path);

/* Our numeric address: of WISH (a name or an address) when it is not "", else
 * of the interface that leads outside; on a RunPod pod its private one. */
int place_address(const char *wish,
                  char *ret_address,
                  size_t size,
                  struct error *err);

/* The host name up to the first dot, in lower case. */
void place_host(char *ret_host, size_t size);

/* Make PATH with all folders above it (0755), PATH itself with MODE, whatever
 * the umask is; those that are there stay as they are. */
int place_make(const char *path, unsigned int mode, struct error *err);
