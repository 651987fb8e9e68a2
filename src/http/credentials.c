/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Basic", blanks, base64 of "user:password". The user ends at the first colon;
 * the password may hold more of them.
 */
#include "http/credentials.h"

#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool split(const unsigned char *decoded,
                  size_t size,
                  struct http_credentials *ret_credentials)
{
    const unsigned char *colon = memchr(decoded, ':', size);
    if (!colon || memchr(decoded, '\0', size))
        return false;
    size_t user_size = (size_t)(colon - decoded);
    size_t password_size = size - user_size - 1;
    if (user_size >= sizeof(ret_credentials->user) ||
        password_size >= sizeof(ret_credentials->password))
        return false;
    memset(ret_credentials, 0, sizeof(*ret_credentials));
    memcpy(ret_credentials->user, decoded, user_size);
    memcpy(ret_credentials->password, colon + 1, password_size);
    return true;
}

bool http_credentials_parse(const char *authorization,
                            struct http_credentials *ret_credentials)
{
    if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0)
        return false;
    const char *encoded = authorization + 6;
    encoded += strspn(encoded, " ");
    gnutls_datum_t in = {.data = (unsigned char *)(uintptr_t)encoded,
                         .size = (unsigned int)strlen(encoded)};
    gnutls_datum_t out = {.data = NULL};
    if (in.size == 0 || gnutls_base64_decode2(&in, &out) < 0)
        return false;
    bool good = out.data && split(out.data, out.size, ret_credentials);
    if (out.data) {
        gnutls_memset(out.data, 0, out.size);
        gnutls_free(out.data);
    }
    return good;
}

void http_credentials_wipe(struct http_credentials *credentials)
{
    explicit_bzero(credentials, sizeof(*credentials));
}
