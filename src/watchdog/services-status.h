/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The services of this machine as JSON, for status.
 */
#pragma once

#include "cluster/supervisor.h"

#include <jansson.h>

/* An array; empty for NULL. */
json_t *services_status(const struct supervisor *supervisor);
