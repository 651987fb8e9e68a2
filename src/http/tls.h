/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a TLS session of the server uses: certificate, key, trusted authorities,
 * priorities, and what is asked of the client's certificate. Made whole from
 * the web configuration and never changed; a new configuration makes a new one,
 * and sessions that have begun keep theirs by their reference.
 */
#pragma once

#include "base/error.h"
#include "http/tls-config.h"

#include <gnutls/gnutls.h>

struct http_tls;

/* Reads the files that CONFIG names. -EINVAL when one cannot be used. */
int http_tls_new(const struct http_tls_config *config,
                 struct http_tls **ret_tls,
                 struct error *err);

struct http_tls *http_tls_ref(struct http_tls *tls);

/* Accepts NULL; returns NULL. */
struct http_tls *http_tls_unref(struct http_tls *tls);

/* Make a fresh server session use TLS, which must outlive the session. */
int http_tls_apply(struct http_tls *tls, gnutls_session_t session);

/* Whether the client's certificate has one of the names that are allowed. To
 * be asked once the handshake is done. */
bool http_tls_admits(const struct http_tls *tls, gnutls_session_t session);
