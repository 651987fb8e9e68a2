/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/gpu-health.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <math.h>

#define HALF_MINUTE_NS (30 * NS_PER_S)

enum {
    PAGES_MAX = 63,           /* as many a card can retire */
    CRC_ERRORS_A_SECOND = 100 /* fewer are usual */
};

const char *const gpu_watch_names[GPU_WATCH_COUNT] = {
    [GPU_WATCH_PCIE] = "PCIE",       [GPU_WATCH_NVLINK] = "NVLINK",
    [GPU_WATCH_PMU] = "PMU",         [GPU_WATCH_MCU] = "MCU",
    [GPU_WATCH_MEMORY] = "MEM",      [GPU_WATCH_SM] = "SM",
    [GPU_WATCH_INFOROM] = "INFOROM", [GPU_WATCH_THERMAL] = "THERMAL",
    [GPU_WATCH_POWER] = "POWER",     [GPU_WATCH_DRIVER] = "DRIVER",
};

#define FINDING(id, name_, watch_, result_)                                    \
    [GPU_FINDING_##id] = {.name = "DCGM_FR_" name_,                            \
                          .watch = GPU_WATCH_##watch_,                         \
                          .result = GPU_HEALTH_##result_}

const struct gpu_finding_info gpu_findings[GPU_FINDING_COUNT] = {
    FINDING(NONE, "OK", DRIVER, PASS),
    FINDING(PCIE_REPLAYS, "PCI_REPLAY_RATE", PCIE, WARN),
    FINDING(NVLINK_ERRORS, "NVLINK_ERROR_THRESHOLD", NVLINK, WARN),
    FINDING(NVLINK_CRC_ERRORS, "NVLINK_CRC_ERROR_THRESHOLD", NVLINK, FAIL),
    FINDING(NVLINK_CRITICAL, "NVLINK_ERROR_CRITICAL", NVLINK, FAIL),
    FINDING(NVLINK_DOWN, "NVLINK_DOWN", NVLINK, FAIL),
    FINDING(PAGES_PENDING, "PENDING_PAGE_RETIREMENTS", MEMORY, WARN),
    FINDING(DOUBLE_BIT_ERROR, "VOLATILE_DBE_DETECTED", MEMORY, FAIL),
    FINDING(PAGES_LIMIT, "RETIRED_PAGES_LIMIT", MEMORY, FAIL),
    FINDING(ROW_REMAP_FAILED, "ROW_REMAP_FAILURE", MEMORY, FAIL),
    FINDING(UNCONTAINED, "UNCONTAINED_ERROR", MEMORY, FAIL),
    FINDING(INFOROM_CORRUPT, "CORRUPT_INFOROM", INFOROM, WARN),
    FINDING(THROTTLED_BY_HEAT, "CLOCK_THROTTLE_THERMAL", THERMAL, WARN),
    FINDING(THROTTLED_BY_POWER, "CLOCK_THROTTLE_POWER", POWER, WARN),
    FINDING(POWER_UNREADABLE, "POWER_UNREADABLE", POWER, WARN),
};

void gpu_health_add(struct gpu_record *gpu, enum gpu_finding finding)
{
    uint8_t *known = &gpu->health[gpu_findings[finding].watch];
    if (gpu_findings[finding].result > gpu_findings[*known].result)
        *known = (uint8_t)finding;
}

/* ---- what grew ----------------------------------------------------------- */

static const enum gpu_reading counted[GPU_HEALTH_COUNTERS] = {
    GPU_PCIE_REPLAYS,           GPU_THERMAL_VIOLATION_NS,
    GPU_POWER_VIOLATION_NS,     GPU_NVLINK_CRC_FLIT_ERRORS,
    GPU_NVLINK_CRC_DATA_ERRORS, GPU_NVLINK_REPLAY_ERRORS,
    GPU_NVLINK_RECOVERY_ERRORS,
};

static struct gpu_health_counts count(const struct gpu_record *gpu,
                                      int64_t now_ns)
{
    struct gpu_health_counts counts = {.time_ns = now_ns};
    for (size_t i = 0; i < array_size(counted); i++)
        if (gpu_has(gpu, counted[i])) {
            counts.has |= UINT64_C(1) << i;
            counts.counters[i] = gpu->values[counted[i]].integer;
        }
    return counts;
}

/* How much WHAT grew since BEFORE; 0 where a reading is missing, or the counter
 * was reset. */
static uint64_t growth(const struct gpu_health_counts *before,
                       const struct gpu_health_counts *now,
                       enum gpu_reading what)
{
    for (size_t i = 0; i < array_size(counted); i++)
        if (counted[i] == what && before->has & now->has & UINT64_C(1) << i &&
            now->counters[i] > before->counters[i])
            return now->counters[i] - before->counters[i];
    return 0;
}

/* ---- rules --------------------------------------------------------------- */

static uint64_t integer(const struct gpu_record *gpu, enum gpu_reading what)
{
    return gpu_has(gpu, what) ? gpu->values[what].integer : 0;
}

/* Retries of a link in a minute that its rate of bit errors, 10^-12, makes
 * likely. 0: not known. */
static uint64_t usual_replays(const struct gpu_record *gpu)
{
    static const double gigabits[] = {2.5, 5, 8, 16, 32, 64}; /* of a lane */
    uint64_t generation = integer(gpu, GPU_PCIE_LINK_GENERATION);
    uint64_t lanes = integer(gpu, GPU_PCIE_LINK_WIDTH);
    if (generation == 0 || lanes == 0)
        return 0;
    if (generation > array_size(gigabits))
        generation = array_size(gigabits);
    return (uint64_t)ceil(gigabits[generation - 1] / 1000 * 60 * (double)lanes);
}

static void judge_links(struct gpu_health *health,
                        struct gpu_record *gpu,
                        const struct gpu_health_counts *now)
{
    const struct gpu_health_counts *before = &health->older;
    uint64_t crc = growth(before, now, GPU_NVLINK_CRC_FLIT_ERRORS) +
                   growth(before, now, GPU_NVLINK_CRC_DATA_ERRORS);
    double passed_s = (double)(now->time_ns - before->time_ns) / NS_PER_S;
    if (growth(before, now, GPU_NVLINK_REPLAY_ERRORS) > 0 ||
        growth(before, now, GPU_NVLINK_RECOVERY_ERRORS) > 0)
        gpu_health_add(gpu, GPU_FINDING_NVLINK_CRITICAL);
    if (crc > 0)
        gpu_health_add(gpu, (double)crc >= CRC_ERRORS_A_SECOND * passed_s
                                ? GPU_FINDING_NVLINK_CRC_ERRORS
                                : GPU_FINDING_NVLINK_ERRORS);
    uint64_t active = integer(gpu, GPU_NVLINKS_ACTIVE);
    health->links_were_up |= active > 0;
    /* A card without a bridge has links, and none of them is meant to be up. */
    if (health->links_were_up && active < integer(gpu, GPU_NVLINKS_TOTAL))
        gpu_health_add(gpu, GPU_FINDING_NVLINK_DOWN);
}

static void judge_memory(struct gpu_record *gpu)
{
    if (integer(gpu, GPU_ECC_DBE_VOLATILE) > 0)
        gpu_health_add(gpu, GPU_FINDING_DOUBLE_BIT_ERROR);
    if (integer(gpu, GPU_PAGES_RETIRED_SBE) +
            integer(gpu, GPU_PAGES_RETIRED_DBE) >=
        PAGES_MAX)
        gpu_health_add(gpu, GPU_FINDING_PAGES_LIMIT);
    if (integer(gpu, GPU_ROW_REMAP_FAILED) > 0)
        gpu_health_add(gpu, GPU_FINDING_ROW_REMAP_FAILED);
    if (integer(gpu, GPU_PAGES_PENDING) > 0)
        gpu_health_add(gpu, GPU_FINDING_PAGES_PENDING);
}

void gpu_health_judge(struct gpu_health *health,
                      struct gpu_record *gpu,
                      int64_t now_ns)
{
    const struct gpu_health_counts now = count(gpu, now_ns);
    if (health->newer.time_ns == 0 ||
        now_ns - health->newer.time_ns >= HALF_MINUTE_NS) {
        health->older = health->newer.time_ns ? health->newer : now;
        health->newer = now;
    }
    const struct gpu_health_counts *before = &health->older;
    for (size_t i = 0; i < GPU_WATCHES_MAX; i++)
        gpu->health[i] = GPU_FINDING_NONE;
    uint64_t usual = usual_replays(gpu);
    if (usual > 0 && growth(before, &now, GPU_PCIE_REPLAYS) > usual)
        gpu_health_add(gpu, GPU_FINDING_PCIE_REPLAYS);
    judge_links(health, gpu, &now);
    judge_memory(gpu);
    if (health->inforom_corrupt)
        gpu_health_add(gpu, GPU_FINDING_INFOROM_CORRUPT);
    if (growth(before, &now, GPU_THERMAL_VIOLATION_NS) > 0)
        gpu_health_add(gpu, GPU_FINDING_THROTTLED_BY_HEAT);
    if (growth(before, &now, GPU_POWER_VIOLATION_NS) > 0)
        gpu_health_add(gpu, GPU_FINDING_THROTTLED_BY_POWER);
    if (gpu_has(gpu, GPU_POWER_LIMIT_WATTS) && !gpu_has(gpu, GPU_POWER_WATTS))
        gpu_health_add(gpu, GPU_FINDING_POWER_UNREADABLE);
}
