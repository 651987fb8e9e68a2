/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection and its states. All of it runs from the event loop; closed() is
 * only ever called from the timer, so that no caller of ours finds its channel
 * gone behind its back.
 */
#include "cluster/channel-internal.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <string.h>

/* A head is patient with who comes; a person waits behind a client, and to its
 * first word any head has answered long before. */
#define HANDSHAKE_SERVER_NS (10 * NS_PER_S)
#define HANDSHAKE_CLIENT_NS (5 * NS_PER_S / 2)
#define READ_NS (10 * NS_PER_S)
#define WRITE_NS (30 * NS_PER_S)
#define DRAIN_NS (2 * NS_PER_S)

enum {
    READS_MAX = 64,            /* at a time, so that others have their turn */
    OUT_MAX = 8 * 1024 * 1024, /* who does not read loses his connection */
    RECORD_MAX = 16 * 1024
};

/* ---- timer and end --------------------------------------------------------
 */

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

void channel_update_timer(struct channel *c)
{
    int64_t due_ns =
        earlier(c->phase_due_ns, earlier(c->read_due_ns, c->write_due_ns));
    bool at_once = c->state == CHANNEL_CLOSED || c->more;
    loop_timer_set(c->timer, at_once ? 1 : due_ns);
}

void channel_close(struct channel *c, const struct error *reason)
{
    if (c->state == CHANNEL_CLOSED)
        return;
    c->state = CHANNEL_CLOSED;
    c->reason = *reason;
    c->source = loop_source_free(c->source);
    channel_update_timer(c);
}

static void close_with(struct channel *c, int code, const char *text)
{
    struct error reason;
    error_set(&reason, code, "%s", text);
    channel_close(c, &reason);
}

static void channel_destroy(struct channel *c)
{
    channel_listener_forget(c);
    loop_source_free(c->source);
    loop_source_free(c->timer);
    if (c->session)
        gnutls_deinit(c->session);
    if (c->addresses)
        freeaddrinfo(c->addresses);
    close_fd(&c->fd);
    if (c->out.data)
        explicit_bzero(c->out.data, c->out.capacity);
    text_deinit(&c->out);
    if (c->body)
        explicit_bzero(c->body, c->body_wanted);
    free(c->body);
    free(c);
}

/* Around everything that may call back. */
static void enter(struct channel *c)
{
    c->depth++;
}

/* False when the channel is gone. */
static bool leave(struct channel *c)
{
    if (--c->depth > 0 || !c->freed)
        return true;
    channel_destroy(c);
    return false;
}

struct channel *channel_free(struct channel *c)
{
    if (!c)
        return NULL;
    c->freed = true;
    if (c->depth == 0)
        channel_destroy(c);
    return NULL;
}

static bool is_alive(const struct channel *c)
{
    return !c->freed && c->state != CHANNEL_CLOSED;
}

static void receive(struct channel *c);

static void on_timer(void *context, uint32_t events)
{
    struct channel *c = context;
    (void)events;
    enter(c);
    if (c->state == CHANNEL_CLOSED) {
        if (c->waiting)
            c->freed = true;
        else
            c->handler->closed(c->context, c, &c->reason);
    } else if (c->more) {
        receive(c);
    } else if (c->state == CHANNEL_DRAINING) {
        close_with(c, ECONNRESET, "it is finished");
    } else if (c->state == CHANNEL_CONNECTING) {
        error_set(&c->connect_error, ETIMEDOUT, "no answer in time");
        channel_connect_next(c);
    } else if (c->state == CHANNEL_HANDSHAKE) {
        close_with(c, ETIMEDOUT, channel_session_silence(c));
    } else {
        close_with(c, ETIMEDOUT, "the other side is too slow");
    }
    leave(c);
}

/* ---- sending --------------------------------------------------------------
 */

/* As send(2), with -errno; -EAGAIN: later. */
static ssize_t send_some(struct channel *c)
{
    const char *at = c->out.data + c->out_at;
    size_t size = c->out.size - c->out_at;
    if (size > RECORD_MAX)
        size = RECORD_MAX;
    if (!c->session) {
        ssize_t n = send(c->fd, at, size, MSG_NOSIGNAL);
        return n < 0 ? -errno : n;
    }
    ssize_t n = c->resend ? gnutls_record_send(c->session, NULL, 0)
                          : gnutls_record_send(c->session, at, size);
    c->resend = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
    if (c->resend)
        return -EAGAIN;
    return n < 0 ? -EPIPE : n;
}

static void watch(struct channel *c)
{
    bool more = c->out.size > c->out_at;
    uint32_t read = c->state == CHANNEL_FINISHING || c->more ? 0 : EPOLLIN;
    if (c->source)
        loop_set_events(c->source, read | (more ? EPOLLOUT : 0));
}

/* Forget what has gone out. */
static void drop_sent(struct channel *c)
{
    size_t left = c->out.size - c->out_at;
    if (left > 0 && c->out_at < left)
        return;
    if (left > 0)
        memmove(c->out.data, c->out.data + c->out_at, left);
    if (c->out.data)
        explicit_bzero(c->out.data + left, c->out.size - left);
    c->out.size = left;
    c->out_at = 0;
    if (left == 0)
        c->write_due_ns = 0;
}

/* He may have said why before he hung up: that is read before closed(). */
static void break_off(struct channel *c)
{
    c->broken = true;
    c->out_at = c->out.size;
    drop_sent(c);
    if (c->state == CHANNEL_OPEN) {
        c->more = true;
        c->phase_due_ns = clock_monotonic_ns() + DRAIN_NS;
        channel_update_timer(c);
    } else {
        close_with(c, EPIPE, "the other side hung up");
    }
}

/* Closing a socket with unread bytes would reset the connection, and what we
 * said last might never arrive: so wait for the other side, but not long. */
static void start_draining(struct channel *c)
{
    if (c->session)
        gnutls_bye(c->session, GNUTLS_SHUT_WR);
    shutdown(c->fd, SHUT_WR);
    c->state = CHANNEL_DRAINING;
    c->phase_due_ns = clock_monotonic_ns() + DRAIN_NS;
}

static void drain(struct channel *c)
{
    char bytes[4096];
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_with(c, ECONNRESET, "it is finished");
}

static void flush(struct channel *c)
{
    while (c->out.size > c->out_at) {
        ssize_t n = send_some(c);
        if (n == -EAGAIN || n == -EINTR)
            break;
        if (n < 0) {
            break_off(c);
            break;
        }
        c->out_at += (size_t)n;
        c->write_due_ns = clock_monotonic_ns() + WRITE_NS;
    }
    drop_sent(c);
    if (c->out.size == 0 && c->state == CHANNEL_FINISHING)
        start_draining(c);
    watch(c);
    channel_update_timer(c);
}

int channel_send(struct channel *c, const json_t *message, struct error *err)
{
    if (c->state != CHANNEL_OPEN || c->broken)
        return error_set(err, ENOTCONN, "not connected");
    if (c->out.size - c->out_at > OUT_MAX) {
        close_with(c, ENOBUFS, "the other side does not read");
        return error_set(err, ENOBUFS, "the other side does not read");
    }
    int r = message_encode(message, &c->out, err);
    if (r < 0 && text_failed(&c->out))
        close_with(c, ENOMEM, "out of memory");
    if (r < 0)
        return r;
    if (c->write_due_ns == 0)
        c->write_due_ns = clock_monotonic_ns() + WRITE_NS;
    flush(c);
    return 0;
}

void channel_finish(struct channel *c)
{
    if (c->state > CHANNEL_OPEN)
        return;
    if (c->state != CHANNEL_OPEN || c->broken) {
        close_with(c, ECONNRESET, "it is finished");
        return;
    }
    c->state = CHANNEL_FINISHING;
    c->read_due_ns = 0;
    c->more = false;
    flush(c);
}

/* ---- receiving ------------------------------------------------------------
 */

/* As recv(2), with -errno; -EAGAIN: later; 0: the end. */
static ssize_t receive_some(struct channel *c, void *bytes, size_t size)
{
    if (!c->session) {
        ssize_t n = recv(c->fd, bytes, size, 0);
        return n < 0 ? -errno : n;
    }
    ssize_t n = gnutls_record_recv(c->session, bytes, size);
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return -EAGAIN;
    /* A peer that goes without goodbye is no attack here: every message is
     * whole or not there. */
    if (n == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return n < 0 ? -EPROTO : n;
}

static bool begin_body(struct channel *c)
{
    struct error reason;
    if (message_length(c->header, &c->body_wanted, &reason) < 0) {
        channel_close(c, &reason);
        return false;
    }
    c->body = malloc(c->body_wanted);
    c->body_size = 0;
    if (!c->body)
        close_with(c, ENOMEM, "out of memory");
    return c->body;
}

static void deliver(struct channel *c)
{
    json_t *message;
    struct error reason;
    int r = message_decode(c->body, c->body_wanted, &message, &reason);
    explicit_bzero(c->body, c->body_wanted);
    free(c->body);
    c->body = NULL;
    c->header_size = 0;
    c->read_due_ns = 0;
    if (r < 0) {
        channel_close(c, &reason);
        return;
    }
    c->handler->received(c->context, c, message);
    json_decref(message);
}

/* Take what is there of the header, then of the body. False: nothing more. */
static bool read_part(struct channel *c)
{
    bool in_header = c->header_size < sizeof(c->header);
    void *to = in_header ? (void *)(c->header + c->header_size)
                         : (void *)(c->body + c->body_size);
    size_t wanted = in_header ? sizeof(c->header) - c->header_size
                              : c->body_wanted - c->body_size;
    ssize_t n = receive_some(c, to, wanted);
    if (n == -EAGAIN || n == -EINTR)
        return false;
    if (n <= 0) {
        close_with(c, ECONNRESET,
                   n == 0 ? "the other side hung up"
                          : "what came was no message of ours");
        return false;
    }
    if (c->read_due_ns == 0)
        c->read_due_ns = clock_monotonic_ns() + READ_NS;
    if (in_header) {
        c->header_size += (size_t)n;
        return c->header_size < sizeof(c->header) || begin_body(c);
    }
    c->body_size += (size_t)n;
    if (c->body_size == c->body_wanted)
        deliver(c);
    return is_alive(c);
}

static void receive(struct channel *c)
{
    unsigned int reads = 0;
    bool more = true;
    while (more && reads++ < READS_MAX)
        more = is_alive(c) && c->state == CHANNEL_OPEN && read_part(c);
    if (c->freed)
        return;
    /* epoll would not tell of what GnuTLS has read already. */
    c->more = more && c->state == CHANNEL_OPEN;
    watch(c);
    channel_update_timer(c);
}

/* ---- opening --------------------------------------------------------------
 */

static void become_open(struct channel *c)
{
    c->state = CHANNEL_OPEN;
    c->phase_due_ns = 0;
    channel_update_timer(c);
    watch(c);
    if (c->end == CHANNEL_SERVER)
        channel_listener_hand_over(c);
    else if (c->handler->opened)
        c->handler->opened(c->context, c);
}

static void shake_hands(struct channel *c)
{
    int r;
    struct error reason;
    channel_session_listen(c);
    do
        r = gnutls_handshake(c->session);
    while (r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (r == GNUTLS_E_AGAIN) {
        bool writes = gnutls_record_get_direction(c->session) == 1;
        loop_set_events(c->source, writes ? EPOLLOUT : EPOLLIN);
    } else if (r < 0) {
        close_with(c, EPROTO, channel_session_fault(c, r));
    } else if (identity_of_peer(c->session, &c->pin, &reason) < 0) {
        channel_close(c, &reason);
    } else {
        become_open(c);
    }
}

static void start_handshake(struct channel *c)
{
    c->state = CHANNEL_HANDSHAKE;
    c->phase_due_ns =
        clock_monotonic_ns() +
        (c->end == CHANNEL_CLIENT ? HANDSHAKE_CLIENT_NS : HANDSHAKE_SERVER_NS);
    channel_update_timer(c);
    shake_hands(c);
}

static void on_connecting(struct channel *c)
{
    int code = 0;
    socklen_t size = sizeof(code);
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) {
        error_set(&c->connect_error, code, "%s", strerror(code));
        channel_connect_next(c);
        return;
    }
    if (c->session) {
        channel_find_addresses(c);
        start_handshake(c);
    } else {
        become_open(c);
    }
}

static void on_ready(void *context, uint32_t events)
{
    struct channel *c = context;
    enter(c);
    if (c->state == CHANNEL_CONNECTING)
        on_connecting(c);
    else if (c->state == CHANNEL_HANDSHAKE)
        shake_hands(c);
    else if (c->state == CHANNEL_DRAINING)
        drain(c);
    else if (events & EPOLLOUT)
        flush(c);
    /* Bytes of the first message may have come with the handshake. */
    if (is_alive(c) && c->state == CHANNEL_OPEN)
        receive(c);
    leave(c);
}

/* ---- making ---------------------------------------------------------------
 */

int channel_new(struct loop *loop,
                enum channel_end end,
                int fd,
                const struct channel_handler *handler,
                void *context,
                struct channel **ret_channel,
                struct error *err)
{
    struct channel *c = calloc(1, sizeof(*c));
    if (!c) {
        close_fd(&fd);
        return error_set(err, ENOMEM, "out of memory");
    }
    c->loop = loop;
    c->end = end;
    c->fd = fd;
    c->handler = handler;
    c->context = context;
    c->state = CHANNEL_CONNECTING;
    int r = loop_add_timer(loop, on_timer, c, &c->timer, err);
    if (r < 0) {
        channel_free(c);
        return r;
    }
    *ret_channel = c;
    return 0;
}

int channel_begin(struct channel *c, struct error *err)
{
    /* A client is told of being connected by the loop, never in here: its
     * caller does not have the channel yet. */
    uint32_t events = c->end == CHANNEL_CLIENT ? EPOLLOUT : EPOLLIN;
    int r = loop_add_fd(c->loop, c->fd, events, on_ready, c, &c->source, err);
    if (r < 0)
        return r;
    enter(c);
    if (c->session)
        channel_keep_alive(c->fd);
    if (c->end == CHANNEL_SERVER && c->session)
        start_handshake(c);
    else if (c->end == CHANNEL_SERVER)
        become_open(c);
    leave(c);
    return 0;
}

/* ---- asking ---------------------------------------------------------------
 */

void channel_set_context(struct channel *c, void *context)
{
    c->context = context;
}

const char *channel_peer(const struct channel *c)
{
    return c->peer;
}

const char *channel_own_address(const struct channel *c)
{
    return c->own;
}

const struct pin *channel_peer_pin(const struct channel *c)
{
    return &c->pin;
}
