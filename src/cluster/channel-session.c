/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS for a channel: 1.3 only, no tickets and so no resumption, which would
 * come without a certificate. There are no authorities and no names: a client
 * holds the key to its pin, a server takes any key and tells whose it is.
 */
#include "cluster/channel-internal.h"

#include <string.h>

/* The client's only check, before anything of its own goes out. */
static int check_pin(gnutls_session_t session)
{
    const struct channel *c = gnutls_session_get_ptr(session);
    struct pin found;
    struct error err;
    if (identity_of_peer(session, &found, &err) < 0 ||
        memcmp(&found, &c->pin, sizeof(found)) != 0)
        return GNUTLS_E_CERTIFICATE_ERROR;
    return 0;
}

int channel_make_session(struct channel *c,
                         const struct identity *identity,
                         struct error *err)
{
    unsigned int flags =
        GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
        (c->end == CHANNEL_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT);
    int r = gnutls_init(&c->session, flags);
    if (r >= 0)
        r = gnutls_priority_set_direct(c->session,
                                       "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
    if (r >= 0)
        r = gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE,
                                   identity->credentials);
    if (r < 0)
        return error_set(err, EIO, "TLS: %s", gnutls_strerror(r));
    gnutls_session_set_ptr(c->session, c);
    gnutls_transport_set_int(c->session, c->fd);
    gnutls_handshake_set_timeout(c->session, 0); /* the loop has one */
    if (c->end == CHANNEL_SERVER)
        gnutls_certificate_server_set_request(c->session, GNUTLS_CERT_REQUIRE);
    else
        gnutls_session_set_verify_function(c->session, check_pin);
    return 0;
}

void channel_session_listen(struct channel *c)
{
    if (c->heard_size == sizeof(c->heard))
        return;
    ssize_t n = recv(c->fd, c->heard, sizeof(c->heard), MSG_PEEK);
    if (n > 0)
        c->heard_size = (size_t)n;
}

static const char no_tls[] =
    "no head answers there: what does speaks no TLS 1.3";

/* What speaks there instead of a head; NULL: TLS, or nothing at all. */
static const char *find_stranger(const struct channel *c)
{
    enum {
        TLS_ALERT = 21,
        TLS_HANDSHAKE = 22
    };
    if (c->heard_size == 0 || c->heard[0] == TLS_ALERT ||
        c->heard[0] == TLS_HANDSHAKE)
        return NULL;
    if (c->heard_size == sizeof(c->heard) && memcmp(c->heard, "SSH-", 4) == 0)
        return "an SSH server answers there, no head";
    if (c->heard_size == sizeof(c->heard) && memcmp(c->heard, "HTTP", 4) == 0)
        return "a web server answers there, no head";
    return no_tls;
}

const char *channel_session_silence(const struct channel *c)
{
    const char *stranger = find_stranger(c);
    if (c->end == CHANNEL_SERVER)
        return "its handshake took longer than 10 s";
    if (stranger)
        return stranger;
    return c->heard_size == 0
               ? "something takes connections there and says nothing; a head "
                 "would have answered"
               : "what answers there is too slow; a head would be done by now";
}

/* It hung up before the end, or what came was no TLS. */
static const char *find_breach(const struct channel *c)
{
    const char *stranger = find_stranger(c);
    if (c->end == CHANNEL_SERVER)
        return "it hung up";
    return stranger ? stranger
                    : "it hung up; after several wrong tokens a head does so "
                      "for a minute, and what is no head always";
}

const char *channel_session_fault(const struct channel *c, int r)
{
    const char *stranger = c->end == CHANNEL_CLIENT ? find_stranger(c) : NULL;
    switch (r) {
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
        return c->end == CHANNEL_CLIENT
                   ? "another machine answers there than the one that made the "
                     "token; nothing was sent to it"
                   : "its key was refused";
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
    case GNUTLS_E_UNEXPECTED_PACKET:
        return stranger ? stranger : no_tls;
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return find_breach(c);
    default:
        return gnutls_strerror(r);
    }
}
