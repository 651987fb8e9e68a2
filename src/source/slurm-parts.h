/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a snapshot that come from slurmctld, one file each. A load
 * function makes the request, converts the answer and frees it; the convert
 * functions know nothing of requests, so that tests can feed them.
 */
#pragma once

#include "model/snapshot-build.h"
#include "source/slurm-compat.h"
#include "source/slurm-users.h"

#include <slurm/slurm_errno.h>

/* slurm.h's macros of these names would eat the model's constants. */
#undef PARTITION_UP
#undef PARTITION_DOWN
#undef PARTITION_DRAIN
#undef PARTITION_INACTIVE

struct slurm_request {
    struct snapshot_builder *builder;
    struct user_names *users;
    time_t known_s;  /* the controller's time of what we have; 0: all anew */
    uint32_t wanted; /* COLLECTOR_WANTS_* */
};

/*
 * What a load or a convert function returns: 0 when the part is written, or a
 * negative errno with ERR when this process failed. Or, from load functions
 * only, one of these; for FAILED, errno is Slurm's own number.
 */
enum slurm_load_result {
    SLURM_LOAD_UNCHANGED = 1,
    SLURM_LOAD_FAILED = 2
};

typedef int slurm_part_load(struct slurm_request *request, struct error *err);

slurm_part_load slurm_nodes_load;
slurm_part_load slurm_jobs_load;
slurm_part_load slurm_partitions_load;
slurm_part_load slurm_statistics_load;
slurm_part_load slurm_reservations_load;
slurm_part_load slurm_licenses_load;
slurm_part_load slurm_associations_load;

int slurm_nodes_convert(struct slurm_request *request,
                        const node_info_msg_t *message,
                        struct error *err);
int slurm_jobs_convert(struct slurm_request *request,
                       const job_info_msg_t *message,
                       struct error *err);
int slurm_partitions_convert(struct slurm_request *request,
                             const partition_info_msg_t *message,
                             struct error *err);
int slurm_statistics_convert(struct slurm_request *request,
                             const stats_info_response_msg_t *message,
                             struct error *err);
int slurm_reservations_convert(struct slurm_request *request,
                               const reserve_info_msg_t *message,
                               struct error *err);
int slurm_licenses_convert(struct slurm_request *request,
                           const license_info_msg_t *message,
                           struct error *err);
int slurm_associations_convert(struct slurm_request *request,
                               const assoc_mgr_info_msg_t *message,
                               struct error *err);

/* What the return value R of a libslurm call means: 0, or a slurm_load_result.
 * Some calls return the error's number and leave errno, others -1. */
int slurm_call_result(int r);

/* slurm.h's time 0, or its NO_VAL, is "never" here. */
static inline int64_t slurm_time(time_t when)
{
    return when == (time_t)NO_VAL || when == (time_t)INFINITE ? 0 : when;
}

/* "REQUEST_JOB_INFO" for 2003; BUFFER (SLURM_RPC_NAME_SIZE bytes) is used for
 * numbers that have no name, "RPC_4711". */
enum {
    SLURM_RPC_NAME_SIZE = 16
};
const char *slurm_rpc_name(unsigned int type, char *buffer);
