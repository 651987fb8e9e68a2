/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that define NVML's functions share. The names of functions
 * and parameters' types are NVIDIA's, as they are what programs look up.
 */
#pragma once

#include "base/cleanup.h"
#include "machine.h"
#include "meter.h"

#include <stdio.h>
#include <string.h>

#define NVML_EXPORT __attribute__((visibility("default")))

/* Copy TEXT for a caller that has room for SIZE bytes. */
static inline int give_text(const char *text, char *to, unsigned int size)
{
    if (!to)
        return NVML_INVALID_ARGUMENT;
    if (strlen(text) >= size)
        return NVML_INSUFFICIENT_SIZE;
    memcpy(to, text, strlen(text) + 1);
    return NVML_SUCCESS;
}

static inline int give_number(uint64_t number, unsigned int *to)
{
    if (!to)
        return NVML_INVALID_ARGUMENT;
    *to = (unsigned int)number;
    return NVML_SUCCESS;
}
