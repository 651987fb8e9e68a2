/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. Not getopt_long(): it knows no Go flags (-name value), it
 * guesses at beginnings of names, so that a new option breaks old scripts, and
 * its complaints do not say what to type.
 */
#include "base/option.h"

#include "base/cleanup.h"
#include "base/nearest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* One word that begins with a dash, taken apart. */
struct spelling {
    const char *word;  /* as typed */
    const char *name;  /* behind the dashes */
    size_t name_size;  /* up to '=' or the end */
    const char *value; /* behind '=', or NULL */
    bool is_short;     /* -x */
};

static struct spelling spelling_of(const char *word,
                                   const struct option_command *command)
{
    struct spelling s = {.word = word, .name = word + 1};
    if (*s.name == '-')
        s.name++;
    else
        s.is_short = !command->single_dash;
    s.name_size = strcspn(s.name, "=");
    if (s.name[s.name_size] == '=')
        s.value = s.name + s.name_size + 1;
    return s;
}

static bool is_named(const struct spelling *s, const char *name, size_t size)
{
    return size == s->name_size && memcmp(s->name, name, size) == 0;
}

static bool row_is_named(const struct option_row *row, const struct spelling *s)
{
    if (row->short_name && s->name_size == 1 && s->name[0] == row->short_name)
        return true;
    if (s->is_short)
        return false;
    if (is_named(s, row->name, strlen(row->name)))
        return true;
    for (const char *at = row->alias; at && *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (is_named(s, at, size))
            return true;
        at += size;
    }
    return false;
}

static bool can_be_negated(const struct option_row *row)
{
    return row->type == OPTION_TYPE_BOOL &&
           !(row->flags & OPTION_COMMAND_LINE_ONLY);
}

/* The row that S spells, of any subcommand; RET_NEGATED for --no-NAME. */
static const struct option_row *find_row(const struct option_table *table,
                                         const struct spelling *s,
                                         uint32_t commands,
                                         bool *ret_negated)
{
    struct spelling positive = *s;
    bool negative =
        !s->is_short && s->name_size > 3 && strncmp(s->name, "no-", 3) == 0;
    if (negative) {
        positive.name += 3;
        positive.name_size -= 3;
    }
    *ret_negated = false;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (!(row->commands & commands))
            continue;
        if (row_is_named(row, s))
            return row;
        if (negative && can_be_negated(row) && row_is_named(row, &positive)) {
            *ret_negated = true;
            return row;
        }
    }
    return NULL;
}

/* The words by which a person calls the subcommand, for "…  --help". */
static const char *
invocation(const struct option_set *set, char *buffer, size_t size)
{
    const struct option_command *command = set->command;
    if (command->program)
        return command->program;
    snprintf(buffer, size, "%s %s", set->table->program, command->name);
    return buffer;
}

static void offer_row(struct nearest *nearest, const struct option_row *row)
{
    char name[64];
    nearest_offer(nearest, row->name);
    for (const char *at = row->alias; at && *at; at += strspn(at, " ")) {
        int size = (int)strcspn(at, " ");
        snprintf(name, sizeof(name), "%.*s", size, at);
        nearest_offer(nearest, name);
        at += size;
    }
    if (can_be_negated(row)) {
        snprintf(name, sizeof(name), "no-%s", row->name);
        nearest_offer(nearest, name);
    }
}

static int refuse_unknown(const struct option_set *set,
                          const struct spelling *s,
                          struct error *err)
{
    char buffer[64], name[64];
    const char *called = invocation(set, buffer, sizeof(buffer));
    bool negated;
    if (find_row(set->table, s, UINT32_MAX, &negated))
        return error_set(err, EINVAL,
                         "\"%.80s\" is no option of this command; \"%s "
                         "--help\" lists those that are",
                         s->word, called);

    snprintf(name, sizeof(name), "%.*s", (int)s->name_size, s->name);
    struct nearest nearest = {.word = name};
    for (size_t i = 0; i < set->table->row_count; i++)
        if (set->table->rows[i].commands & set->command->bit &&
            !(set->table->rows[i].flags & OPTION_HIDDEN))
            offer_row(&nearest, set->table->rows + i);
    if (nearest.best[0])
        return error_set(
            err, EINVAL, "unknown option \"%.80s\"; did you mean \"%s%s\"?",
            s->word, set->command->single_dash ? "-" : "--", nearest.best);
    return error_set(err, EINVAL,
                     "unknown option \"%.80s\"; \"%s --help\" lists those "
                     "there are",
                     s->word, called);
}

/* The value of an option that needs one: behind '=', or the next word. */
static int take_value(const struct option_row *row,
                      const struct spelling *s,
                      char *const **arguments,
                      const char **ret_value,
                      struct error *err)
{
    const char *next = **arguments;
    if (s->value) {
        *ret_value = s->value;
    } else if (next && !(next[0] == '-' && next[1])) {
        *ret_value = next;
        ++*arguments;
    } else {
        return error_set(err, EINVAL, "\"%.80s\" needs a value; write %.80s=%s",
                         s->word, s->word, row->unit ? row->unit : "VALUE");
    }
    return 0;
}

/* Take the option at *ARGUMENTS and step behind it. */
static int
take_option(struct option_set *set, char *const **arguments, struct error *err)
{
    static const struct option_origin origin = {OPTION_FROM_COMMAND_LINE, 0};
    struct spelling s = spelling_of(*(*arguments)++, set->command);
    bool negated;
    const struct option_row *row =
        find_row(set->table, &s, set->command->bit, &negated);
    if (!row)
        return refuse_unknown(set, &s, err);

    const char *value = negated ? "false" : s.value ? s.value : "true";
    int r = 0;
    if (negated && s.value)
        return error_set(err, EINVAL, "\"%.80s\" takes no value", s.word);
    if (row->type != OPTION_TYPE_BOOL)
        r = take_value(row, &s, arguments, &value, err);
    if (r == 0) {
        r = option_assign(set, row, value, origin, err);
        if (r < 0)
            error_prefix(err, "command line: --%s", row->name);
    }
    return r;
}

static int check_arguments(const struct option_set *set, struct error *err)
{
    char buffer[64];
    if (set->command->arguments || set->argument_count == 0)
        return 0;
    return error_set(err, EINVAL,
                     "\"%.80s\" is too much here, only options are taken; "
                     "\"%s --help\" lists them",
                     set->arguments[0],
                     invocation(set, buffer, sizeof(buffer)));
}

int option_parse_command_line(struct option_set *set,
                              char *const arguments[],
                              struct error *err)
{
    assert(set->argument_count == 0);

    size_t count = 0;
    while (arguments[count])
        count++;
    free(set->arguments);
    set->arguments = calloc(count + 1, sizeof(*set->arguments));
    if (!set->arguments)
        return error_errno(err, ENOMEM, "options");

    bool options_end = false;
    while (*arguments) {
        const char *word = *arguments;
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
            arguments++;
        } else if (!options_end && word[0] == '-' && word[1]) {
            int r = take_option(set, &arguments, err);
            if (r < 0)
                return r;
        } else {
            options_end = options_end || set->command->single_dash;
            set->arguments[set->argument_count++] = *arguments++;
        }
    }
    return check_arguments(set, err);
}
