/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field values: NVML's list of numbered readings, many of which have no
 * function of their own. Asked for in one call; each comes with a result and a
 * type of its own, and one that is not supported is simply absent.
 *
 * Ratios of throttling come from the driver's counters of throttled nanoseconds
 * between two cycles, so that nothing between them is missed.
 */
#include "source/gpu-reader.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <string.h>

/* The numbers are NVML's (gpu.md 2.5). */
enum {
    FIELD_MEMORY_TEMPERATURE = 82,
    FIELD_ENERGY = 83,
    FIELD_POWER_VIOLATION = 74,
    FIELD_NVLINK_SENT = 138,
    FIELD_NVLINK_RECEIVED = 139,
    FIELD_POWER_INSTANT = 186,
    FIELD_SOFTWARE_THERMAL = 269,
    FIELD_HARDWARE_THERMAL = 270,
    FIELD_POWER_BRAKE = 271,
    ALL_LINKS = -1, /* as a scope: the sum over all NVLinks */
    FIELDS_MAX = 40,
    SLOW_READINGS_AN_HOUR = 120,
    LINKS_MAX = 18
};

struct field {
    unsigned int id;
    enum gpu_reading what;
};

/* What counts errors or changes rarely. */
static const struct field slow_fields[] = {
    {75, GPU_THERMAL_VIOLATION_NS},     {76, GPU_SYNC_BOOST_VIOLATION_NS},
    {77, GPU_BOARD_LIMIT_VIOLATION_NS}, {78, GPU_LOW_UTIL_VIOLATION_NS},
    {79, GPU_RELIABILITY_VIOLATION_NS}, {3, GPU_ECC_SBE_VOLATILE},
    {4, GPU_ECC_DBE_VOLATILE},          {5, GPU_ECC_SBE_AGGREGATE},
    {6, GPU_ECC_DBE_AGGREGATE},         {29, GPU_PAGES_RETIRED_SBE},
    {30, GPU_PAGES_RETIRED_DBE},        {31, GPU_PAGES_PENDING},
    {38, GPU_NVLINK_CRC_FLIT_ERRORS},   {45, GPU_NVLINK_CRC_DATA_ERRORS},
    {52, GPU_NVLINK_REPLAY_ERRORS},     {59, GPU_NVLINK_RECOVERY_ERRORS},
    {144, GPU_ROW_REMAP_PENDING},       {173, GPU_PCIE_CORRECTABLE_ERRORS},
    {179, GPU_PCIE_NONFATAL_ERRORS},    {180, GPU_PCIE_FATAL_ERRORS},
    {213, GPU_NVLINK_RECOVERIES},       {214, GPU_NVLINK_RECOVERIES_FAILED},
    {230, GPU_RECOVERY_ACTION},
};

static bool field_number(const struct nvml_field *field, uint64_t *ret_number)
{
    if (field->result != NVML_SUCCESS)
        return false;
    /* A driver of 2023 fills in the value and forgets its type. */
    if (field->id == FIELD_MEMORY_TEMPERATURE) {
        *ret_number = field->value.u32;
        return true;
    }
    switch (field->type) {
    case NVML_DOUBLE:
        if (!(field->value.real >= 0 && field->value.real < 1e19))
            return false;
        *ret_number = (uint64_t)field->value.real;
        return true;
    case NVML_U32:
        *ret_number = field->value.u32;
        return true;
    case NVML_ULONG:
    case NVML_U64:
        *ret_number = field->value.u64;
        return true;
    case NVML_I64:
        *ret_number = (uint64_t)field->value.i64;
        return field->value.i64 >= 0;
    case NVML_I32:
        *ret_number = (uint64_t)field->value.i32;
        return field->value.i32 >= 0;
    case NVML_U16:
        *ret_number = field->value.u16;
        return true;
    default:
        return false;
    }
}

/* Ask for COUNT fields. Results that the library leaves alone are failures. */
static bool ask(struct gpu_reader *reader, struct nvml_field *fields, int count)
{
    for (int i = 0; i < count; i++)
        fields[i].result = NVML_ERROR_NOT_SUPPORTED;
    return reader->nvml->device_fields &&
           reader->nvml->device_fields(reader->device, count, fields) ==
               NVML_SUCCESS;
}

static void read_rows(struct gpu_reader *reader, struct gpu_record *gpu)
{
    unsigned int correctable, uncorrectable, pending, failed;
    if (!reader->nvml->device_remapped_rows ||
        reader->nvml->device_remapped_rows(reader->device, &correctable,
                                           &uncorrectable, &pending,
                                           &failed) != NVML_SUCCESS)
        return;
    gpu_set_integer(gpu, GPU_ROWS_REMAPPED_CORRECTABLE, correctable);
    gpu_set_integer(gpu, GPU_ROWS_REMAPPED_UNCORRECTABLE, uncorrectable);
    gpu_set_integer(gpu, GPU_ROW_REMAP_PENDING, pending);
    gpu_set_integer(gpu, GPU_ROW_REMAP_FAILED, failed);
}

static void read_links(struct gpu_reader *reader, struct gpu_record *gpu)
{
    unsigned int links = 0, up = 0;
    for (unsigned int link = 0;
         reader->nvml->device_nvlink_state && link < LINKS_MAX; link++) {
        int active;
        if (reader->nvml->device_nvlink_state(reader->device, link, &active) !=
            NVML_SUCCESS)
            break;
        links++;
        up += active == 1;
    }
    if (links == 0)
        return;
    gpu_set_integer(gpu, GPU_NVLINKS_TOTAL, links);
    gpu_set_integer(gpu, GPU_NVLINKS_ACTIVE, up);
}

/* 0 where no licence is needed, too: so it is with DCGM. */
static void read_license(struct gpu_reader *reader, struct gpu_record *gpu)
{
    struct nvml_grid_features features = {.supported = 0};
    unsigned int licensed = 0;
    if (!reader->nvml->device_grid_features ||
        reader->nvml->device_grid_features(reader->device, &features) !=
            NVML_SUCCESS)
        return;
    for (size_t i = 0; features.supported && i < features.count &&
                       i < array_size(features.features);
         i++)
        licensed |= features.features[i].licensed;
    gpu_set_integer(gpu, GPU_VGPU_LICENSE, licensed != 0);
}

/* Its check takes long: once an hour, and never at the start. */
static void check_inforom(struct gpu_reader *reader)
{
    if (reader->slow_readings++ % SLOW_READINGS_AN_HOUR != 1 ||
        !reader->nvml->device_validate_inforom)
        return;
    reader->health.inforom_corrupt =
        reader->nvml->device_validate_inforom(reader->device) ==
        NVML_ERROR_CORRUPTED_INFOROM;
}

void gpu_reader_slow(struct gpu_reader *reader)
{
    struct nvml_field fields[array_size(slow_fields)] = {{0}};
    struct gpu_record *gpu = &reader->card.record;
    int current, pending;
    uint64_t number;
    for (size_t i = 0; i < array_size(slow_fields); i++)
        fields[i].id = slow_fields[i].id;
    if (ask(reader, fields, array_size(fields)))
        for (size_t i = 0; i < array_size(slow_fields); i++)
            if (field_number(&fields[i], &number))
                gpu_set_integer(gpu, slow_fields[i].what, number);
    read_rows(reader, gpu);
    read_links(reader, gpu);
    read_license(reader, gpu);
    check_inforom(reader);
    if (reader->nvml->device_ecc_mode &&
        reader->nvml->device_ecc_mode(reader->device, &current, &pending) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_ECC_MODE, current == 1);
}

/* ---- in each cycle ------------------------------------------------------- */

/* The part of the time since the last cycle that COUNTER (nanoseconds) grew. */
static void set_ratio(struct gpu_reader *reader,
                      struct gpu_record *gpu,
                      enum gpu_reading what,
                      const struct nvml_field *field,
                      uint64_t *last,
                      int64_t passed_ns)
{
    uint64_t counter;
    if (!field_number(field, &counter))
        return;
    if (reader->counted && passed_ns > 0 && counter >= *last) {
        double ratio = (double)(counter - *last) / (double)passed_ns;
        gpu_set_real(gpu, what, ratio > 1 ? 1 : ratio);
    }
    *last = counter;
}

/* As dcgm-exporter has it: thousands of KiB a second, 0 at first. */
static void set_nvlink(struct gpu_reader *reader,
                       struct gpu_record *gpu,
                       uint64_t sent_kib,
                       uint64_t received_kib,
                       int64_t passed_ns)
{
    uint64_t total_kib = sent_kib + received_kib, rate = 0;
    gpu_set_integer(gpu, GPU_NVLINK_SENT_BYTES, sent_kib * 1024);
    gpu_set_integer(gpu, GPU_NVLINK_RECEIVED_BYTES, received_kib * 1024);
    if (reader->nvlink_counted && passed_ns > 0 &&
        total_kib >= reader->nvlink_kib)
        rate = (uint64_t)((double)(total_kib - reader->nvlink_kib) /
                          ((double)passed_ns / NS_PER_S) / 1000);
    gpu_set_integer(gpu, GPU_NVLINK_BANDWIDTH, rate);
    reader->nvlink_kib = total_kib;
    reader->nvlink_counted = true;
}

void gpu_reader_fields(struct gpu_reader *reader, struct gpu_record *gpu)
{
    enum {
        TEMPERATURE,
        ENERGY,
        POWER,
        SOFTWARE,
        HARDWARE,
        BRAKE,
        INSTANT,
        SENT,
        RECEIVED,
        COUNT
    };
    struct nvml_field fields[COUNT] = {
        [TEMPERATURE] = {.id = FIELD_MEMORY_TEMPERATURE},
        [ENERGY] = {.id = FIELD_ENERGY},
        [POWER] = {.id = FIELD_POWER_VIOLATION},
        [SOFTWARE] = {.id = FIELD_SOFTWARE_THERMAL},
        [HARDWARE] = {.id = FIELD_HARDWARE_THERMAL},
        [BRAKE] = {.id = FIELD_POWER_BRAKE},
        [INSTANT] = {.id = FIELD_POWER_INSTANT},
        [SENT] = {.id = FIELD_NVLINK_SENT, .scope = (unsigned int)ALL_LINKS},
        [RECEIVED] = {.id = FIELD_NVLINK_RECEIVED,
                      .scope = (unsigned int)ALL_LINKS},
    };
    int64_t now_ns = clock_monotonic_ns();
    int64_t passed_ns = now_ns - reader->counted_ns;
    uint64_t number, received;
    unsigned long long millijoules;
    if (reader->nvml->device_energy &&
        reader->nvml->device_energy(reader->device, &millijoules) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_ENERGY_MJ, millijoules);
    if (!ask(reader, fields, COUNT))
        return;
    if (field_number(&fields[TEMPERATURE], &number) && number <= 200)
        gpu_set_integer(gpu, GPU_MEMORY_TEMPERATURE_C, number);
    if (!gpu_has(gpu, GPU_ENERGY_MJ) && field_number(&fields[ENERGY], &number))
        gpu_set_integer(gpu, GPU_ENERGY_MJ, number);
    if (field_number(&fields[INSTANT], &number))
        gpu_set_real(gpu, GPU_POWER_INSTANT_WATTS, (double)number / 1000);
    if (field_number(&fields[POWER], &number))
        gpu_set_integer(gpu, GPU_POWER_VIOLATION_NS, number);
    set_ratio(reader, gpu, GPU_SW_POWER_CAP_RATIO, &fields[POWER],
              &reader->power_ns, passed_ns);
    set_ratio(reader, gpu, GPU_SW_THERMAL_RATIO, &fields[SOFTWARE],
              &reader->software_thermal_ns, passed_ns);
    set_ratio(reader, gpu, GPU_HW_THERMAL_RATIO, &fields[HARDWARE],
              &reader->hardware_thermal_ns, passed_ns);
    set_ratio(reader, gpu, GPU_HW_POWER_BRAKE_RATIO, &fields[BRAKE],
              &reader->brake_ns, passed_ns);
    if (field_number(&fields[SENT], &number) &&
        field_number(&fields[RECEIVED], &received))
        set_nvlink(reader, gpu, number, received, passed_ns);
    reader->counted_ns = now_ns;
    reader->counted = true;
}
