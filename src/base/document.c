/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading by tables over libyaml's tree. The tree keeps each node's line, which
 * is why it is used and not the stream of events. Aliases are nodes that are
 * met twice, never copied, so that no small file becomes a large tree; and no
 * function here follows the document's own depth, only the tables'.
 */
#include "base/document.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <yaml.h>

enum {
    DOCUMENT_SIZE_MAX = 1 << 20,
    DOCUMENT_ENTRIES_MAX =
        4096 /* of one mapping; the check of keys is square */
};

struct document {
    yaml_document_t yaml;
    char *name; /* owned */
};

struct document *document_free(struct document *document)
{
    if (!document)
        return NULL;
    yaml_document_delete(&document->yaml);
    free(document->name);
    free(document);
    return NULL;
}

/* libyaml's reason, with its line. */
static int
refuse_parse(const char *name, const yaml_parser_t *parser, struct error *err)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return error_errno(err, ENOMEM, "%s", name);
    return error_set(err, EINVAL, "%s:%zu: not valid YAML: %s", name,
                     parser->problem_mark.line + 1,
                     parser->problem ? parser->problem : "broken text");
}

/* Whether the parser has come to the end of the stream. */
static int
expect_end(const char *name, yaml_parser_t *parser, struct error *err)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next))
        return refuse_parse(name, parser, err);
    const yaml_node_t *root = yaml_document_get_root_node(&next);
    size_t line = root ? root->start_mark.line + 1 : 0;
    yaml_document_delete(&next);
    if (root)
        return error_set(err, EINVAL,
                         "%s:%zu: a second document begins here; keep one",
                         name, line);
    return 0;
}

int document_parse(const char *name,
                   const char *text,
                   size_t size,
                   struct document **ret_document,
                   struct error *err)
{
    struct document *document = calloc(1, sizeof(*document));
    char *copy = strdup(name);
    yaml_parser_t parser;
    if (!document || !copy || !yaml_parser_initialize(&parser)) {
        free(document);
        free(copy);
        return error_errno(err, ENOMEM, "%s", name);
    }
    document->name = copy;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int r = 0;
    if (!yaml_parser_load(&parser, &document->yaml))
        r = refuse_parse(name, &parser, err);
    else if (document_root(document) != 0)
        r = expect_end(name, &parser, err);
    yaml_parser_delete(&parser);
    if (r < 0) {
        document_free(document);
        return r;
    }
    *ret_document = document;
    return 0;
}

/* The whole of the file behind FD. */
static int
read_text(const char *path, int fd, struct text *t, struct error *err)
{
    ssize_t size;
    do {
        char *at = text_reserve(t, 4096);
        if (!at)
            return error_errno(err, ENOMEM, "%s", path);
        size = read(fd, at, 4096);
        if (size < 0)
            return error_errno(err, errno, "%s: cannot be read", path);
        t->size += (size_t)size;
    } while (size > 0 && t->size <= DOCUMENT_SIZE_MAX);
    if (t->size > DOCUMENT_SIZE_MAX)
        return error_set(err, EFBIG,
                         "%s: larger than a megabyte, so not a configuration",
                         path);
    return 0;
}

int document_load(const char *path,
                  struct document **ret_document,
                  struct error *err)
{
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "%s: cannot be opened", path);
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return error_set(err, EINVAL, "%s: not a regular file", path);

    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    int r = read_text(path, fd, &t, err);
    if (r < 0)
        return r;
    return document_parse(path, t.data, t.size, ret_document, err);
}

/* libyaml does not declare its lookups const, though they change nothing. */
static yaml_document_t *yaml_of(const struct document *document)
{
    return (yaml_document_t *)(uintptr_t)&document->yaml;
}

static const yaml_node_t *get_node(const struct document *document,
                                   document_node node)
{
    return node > 0 ? yaml_document_get_node(yaml_of(document), node) : NULL;
}

document_node document_root(const struct document *document)
{
    return yaml_document_get_root_node(yaml_of(document)) ? 1 : 0;
}

const char *document_name(const struct document *document)
{
    return document->name;
}

int document_refuse(const struct document *document,
                    document_node node,
                    struct error *err,
                    const char *format,
                    ...)
{
    const yaml_node_t *at = get_node(document, node);
    va_list args;
    va_start(args, format);
    _cleanup_(text_deinit) struct text t = TEXT_INIT;
    text_vaddf(&t, format, args);
    va_end(args);
    const char *reason = text_str(&t);
    return error_set(err, EINVAL, "%s:%zu: %s", document->name,
                     at ? at->start_mark.line + 1 : 1,
                     reason ? reason : "out of memory");
}

const char *document_scalar(const struct document *document, document_node node)
{
    const yaml_node_t *at = get_node(document, node);
    if (!at || at->type != YAML_SCALAR_NODE ||
        memchr(at->data.scalar.value, '\0', at->data.scalar.length))
        return NULL;
    return (const char *)at->data.scalar.value;
}

bool document_is_null(const struct document *document, document_node node)
{
    const yaml_node_t *at = get_node(document, node);
    if (!at)
        return true;
    if (at->type != YAML_SCALAR_NODE ||
        at->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)at->data.scalar.value;
    return *text == '\0' || strcmp(text, "~") == 0 ||
           strcasecmp(text, "null") == 0;
}

/* Check the key of the pair at INDEX: a scalar, and not seen before. */
static int check_key(const struct document *document,
                     const yaml_node_t *mapping,
                     size_t index,
                     struct error *err)
{
    const yaml_node_pair_t *pairs = mapping->data.mapping.pairs.start;
    const char *key = document_scalar(document, pairs[index].key);
    if (!key)
        return document_refuse(document, pairs[index].key, err,
                               "a key must be a plain word");
    for (size_t i = 0; i < index; i++)
        if (strcmp(document_scalar(document, pairs[i].key), key) == 0)
            return document_refuse(document, pairs[index].key, err,
                                   "\"%s\" is set twice; keep one", key);
    return 0;
}

int document_read_entries(const struct document *document,
                          document_node node,
                          int (*read)(const struct document *document,
                                      const char *key,
                                      document_node value,
                                      void *target,
                                      struct error *err),
                          void *target,
                          struct error *err)
{
    if (document_is_null(document, node))
        return 0;
    const yaml_node_t *at = get_node(document, node);
    if (at->type != YAML_MAPPING_NODE)
        return document_refuse(document, node, err,
                               "expected \"name: value\" lines here");
    const yaml_node_pair_t *pairs = at->data.mapping.pairs.start;
    size_t count = (size_t)(at->data.mapping.pairs.top - pairs);
    if (count > DOCUMENT_ENTRIES_MAX)
        return document_refuse(document, node, err, "more than %d entries",
                               (int)DOCUMENT_ENTRIES_MAX);
    for (size_t i = 0; i < count; i++) {
        int r = check_key(document, at, i, err);
        if (r == 0)
            r = read(document, document_scalar(document, pairs[i].key),
                     pairs[i].value, target, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What read_field needs besides the struct it fills. */
struct fields {
    const struct document_field *rows;
    size_t count;
    char *target;
};

/* The names of all rows, for who mistyped one. */
static void
list_names(const struct fields *fields, char *ret_names, size_t size)
{
    size_t used = 0;
    ret_names[0] = '\0';
    for (size_t i = 0; i < fields->count && used < size; i++)
        used += (size_t)snprintf(ret_names + used, size - used, "%s%s",
                                 i ? ", " : "", fields->rows[i].name);
}

static int read_field(const struct document *document,
                      const char *key,
                      document_node value,
                      void *target,
                      struct error *err)
{
    const struct fields *fields = target;
    assert(key); /* check_key() saw it */

    for (size_t i = 0; i < fields->count; i++) {
        const struct document_field *row = &fields->rows[i];
        if (strcmp(row->name, key) != 0)
            continue;
        if (document_is_null(document, value))
            return 0;
        int r = row->read(document, value, fields->target + row->offset, err);
        return r;
    }
    char names[400];
    list_names(fields, names, sizeof(names));
    return document_refuse(document, value, err,
                           "unknown key \"%s\"; known here: %s", key, names);
}

int document_read_fields(const struct document *document,
                         document_node node,
                         const struct document_field *fields,
                         size_t count,
                         void *target,
                         struct error *err)
{
    struct fields all = {.rows = fields, .count = count, .target = target};
    return document_read_entries(document, node, read_field, &all, err);
}

int document_read_items(const struct document *document,
                        document_node node,
                        document_reader read,
                        void *target,
                        struct error *err)
{
    if (document_is_null(document, node))
        return 0;
    const yaml_node_t *at = get_node(document, node);
    if (at->type != YAML_SEQUENCE_NODE)
        return document_refuse(document, node, err,
                               "expected a list here: lines that begin "
                               "with \"- \"");
    const yaml_node_item_t *items = at->data.sequence.items.start;
    size_t count = (size_t)(at->data.sequence.items.top - items);
    for (size_t i = 0; i < count; i++) {
        int r = read(document, items[i], target, err);
        if (r < 0)
            return r;
    }
    return 0;
}
