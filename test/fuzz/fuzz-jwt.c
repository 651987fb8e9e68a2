/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens are what anybody sends: as they come none is good; with our signature
 * under them, whatever they claim. */
#include "fuzz.h"

#include "watchdog/jwt.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

static const char key[] = "key";

static int read_token(const char *token)
{
    struct jwt_claims claims;
    struct error err = {.text = ""};
    int r = jwt_read(token, key, sizeof(key) - 1, 1000, &claims, &err);
    fuzz_check(r == 0 || (r == -EACCES && err.text[0]));
    fuzz_check(r < 0 || (claims.user[0] && claims.end_s > 1000 &&
                         strnlen(claims.user, sizeof(claims.user)) <
                             sizeof(claims.user)));
    return r;
}

/* Header "{"alg":"HS256"}", DATA as the claims, and a good signature. */
static void read_signed(const uint8_t *data, size_t size)
{
    unsigned char mac[32];
    char token[2048] = "eyJhbGciOiJIUzI1NiJ9.";
    const void *parts[] = {data, mac};
    const size_t sizes[] = {size, sizeof(mac)};
    for (int i = 0; i < 2; i++) {
        gnutls_datum_t text;
        const gnutls_datum_t input = {.data =
                                          (unsigned char *)(uintptr_t)parts[i],
                                      .size = (unsigned int)sizes[i]};
        if (i == 1) {
            gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, sizeof(key) - 1, token,
                             strlen(token), mac);
            strcat(token, ".");
        }
        fuzz_check(gnutls_base64_encode2(&input, &text) == 0);
        char *end = token + strlen(token);
        for (size_t k = 0; k < text.size && text.data[k] != '='; k++) {
            char c = (char)text.data[k];
            *end++ = c == '+' ? '-' : c == '/' ? '_' : c;
        }
        *end = '\0';
        gnutls_free(text.data);
    }
    read_token(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *token = fuzz_string(data, size);
    fuzz_check(read_token(token) < 0);
    free(token);
    if (size > 0 && size < 1024)
        read_signed(data, size);
    return 0;
}
