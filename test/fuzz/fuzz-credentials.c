/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Authorization header of any client. */
#include "fuzz.h"

#include "http/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = fuzz_string(data, size);
    struct http_credentials credentials;
    if (http_credentials_parse(header, &credentials)) {
        fuzz_check(!strchr(credentials.user, ':'));
        fuzz_check(strlen(credentials.password) < HTTP_PASSWORD_SIZE);
    }
    free(header);
    return 0;
}
