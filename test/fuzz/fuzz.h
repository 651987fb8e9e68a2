/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fuzz target is: one function. It is given any bytes, and fails by
 * crashing: let the sanitizers and fuzz_check() find out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Returns 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define fuzz_check(condition)                                                  \
    do {                                                                       \
        if (!(condition))                                                      \
            abort();                                                           \
    } while (0)

/* DATA as a C string of its own; the caller frees it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *string = malloc(size + 1);
    fuzz_check(string);
    if (size > 0)
        memcpy(string, data, size);
    string[size] = '\0';
    return string;
}
