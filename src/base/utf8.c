/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of UTF-8, by the lengths and the least codes of RFC 3629.
 */
#include "base/utf8.h"

#include "base/cleanup.h"

#include <stdbool.h>

static const struct {
    unsigned char mask, lead; /* a first byte with these bits ... */
    uint32_t least;           /* ... begins a code of at least this */
} forms[] = {
    {0x80, 0x00, 0},
    {0xe0, 0xc0, 0x80},
    {0xf0, 0xe0, 0x800},
    {0xf8, 0xf0, 0x10000},
};

static bool is_character(uint32_t code)
{
    return code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
}

size_t utf8_decode(const char *text, uint32_t *ret_code)
{
    unsigned char first = (unsigned char)*text;
    for (size_t i = 0; i < array_size(forms); i++) {
        if ((first & forms[i].mask) != forms[i].lead)
            continue;
        uint32_t code = first & (unsigned char)~forms[i].mask;
        for (size_t j = 1; j <= i; j++) {
            unsigned char next = (unsigned char)text[j];
            if ((next & 0xc0) != 0x80)
                return 0; /* the end of the string, too */
            code = code << 6 | (next & 0x3f);
        }
        if (code < forms[i].least || !is_character(code))
            return 0;
        *ret_code = code;
        return i + 1;
    }
    return 0;
}
