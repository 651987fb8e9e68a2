/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of options: defaults, ranks and origins.
 */
#include "base/option.h"

#include "base/cleanup.h"
#include "base/option-value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The default of ROW: COMMAND's own, or the row's. */
const char *option_initial(const struct option_row *row,
                           const struct option_command *command)
{
    const char *const *pair = command ? command->initial : NULL;
    for (; pair && pair[0]; pair += 2)
        if (strcmp(pair[0], row->name) == 0)
            return pair[1];
    return row->initial ? row->initial : "";
}

static int set_default(struct option_set *set,
                       const struct option_row *row,
                       struct error *err)
{
    int r = option_value_parse(row, set->values,
                               option_initial(row, set->command), err);
    if (r < 0)
        error_prefix(err, "default of --%s", row->name);
    return r;
}

int option_set_init(struct option_set *set,
                    const struct option_table *table,
                    const struct option_command *command,
                    void *values,
                    struct error *err)
{
    *set = (struct option_set){
        .table = table, .command = command, .values = values};
    set->origins = calloc(table->row_count, sizeof(*set->origins));
    set->arguments = calloc(1, sizeof(*set->arguments));
    int r = 0;
    if (!set->origins || !set->arguments)
        r = error_errno(err, ENOMEM, "options");
    for (size_t i = 0; i < table->row_count && r == 0; i++)
        r = set_default(set, table->rows + i, err);
    if (r < 0)
        option_set_deinit(set);
    return r;
}

void option_set_deinit(struct option_set *set)
{
    for (size_t i = 0; set->table && i < set->table->row_count; i++)
        option_value_clear(set->table->rows + i, set->values);
    free(set->origins);
    free(set->file);
    free(set->arguments);
    *set = (struct option_set){.table = NULL};
}

static struct option_origin *origin_of(const struct option_set *set,
                                       const struct option_row *row)
{
    size_t index = (size_t)(row - set->table->rows);
    assert(index < set->table->row_count);
    return set->origins + index;
}

/* Judge TEXT as ROW's value without keeping it. */
static int judge(const struct option_set *set,
                 const struct option_row *row,
                 const char *text,
                 struct error *err)
{
    _cleanup_(free_ptr) void *scratch = calloc(1, set->table->values_size);
    if (!scratch)
        return error_errno(err, ENOMEM, "options");
    int r = option_value_parse(row, scratch, text, err);
    option_value_clear(row, scratch);
    return r;
}

int option_assign(struct option_set *set,
                  const struct option_row *row,
                  const char *text,
                  struct option_origin origin,
                  struct error *err)
{
    struct option_origin *last = origin_of(set, row);
    if (origin.source < last->source)
        return judge(set, row, text, err);
    if (row->type == OPTION_TYPE_LIST && origin.source > last->source)
        option_value_clear(row, set->values);
    *last = origin;
    return option_value_parse(row, set->values, text, err);
}

int option_adopt(struct option_set *set,
                 const struct option_set *other,
                 const struct option_row *row,
                 struct error *err)
{
    assert(set->table == other->table);

    _cleanup_(text_deinit) struct text value = TEXT_INIT;
    option_value_format(row, other->values, &value);
    const char *text = text_str(&value);
    if (!text)
        return error_errno(err, ENOMEM, "options");
    if (row->type == OPTION_TYPE_LIST)
        option_value_clear(row, set->values);
    *origin_of(set, row) = *origin_of(other, row);
    return option_value_parse(row, set->values, text, err);
}

const char *option_key(const struct option_row *row, char *buffer, size_t size)
{
    if (row->key)
        return row->key;
    snprintf(buffer, size, "%s", row->name);
    for (char *at = buffer; *at; at++)
        if (*at == '-' || *at == '.')
            *at = '_';
    return buffer;
}

const struct option_row *option_row_find(const struct option_set *set,
                                         const char *name)
{
    for (size_t i = 0; i < set->table->row_count; i++)
        if (strcmp(set->table->rows[i].name, name) == 0)
            return set->table->rows + i;
    assert(false);
    return NULL;
}

bool option_is_from(const struct option_set *set,
                    const struct option_row *row,
                    enum option_source source)
{
    return origin_of(set, row)->source == source;
}

const char *option_origin_text(const struct option_set *set,
                               const struct option_row *row,
                               char *buffer,
                               size_t size)
{
    const struct option_origin *origin = origin_of(set, row);
    switch (origin->source) {
    case OPTION_FROM_DEFAULT:
        return "default";
    case OPTION_FROM_COMMAND_LINE:
        return "command line";
    case OPTION_FROM_FILE:
        break;
    }
    snprintf(buffer, size, "%s:%u", set->file, origin->line);
    return buffer;
}
