/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of channel.h share: channel.c (a connection and its states),
 * channel-connect.c (getting one as a client), channel-listener.c (as a
 * server), channel-session.c (TLS), channel-socket.c (what is underneath).
 */
#pragma once

#include "cluster/channel.h"

#include <netdb.h>

enum channel_state {
    CHANNEL_CONNECTING, /* TCP, as a client */
    CHANNEL_HANDSHAKE,  /* TLS */
    CHANNEL_OPEN,
    CHANNEL_FINISHING, /* no more messages; what is left goes out */
    CHANNEL_DRAINING,  /* all is out; waits for the other side to hang up */
    CHANNEL_CLOSED     /* closed() is still to be called */
};

enum channel_end {
    CHANNEL_CLIENT,
    CHANNEL_SERVER
};

struct channel {
    struct loop *loop;
    enum channel_state state;
    enum channel_end end;
    int fd;
    struct loop_source *source, *timer;
    const struct channel_handler *handler;
    void *context;

    gnutls_session_t session; /* NULL: a UNIX socket */
    const struct identity *identity;
    struct pin pin; /* the other side's: wanted, then found */
    char peer[64], own[64];
    char heard[4]; /* the other side's first bytes; only for telling a person */
    size_t heard_size;

    /* A client's candidates, and the next one to try. */
    struct addrinfo *addresses, *next_address;
    struct error connect_error;
    int64_t connect_due_ns; /* for all of them */

    /* A server's: whose it is (NULL: that is gone). */
    struct channel_listener *listener;
    struct channel *previous, *next;
    bool waiting; /* accepted() has not been called: nobody knows of it */

    struct text out; /* what is to be sent, from OUT_AT on */
    size_t out_at;
    bool resend; /* GnuTLS holds the rest of a record */
    bool broken; /* nothing can be sent; what has come is still read */
    bool more;   /* there may be more to read, perhaps in GnuTLS already */

    uint8_t header[MESSAGE_HEADER_SIZE];
    size_t header_size;
    char *body; /* of the message that is being read */
    size_t body_size, body_wanted;

    int64_t phase_due_ns, read_due_ns, write_due_ns; /* 0: none */
    struct error reason;
    unsigned int depth; /* callbacks of ours that are running */
    bool freed;         /* as soon as depth is 0 */
};

/* Zeroed but for what is given; FD is taken over (-1: none yet). */
int channel_new(struct loop *loop,
                enum channel_end end,
                int fd,
                const struct channel_handler *handler,
                void *context,
                struct channel **ret_channel,
                struct error *err);

/* Watch the descriptor; begin with TLS, if there is a session, or open. */
int channel_begin(struct channel *channel, struct error *err);

/* A session for CHANNEL, with IDENTITY. */
int channel_make_session(struct channel *channel,
                         const struct identity *identity,
                         struct error *err);

/* Note how the other side begins to speak; before each read of the handshake.
 */
void channel_session_listen(struct channel *channel);

/* Why the handshake was not done in time, for a person. */
const char *channel_session_silence(const struct channel *channel);

/* Why the handshake failed with GnuTLS's FAULT, for a person. */
const char *channel_session_fault(const struct channel *channel, int fault);

/* Find out within 25 s that the other side is gone. */
void channel_keep_alive(int fd);

bool channel_port_is_valid(const char *port);

/* Numeric addresses of both ends of the descriptor. */
void channel_find_addresses(struct channel *channel);

/* Over: closed() is called from the loop. */
void channel_close(struct channel *channel, const struct error *reason);

void channel_update_timer(struct channel *channel);

/* The client's next address; channel_close() when there is none left. */
void channel_connect_next(struct channel *channel);

/* The server's side is open: hand it over. */
void channel_listener_hand_over(struct channel *channel);
void channel_listener_forget(struct channel *channel);

/* ADDRESS as numbers, IPv4 within IPv6 as IPv4. */
void channel_address_text(const struct sockaddr_storage *address,
                          socklen_t address_size,
                          char *ret_text,
                          size_t size);
