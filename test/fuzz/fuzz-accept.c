/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Accept and Accept-Encoding headers of any client. */
#include "fuzz.h"

#include "http/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const offers[] = {
        "text/plain;version=0.0.4",
        "application/openmetrics-text;version=1.0.0"};
    char *header = fuzz_string(data, size);
    for (size_t i = 0; i < 2; i++) {
        int quality = http_accept_quality(header, offers[i]);
        fuzz_check(quality >= 0 && quality <= HTTP_QUALITY_MAX);
    }
    int chosen = http_accept_choose(header, offers, 2);
    fuzz_check(chosen >= -1 && chosen < 2);
    fuzz_check(chosen < 0 || http_accept_quality(header, offers[chosen]) > 0);
    fuzz_check(!http_accepts_gzip(header) ||
               http_encoding_quality(header, "gzip") > 0);
    free(header);
    return 0;
}
