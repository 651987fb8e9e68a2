/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does anything on this machine listen there? Read from /proc: connecting would
 * leave a complaint in the service's log. Sees this network namespace only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* On the TCP port PORT, on any address, IPv4 or IPv6. */
bool listening_tcp(uint16_t port);

/* On the UNIX stream socket PATH. */
bool listening_unix(const char *path);
