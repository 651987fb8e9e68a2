/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling the service manager how we are: the sd_notify protocol, which is one
 * datagram of text to the socket that $NOTIFY_SOCKET names. Spoken by hand,
 * since it is smaller than a dependency. Without the variable (no systemd, a
 * container, a terminal) every call does nothing and succeeds.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

/* We serve. Also ends a reload. STATUS is a line for `systemctl status`. */
int notify_ready(const char *status, struct error *err);

/* We are taking in a new configuration; follow with notify_ready(). */
int notify_reloading(struct error *err);

int notify_stopping(struct error *err);

/* We are alive; due once in each notify_watchdog_interval_ns(). */
int notify_watchdog(struct error *err);

/* Half of the time after which the manager ends us for silence, or 0 when it
 * does not wait for signs of life from this process. */
int64_t notify_watchdog_interval_ns(void);
