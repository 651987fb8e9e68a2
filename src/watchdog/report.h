/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the short commands (token, leave, status, user, key) print.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>

/* The text to standard error; returns the exit code for a failure. */
int report_failure(const struct error *err);

/* To standard output, indented. */
void report_json(const json_t *value);
