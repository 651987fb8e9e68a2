/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the names that Go gives to cipher suites and curves, and to TLS versions
 * in the web configuration, to a priority string of GnuTLS.
 *
 * GnuTLS is not told suites but their parts, of which it allows every
 * combination; a list that would let in more than it names is refused. The
 * parts hold for TLS 1.3 as well, where Go always allows all: a list is never
 * weaker here than there.
 */
#pragma once

#include "base/error.h"
#include "http/tls-config.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>

bool http_tls_cipher_suite_is_known(const char *name);
bool http_tls_group_is_known(const char *name);

/* The caller frees it with gnutls_priority_deinit(). */
int http_tls_priority_new(const struct http_tls_config *config,
                          gnutls_priority_t *ret_priority,
                          struct error *err);
