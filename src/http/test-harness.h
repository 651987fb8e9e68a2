/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server on loopback in a thread of its own, and a plain blocking client, for
 * the tests of this room. The test itself stays in the main thread, where
 * cmocka's assertions may jump.
 */
#pragma once

#include "base/text.h"
#include "http/server.h"

#include <stdbool.h>
#include <stddef.h>

struct harness {
    struct http_statistics statistics; /* as they were at the end */
    struct http_route_statistics rows[16];
    unsigned int port;
    struct harness_private *private;
};

/* Start with SETTINGS, whose addresses are overwritten with "127.0.0.1:0".
 * Fails the test when the server does not start. */
void harness_start(struct harness *harness, struct http_settings *settings);
void harness_stop(struct harness *harness);

/* Let the server reload; what http_server_reload() says. */
int harness_reload(struct harness *harness, struct error *err);

/* Run CALL in the server's thread, outside of any handler; waits for it. */
void harness_call(struct harness *harness,
                  void (*call)(void *context),
                  void *context);

/* A connection with a time limit of five seconds on each read. */
int harness_connect(const struct harness *harness);

struct answer {
    unsigned int status; /* 0: the connection was closed before */
    struct text head;    /* the header, terminated */
    struct text body;    /* as it came */
};

void send_string(int fd, const char *string);

/* Read one answer; HAS_BODY is false after HEAD. */
void read_answer(int fd, bool has_body, struct answer *ret_answer);
void answer_deinit(struct answer *answer);

/* Send a request on a fresh connection and read its answer; HEADERS are lines
 * that end with "\r\n". */
void fetch(const struct harness *harness,
           const char *method_and_target,
           const char *headers,
           struct answer *ret_answer);

/* Whether the header has this line, "Name: value". */
bool answer_has(const struct answer *answer, const char *line);

/* Unpack a body of exactly one gzip member. */
void gunzip(const struct text *packed, struct text *ret_plain);

int64_t now_ms(void);
