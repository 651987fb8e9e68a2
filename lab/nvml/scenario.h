/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated machine is and what is wrong with it, from the file
 * "scenario": lines of words, which lab/README.md lists. lab/gpu writes it;
 * whatever a line says that is not known here is left out.
 */
#pragma once

#include "model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCENARIO_GPUS_MAX = 16,
    SCENARIO_INSTANCES_MAX = 7,
    SCENARIO_FAULTS_MAX = 16,
    SCENARIO_NAME_SIZE = 64
};

/* Numbers that a line "gpu N NAME VALUE" sets; each is 0 at first. */
enum setting {
    SETTING_LOST,           /* every call on it says so (15) */
    SETTING_MISSING,        /* not even counted */
    SETTING_RESET_REQUIRED, /* measures nothing until it is reset (16) */
    SETTING_ECC_CORRECTED,
    SETTING_ECC_UNCORRECTED,
    SETTING_ROWS_CORRECTED,
    SETTING_ROWS_UNCORRECTED,
    SETTING_ROW_REMAP_PENDING,
    SETTING_ROW_REMAP_FAILED,
    SETTING_PAGES_SINGLE,
    SETTING_PAGES_DOUBLE,
    SETTING_PAGES_PENDING,
    SETTING_PCIE_WIDTH, /* now; 0: all that it has */
    SETTING_PCIE_GENERATION,
    SETTING_PCIE_REPLAYS,
    SETTING_PCIE_ERRORS,
    SETTING_NVLINKS_DOWN, /* how many, counted from the last */
    SETTING_NVLINK_CRC,
    SETTING_NVLINK_REPLAYS,
    SETTING_NVLINK_RECOVERIES,
    SETTING_RECOVERY_ACTION,
    SETTING_VGPU_LICENSE, /* 1: needed, and there; 2: needed, and not there */
    SETTING_THERMAL_SINCE_MS, /* slowed down by heat since; 0: it is not */
    SETTING_THERMAL_MS,       /* and for so long before */
    SETTING_BRAKE_SINCE_MS,   /* the same by the power supply */
    SETTING_BRAKE_MS,
    SETTING_COUNT
};

/* What a call on a GPU does in place of its work. */
struct fault {
    char call[SCENARIO_NAME_SIZE]; /* "nvmlDeviceGetPowerUsage", "any" */
    int result;                    /* FAULT_HANGS: none, ever */
};

enum {
    FAULT_HANGS = -1
};

/* A part of a GPU that MIG has split. */
struct instance {
    char profile[16]; /* "1g.10gb" */
    uint32_t id;
    uint32_t slices;
    uint32_t memory_mib;
};

struct simulated_gpu {
    const struct model *model; /* NULL: no such GPU */
    uint64_t settings[SETTING_COUNT];
    struct fault faults[SCENARIO_FAULTS_MAX];
    size_t fault_count;
    bool mig;
    struct instance instances[SCENARIO_INSTANCES_MAX];
    uint32_t instance_count;
};

struct scenario {
    bool exists;
    char machine[SCENARIO_NAME_SIZE]; /* serial numbers follow from it */
    char driver[SCENARIO_NAME_SIZE];
    uint64_t since_ms;             /* when the machine was switched on */
    uint32_t process_record_bytes; /* 24, or 32 as some drivers had */
    struct fault faults[SCENARIO_FAULTS_MAX]; /* of calls on no GPU */
    size_t fault_count;
    struct simulated_gpu gpus[SCENARIO_GPUS_MAX]; /* by /dev/nvidiaN */
};

/* From PATH; one without GPUs when there is no such file. */
void scenario_read(const char *path, struct scenario *ret_scenario);

/* What CALL is to do in place of its work; NULL: its work. */
const struct fault *
fault_find(const struct fault *faults, size_t count, const char *call);
