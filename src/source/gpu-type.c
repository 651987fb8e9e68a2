/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for GRES types. People write "--gres=gpu:h100", whatever the marketing
 * name around it says of boards and memory, so data-centre chips go by their
 * number alone; of others, the words that tell one product from another.
 */
#include "base/cleanup.h"
#include "source/gpu-inventory.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD_SIZE = 32
};

/* Say who made it, not what it is. */
static const char *const brands[] = {"nvidia",  "corporation", "tesla",
                                     "geforce", "amd",         "instinct"};

/* Behind these, only the make of the board is told. */
static const char *const ends[] = {"blackwell", "edition", "generation",
                                   "gpu",       "laptop",  "max",
                                   "server",    "with",    "workstation"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* "h100", "gb200", "l40s", "mi300x": at most three letters, then digits. */
static bool is_chip(const char *word)
{
    size_t letters = strspn(word, "abcdefghijklmnopqrstuvwxyz");
    return letters >= 1 && letters <= 3 &&
           isdigit((unsigned char)word[letters]);
}

/* "80gb" */
static bool is_memory_size(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    return digits > 0 && strcmp(word + digits, "gb") == 0;
}

/* The next word in lower case; false at the end. */
static bool next_word(const char **p, char ret_word[WORD_SIZE])
{
    size_t n = 0;
    while (**p && !isalnum((unsigned char)**p))
        ++*p;
    for (; isalnum((unsigned char)**p); ++*p)
        if (n + 1 < WORD_SIZE)
            ret_word[n++] = (char)tolower((unsigned char)**p);
    ret_word[n] = '\0';
    return n > 0;
}

static void append(char *type, size_t size, const char *word)
{
    size_t have = strlen(type), more = strlen(word) + (have > 0);
    if (have + more + 1 > size)
        return;
    if (have > 0)
        strcat(type, "_");
    strcat(type, word);
}

void gpu_type_of_model(const char *model, char *ret_type, size_t size)
{
    char word[WORD_SIZE];
    ret_type[0] = '\0';
    for (const char *p = model; next_word(&p, word);) {
        bool first = ret_type[0] == '\0';
        if (first && is_one_of(word, brands, array_size(brands)))
            continue;
        if (!first &&
            (is_memory_size(word) || is_one_of(word, ends, array_size(ends))))
            break;
        /* "gpu:4090" would be 4090 GPUs. */
        if (first && isdigit((unsigned char)word[0]))
            append(ret_type, size, "gpu");
        append(ret_type, size, word);
        if (first && is_chip(word))
            break;
    }
    if (ret_type[0] == '\0')
        append(ret_type, size, "gpu");
}
