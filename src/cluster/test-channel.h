/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of channels share: a listener and clients in one loop, each
 * of which writes down what it was told, and plain sockets that misbehave.
 */
#pragma once

#include "cluster/channel.h"

#include "base/test.h"

#include <stdio.h>

enum {
    ENDS_MAX = 64
};

/* One end of a channel. */
struct end {
    struct channel *channel;
    unsigned int opened, received, closed;
    json_t *last; /* owned */
    struct error reason;
};

struct bench {
    struct loop *loop;
    char folder[64];
    struct identity *head, *worker;
    struct channel_listener *listener;
    char address[32]; /* of the listener */
    char path[96];    /* where a local one would be */
    struct end served[ENDS_MAX];
    unsigned int accepted;
    bool echoes; /* the server sends back what it gets */
};

extern struct bench bench;
extern const struct channel_handler end_handler;

int bench_setup(void **state);
int bench_teardown(void **state);

/* LOCAL: at bench.path. */
void bench_listen(bool local);
void bench_listen_with(const struct channel_listener_settings *settings);

/* A client that wants PIN. */
void bench_connect(struct end *end, const struct pin *pin);

/* Let the loop run until *COUNT is at least WANTED; fails after a while. */
void bench_wait(const unsigned int *count, unsigned int wanted);
void bench_wait_for(const unsigned int *count,
                    unsigned int wanted,
                    int64_t timeout_ns);
void bench_run_ms(int64_t ms);

/* {"type": "number", "number": NUMBER, "text": SIZE letters} */
void end_send(struct end *end, int number, size_t size);
int end_last_number(const struct end *end);
void end_release(struct end *end);

/* A plain socket that listens; bench_connect() goes there from now on. */
int raw_listen(void);
/* A plain, blocking socket at the listener, from SOURCE ("127.0.0.2"). */
int raw_connect(const char *source);
int raw_connect_local(void);
/* Run the loop until the other side has hung up, at most TIMEOUT_NS; tells how
 * long that took and puts the bytes that came before away. */
int64_t raw_wait_closed(int fd, int64_t timeout_ns);
