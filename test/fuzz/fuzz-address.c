/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A listen address from the command line or a configuration. */
#include "fuzz.h"

#include "http/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct http_address address;
    struct error err = {""};
    if (http_address_parse(text, &address, &err) == 0) {
        int port = atoi(address.port);
        fuzz_check(port >= 0 && port <= 65535);
        fuzz_check(strlen(address.host) < sizeof(address.host));
    } else {
        fuzz_check(err.text[0] != '\0');
    }
    free(text);
    return 0;
}
