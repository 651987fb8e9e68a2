/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How our commands talk to the head or the worker that runs on this machine:
 * one request on a UNIX socket that only root may open, then any number of
 * "progress" messages and one "done" or "failed" with a "text". A head and a
 * worker listen on the same path, since a machine is one of them.
 */
#pragma once

#include "base/error.h"
#include "cluster/services.h"

#include <jansson.h>

#define CONTROL_SOCKET SERVICES_RUN_DIRECTORY "/control.sock"

#define CONTROL_STATUS "status"
#define CONTROL_TOKEN_CREATE "token-create"
#define CONTROL_TOKEN_LIST "token-list"
#define CONTROL_TOKEN_REVOKE "token-revoke"
#define CONTROL_LEAVE "leave"
#define CONTROL_USER_ADD "user-add"
#define CONTROL_KEY_ROTATE "key-rotate"

#define CONTROL_PROGRESS "progress"
#define CONTROL_DONE "done"
#define CONTROL_FAILED "failed"

/* Ask, and wait for the answer (json_decref() it); PROGRESS (or NULL) is called
 * for each text on the way. Takes REQUEST over. -ECONNREFUSED: neither a head
 * nor a worker runs here; -EIO: it said "failed", ERR is its text. */
int control_ask(json_t *request,
                void (*progress)(const char *text),
                json_t **ret_answer,
                struct error *err);
