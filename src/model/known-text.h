/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text that is looked for in many records of a part: the references that
 * were found to be it, and lately found not to be it, spare most comparisons.
 */
#pragma once

#include "model/snapshot.h"

#include <string.h>

struct known_text {
    const char *text;
    snapshot_string same, other;
};

/* True when STRING of part KIND is KNOWN's text; one KNOWN serves one part. */
static inline bool known_text_is(struct known_text *known,
                                 const struct snapshot *snapshot,
                                 enum snapshot_part_kind kind,
                                 snapshot_string string)
{
    if (string == known->same)
        return string != 0;
    if (string == known->other)
        return false;
    bool same = strcmp(snapshot_text(snapshot, kind, string), known->text) == 0;
    *(same ? &known->same : &known->other) = string;
    return same;
}
