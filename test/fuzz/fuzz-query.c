/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request target of any client. */
#include "fuzz.h"

#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *raw = fuzz_string(data, size);
    struct http_target target = HTTP_TARGET_INIT;
    if (http_target_parse(raw, &target) == 0) {
        size_t total = strlen(target.path);
        fuzz_check(target.path[0] == '/');
        for (size_t i = 0; i < target.parameter_count; i++)
            total += strlen(target.parameters[i].name) +
                     strlen(target.parameters[i].value);
        fuzz_check(total <= size + 1);
    }
    http_target_deinit(&target);
    free(raw);
    return 0;
}
