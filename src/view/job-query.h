/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which jobs of the list are asked for, in which order, and which page of them:
 * the parameters of /api/v1/jobs. Reading them is strict: what is not known or
 * makes no sense is refused with a sentence. The walk is over the snapshot's
 * records, a hundred thousand in a few milliseconds.
 */
#pragma once

#include "base/error.h"
#include "view/records.h"

struct job_query {
    /* "" for any; the strings are the caller's. STATE may name several, with
     * commas; SEARCH is looked for in number, name, user, account, partition
     * and nodes, whatever the case. */
    const char *state, *user, *account, *partition, *node, *search;
    int sort;        /* a field's number; negative: as Slurm lists them */
    bool descending; /* of the sort */
    bool csv;
    uint64_t offset, limit; /* LIMIT 0: all */
    uint32_t given;         /* parameters that were set */
};

#define JOB_QUERY_INIT                                                         \
    {                                                                          \
        .state = "", .user = "", .account = "", .partition = "", .node = "",   \
        .search = "", .sort = -1                                               \
    }

/* Set parameter NAME. 1: done; 0: it is no parameter of jobs; -EINVAL: ERR says
 * what is wrong with it. */
int job_query_set(struct job_query *query,
                  const char *name,
                  const char *value,
                  struct error *err);

/* The jobs of SOURCE that QUERY asks for, as indices of job records in the
 * order of the answer: RET_COUNT of the page at RET_INDICES (the caller frees
 * them), RET_TOTAL in all. 0 or -ENOMEM. */
int job_query_run(const struct job_query *query,
                  const struct record_source *source,
                  uint32_t **ret_indices,
                  size_t *ret_count,
                  size_t *ret_total);

/* The jobs as a table for spreadsheets (RFC 4180), with a line of names. */
void job_query_print_csv(const struct record_source *source,
                         const uint32_t *indices,
                         size_t count,
                         struct text *out);
