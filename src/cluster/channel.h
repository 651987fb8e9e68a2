/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection that carries messages: over TLS 1.3 between head and worker,
 * over a UNIX socket between our commands and the daemon. Non-blocking, in the
 * event loop. Every phase has a deadline for the whole of it (connecting with
 * handshake; the rest of a message that has begun), so that nobody can hold a
 * connection by sending slowly.
 *
 * A callback may free the channel it is called for.
 */
#pragma once

#include "base/loop.h"
#include "cluster/identity.h"
#include "cluster/message.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct channel;

struct channel_handler {
    /* Connected; for TLS the handshake is done and the pin was right. */
    void (*opened)(void *context, struct channel *channel);
    /* One message; it is the channel's and lives during the call. */
    void (*received)(void *context,
                     struct channel *channel,
                     const json_t *message);
    /* Over, by whom and why; nothing is called any more. The owner frees it. */
    void (*closed)(void *context,
                   struct channel *channel,
                   const struct error *reason);
};

/* Connect to ADDRESS ("HOST:PORT", resolved here; may block for DNS) and accept
 * only the holder of PIN. */
int channel_connect(struct loop *loop,
                    const char *address,
                    const struct identity *identity,
                    const struct pin *pin,
                    const struct channel_handler *handler,
                    void *context,
                    struct channel **ret_channel,
                    struct error *err);

/* Connect to the UNIX socket PATH. -ECONNREFUSED, -ENOENT: nobody listens. */
int channel_connect_local(struct loop *loop,
                          const char *path,
                          const struct channel_handler *handler,
                          void *context,
                          struct channel **ret_channel,
                          struct error *err);

/* Accepts NULL; returns NULL. What was sent and is not out yet is lost; see
 * channel_finish(). */
struct channel *channel_free(struct channel *channel);

int channel_send(struct channel *channel,
                 const json_t *message,
                 struct error *err);

/* Close once everything is out; then closed() is called as always. */
void channel_finish(struct channel *channel);

void channel_set_context(struct channel *channel, void *context);

/* The other side's address without the port ("10.0.0.7"; "" for UNIX). */
const char *channel_peer(const struct channel *channel);

/* Our own address on this connection, the same way. */
const char *channel_own_address(const struct channel *channel);

/* Of a TLS client of ours: who it is. Always set on the server's side, since
 * clients have to show a certificate. */
const struct pin *channel_peer_pin(const struct channel *channel);

/* ---- the side that listens ------------------------------------------------
 */

struct channel_listener;

struct channel_listener_settings {
    const char *address; /* ":6824", or with path: NULL */
    const char *path;    /* of a UNIX socket, made 0600; or NULL */
    const struct identity *identity;
    unsigned int connections_max; /* more are closed at once, as are more than
                                   * 128 of one source */
    /* Wrong tokens that one source may show in a minute; see
     * channel_listener_blame(). */
    unsigned int faults_per_minute;
    const struct channel_handler *handler;
    /* A new connection whose handshake is done; returns its context. */
    void *(*accepted)(void *context, struct channel *channel);
    void *context;
};

int channel_listener_new(struct loop *loop,
                         const struct channel_listener_settings *settings,
                         struct channel_listener **ret_listener,
                         struct error *err);
struct channel_listener *channel_listener_free(struct channel_listener *l);

/* The port it was given, for address ":0". */
uint16_t channel_listener_port(const struct channel_listener *listener);

/* The source of CHANNEL has shown a wrong token: beyond the limit its further
 * connections are closed before they cost a handshake. Memory for sources is
 * bounded. */
void channel_listener_blame(struct channel_listener *listener,
                            const struct channel *channel);
