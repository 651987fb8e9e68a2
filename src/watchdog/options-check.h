/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the values of gpu-watchdog's options must be like, beyond their type:
 * for the table in options.c. Each returns 0, or -EINVAL and a sentence.
 */
#pragma once

#include "base/error.h"

/* An address to listen on. */
int option_check_address(const char *text, struct error *err);

/* A name of a cluster, a node or a partition; "" is none. */
int option_check_name(const char *text, struct error *err);
int option_check_partition(const char *text, struct error *err);

/* The URL of something that each node has; "" is none. */
int option_check_pattern(const char *text, struct error *err);
