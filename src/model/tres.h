/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading Slurm's TRES strings, "cpu=4,mem=16G,node=1,gres/gpu:a100=2": what a
 * job asked for or has, what a node has, what a limit allows.
 */
#pragma once

#include "model/gres.h"

struct tres_item {
    struct slice name; /* "cpu", "mem", "gres/gpu:a100", "license/matlab" */
    uint64_t value;    /* "mem" in MiB, everything else as counted */
};

struct tres_reader {
    const char *at;
};

static inline struct tres_reader tres_read(const char *string)
{
    return (struct tres_reader){.at = string ? string : ""};
}

/* 1 and the next item; 0 at the end; -EINVAL when what follows cannot be read
 * (the reader then stays at its end). Slices point into the string. */
int tres_next(struct tres_reader *reader, struct tres_item *ret_item);
