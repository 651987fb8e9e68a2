/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nearness of words: edits (a letter more, less, other, or two swapped), case
 * aside. Words are short; longer ones than the buffer are never near.
 */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD_SIZE = sizeof(((struct nearest *)0)->best),
    BEGINNING_MIN = 3 /* so many letters are a word begun, not a guess */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char letter(const char *word, size_t at)
{
    return (char)tolower((unsigned char)word[at]);
}

/* The least number of edits that make A into B: one row of the usual table at
 * a time, with the two rows before it at hand. */
static size_t count_edits(const char *a, const char *b)
{
    size_t rows[3][WORD_SIZE + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t a_size = strlen(a), b_size = strlen(b);

    for (size_t j = 0; j <= b_size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            bool same = letter(a, i - 1) == letter(b, j - 1);
            row[j] =
                least(last[j - 1] + !same, least(last[j] + 1, row[j - 1] + 1));
            if (i > 1 && j > 1 && letter(a, i - 1) == letter(b, j - 2) &&
                letter(a, i - 2) == letter(b, j - 1))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t size = strlen(nearest->word);
    if (size == 0 || size >= WORD_SIZE || strlen(candidate) >= WORD_SIZE)
        return;
    size_t distance = count_edits(nearest->word, candidate);
    if (distance > 1 && size >= BEGINNING_MIN &&
        strncasecmp(nearest->word, candidate, size) == 0)
        distance = 1;
    if (distance > (size < 3 ? 1 : size / 3))
        return;
    if (!nearest->best[0] || distance < nearest->distance) {
        strcpy(nearest->best, candidate);
        nearest->distance = distance;
    }
}
