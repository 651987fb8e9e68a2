/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up root once the sockets are bound. Watching needs no privilege: any
 * user may ask slurmctld (PrivateData aside, see the manual).
 */
#pragma once

#include "base/error.h"

/* Become user NAME with its groups, for good. */
int become_user(const char *name, struct error *err);
