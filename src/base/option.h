/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: one table of rows is the single truth about every setting of a
 * program. The command line, the configuration file, --help, --show-config,
 * the man pages, the example file and the shell completion all come from it.
 *
 * Sources in rising rank: default, configuration file, command line. A value
 * never gives way to one of a lower rank, so the sources may be read in any
 * order (the command line tells where the file is). A list of a higher rank
 * replaces one of a lower rank; within one rank it grows. Every value
 * remembers where it came from.
 *
 * The first fault ends the reading; the set is then good for nothing but
 * option_set_deinit(). So a bad source is refused whole.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The C type of the field that a row describes stands behind each. */
enum option_type {
    OPTION_TYPE_STRING,   /* char *, never NULL; "" is none */
    OPTION_TYPE_FILE,     /* char *, the same; completed as a file name */
    OPTION_TYPE_BOOL,     /* bool; --NAME, --no-NAME, --NAME=true */
    OPTION_TYPE_CHOICE,   /* int, the index of one of the row's words */
    OPTION_TYPE_U32,      /* uint32_t */
    OPTION_TYPE_SIZE,     /* uint64_t, bytes; "64k", "10MiB" */
    OPTION_TYPE_DURATION, /* int64_t, nanoseconds; "500ms", "15s", "1h30m" */
    OPTION_TYPE_LIST      /* struct option_list; repeatable, comma-separable */
};

struct option_list {
    char **items; /* owned */
    size_t count;
};

enum option_flag {
    OPTION_RELOADABLE = 1U << 0,        /* takes effect on SIGHUP */
    OPTION_COMMAND_LINE_ONLY = 1U << 1, /* no key of the file */
    OPTION_HIDDEN = 1U << 2             /* on no page and in no completion */
};

struct option_row {
    const char *name;  /* "web.config.file", without dashes */
    char short_name;   /* 'h' for -h, or 0 */
    const char *alias; /* other spellings, separated by spaces, or NULL */
    const char *key;   /* in the file; NULL: the name with '_' for '-', '.' */
    const char *group; /* heading in --help; rows of one group stand together */

    enum option_type type;
    size_t offset;            /* of the field, in the program's settings */
    const char *initial;      /* the default, as text; NULL is "" */
    int64_t min, max;         /* of numbers, in the field's unit; max 0: none */
    const char *const *words; /* of a choice, or all that may be in a list, or
                               * NULL; NULL ends */

    /* Judge one item of a value that has the right type; or NULL. */
    int (*check)(const char *text, struct error *err);

    const char *unit;  /* "ADDR": what stands for the value in --help */
    const char *help;  /* one line, no full stop */
    const char *about; /* more sentences, for the manual; or NULL */
    uint32_t commands; /* the bits of the subcommands that take it */
    uint32_t flags;    /* of enum option_flag */
};

/* Type and offset of a row's value at once; does not compile when the field
 * has another type than the option. Write: OPTION_BOOL(struct settings, x), */
#define OPTION_FIELD_(option_type, c_type, container, field)                   \
    .type = (option_type),                                                     \
    .offset = offsetof(container, field) +                                     \
              0 * sizeof(char[__builtin_types_compatible_p(                    \
                                  typeof(((container *)0)->field), c_type)     \
                                  ? 1                                          \
                                  : -1])
#define OPTION_STRING(c, f) OPTION_FIELD_(OPTION_TYPE_STRING, char *, c, f)
#define OPTION_FILE(c, f) OPTION_FIELD_(OPTION_TYPE_FILE, char *, c, f)
#define OPTION_BOOL(c, f) OPTION_FIELD_(OPTION_TYPE_BOOL, bool, c, f)
#define OPTION_CHOICE(c, f) OPTION_FIELD_(OPTION_TYPE_CHOICE, int, c, f)
#define OPTION_U32(c, f) OPTION_FIELD_(OPTION_TYPE_U32, uint32_t, c, f)
#define OPTION_SIZE(c, f) OPTION_FIELD_(OPTION_TYPE_SIZE, uint64_t, c, f)
#define OPTION_DURATION(c, f) OPTION_FIELD_(OPTION_TYPE_DURATION, int64_t, c, f)
#define OPTION_LIST(c, f)                                                      \
    OPTION_FIELD_(OPTION_TYPE_LIST, struct option_list, c, f)

/* One subcommand, as far as its options go. */
struct option_command {
    const char *name;      /* "exporter" */
    const char *program;   /* the name it goes by when it is called as a
                            * program of its own, or NULL */
    const char *arguments; /* what follows the options: "save FILE"; or NULL */
    const char *help;      /* one sentence */
    uint32_t bit;          /* its bit in the rows' masks */
    bool single_dash;      /* Go's flags: -name is --name, and options end at
                            * the first argument that is none */
    bool hidden;           /* on no page and in no completion */
    const char *const *initial; /* pairs of name and default that differ from
                                 * the rows'; NULL ends; or NULL */
};

struct option_table {
    const char *program; /* "gpu-watchdog" */
    const struct option_row *rows;
    size_t row_count;
    size_t values_size; /* of the program's settings */
};

enum option_source {
    OPTION_FROM_DEFAULT,
    OPTION_FROM_FILE,
    OPTION_FROM_COMMAND_LINE
};

struct option_origin {
    enum option_source source;
    unsigned int line; /* of the file */
};

struct option_set {
    const struct option_table *table;
    const struct option_command *command; /* whose options these are */
    void *values;                         /* the program's settings */
    struct option_origin *origins;        /* one a row */
    char *file;       /* the configuration file that was read; or NULL */
    char **arguments; /* those that are no options, NULL at the end; the array
                       * is owned, the strings are the command line's */
    size_t argument_count;
};

/* Fill the fields of VALUES (the caller's, zeroed) with the defaults of TABLE
 * for COMMAND. The strings and lists in VALUES belong to SET. */
int option_set_init(struct option_set *set,
                    const struct option_table *table,
                    const struct option_command *command,
                    void *values,
                    struct error *err);

/* Accepts a zeroed set. Frees what hangs on the values, not the values. */
void option_set_deinit(struct option_set *set);

/* Take ARGUMENTS, the words behind the subcommand, NULL at the end; they must
 * outlive SET. -EINVAL: usage, see ERR. */
int option_parse_command_line(struct option_set *set,
                              char *const arguments[],
                              struct error *err);

/* Read the YAML file PATH. A key may belong to any subcommand of the table; it
 * counts only where SET's command takes it. -EBADMSG: the content is refused,
 * ERR begins with "PATH:LINE:COLUMN: "; else the file could not be read. */
int option_load_file(struct option_set *set,
                     const char *path,
                     struct error *err);

/* The same with the text in hand; NAME stands for the path in texts. */
int option_load_text(struct option_set *set,
                     const char *name,
                     const char *data,
                     size_t size,
                     struct error *err);

/* Give ROW the value TEXT, or just judge it if a higher rank has spoken. */
int option_assign(struct option_set *set,
                  const struct option_row *row,
                  const char *text,
                  struct option_origin origin,
                  struct error *err);

/* Give ROW the value and the origin that it has in OTHER, of the same table. */
int option_adopt(struct option_set *set,
                 const struct option_set *other,
                 const struct option_row *row,
                 struct error *err);

/* The default of ROW under COMMAND (or NULL), as text. */
const char *option_initial(const struct option_row *row,
                           const struct option_command *command);

/* ROW's key in the configuration file, in BUFFER or elsewhere. */
const char *option_key(const struct option_row *row, char *buffer, size_t size);

/* The row called NAME; asserts that there is one. */
const struct option_row *option_row_find(const struct option_set *set,
                                         const char *name);

/* "command line", "default" or "FILE:LINE", in BUFFER or elsewhere. */
const char *option_origin_text(const struct option_set *set,
                               const struct option_row *row,
                               char *buffer,
                               size_t size);

/* True when SET took ROW's value from SOURCE. */
bool option_is_from(const struct option_set *set,
                    const struct option_row *row,
                    enum option_source source);
