/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differences between two sets of the same options.
 */
#include "base/option-change.h"

#include "base/option-value.h"

#include <errno.h>

static void add_change(struct text *out,
                       const struct option_row *row,
                       const void *before,
                       const void *after)
{
    text_addf(out, "%s%s ", out->size ? ", " : "", row->name);
    option_value_format(row, before, out);
    text_add(out, " -> ");
    option_value_format(row, after, out);
}

int option_settle(const struct option_set *current,
                  struct option_set *fresh,
                  struct option_changes *changes,
                  struct error *err)
{
    int r = 0;
    text_clear(&changes->applied);
    text_clear(&changes->held);
    for (size_t i = 0; i < current->table->row_count && r == 0; i++) {
        const struct option_row *row = current->table->rows + i;
        if (!(row->commands & current->command->bit) ||
            option_value_equal(row, current->values, fresh->values))
            continue;
        bool apply = row->flags & OPTION_RELOADABLE;
        add_change(apply ? &changes->applied : &changes->held, row,
                   current->values, fresh->values);
        if (!apply)
            r = option_adopt(fresh, current, row, err);
    }
    if (r == 0 &&
        (text_failed(&changes->applied) || text_failed(&changes->held)))
        r = error_errno(err, ENOMEM, "settings");
    return r;
}

void option_changes_deinit(struct option_changes *changes)
{
    text_deinit(&changes->applied);
    text_deinit(&changes->held);
}
