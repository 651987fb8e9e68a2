/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Authorization header of basic authentication (RFC 7617).
 */
#pragma once

#include <stdbool.h>

enum {
    HTTP_USER_SIZE = 256,
    HTTP_PASSWORD_SIZE = 256 /* bcrypt looks at 72 bytes */
};

struct http_credentials {
    char user[HTTP_USER_SIZE];
    char password[HTTP_PASSWORD_SIZE];
};

/* False when AUTHORIZATION (NULL: the client sent none) is not "Basic", is not
 * base64, has no colon, holds a zero byte or is too long for the above. */
bool http_credentials_parse(const char *authorization,
                            struct http_credentials *ret_credentials);

/* Overwrite the password in memory. */
void http_credentials_wipe(struct http_credentials *credentials);
