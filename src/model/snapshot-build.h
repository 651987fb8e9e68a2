/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a snapshot: used by the collectors, which have a process of their
 * own, and by tests. The block grows in a memfd; finishing seals it, and from
 * then on nobody, the writer included, can change it.
 *
 *     builder = new
 *     for each part: begin(kind, records of array 0), fill, end   or   carry
 *     finish -> descriptor
 *
 * Array 0 of a part is written in place, since its length is known beforehand;
 * the smaller further arrays and the strings are gathered beside it.
 */
#pragma once

#include "model/snapshot.h"

struct snapshot_builder;

int snapshot_builder_new(struct snapshot_builder **ret_builder,
                         struct error *err);

/* Accepts NULL. */
void snapshot_builder_free(struct snapshot_builder *builder);

/* The header under way: times, versions and names are the caller's to fill;
 * everything about parts is the builder's, but for outcome, error_code, taken,
 * updated, wall and cpu. Valid until the next begin, carry or finish. */
struct snapshot_header *
snapshot_builder_header(struct snapshot_builder *builder);
struct snapshot_part *snapshot_builder_part(struct snapshot_builder *builder,
                                            enum snapshot_part_kind kind);

/*
 * Begin part KIND (each at most once) with at most COUNT records in array 0,
 * zeroed, which start at *RET_RECORDS (NULL when COUNT is 0) and stay put until
 * the part ends.
 */
int snapshot_builder_begin(struct snapshot_builder *builder,
                           enum snapshot_part_kind kind,
                           size_t count,
                           void **ret_records,
                           struct error *err);

/* Append a zeroed record to ARRAY (1 or more) of the part under way; valid
 * until the next add to the same array. RET_INDEX may be NULL. NULL when memory
 * ran out, which end() then reports too. */
void *snapshot_builder_add(struct snapshot_builder *builder,
                           unsigned int array,
                           uint32_t *ret_index);

/*
 * The reference of STRING in the part under way; equal strings share one. NULL
 * and "" give 0. FIELD (below SNAPSHOT_FIELDS_MAX) names the column: a column
 * often repeats the string before, which is then found without hashing.
 */
enum {
    SNAPSHOT_FIELDS_MAX = 16
};
snapshot_string snapshot_builder_string(struct snapshot_builder *builder,
                                        unsigned int field,
                                        const char *string);

/* End the part: USED (<= COUNT) records of array 0 are real. Its outcome
 * becomes FRESH and its time now. On failure the part is dropped as if it had
 * never begun: it can be carried, and others can follow. */
int snapshot_builder_end(struct snapshot_builder *builder,
                         size_t used,
                         struct error *err);

/* Take part KIND over from PREVIOUS, with its old times; nothing when it has
 * none. The outcome is left for the caller. */
int snapshot_builder_carry(struct snapshot_builder *builder,
                           enum snapshot_part_kind kind,
                           const struct snapshot *previous,
                           struct error *err);

/* Seal the block; *RET_FD (a memfd, close-on-exec) is the caller's. The builder
 * can only be freed afterwards. */
int snapshot_builder_finish(struct snapshot_builder *builder,
                            int *ret_fd,
                            struct error *err);
