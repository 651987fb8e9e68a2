/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of nodes and jobs, in one numbering of our own: that of slurm.h of
 * Slurm 26.05, from which older versions differ in a few bits. The Slurm
 * source translates; everything else knows only these names.
 *
 * A state is a base state in the low bits plus flags. The old exporters folded
 * both into one word and lost the flags; here a node has exactly one base
 * state and any number of flags.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum node_base {
    NODE_BASE_UNKNOWN,
    NODE_BASE_DOWN,
    NODE_BASE_IDLE,
    NODE_BASE_ALLOCATED,
    NODE_BASE_ERROR, /* unused by every Slurm of today */
    NODE_BASE_MIXED,
    NODE_BASE_FUTURE,
    NODE_BASE_COUNT
};

#define NODE_BASE_MASK UINT32_C(0xf)

/* Bit numbers; NODE_FLAG(name) is the mask. */
enum node_flag_bit {
    NODE_FLAG_BIT_EXTERNAL = 4,
    NODE_FLAG_BIT_RESERVED = 5,
    NODE_FLAG_BIT_UNDRAIN = 6,
    NODE_FLAG_BIT_CLOUD = 7,
    NODE_FLAG_BIT_RESUME = 8,
    NODE_FLAG_BIT_DRAIN = 9,
    NODE_FLAG_BIT_COMPLETING = 10,
    NODE_FLAG_BIT_NOT_RESPONDING = 11,
    NODE_FLAG_BIT_POWERED_DOWN = 12,
    NODE_FLAG_BIT_FAIL = 13,
    NODE_FLAG_BIT_POWERING_UP = 14,
    NODE_FLAG_BIT_MAINTENANCE = 15,
    NODE_FLAG_BIT_REBOOT_REQUESTED = 16,
    NODE_FLAG_BIT_REBOOT_CANCEL = 17,
    NODE_FLAG_BIT_POWERING_DOWN = 18,
    NODE_FLAG_BIT_DYNAMIC_FUTURE = 19,
    NODE_FLAG_BIT_REBOOT_ISSUED = 20,
    NODE_FLAG_BIT_PLANNED = 21,
    NODE_FLAG_BIT_INVALID_REG = 22,
    NODE_FLAG_BIT_POWER_DOWN = 23,
    NODE_FLAG_BIT_POWER_UP = 24,
    NODE_FLAG_BIT_POWER_DRAIN = 25,
    NODE_FLAG_BIT_DYNAMIC_NORMAL = 26,
    NODE_FLAG_BIT_BLOCKED = 27,
    NODE_FLAG_BIT_END
};

enum {
    NODE_FLAG_BIT_FIRST = NODE_FLAG_BIT_EXTERNAL,
    NODE_FLAG_COUNT = NODE_FLAG_BIT_END - NODE_FLAG_BIT_FIRST
};

#define NODE_FLAG(name) (UINT32_C(1) << NODE_FLAG_BIT_##name)

enum job_base {
    JOB_BASE_PENDING,
    JOB_BASE_RUNNING,
    JOB_BASE_SUSPENDED,
    JOB_BASE_COMPLETED,
    JOB_BASE_CANCELLED,
    JOB_BASE_FAILED,
    JOB_BASE_TIMEOUT,
    JOB_BASE_NODE_FAIL,
    JOB_BASE_PREEMPTED,
    JOB_BASE_BOOT_FAIL,
    JOB_BASE_DEADLINE,
    JOB_BASE_OUT_OF_MEMORY,
    JOB_BASE_COUNT
};

#define JOB_BASE_MASK UINT32_C(0xff)

enum job_flag_bit {
    JOB_FLAG_BIT_LAUNCH_FAILED = 8,
    JOB_FLAG_BIT_UPDATE_DB = 9,
    JOB_FLAG_BIT_REQUEUED = 10,
    JOB_FLAG_BIT_REQUEUE_HOLD = 11,
    JOB_FLAG_BIT_SPECIAL_EXIT = 12,
    JOB_FLAG_BIT_RESIZING = 13,
    JOB_FLAG_BIT_CONFIGURING = 14,
    JOB_FLAG_BIT_COMPLETING = 15,
    JOB_FLAG_BIT_STOPPED = 16,
    JOB_FLAG_BIT_RECONFIG_FAIL = 17,
    JOB_FLAG_BIT_POWER_UP_NODE = 18,
    JOB_FLAG_BIT_REVOKED = 19,
    JOB_FLAG_BIT_REQUEUE_FED = 20,
    JOB_FLAG_BIT_RESV_DEL_HOLD = 21,
    JOB_FLAG_BIT_SIGNALING = 22,
    JOB_FLAG_BIT_STAGE_OUT = 23,
    JOB_FLAG_BIT_EXPEDITING = 24, /* 25.11; another meaning in 20.11 */
    JOB_FLAG_BIT_END
};

enum {
    JOB_FLAG_BIT_FIRST = JOB_FLAG_BIT_LAUNCH_FAILED,
    JOB_FLAG_COUNT = JOB_FLAG_BIT_END - JOB_FLAG_BIT_FIRST
};

#define JOB_FLAG(name) (UINT32_C(1) << JOB_FLAG_BIT_##name)

static inline enum node_base node_state_base(uint32_t state)
{
    uint32_t base = state & NODE_BASE_MASK;
    return base < NODE_BASE_COUNT ? (enum node_base)base : NODE_BASE_UNKNOWN;
}

/* JOB_BASE_COUNT for a base that this program does not know. */
static inline enum job_base job_state_base(uint32_t state)
{
    uint32_t base = state & JOB_BASE_MASK;
    return base < JOB_BASE_COUNT ? (enum job_base)base : JOB_BASE_COUNT;
}

/* Lower-case names as label values, indexed by base state, or by flag bit less
 * the first bit. */
extern const char *const node_base_names[NODE_BASE_COUNT];
extern const char *const node_flag_names[NODE_FLAG_COUNT];
extern const char *const job_base_names[JOB_BASE_COUNT];
extern const char *const job_flag_names[JOB_FLAG_COUNT];

/*
 * The one word that `sinfo -o %T` prints for a node, in lower case, with its
 * suffix character ("idle*", "mixed-", "draining"); exporters.md tells its
 * order of precedence. Kept because vpenso's metrics are labelled with it.
 * BUFFER has NODE_STATE_TEXT_SIZE bytes; returns BUFFER.
 */
enum {
    NODE_STATE_TEXT_SIZE = 32
};
char *node_state_text(uint32_t state, char *buffer);

/*
 * What `squeue -o %T` shows for a job: the flag that wins over the base state,
 * or the base state. Each is a bucket of vpenso's slurm_queue_*, or OTHER.
 */
enum job_shown {
    JOB_SHOWN_PENDING,
    JOB_SHOWN_RUNNING,
    JOB_SHOWN_SUSPENDED,
    JOB_SHOWN_COMPLETED,
    JOB_SHOWN_CANCELLED,
    JOB_SHOWN_FAILED,
    JOB_SHOWN_TIMEOUT,
    JOB_SHOWN_NODE_FAIL,
    JOB_SHOWN_PREEMPTED,
    JOB_SHOWN_BOOT_FAIL,
    JOB_SHOWN_DEADLINE,
    JOB_SHOWN_OUT_OF_MEMORY,
    JOB_SHOWN_COMPLETING,
    JOB_SHOWN_CONFIGURING,
    JOB_SHOWN_OTHER,
    JOB_SHOWN_COUNT
};
enum job_shown job_state_shown(uint32_t state);
