/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a snapshot that gpu-exporter takes: the GPUs of one machine,
 * what has happened to them, and the jobs and processes on them. The rules of
 * snapshot.h hold: strings first, absent is not zero, references by number.
 *
 * Which readings there are is gpu-reading.h's affair.
 */
#pragma once

#include "model/snapshot.h"

/* ---- GPUs: 0 gpu_record, 1 xid_record, 2 gpu_event_record, 3 gpu_machine --
 */

enum {
    /* More than enum gpu_reading has (gpu-reading.h), so that a new reading
     * does not change the record. */
    GPU_READINGS_MAX = 128,
    GPU_PEERS_MAX = 16, /* as many as NVLink joins in one machine */
    GPU_WATCHES_MAX = 16
};

#define GPU_NONE UINT32_MAX

enum gpu_vendor {
    GPU_VENDOR_NVIDIA,
    GPU_VENDOR_AMD
};

enum gpu_state {
    GPU_STATE_UP,
    GPU_STATE_LOST,     /* known of old; the driver says it is lost, or no more
                           names it */
    GPU_STATE_HUNG,     /* a call on it has not returned in its time */
    GPU_STATE_RESET,    /* the driver wants a reset before it goes on */
    GPU_STATE_FAILED,   /* another error, named in "trouble" */
    GPU_STATE_RELEASED, /* let go of on purpose: gpu-exporter release */
    GPU_STATE_COUNT
};

enum {
    GPU_FLAG_MIG = 1 << 0,      /* split into instances, which follow */
    GPU_FLAG_INSTANCE = 1 << 1, /* is an instance; "parent" is the GPU */
    GPU_FLAG_SIMULATED = 1 << 2 /* says so of itself */
};

/* Whether a GPU reaches another by NVLink, as NVML numbers it, and 1. */
enum gpu_peer {
    GPU_PEER_UNKNOWN, /* not asked, or no answer */
    GPU_PEER_OK,
    GPU_PEER_CHIPSET,
    GPU_PEER_GPU,
    GPU_PEER_TOPOLOGY,
    GPU_PEER_REGKEY,
    GPU_PEER_NOT_SUPPORTED,
    GPU_PEER_UNSURE,
    GPU_PEER_COUNT
};

/* What DCGM's health module watches. It has no rule for PMU, MCU, SM and
 * DRIVER, and so these always pass. */
enum gpu_watch {
    GPU_WATCH_PCIE,
    GPU_WATCH_NVLINK,
    GPU_WATCH_PMU,
    GPU_WATCH_MCU,
    GPU_WATCH_MEMORY,
    GPU_WATCH_SM,
    GPU_WATCH_INFOROM,
    GPU_WATCH_THERMAL,
    GPU_WATCH_POWER,
    GPU_WATCH_DRIVER,
    GPU_WATCH_COUNT
};

/* The worst of what a watch has found (gpu-health.h). */
enum gpu_finding {
    GPU_FINDING_NONE,
    GPU_FINDING_PCIE_REPLAYS,
    GPU_FINDING_NVLINK_ERRORS,
    GPU_FINDING_NVLINK_CRC_ERRORS,
    GPU_FINDING_NVLINK_CRITICAL,
    GPU_FINDING_NVLINK_DOWN,
    GPU_FINDING_PAGES_PENDING,
    GPU_FINDING_DOUBLE_BIT_ERROR,
    GPU_FINDING_PAGES_LIMIT,
    GPU_FINDING_ROW_REMAP_FAILED,
    GPU_FINDING_UNCONTAINED,
    GPU_FINDING_INFOROM_CORRUPT,
    GPU_FINDING_THROTTLED_BY_HEAT,
    GPU_FINDING_THROTTLED_BY_POWER,
    GPU_FINDING_POWER_UNREADABLE,
    GPU_FINDING_COUNT
};

/* A reading of enum gpu_reading: gpu_readings[] says which of the two. */
union gpu_value {
    uint64_t integer;
    double real;
};

/* A GPU, or an instance of one (MIG). A GPU that is not up keeps its identity
 * and its state; its readings are absent. */
struct gpu_record {
    snapshot_string uuid; /* "GPU-…", "MIG-…"; AMD: unique_id in hex */
    snapshot_string pci_bus_id; /* "00000000:07:00.0" */
    snapshot_string model;      /* "NVIDIA H100 80GB HBM3" */
    snapshot_string serial;
    snapshot_string brand;
    snapshot_string vbios_version;
    snapshot_string inforom_image;
    snapshot_string inforom_oem;
    snapshot_string inforom_ecc;
    snapshot_string inforom_power;
    snapshot_string profile; /* of an instance: "1g.10gb" */
    snapshot_string trouble; /* why it is not up; for a person */
    uint32_t state;          /* enum gpu_state */
    uint32_t vendor;         /* enum gpu_vendor */
    uint32_t index;          /* NVML's, or AMD's order by PCI; of the parent */
    uint32_t minor;          /* of /dev/nvidiaN, renderDN; GPU_NONE: unknown */
    uint32_t flags;          /* GPU_FLAG_* */
    uint32_t parent;       /* record of an instance's GPU; GPU_NONE: is a GPU */
    uint32_t gpu_instance; /* GPU_NONE: none */
    uint32_t compute_instance;       /* GPU_NONE: none */
    int64_t taken_ns;                /* real time of the readings */
    uint8_t peers[GPU_PEERS_MAX];    /* enum gpu_peer, by the other's index */
    uint8_t health[GPU_WATCHES_MAX]; /* enum gpu_finding, by enum gpu_watch */
    uint64_t has[GPU_READINGS_MAX / 64];
    union gpu_value values[GPU_READINGS_MAX];
};

/* How often a GPU has had an Xid since the first collector started. */
struct xid_record {
    snapshot_string text; /* what the code means, in short */
    uint32_t gpu;         /* record of array 0; never an instance */
    uint32_t code;
    uint32_t reserved;
    uint64_t count;
    int64_t last_s; /* real time */
};

enum gpu_event_kind {
    GPU_EVENT_XID,   /* code: the Xid */
    GPU_EVENT_CLOCK, /* code: a bit number of the clock event reasons */
    GPU_EVENT_COUNT
};

/* What happened lately, oldest first: what windows are counted from. */
struct gpu_event_record {
    uint32_t kind; /* enum gpu_event_kind */
    uint32_t gpu;  /* record of array 0 */
    uint32_t code;
    uint32_t reserved;
    int64_t time_ns; /* real time */
};

/* One record: what is true of the machine. */
struct gpu_machine_record {
    snapshot_string driver_version; /* NVIDIA's */
    snapshot_string nvml_version;
    snapshot_string cuda_version;
    snapshot_string amd_driver_version;
    snapshot_string trouble; /* why there is nothing; "": all is well */
    uint32_t expected;       /* GPUs that were ever seen here, instances not */
    uint32_t visible;        /* of them the driver names now */
    uint32_t released;       /* 1: let go of on purpose */
};

/* ---- use of GPUs: 0 gpu_job_record, 1 gpu_process_record, 2 host_job_record
 */

enum {
    GPU_JOB_HOLDS = 1 << 0, /* allocated to it, as far as is known */
    GPU_JOB_USES = 1 << 1,  /* has processes on it */
    /* What tells. */
    GPU_JOB_FROM_CGROUP = 1 << 2,
    GPU_JOB_FROM_ENVIRONMENT = 1 << 3,
    GPU_JOB_FROM_PARENT = 1 << 4,
    GPU_JOB_FROM_HOOK = 1 << 5,        /* our own prolog's file */
    GPU_JOB_FROM_MAPPING_DIR = 1 << 6, /* DCGM_HPC_JOB_MAPPING_DIR */
    GPU_JOB_FROM_GPUSTAT = 1 << 7,     /* /run/gpustat */
    /* What does not fit. */
    GPU_JOB_STALE = 1 << 8,   /* a file names it, and it does not run here */
    GPU_JOB_IDLE = 1 << 9,    /* holds it, no process of it is there */
    GPU_JOB_FOREIGN = 1 << 10 /* uses it, another job holds it */
};

/* One job on one GPU or instance; several where GPUs are shared. A job_id of 0
 * stands for processes that belong to no job. */
struct gpu_job_record {
    snapshot_string job; /* as users write it: "17", "17_3", "17+1" */
    snapshot_string user;
    snapshot_string account;
    snapshot_string partition;
    snapshot_string name;
    snapshot_string step; /* of its newest process; "" unknown */
    uint32_t gpu;         /* record of SNAPSHOT_GPUS, array 0 */
    uint32_t job_id;
    uint32_t user_id;
    uint32_t flags; /* GPU_JOB_* */
    uint32_t processes;
    uint32_t reserved;
    uint64_t memory_bytes; /* of its processes; UINT64_MAX: unknown */
    int64_t since_s;       /* start of its oldest process here; 0: unknown */
};

struct gpu_process_record {
    snapshot_string command; /* of /proc/PID/comm */
    snapshot_string user;
    uint32_t gpu;
    uint32_t job_record; /* of array 0; GPU_NONE: not known */
    uint32_t pid;
    uint32_t user_id;
    uint64_t memory_bytes; /* UINT64_MAX: unknown */
    uint32_t sm_percent;   /* GPU_NONE: unknown */
    uint32_t graphics;     /* 1: not a compute process */
};

/* What a job uses of this machine beside GPUs, whether it has any or not. */
struct host_job_record {
    snapshot_string job; /* as in gpu_job_record */
    snapshot_string user;
    uint32_t job_id;
    uint32_t processes;
    uint64_t cpu_ms; /* since we first saw it */
    uint64_t memory_bytes;
};
