/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's host lists, "head,node[01-16,20]-ib": whether a node is in one, and
 * no more. Nothing is expanded: a list may stand for millions.
 */
#pragma once

#include <stdbool.h>

/* False as well for a list that cannot be read. */
bool host_list_contains(const char *list, const char *node);
