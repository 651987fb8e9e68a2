/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading Slurm's GRES strings: what a node has, what is used of it, what a
 * job asked for. All the forms that 20.11 to 26.05 print are understood:
 *
 *     gpu:4                         untyped
 *     gpu:a100:4(S:0-1)             typed, with a note in parentheses
 *     gpu:a100:2(IDX:0,3-5)         commas inside the parentheses
 *     gpu:(null):0(IDX:N/A)         no type, spelled out
 *     shard:a100:8(4/8,4/8)         shared
 *     gpu:a100_1g.10gb:7            a MIG profile is a type
 *     lustre:no_consume:4G          a count with a binary suffix
 *     gres:gpu:2   gres/gpu:a100=2  the prefixes of job requests
 *     gpu                           one
 *     (null)                        nothing
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody else's string; not zero-terminated. */
struct slice {
    const char *data;
    size_t size;
};

struct gres_item {
    struct slice name;
    struct slice type; /* size 0: untyped */
    struct slice note; /* inside the parentheses; size 0: none */
    uint64_t count;
};

struct gres_reader {
    const char *at;
};

static inline struct gres_reader gres_read(const char *string)
{
    return (struct gres_reader){.at = string ? string : ""};
}

/* 1 and the next item; 0 at the end; -EINVAL when what follows cannot be read
 * (the reader then stays at its end). The slices point into the string. */
int gres_next(struct gres_reader *reader, struct gres_item *ret_item);

/* The numbers in a note "IDX:0,3-5": which of a node's devices they are, in the
 * order of gres.conf. */
struct gres_indices {
    const char *at, *end;
    uint32_t next, last; /* of the range under way; NEXT above LAST: none */
};
struct gres_indices gres_indices(struct slice note);

/* False at the end, and where it cannot be read. */
bool gres_indices_next(struct gres_indices *indices, uint32_t *ret_index);

/* Copy SLICE into BUFFER as a string, cut to fit; returns BUFFER. */
char *slice_copy(struct slice slice, char *buffer, size_t size);

/* Read "16", "4G", "1.5T" (binary suffixes K M G T P, either case) to the end
 * of SLICE. 0, -EINVAL when it is no number, -ERANGE when it is too large. */
int slice_number(struct slice slice, uint64_t *ret_value);
