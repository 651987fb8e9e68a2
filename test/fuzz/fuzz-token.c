/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a join token as somebody pastes it. One that is taken is the
 * only way to write it but for upper and lower case; the reason why one is not
 * says nothing of what is in it.
 */
#include "fuzz.h"

#include "cluster/token.h"

#include <errno.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct token token;
    struct error err = {""};
    int r = token_parse(text, &token, &err);
    if (r == 0) {
        char again[TOKEN_TEXT_SIZE];
        token_format(&token, again);
        fuzz_check(strlen(again) < TOKEN_TEXT_SIZE);
        fuzz_check(strcasecmp(again, text) == 0);
    } else {
        fuzz_check(r == -EINVAL && err.text[0] != '\0');
        fuzz_check(strlen(text) < 80 || !strstr(err.text, text + 60));
    }
    free(text);
    return 0;
}
