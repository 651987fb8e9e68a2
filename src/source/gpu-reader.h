/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one NVIDIA GPU: its identity, its readings, its instances (MIG), the
 * processes on it. Any call may hang with the GPU, so each reader has a thread
 * of its own (gpu-nvidia.c), and shares nothing with others but the functions
 * of the library.
 *
 * What changes from second to second is read in each cycle; what counts errors
 * or describes the card every SLOW_NS, and is repeated in between.
 */
#pragma once

#include "model/gpu-health.h"
#include "source/gpu-scan.h"
#include "source/nvml.h"

struct gpu_reader {
    const struct nvml *nvml;
    unsigned int index;
    nvml_device device;
    /* The card as it was last seen; record.values hold the slow readings. */
    struct gpu_device_scan card;
    bool known;       /* CARD's identity is */
    int64_t slow_ns;  /* monotonic time of the last slow reading; 0: none */
    uint64_t reasons; /* clock event reasons of the last cycle */
    bool reasons_known;
    /* For rates and ratios: the last counters and when they were read. */
    int64_t counted_ns;
    uint64_t power_ns, software_thermal_ns, hardware_thermal_ns, brake_ns;
    uint64_t nvlink_kib;
    bool counted, nvlink_counted;
    nvml_gpm_sample samples[2]; /* last and the one before; NULL: none */
    bool gpm_asked, gpm;
    unsigned int samples_taken;
    unsigned int slow_readings;
    struct gpu_health health;
    uint64_t process_us;  /* newest sample of process utilization */
    struct gpu_scan scan; /* what this cycle has found */
    int result;           /* of the cycle: enum nvml_result */
};

/* Everything of the GPU into READER->scan, whose devices[0] is the GPU and
 * whose device numbers are its own. Returns enum nvml_result. */
int gpu_reader_read(struct gpu_reader *reader);

void gpu_reader_deinit(struct gpu_reader *reader);

/* ---- for gpu-reader*.c */

/* Fields, ECC, rows, PCIe, NVLink into READER->card's record. */
void gpu_reader_slow(struct gpu_reader *reader);
/* The fields that are read in each cycle into GPU. */
void gpu_reader_fields(struct gpu_reader *reader, struct gpu_record *gpu);
/* The PROF readings, where the card has them. */
void gpu_reader_gpm(struct gpu_reader *reader, struct gpu_record *gpu);
/* Instances into the scan, behind the GPU. */
void gpu_reader_instances(struct gpu_reader *reader);
/* Processes of DEVICE, which is the scan's device NUMBER. */
void gpu_reader_processes(struct gpu_reader *reader,
                          nvml_device device,
                          uint32_t number);
