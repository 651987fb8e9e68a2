/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read from a GPU: one list, from which come the place of a reading in
 * struct gpu_record, the names under which it is served, the collectors that a
 * CSV file may name, and the reference in doc/. To add a reading: a line here,
 * and the line of a source that calls gpu_set_integer() or gpu_set_real().
 *
 * The first name is the one that dashboards in the field use; the second is the
 * one that DCGM 4.6.0 gave the same field (gpu.md 1.2), NULL where it kept the
 * first. Help texts of DCGM's fields are part of the drop-in contract (gpu.md
 * 1.1); those of our own are our own. Units are those of the page.
 */
#pragma once

#include "model/gpu-record.h"

#include <stdbool.h>

/* How a reading is printed: "%d" and "%f" are part of the contract too. */
enum gpu_reading_kind {
    GPU_INTEGER,
    GPU_REAL
};

enum gpu_reading_group {
    GPU_GROUP_DCGM,      /* enabled by default in dcgm-exporter */
    GPU_GROUP_DCGM_MORE, /* known to dcgm-exporter, off by default there */
    GPU_GROUP_OWN,       /* ours; on */
    GPU_GROUP_AMD,       /* names of AMD's exporter; on where there is AMD */
    GPU_GROUP_COUNT
};

/* R(identifier, group, kind, type, name, new name or NULL, help) */
/* clang-format off */
#define GPU_READINGS(R) \
    R(SM_CLOCK_MHZ, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_SM_CLOCK", NULL, "SM clock frequency (in MHz).") \
    R(MEMORY_CLOCK_MHZ, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_MEM_CLOCK", NULL, "Memory clock frequency (in MHz).") \
    R(MEMORY_TEMPERATURE_C, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_MEMORY_TEMP", "DCGM_FI_DEV_MEMORY_TEMP_CELSIUS", "Memory temperature (in C).") \
    R(TEMPERATURE_C, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS", "GPU temperature (in C).") \
    R(POWER_WATTS, DCGM, REAL, GAUGE, "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_BOARD_POWER_WATTS", "Power draw (in W).") \
    R(ENERGY_MJ, DCGM, INTEGER, COUNTER, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", NULL, "Total energy consumption since boot (in mJ).") \
    R(PCIE_REPLAYS, DCGM, INTEGER, COUNTER, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "DCGM_FI_DEV_PCIE_REPLAY_TOTAL", "Total number of PCIe retries.") \
    R(UTILIZATION_PERCENT, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL_RATIO", "GPU utilization (in %).") \
    R(MEMORY_UTILIZATION_PERCENT, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_MEM_COPY_UTIL", NULL, "Memory utilization (in %).") \
    R(ENCODER_PERCENT, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_ENC_UTIL", NULL, "Encoder utilization (in %).") \
    R(DECODER_PERCENT, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_DEC_UTIL", NULL, "Decoder utilization (in %).") \
    R(LAST_XID, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR", "Value of the last XID error encountered.") \
    R(MEMORY_FREE_MIB, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_FB_FREE", NULL, "Framebuffer memory free (in MiB).") \
    R(MEMORY_USED_MIB, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_FB_USED", NULL, "Framebuffer memory used (in MiB).") \
    R(MEMORY_RESERVED_MIB, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_FB_RESERVED", NULL, "Framebuffer memory reserved (in MiB).") \
    R(NVLINK_BANDWIDTH, DCGM, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "DCGM_FI_DEV_NVLINK_THROUGHPUT_TOTAL", "Total number of NVLink bandwidth counters for all lanes.") \
    R(VGPU_LICENSE, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_VGPU_LICENSE_STATUS", NULL, "vGPU License status") \
    R(ROWS_REMAPPED_UNCORRECTABLE, DCGM, INTEGER, COUNTER, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL", "Number of remapped rows for uncorrectable errors") \
    R(ROWS_REMAPPED_CORRECTABLE, DCGM, INTEGER, COUNTER, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "DCGM_FI_DEV_ROW_REMAP_CORRECTABLE_TOTAL", "Number of remapped rows for correctable errors") \
    R(ROW_REMAP_FAILED, DCGM, INTEGER, GAUGE, "DCGM_FI_DEV_ROW_REMAP_FAILURE", "DCGM_FI_DEV_ROW_REMAP_FAILED", "Whether remapping of rows has failed") \
    R(GRAPHICS_ACTIVE, DCGM, REAL, GAUGE, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", "Ratio of time the graphics engine is active.") \
    R(TENSOR_ACTIVE, DCGM, REAL, GAUGE, "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_TENSOR_UTIL_RATIO", "Ratio of cycles the tensor (HMMA) pipe is active.") \
    R(DRAM_ACTIVE, DCGM, REAL, GAUGE, "DCGM_FI_PROF_DRAM_ACTIVE", "DCGM_FI_PROF_DRAM_UTIL_RATIO", "Ratio of cycles the device memory interface is active sending or receiving data.") \
    R(PCIE_SENT_BYTES_PER_SECOND, DCGM, INTEGER, GAUGE, "DCGM_FI_PROF_PCIE_TX_BYTES", NULL, "The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.") \
    R(PCIE_RECEIVED_BYTES_PER_SECOND, DCGM, INTEGER, GAUGE, "DCGM_FI_PROF_PCIE_RX_BYTES", NULL, "The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.") \
    R(POWER_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_POWER_VIOLATION", NULL, "Throttling duration due to power constraints (in ns).") \
    R(THERMAL_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_THERMAL_VIOLATION", NULL, "Throttling duration due to thermal constraints (in ns).") \
    R(SYNC_BOOST_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_SYNC_BOOST_VIOLATION", NULL, "Throttling duration due to sync-boost constraints (in ns).") \
    R(BOARD_LIMIT_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_BOARD_LIMIT_VIOLATION", NULL, "Throttling duration due to board limit constraints (in ns).") \
    R(LOW_UTIL_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_LOW_UTIL_VIOLATION", NULL, "Throttling duration due to low utilization (in ns).") \
    R(RELIABILITY_VIOLATION_NS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_RELIABILITY_VIOLATION", NULL, "Throttling duration due to reliability constraints (in ns).") \
    R(ECC_SBE_VOLATILE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", NULL, "Total number of single-bit volatile ECC errors.") \
    R(ECC_DBE_VOLATILE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", NULL, "Total number of double-bit volatile ECC errors.") \
    R(ECC_SBE_AGGREGATE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", NULL, "Total number of single-bit persistent ECC errors.") \
    R(ECC_DBE_AGGREGATE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", NULL, "Total number of double-bit persistent ECC errors.") \
    R(PAGES_RETIRED_SBE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_RETIRED_SBE", "DCGM_FI_DEV_PAGE_RETIRED_SBE_TOTAL", "Total number of retired pages due to single-bit errors.") \
    R(PAGES_RETIRED_DBE, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_RETIRED_DBE", "DCGM_FI_DEV_PAGE_RETIRED_DBE_TOTAL", "Total number of retired pages due to double-bit errors.") \
    R(PAGES_PENDING, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_RETIRED_PENDING", "DCGM_FI_DEV_PAGE_RETIRED_PENDING", "Total number of pages pending retirement.") \
    R(NVLINK_CRC_FLIT_ERRORS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_TOTAL", "Total number of NVLink flow-control CRC errors.") \
    R(NVLINK_CRC_DATA_ERRORS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", "DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_TOTAL", "Total number of NVLink data CRC errors.") \
    R(NVLINK_REPLAY_ERRORS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_TOTAL", "Total number of NVLink retries.") \
    R(NVLINK_RECOVERY_ERRORS, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_TOTAL", "Total number of NVLink recovery errors.") \
    R(NVLINK_BANDWIDTH_L0, DCGM_MORE, INTEGER, COUNTER, "DCGM_FI_DEV_NVLINK_BANDWIDTH_L0", "DCGM_FI_DEV_NVLINK_THROUGHPUT_L0", "The number of bytes of active NVLink rx or tx data including both header and payload.") \
    R(SM_ACTIVE, DCGM_MORE, REAL, GAUGE, "DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_SM_UTIL_RATIO", "The ratio of cycles an SM has at least 1 warp assigned.") \
    R(SM_OCCUPANCY, DCGM_MORE, REAL, GAUGE, "DCGM_FI_PROF_SM_OCCUPANCY", "DCGM_FI_PROF_SM_OCCUPANCY_RATIO", "The ratio of number of warps resident on an SM.") \
    R(FP64_ACTIVE, DCGM_MORE, REAL, GAUGE, "DCGM_FI_PROF_PIPE_FP64_ACTIVE", "DCGM_FI_PROF_FP64_UTIL_RATIO", "Ratio of cycles the fp64 pipes are active.") \
    R(FP32_ACTIVE, DCGM_MORE, REAL, GAUGE, "DCGM_FI_PROF_PIPE_FP32_ACTIVE", "DCGM_FI_PROF_FP32_UTIL_RATIO", "Ratio of cycles the fp32 pipes are active.") \
    R(FP16_ACTIVE, DCGM_MORE, REAL, GAUGE, "DCGM_FI_PROF_PIPE_FP16_ACTIVE", "DCGM_FI_PROF_FP16_UTIL_RATIO", "Ratio of cycles the fp16 pipes are active.") \
    R(MEMORY_TOTAL_MIB, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_FB_TOTAL", NULL, "Total framebuffer memory (in MiB).") \
    R(POWER_INSTANT_WATTS, DCGM_MORE, REAL, GAUGE, "DCGM_FI_DEV_POWER_USAGE_INSTANT", NULL, "Instantaneous power draw (in W).") \
    R(CLOCK_EVENT_REASONS, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_CLOCKS_EVENT_REASONS", NULL, "Current clock event reasons (bitmask).") \
    R(PERFORMANCE_STATE, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_PSTATE", NULL, "Performance state, 0 (highest) to 15.") \
    R(PCIE_LINK_GENERATION, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_PCIE_LINK_GEN", NULL, "Current generation of the PCIe link.") \
    R(PCIE_LINK_WIDTH, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_PCIE_LINK_WIDTH", NULL, "Current width of the PCIe link (in lanes).") \
    R(PCIE_LINK_GENERATION_MAX, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_PCIE_MAX_LINK_GEN", NULL, "Highest generation of the PCIe link that GPU and slot allow.") \
    R(PCIE_LINK_WIDTH_MAX, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", NULL, "Greatest width of the PCIe link that GPU and slot allow (in lanes).") \
    R(BAR1_USED_MIB, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_BAR1_USED", NULL, "Used BAR1 memory (in MiB).") \
    R(BAR1_TOTAL_MIB, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_BAR1_TOTAL", NULL, "Total BAR1 memory (in MiB).") \
    R(FAN_PERCENT, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_FAN_SPEED", NULL, "Fan speed (in %).") \
    R(ROW_REMAP_PENDING, DCGM_MORE, INTEGER, GAUGE, "DCGM_FI_DEV_ROW_REMAP_PENDING", NULL, "Whether a row remap waits for the next reset of the GPU.") \
    R(POWER_LIMIT_WATTS, OWN, REAL, GAUGE, "gpu_power_limit_watts", NULL, "Power limit in force.") \
    R(TEMPERATURE_SLOWDOWN_C, OWN, INTEGER, GAUGE, "gpu_slowdown_temperature_celsius", NULL, "Temperature at which the GPU slows itself down.") \
    R(SM_CLOCK_MAX_MHZ, OWN, INTEGER, GAUGE, "gpu_sm_clock_max_mhz", NULL, "Highest clock of the SMs.") \
    R(RECOVERY_ACTION, OWN, INTEGER, GAUGE, "gpu_recovery_action", NULL, "What the driver asks for: 0 nothing, 1 reset of the GPU, 2 reboot, 3 drain of peer traffic, 4 drain and reset, 5 recovery of the IMEX domain.") \
    R(ECC_MODE, OWN, INTEGER, GAUGE, "gpu_ecc_enabled", NULL, "1 when error correction is on.") \
    R(SRAM_THRESHOLD_EXCEEDED, OWN, INTEGER, GAUGE, "gpu_sram_error_threshold_exceeded", NULL, "1 when the SRAM has had more uncorrectable errors than NVIDIA tolerates.") \
    R(SW_POWER_CAP_RATIO, OWN, REAL, GAUGE, "gpu_throttle_power_cap_ratio", NULL, "Part of the time since the last reading in which the power limit held the clocks down.") \
    R(SW_THERMAL_RATIO, OWN, REAL, GAUGE, "gpu_throttle_software_thermal_ratio", NULL, "Part of the time since the last reading in which the driver held the clocks down because of heat.") \
    R(HW_THERMAL_RATIO, OWN, REAL, GAUGE, "gpu_throttle_hardware_thermal_ratio", NULL, "Part of the time since the last reading in which the GPU itself slowed down because of heat.") \
    R(HW_POWER_BRAKE_RATIO, OWN, REAL, GAUGE, "gpu_throttle_power_brake_ratio", NULL, "Part of the time since the last reading in which the server's power brake slowed the GPU down.") \
    R(NVLINKS_ACTIVE, OWN, INTEGER, GAUGE, "gpu_nvlinks_active", NULL, "NVLinks that are up.") \
    R(NVLINKS_TOTAL, OWN, INTEGER, GAUGE, "gpu_nvlinks", NULL, "NVLinks that the GPU has.") \
    R(NVLINK_SENT_BYTES, OWN, INTEGER, COUNTER, "gpu_nvlink_sent_bytes_total", NULL, "Data sent over all NVLinks.") \
    R(NVLINK_RECEIVED_BYTES, OWN, INTEGER, COUNTER, "gpu_nvlink_received_bytes_total", NULL, "Data received over all NVLinks.") \
    R(NVLINK_RECOVERIES, OWN, INTEGER, COUNTER, "gpu_nvlink_recoveries_total", NULL, "Recoveries of NVLinks that succeeded.") \
    R(NVLINK_RECOVERIES_FAILED, OWN, INTEGER, COUNTER, "gpu_nvlink_recoveries_failed_total", NULL, "Recoveries of NVLinks that failed.") \
    R(PCIE_CORRECTABLE_ERRORS, OWN, INTEGER, COUNTER, "gpu_pcie_correctable_errors_total", NULL, "Errors of the PCIe link that were corrected.") \
    R(PCIE_NONFATAL_ERRORS, OWN, INTEGER, COUNTER, "gpu_pcie_nonfatal_errors_total", NULL, "Errors of the PCIe link that were not corrected and not fatal.") \
    R(PCIE_FATAL_ERRORS, OWN, INTEGER, COUNTER, "gpu_pcie_fatal_errors_total", NULL, "Fatal errors of the PCIe link.") \
    R(AMD_GFX_ACTIVITY, AMD, INTEGER, GAUGE, "gpu_gfx_activity", NULL, "Activity of the graphics engine (in %).") \
    R(AMD_UMC_ACTIVITY, AMD, INTEGER, GAUGE, "gpu_umc_activity", NULL, "Activity of the memory controller (in %).") \
    R(AMD_PACKAGE_POWER_WATTS, AMD, REAL, GAUGE, "gpu_package_power", NULL, "Power draw of the package (in W).") \
    R(AMD_EDGE_TEMPERATURE_C, AMD, REAL, GAUGE, "gpu_edge_temperature", NULL, "Temperature at the edge of the die (in C).") \
    R(AMD_JUNCTION_TEMPERATURE_C, AMD, REAL, GAUGE, "gpu_junction_temperature", NULL, "Temperature of the hottest junction (in C).") \
    R(AMD_MEMORY_TEMPERATURE_C, AMD, REAL, GAUGE, "gpu_memory_temperature", NULL, "Temperature of the memory (in C).") \
    R(AMD_VRAM_TOTAL_MB, AMD, INTEGER, GAUGE, "gpu_total_vram", NULL, "Memory of the GPU (in MB).") \
    R(AMD_VRAM_USED_MB, AMD, INTEGER, GAUGE, "gpu_used_vram", NULL, "Used memory of the GPU (in MB).") \
    R(AMD_VRAM_FREE_MB, AMD, INTEGER, GAUGE, "gpu_free_vram", NULL, "Free memory of the GPU (in MB).") \
    R(AMD_ECC_CORRECTABLE, AMD, INTEGER, COUNTER, "gpu_ecc_correct_total", NULL, "Errors that were corrected, of all blocks.") \
    R(AMD_ECC_UNCORRECTABLE, AMD, INTEGER, COUNTER, "gpu_ecc_uncorrect_total", NULL, "Errors that could not be corrected, of all blocks.") \
    R(AMD_PCIE_REPLAYS, AMD, INTEGER, COUNTER, "pcie_replay_count", NULL, "Retries of the PCIe link.") \
    R(AMD_PCIE_SPEED, AMD, REAL, GAUGE, "pcie_speed", NULL, "Speed of the PCIe link (in GT/s).") \
    R(AMD_PCIE_SPEED_MAX, AMD, REAL, GAUGE, "pcie_max_speed", NULL, "Highest speed of the PCIe link (in GT/s).")
/* clang-format on */

enum gpu_reading {
#define GPU_READING_NAME(id, group, kind, type, name, new_name, help) GPU_##id,
    GPU_READINGS(GPU_READING_NAME)
#undef GPU_READING_NAME
    GPU_READING_COUNT
};

_Static_assert((int)GPU_READING_COUNT <= (int)GPU_READINGS_MAX,
               "raise GPU_READINGS_MAX, and SNAPSHOT_VERSION with it");

struct gpu_reading_info {
    const char *name;
    const char *new_name; /* NULL: the same */
    const char *help;
    enum gpu_reading_group group;
    enum gpu_reading_kind kind;
    bool counter;
};

extern const struct gpu_reading_info gpu_readings[GPU_READING_COUNT];

static inline bool gpu_has(const struct gpu_record *gpu, enum gpu_reading what)
{
    return gpu->has[what / 64] >> what % 64 & 1;
}

static inline void
gpu_set_integer(struct gpu_record *gpu, enum gpu_reading what, uint64_t value)
{
    gpu->values[what].integer = value;
    gpu->has[what / 64] |= UINT64_C(1) << what % 64;
}

static inline void
gpu_set_real(struct gpu_record *gpu, enum gpu_reading what, double value)
{
    gpu->values[what].real = value;
    gpu->has[what / 64] |= UINT64_C(1) << what % 64;
}
