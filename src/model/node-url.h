/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of something that each node has, as a pattern: "%a" stands for
 * the node's address in Slurm, "%n" for its name, "%%" for a percent sign.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* -EINVAL and a sentence when URL is neither http:// nor https://. */
int url_check(const char *url, struct error *err);

/* -EINVAL and a sentence when PATTERN is none. */
int node_url_check(const char *pattern, struct error *err);

/* PATTERN has passed the check. An IPv6 address gets its brackets; a node
 * without an address is asked by its name. */
void node_url_make(const char *pattern,
                   const char *name,
                   const char *address,
                   struct text *out);
