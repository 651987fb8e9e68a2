/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling the rows about the exporter itself (model/self.h), for each request.
 */
#pragma once

#include "http/server.h"
#include "source/collector.h"
#include "watchdog/watch.h"

struct self_rows;

int self_rows_new(struct self_rows **ret_rows);

/* Accepts NULL; returns NULL. */
struct self_rows *self_rows_free(struct self_rows *self);

/* Take the present numbers and put the tables into ROWS; they stay good until
 * the next call. COLLECTOR and SERVER may be NULL. */
void self_rows_fill(struct self_rows *self,
                    const struct watch *watch,
                    const struct collector *collector,
                    struct http_server *server,
                    struct metric_rows *rows);
