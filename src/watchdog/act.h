/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dashboard and the process that acts for it (act.c) say to each other
 * over the child's channel: JSON objects with a type (cluster/message.h).
 *
 *   {"type": "do", "id": 7, "who": "alice", "role": "operator", "as": "alice",
 *    "from": "192.0.2.1:4711", "request": {...}}       action-request.h
 *   {"type": "done", "id": 7, "good": true, "text": "", "job": "17"}
 *
 * "text" is what the command said, "job" the number of a submitted job or "".
 */
#pragma once

/* The hidden subcommand. */
#define ACT_COMMAND "act"

#define ACT_REQUEST "do"
#define ACT_ANSWER "done"

/* In the state folder: one JSON object a line for each action that was tried.
 */
#define ACT_AUDIT_FILE "audit.log"
