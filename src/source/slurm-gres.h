/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gathering GRES of one node or job from Slurm's strings into gres_records of
 * the part under way. Equal runs of records are shared: thousands of nodes are
 * alike, and so are jobs.
 */
#pragma once

#include "model/gres.h"
#include "model/snapshot-build.h"

enum {
    GRES_KINDS_MAX = 32, /* of one node or job; what is beyond is left out */
    GRES_NAME_SIZE = 64
};

struct gres_kind {
    char name[GRES_NAME_SIZE];
    char type[GRES_NAME_SIZE];
    uint64_t total;
    uint64_t used;
};

struct gres_set {
    size_t count;
    struct gres_kind kinds[GRES_KINDS_MAX];
};

/* The kind called NAME and TYPE, added with zeroes when it is new; NULL when
 * the set is full. */
struct gres_kind *
gres_set_find(struct gres_set *set, struct slice name, struct slice type);

/* The one kind called NAME, whatever its type; NULL for none or several. */
struct gres_kind *gres_set_find_only(struct gres_set *set, struct slice name);

/* Add TIMES the counts of a GRES string to the totals, or to what is used. An
 * unreadable rest is left out. */
void gres_set_add_total(struct gres_set *set,
                        const char *string,
                        uint64_t times);
void gres_set_add_used(struct gres_set *set, const char *string);

/* Where a name is told both in sum and by type ("gpu" 4, "gpu:h100" 3), leave
 * to the untyped kind what no type accounts for, or nothing. */
void gres_set_split_sums(struct gres_set *set);

/* Write which GPUs of NODE the job with number JOB of its part was given, as
 * job_gpu_records of array 2, by DETAIL: "gpu:h100:2(IDX:0-1)". */
void job_gpus_write(struct snapshot_builder *builder,
                    unsigned int node_field,
                    const char *node,
                    uint32_t job,
                    const char *detail);

/* Write SET as records. NAME_FIELD and the one after it are the columns for
 * snapshot_builder_string(). */
void gres_set_write(const struct gres_set *set,
                    struct snapshot_builder *builder,
                    unsigned int array,
                    unsigned int name_field,
                    uint32_t *ret_first,
                    uint32_t *ret_count);
