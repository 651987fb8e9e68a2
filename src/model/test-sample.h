/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests, fuzz targets and their seeds: a small snapshot with something in
 * every record and every reference, and a reader that looks at all of it. The
 * reader is written out by hand, field by field as a view would read, so that
 * it shows what the verifier's table has forgotten.
 */
#pragma once

#include "model/snapshot-build.h"

/* Every part there is. */
#define SAMPLE_ALL_PARTS ((1U << SNAPSHOT_PART_COUNT) - 1)

/* Add the parts of the mask PARTS (1 << kind), COUNT records in array 0 each;
 * with 0 they are loaded and empty. */
int sample_add(struct snapshot_builder *builder,
               unsigned int parts,
               uint32_t count,
               struct error *err);

/* A block of sample_add()'s parts, in memory that the caller frees. */
int sample_new(unsigned int parts,
               uint32_t count,
               void **ret_data,
               size_t *ret_size,
               struct error *err);

/* Copy what is sealed behind FD into memory that the caller frees. */
int sample_read(int fd, void **ret_data, size_t *ret_size, struct error *err);

/* Read every record, run and string; the sum makes sure that nothing is left
 * out by a compiler. */
uint64_t sample_walk(const struct snapshot *snapshot);
