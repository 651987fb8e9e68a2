/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What answers at --prometheus-url may be anything. */
#include "fuzz.h"

#include "source/prometheus-answer.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float values[2][4] = {{0}};
    struct prometheus_series series[] = {
        {"n1/0", "power_watts", 600, 60, 4, values[0]},
        {"n1/1.2", "power_watts", 600, 60, 4, values[1]},
    };
    struct error err = {.text = ""};
    int r = prometheus_answer_read((const char *)data, size, "gpu", series, 2,
                                   &err);
    fuzz_check(r == 0 || r == -EBADMSG);
    fuzz_check(r == 0 || err.text[0]);
    return 0;
}
