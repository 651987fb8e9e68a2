/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean": the known word nearest to a mistyped one. Candidates are
 * offered one by one, so that nobody has to build a list of them first.
 */
#pragma once

#include <stddef.h>

struct nearest {
    const char *word; /* what was typed; set by the caller, not owned */
    char best[64];    /* the best so far, "" when none is near */
    size_t distance;  /* of the best */
};

/* Keep CANDIDATE if it is near enough (a swap, a lost or a wrong letter in
 * every three, or a word begun) and nearer than the best so far. */
void nearest_offer(struct nearest *nearest, const char *candidate);
