/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of conversions share: libslurm's records are filled by hand,
 * converted, sealed, opened again as a reader would, and compared. No
 * controller has a part in it.
 */
#pragma once

#include "base/test.h"

#include "model/state.h"
#include "source/mapped-snapshot.h"
#include "source/slurm-parts.h"

extern struct error convert_error;
extern struct slurm_request convert_request;
extern struct mapped_snapshot *convert_mapped; /* after convert_open() */

int convert_set_up(void **state);
int convert_tear_down(void **state);

/* Seal what was converted and open it. */
void convert_open(void);

/* The records of an array, which must be COUNT. */
const void *
convert_records(enum snapshot_part_kind kind, unsigned int array, size_t count);

const char *convert_text(enum snapshot_part_kind kind, snapshot_string string);

/* A field of libslurm's that wants a char *. */
static inline char *chars(const char *string)
{
    return (char *)(uintptr_t)string;
}

#define CONVERT_TEST(function)                                                 \
    cmocka_unit_test_setup_teardown(function, convert_set_up, convert_tear_down)
