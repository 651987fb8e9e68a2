/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text in UTF-8, as it comes from outside: possibly not UTF-8 at all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The length of the character at TEXT (a C string, not at its end), and its
 * code; 0 when no valid character stands there (over-long forms, surrogates
 * and codes above U+10FFFF are none). */
size_t utf8_decode(const char *text, uint32_t *ret_code);
