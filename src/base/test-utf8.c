/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the UTF-8 decoder.
 */
#include "base/cleanup.h"
#include "base/test.h"
#include "base/utf8.h"

static void characters_are_decoded_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        uint32_t code;
    } cases[] = {
        {"a", 1, 'a'},
        {"\x7f", 1, 0x7f},
        {"\xc2\x80", 2, 0x80},
        {"\xc3\xbcx", 2, 0xfc},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xef\xbf\xbd", 3, 0xfffd},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\x80", 0, 0},             /* a tail without a head */
        {"\xc3", 0, 0},             /* a head without its tail */
        {"\xe2\x82", 0, 0},         /* the same, longer */
        {"\xc3(", 0, 0},            /* another tail */
        {"\xc1\xbf", 0, 0},         /* over-long */
        {"\xe0\x9f\xbf", 0, 0},     /* over-long */
        {"\xf0\x8f\xbf\xbf", 0, 0}, /* over-long */
        {"\xed\xa0\x80", 0, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0, 0}, /* beyond Unicode */
        {"\xf8\x88\x80\x80\x80", 0, 0},
        {"\xff", 0, 0},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        uint32_t code = 0;
        assert_int_equal(utf8_decode(cases[i].text, &code), cases[i].size);
        assert_int_equal(code, cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_decoded_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
