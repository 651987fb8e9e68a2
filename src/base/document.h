/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML document, read into plain structs by tables: one row per key says its
 * name, where its value goes and how it is read. A key without a row, a key
 * twice, a value of the wrong kind: each is refused with file and line.
 *
 * For configuration files, which are small; the whole document is in memory.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct document;

/* A place in a document; 0 stands for "nothing there". */
typedef int document_node;

/* Read NODE into TARGET. 0, or a negative errno with ERR set, best through
 * document_refuse(). */
typedef int (*document_reader)(const struct document *document,
                               document_node node,
                               void *target,
                               struct error *err);

struct document_field {
    const char *name;
    document_reader read;
    size_t offset; /* of the target within the struct that is filled */
};

/* Parse TEXT; NAME stands for it in messages. An empty document is good, its
 * root is 0. */
int document_parse(const char *name,
                   const char *text,
                   size_t size,
                   struct document **ret_document,
                   struct error *err);

/* Parse the file PATH, at most a megabyte. */
int document_load(const char *path,
                  struct document **ret_document,
                  struct error *err);

/* Accepts NULL; returns NULL. */
struct document *document_free(struct document *document);

document_node document_root(const struct document *document);

/* The file as it was named. */
const char *document_name(const struct document *document);

/* Set ERR to "NAME:LINE: ..." and return -EINVAL. */
int document_refuse(const struct document *document,
                    document_node node,
                    struct error *err,
                    const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/* Nothing, "~", "null" or an empty value. */
bool document_is_null(const struct document *document, document_node node);

/* The text of a scalar, however it is quoted; NULL when NODE is none. Belongs
 * to the document. */
const char *document_scalar(const struct document *document,
                            document_node node);

/* Fill the struct at TARGET from the mapping NODE by COUNT rows of FIELDS. A
 * null mapping and null values leave what is there. */
int document_read_fields(const struct document *document,
                         document_node node,
                         const struct document_field *fields,
                         size_t count,
                         void *target,
                         struct error *err);

/* Call READ for each entry of the mapping NODE, whose keys are free, with KEY
 * its name. Keys are checked to be different ones. */
int document_read_entries(const struct document *document,
                          document_node node,
                          int (*read)(const struct document *document,
                                      const char *key,
                                      document_node value,
                                      void *target,
                                      struct error *err),
                          void *target,
                          struct error *err);

/* Call READ for each item of the sequence NODE. */
int document_read_items(const struct document *document,
                        document_node node,
                        document_reader read,
                        void *target,
                        struct error *err);

/* Readers for the usual kinds; TARGET is char ** (owned, freed before it is
 * set), the same for a path (made relative to the document's folder), bool *
 * and int64_t * (nanoseconds, from "1.5s" or "2m30s"). */
int document_read_string(const struct document *document,
                         document_node node,
                         void *target,
                         struct error *err);
int document_read_path(const struct document *document,
                       document_node node,
                       void *target,
                       struct error *err);
int document_read_bool(const struct document *document,
                       document_node node,
                       void *target,
                       struct error *err);
int document_read_duration(const struct document *document,
                           document_node node,
                           void *target,
                           struct error *err);
