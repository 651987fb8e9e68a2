/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing by the client's Accept and Accept-Encoding headers (RFC 9110, 12.5):
 * quality values, wildcards, the most specific range wins. Malformed ranges
 * are passed over, since refusing a scrape for one would help nobody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_QUALITY_MAX = 1000 /* thousandths: "q=1" */
};

/* How much a client with this ACCEPT header (NULL: it sent none) wants media
 * type OFFER, which may carry parameters that the range must then repeat if it
 * names them ("application/openmetrics-text;version=1.0.0"). 0: not at all. */
int http_accept_quality(const char *accept, const char *offer);

/* The index of the offer that the client wants most, the earlier one of
 * equals; -1 when it wants none of them. */
int http_accept_choose(const char *accept,
                       const char *const offers[],
                       size_t count);

/* How much the client wants CODING ("gzip", "identity"); identity is wanted a
 * little (1) unless the header speaks of it. */
int http_encoding_quality(const char *accept_encoding, const char *coding);

/* Whether to send gzip: the client takes it, and no less gladly than plain. */
bool http_accepts_gzip(const char *accept_encoding);
