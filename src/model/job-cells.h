/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that are alike: same user, account, QOS, partition, state, reason and
 * GPU type. A hundred thousand jobs are some hundreds or thousands of such
 * cells, so that a job costs one look-up here, and everything that is counted
 * by user, by partition and so on is counted cell by cell.
 */
#pragma once

#include "model/rows.h"
#include "model/snapshot.h"

/* Without padding: compared as memory. */
struct job_cell_key {
    snapshot_string user, account, qos, partition, reason;
    snapshot_string gpu_type;
    uint32_t state;
    uint16_t held;     /* 1: waits with priority zero */
    uint16_t has_gpus; /* 1: gpu_type says something, be it "untyped" */
};

struct job_cell {
    struct job_cell_key key;
    uint64_t tasks; /* array tasks count one by one */
    uint64_t cpus;  /* of all tasks, given or asked for; the rest likewise */
    uint64_t gpus;
    uint64_t nodes;
    uint64_t memory_mib;
    uint32_t nodes_least, nodes_most; /* of one task */
    int64_t oldest_submit_s;          /* 0: unknown */
};

struct job_cell_slot {
    uint32_t cell; /* index + 1 into cells; 0: free */
    uint32_t hash; /* of the cell's key */
};

struct job_cells {
    struct rows cells; /* struct job_cell */
    struct job_cell_slot *slots;
    size_t slot_count;
};

void job_cells_deinit(struct job_cells *cells);

/* Group the COUNT records at JOBS, whose generic resources are at GRES; STRINGS
 * finds their text. A job with GPUs of several types is in the cell of the
 * first and adds GPUs alone to the others'. False when memory ran out. */
bool job_cells_add(struct job_cells *cells,
                   const struct snapshot *snapshot,
                   const struct job_record *jobs,
                   size_t count,
                   const struct gres_record *gres);

#define JOB_CELLS_INIT                                                         \
    {                                                                          \
        .cells = ROWS_OF(struct job_cell)                                      \
    }
