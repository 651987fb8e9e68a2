/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a token. Base32 (RFC 4648, in lower case) has no letters that are
 * mistaken for each other, and double-clicking selects most of it.
 */
#include "cluster/token.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX "gw1-"

enum {
    PREFIX_LENGTH = 4,
    PIN_LENGTH = 52,    /* 256 bits, five a letter */
    SECRET_LENGTH = 26, /* 128 bits */
    TEXT_LENGTH =
        PREFIX_LENGTH + PIN_LENGTH + 1 + TOKEN_ID_LENGTH + 1 + SECRET_LENGTH + 1
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static int value_of(char letter)
{
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? (int)(at - letters) : -1;
}

static void encode(const uint8_t *bytes, size_t size, char *ret_text)
{
    uint32_t bits = 0;
    unsigned int count = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 5; count -= 5)
            *ret_text++ = letters[bits >> (count - 5) & 31];
    }
    if (count > 0)
        *ret_text = letters[bits << (5 - count) & 31];
}

/* False when a letter is none, or bits are set that no byte takes. */
static bool decode(const char *text, size_t length, uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    unsigned int count = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 5 | (uint32_t)value;
        count += 5;
        if (count >= 8) {
            count -= 8;
            *ret_bytes++ = (uint8_t)(bits >> count);
        }
    }
    return (bits & ((1U << count) - 1)) == 0;
}

/* Odd weights: no single wrong letter, and hardly a swap, goes unseen. */
static char checksum(const char *text, size_t length)
{
    unsigned int sum = 0;
    for (size_t i = 0; i < length; i++)
        sum +=
            (unsigned int)(value_of(text[i]) + 1) * (2 * (unsigned int)i + 1);
    return letters[sum & 31];
}

void token_format(const struct token *token, char ret_text[TOKEN_TEXT_SIZE])
{
    char *at = ret_text;
    memcpy(at, PREFIX, PREFIX_LENGTH);
    at += PREFIX_LENGTH;
    encode(token->pin.bytes, PIN_SIZE, at);
    at += PIN_LENGTH;
    *at++ = '-';
    memcpy(at, token->id, TOKEN_ID_LENGTH);
    at += TOKEN_ID_LENGTH;
    *at++ = '-';
    encode(token->secret, TOKEN_SECRET_SIZE, at);
    at += SECRET_LENGTH;
    *at = checksum(ret_text, (size_t)(at - ret_text));
    at[1] = '\0';
    /* The prefix is what scanners for secrets look for. */
    ret_text[0] = 'G';
    ret_text[1] = 'W';
}

static int refuse(struct error *err, const char *what)
{
    return error_set(err, EINVAL,
                     "%s; copy the whole line that \"gpu-watchdog token\" "
                     "prints on the head",
                     what);
}

static int
parse_pieces(const char *text, struct token *ret_token, struct error *err)
{
    const char *pin = text + PREFIX_LENGTH;
    const char *id = pin + PIN_LENGTH + 1;
    const char *secret = id + TOKEN_ID_LENGTH + 1;
    if (id[-1] != '-' || secret[-1] != '-')
        return refuse(err, "a letter of the token is wrong");
    for (size_t i = 0; i < TOKEN_ID_LENGTH; i++)
        if (value_of(id[i]) < 0)
            return refuse(err, "a letter of the token is wrong");
    if (!decode(pin, PIN_LENGTH, ret_token->pin.bytes) ||
        !decode(secret, SECRET_LENGTH, ret_token->secret) ||
        checksum(text, TEXT_LENGTH - 1) != text[TEXT_LENGTH - 1])
        return refuse(err, "a letter of the token is wrong");
    memcpy(ret_token->id, id, TOKEN_ID_LENGTH);
    ret_token->id[TOKEN_ID_LENGTH] = '\0';
    return 0;
}

int token_parse(const char *text, struct token *ret_token, struct error *err)
{
    char lower[TEXT_LENGTH + 1] = "";
    size_t length = strnlen(text, TEXT_LENGTH + 1);
    for (size_t i = 0; i < length && i < TEXT_LENGTH; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    int r;
    struct token token = {.id = ""};
    if (memcmp(lower, "gw", 2) != 0)
        r = refuse(err, "that is no join token: those begin with GW1-");
    else if (length < PREFIX_LENGTH)
        r = refuse(err, "the token ends early");
    else if (memcmp(lower, PREFIX, PREFIX_LENGTH) != 0)
        r = error_set(err, EINVAL,
                      "the token is for another version of gpu-watchdog; "
                      "install the head's version here");
    else if (length < TEXT_LENGTH)
        r = refuse(err, "the token ends early");
    else if (length > TEXT_LENGTH)
        r = refuse(err, "the token is too long");
    else
        r = parse_pieces(lower, &token, err);
    if (r == 0)
        *ret_token = token;
    explicit_bzero(lower, sizeof(lower));
    explicit_bzero(&token, sizeof(token));
    return r;
}
