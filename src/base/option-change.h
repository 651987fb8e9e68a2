/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that are read anew while a program runs (SIGHUP): what differs, and
 * putting back what cannot change before the next start.
 */
#pragma once

#include "base/option.h"
#include "base/text.h"

/* Such as "interval 15s -> 30s, log-level info -> debug"; "" when nothing. */
struct option_changes {
    struct text applied;
    struct text held; /* changed in the file, but needs a restart */
};

#define OPTION_CHANGES_INIT                                                    \
    {                                                                          \
        .applied = TEXT_INIT, .held = TEXT_INIT                                \
    }

void option_changes_deinit(struct option_changes *changes);

/*
 * Compare FRESH with CURRENT, of the same table: note in CHANGES what differs,
 * and give FRESH the old value of what is not OPTION_RELOADABLE. -ENOMEM.
 */
int option_settle(const struct option_set *current,
                  struct option_set *fresh,
                  struct option_changes *changes,
                  struct error *err);
