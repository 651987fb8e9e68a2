/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A collection of the JSON API: its records as text, and which of them changed
 * when. A record that reads as it did before keeps its version, so that a
 * client that has version V needs only what came after V.
 *
 *     begin(version), then for each record: add(id) and write its text, end
 *
 * The texts lie one behind the other in one buffer, with commas between them:
 * all of them are the inside of a JSON array as they stand. Records that went
 * are remembered, the last COLLECTION_GONE_MAX of them.
 *
 * Memory: the text, 48 bytes a record and its name, an index of 8 to 16 bytes a
 * record; twice all that while the next round is written.
 */
#pragma once

#include "view/json.h"

enum {
    COLLECTION_GONE_MAX = 4096
};

struct collection_record {
    uint64_t id;          /* a number, or the hash of a name */
    uint64_t fingerprint; /* of the text */
    uint64_t version;     /* in which it became what it is */
    size_t start, size;   /* in the text */
    size_t name;          /* where it lies among the names; numbered: 0 */
};

struct collection;

/* NUMBERED: ids are numbers, and "gone" lists them as such; else the ids are
 * names. NULL without memory. */
struct collection *collection_new(bool numbered);

/* Accepts NULL; returns NULL. */
struct collection *collection_free(struct collection *collection);

/* Write the records anew; VERSION is higher than every one before. */
void collection_begin(struct collection *collection, uint64_t version);

/* The record that follows is ID's, or NAME's; it is written through the JSON
 * that is returned, as one object in an array. An id comes once. */
struct json *collection_add(struct collection *collection, uint64_t id);
struct json *collection_add_named(struct collection *collection,
                                  const char *name);

/* True when anything differs from before. On -ENOMEM what was before is gone,
 * and the next round begins from nothing. */
int collection_end(struct collection *collection, bool *ret_changed);

/* In which something last changed; 0: nothing was ever in it. */
uint64_t collection_version(const struct collection *collection);

size_t collection_count(const struct collection *collection);
const struct collection_record *
collection_record(const struct collection *collection, size_t index);

/* Of one whose ids are names. */
const char *collection_name(const struct collection *collection,
                            const struct collection_record *record);

/* The text of all records; RECORD's is at its start. */
const char *collection_text(const struct collection *collection,
                            size_t *ret_size);

/* The record of ID, or of NAME; NULL when there is none. */
const struct collection_record *
collection_find(const struct collection *collection, uint64_t id);
const struct collection_record *
collection_find_named(const struct collection *collection, const char *name);

/* Whether what came after SINCE is known: it is not for a version of another
 * time, or one so old that what went since has been forgotten. */
bool collection_reaches(const struct collection *collection, uint64_t since);

/* Write the records that came or changed after SINCE, as the inside of an
 * array; and the ids of those that went. */
void collection_print_changed(const struct collection *collection,
                              uint64_t since,
                              struct text *out);
void collection_print_gone(const struct collection *collection,
                           uint64_t since,
                           struct json *json);
