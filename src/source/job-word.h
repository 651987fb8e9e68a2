/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and words out of text, for job-text.c and job-environment.c. Numbers
 * are read by hand: strtoul() would take signs, blanks and overflow for
 * granted, and a job number that wraps around is another user's job.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool take_u64(const char **at, uint64_t *ret_number)
{
    const char *p = *at;
    uint64_t number = 0;
    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number))
            return false;
    *at = p;
    *ret_number = number;
    return true;
}

/* UINT32_MAX stands for "none" everywhere, and is none of Slurm's numbers. */
static inline bool take_u32(const char **at, uint32_t *ret_number)
{
    const char *p = *at;
    uint64_t number;
    if (!take_u64(&p, &number) || number >= UINT32_MAX)
        return false;
    *at = p;
    *ret_number = (uint32_t)number;
    return true;
}

static inline bool
copy_word(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}
