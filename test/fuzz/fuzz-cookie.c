/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cookies are what anybody sends: none that we did not make is good. */
#include "fuzz.h"

#include "watchdog/sign-in.h"

#include <stdio.h>
#include <unistd.h>

static struct sign_in *begin(void)
{
    char folder[] = "/tmp/fuzz-cookie-XXXXXX", path[64];
    struct sign_in *sign_in = NULL;
    fuzz_check(mkdtemp(folder) != NULL);
    fuzz_check(sign_in_new(folder, &sign_in, NULL) == 0);
    snprintf(path, sizeof(path), "%s/key", folder);
    unlink(path);
    rmdir(folder);
    return sign_in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sign_in *sign_in;
    if (!sign_in)
        sign_in = begin();
    char *cookies = fuzz_string(data, size);
    struct viewer viewer;
    fuzz_check(!sign_in_accepts(sign_in, cookies, &viewer));
    free(cookies);
    return 0;
}
