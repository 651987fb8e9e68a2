/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file: one YAML mapping of keys to values or lists of
 * values, read event by event. What YAML can do beyond that (aliases, tags,
 * several documents, nesting) is refused with its place, since every such
 * feature is one more way to say what was not meant.
 */
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/option-value.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum {
    FILE_SIZE_MAX = 1 << 20, /* of a file written by hand, a generous measure */
    KEY_SIZE = 64
};

struct reader {
    struct option_set *set;
    const char *name; /* of the file, for texts */
    yaml_parser_t parser;
    yaml_event_t event; /* the one at hand */
    unsigned int *seen; /* the line of each row's key, 0: not yet */
    struct error *err;
};

/* Refuse the file for what stands at MARK. */
static int __attribute__((format(printf, 3, 4)))
refuse(struct reader *reader, const yaml_mark_t *mark, const char *format, ...)
{
    _cleanup_(text_deinit) struct text reason = TEXT_INIT;
    va_list args;
    va_start(args, format);
    text_vaddf(&reason, format, args);
    va_end(args);
    const char *text = text_str(&reason);
    return error_set(reader->err, EBADMSG, "%.200s:%zu:%zu: %s", reader->name,
                     mark->line + 1, mark->column + 1,
                     text ? text : "out of memory");
}

/* Step to the next event. */
static int advance(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return 0;
    const yaml_parser_t *parser = &reader->parser;
    memset(&reader->event, 0, sizeof(reader->event));
    if (parser->error == YAML_MEMORY_ERROR)
        return error_errno(reader->err, ENOMEM, "%.200s", reader->name);
    if (parser->error == YAML_READER_ERROR)
        return error_set(reader->err, EBADMSG,
                         "%.200s: byte %zu: not text in UTF-8: %s",
                         reader->name, parser->problem_offset, parser->problem);
    return refuse(reader, &parser->problem_mark,
                  "not YAML: %s; write one \"key: value\" a line",
                  parser->problem ? parser->problem : "unreadable");
}

/* The scalar at hand as a plain string; NULL with the file refused if it is
 * none or not plain. WHAT names it in the text. */
static const char *take_scalar(struct reader *reader, const char *what)
{
    const yaml_event_t *event = &reader->event;
    if (event->type == YAML_ALIAS_EVENT) {
        refuse(reader, &event->start_mark,
               "%s is an alias (*name), which is not taken here; write the "
               "value itself",
               what);
        return NULL;
    }
    if (event->type != YAML_SCALAR_EVENT) {
        refuse(reader, &event->start_mark,
               "%s is a %s; write a single value, like \"key: value\"", what,
               event->type == YAML_MAPPING_START_EVENT ? "mapping" : "list");
        return NULL;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (event->data.scalar.tag || event->data.scalar.anchor) {
        refuse(reader, &event->start_mark,
               "%s carries a YAML tag or anchor; leave it out", what);
        return NULL;
    }
    if (strlen(text) != event->data.scalar.length) {
        refuse(reader, &event->start_mark, "%s holds a zero byte", what);
        return NULL;
    }
    return text;
}

/* YAML's spellings of "no value": easily written by accident. */
static bool is_null(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* Assign the scalar at hand. */
static int read_value(struct reader *reader, const struct option_row *row)
{
    const yaml_mark_t mark = reader->event.start_mark;
    char key[KEY_SIZE];
    option_key(row, key, sizeof(key));
    const char *text = take_scalar(reader, key);
    if (!text)
        return -EBADMSG;
    if (is_null(&reader->event))
        return refuse(reader, &mark,
                      "%s has no value; write one, \"\" for none, or remove "
                      "the line",
                      key);
    struct error reason = {.text = ""};
    struct option_origin origin = {OPTION_FROM_FILE,
                                   (unsigned int)mark.line + 1};
    int r = option_assign(reader->set, row, text, origin, &reason);
    if (r == -EINVAL)
        return refuse(reader, &mark, "%s: %s", key, reason.text);
    if (r < 0)
        return error_set(reader->err, -r, "%s", reason.text);
    return 0;
}

/* Assign the items of the sequence at hand. */
static int read_sequence(struct reader *reader, const struct option_row *row)
{
    const yaml_mark_t mark = reader->event.start_mark;
    char key[KEY_SIZE];
    if (row->type != OPTION_TYPE_LIST)
        return refuse(reader, &mark, "%s takes one value, not a list",
                      option_key(row, key, sizeof(key)));
    struct option_origin origin = {OPTION_FROM_FILE,
                                   (unsigned int)mark.line + 1};
    int r = option_assign(reader->set, row, "", origin, reader->err);
    if (r == 0)
        r = advance(reader);
    while (r == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        r = read_value(reader, row);
        if (r == 0)
            r = advance(reader);
    }
    return r;
}

static const struct option_row *find_key(const struct option_table *table,
                                         const char *key)
{
    char candidate[KEY_SIZE];
    for (size_t i = 0; i < table->row_count; i++) {
        const struct option_row *row = table->rows + i;
        if (strcmp(key, option_key(row, candidate, sizeof(candidate))) == 0 ||
            strcmp(key, row->name) == 0)
            return row;
    }
    return NULL;
}

static int refuse_key(struct reader *reader, const char *key)
{
    const struct option_table *table = reader->set->table;
    assert(table->rows);

    char candidate[KEY_SIZE];
    struct nearest nearest = {.word = key};
    for (size_t i = 0; i < table->row_count; i++)
        if (!(table->rows[i].flags &
              (OPTION_COMMAND_LINE_ONLY | OPTION_HIDDEN)))
            nearest_offer(&nearest, option_key(table->rows + i, candidate,
                                               sizeof(candidate)));
    if (nearest.best[0])
        return refuse(reader, &reader->event.start_mark,
                      "unknown key \"%.80s\"; did you mean \"%s\"?", key,
                      nearest.best);
    return refuse(reader, &reader->event.start_mark,
                  "unknown key \"%.80s\"; the page %s.yaml(5) lists those "
                  "there are",
                  key, table->program);
}

/* The row that the key at hand names, or NULL with the file refused. */
static const struct option_row *take_key(struct reader *reader)
{
    const yaml_mark_t *mark = &reader->event.start_mark;
    const char *key = take_scalar(reader, "the key");
    if (!key)
        return NULL;
    const struct option_table *table = reader->set->table;
    const struct option_row *row = find_key(table, key);
    if (!row) {
        refuse_key(reader, key);
        return NULL;
    }
    if (row->flags & OPTION_COMMAND_LINE_ONLY) {
        refuse(reader, mark, "%s has no place in a file; type --%s", key,
               row->name);
        return NULL;
    }
    unsigned int *seen = reader->seen + (row - table->rows);
    if (*seen) {
        refuse(reader, mark,
               "%s is here for the second time (first on line "
               "%u); remove one",
               key, *seen);
        return NULL;
    }
    *seen = (unsigned int)mark->line + 1;
    return row;
}

/* Read the mapping at hand up to its end. */
static int read_mapping(struct reader *reader)
{
    for (;;) {
        int r = advance(reader);
        if (r < 0 || reader->event.type == YAML_MAPPING_END_EVENT)
            return r;
        const struct option_row *row = take_key(reader);
        if (!row)
            return -EBADMSG;
        r = advance(reader);
        if (r < 0)
            return r;
        if (reader->event.type == YAML_SEQUENCE_START_EVENT)
            r = read_sequence(reader, row);
        else
            r = read_value(reader, row);
        if (r < 0)
            return r;
    }
}

/* Read the one document of the stream, whose start is at hand. */
static int read_document(struct reader *reader)
{
    int r = advance(reader);
    if (r < 0)
        return r;
    const yaml_event_t *event = &reader->event;
    if (event->type == YAML_MAPPING_START_EVENT)
        r = read_mapping(reader);
    else if (event->type != YAML_SCALAR_EVENT || !is_null(event))
        r = refuse(reader, &event->start_mark,
                   "there is no key here; write \"key: value\"");
    if (r == 0)
        r = advance(reader); /* to the document's end */
    if (r == 0)
        r = advance(reader);
    if (r == 0 && event->type != YAML_STREAM_END_EVENT)
        r = refuse(reader, &event->start_mark,
                   "a second document begins; write all in one");
    return r;
}

static int read_stream(struct reader *reader)
{
    int r = advance(reader); /* to the stream's start */
    if (r == 0)
        r = advance(reader);
    if (r == 0 && reader->event.type != YAML_STREAM_END_EVENT)
        r = read_document(reader);
    return r;
}

int option_load_text(struct option_set *set,
                     const char *name,
                     const char *data,
                     size_t size,
                     struct error *err)
{
    struct reader reader = {.set = set, .name = name, .err = err};
    free(set->file);
    set->file = strdup(name);
    reader.seen = calloc(set->table->row_count, sizeof(*reader.seen));
    if (!set->file || !reader.seen || !yaml_parser_initialize(&reader.parser)) {
        free(reader.seen);
        return error_errno(err, ENOMEM, "%s", name);
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)data,
                                 size);
    int r = read_stream(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    free(reader.seen);
    return r;
}

/* Read FD to its end into CONTENT. */
static int read_all(int fd, struct text *content)
{
    while (content->size <= FILE_SIZE_MAX) {
        char *at = text_reserve(content, 4096);
        if (!at)
            return -ENOMEM;
        ssize_t size = read(fd, at, 4096);
        if (size < 0)
            return -errno;
        if (size == 0)
            return 0;
        content->size += (size_t)size;
    }
    return -EFBIG;
}

static int refuse_unreadable(const char *path, int code, struct error *err)
{
    return error_set(err, code,
                     "configuration file %.200s: %s; mend that, or name "
                     "another with --config=FILE",
                     path, strerror(code));
}

int option_load_file(struct option_set *set,
                     const char *path,
                     struct error *err)
{
    /* Not to be held up by a pipe: a reload happens in the event loop. */
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return refuse_unreadable(path, errno, err);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ENOTSUP,
                         "configuration file %.200s: not a regular file; name "
                         "one with --config=FILE",
                         path);
    _cleanup_(text_deinit) struct text content = TEXT_INIT;
    int r = read_all(fd, &content);
    if (r < 0)
        return refuse_unreadable(path, -r, err);
    return option_load_text(set, path, content.data, content.size, err);
}
