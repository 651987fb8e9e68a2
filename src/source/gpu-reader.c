/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The identity of a card, and what is read of it in each cycle.
 */
#include "source/gpu-reader.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SLOW_NS (30 * NS_PER_S)
#define MIB (UINT64_C(1) << 20)

enum {
    TEMPERATURE_MAX_C = 200 /* what is above is no temperature, as in DCGM */
};

/* ---- identity ------------------------------------------------------------ */

/* NVML's numbers of brands, as far as they are on cards of a cluster. */
static const char *brand_text(int brand)
{
    static const char *const names[] = {
        [1] = "Quadro",      [2] = "Tesla",      [3] = "NVS",
        [4] = "GRID",        [5] = "GeForce",    [6] = "Titan",
        [12] = "QuadroRTX",  [13] = "NvidiaRTX", [14] = "Nvidia",
        [15] = "GeForceRTX", [16] = "TitanRTX"};
    return brand > 0 && brand < (int)array_size(names) && names[brand]
               ? names[brand]
               : "";
}

static bool says_simulated(const char *text)
{
    return strcasestr(text, "simulated") != NULL;
}

#define READ_TEXT(reader, function, member)                                    \
    do {                                                                       \
        if (!(reader)->nvml->function ||                                       \
            (reader)->nvml->function((reader)->device, (reader)->card.member,  \
                                     sizeof((reader)->card.member)) !=         \
                NVML_SUCCESS)                                                  \
            (reader)->card.member[0] = '\0';                                   \
    } while (0)

static void read_inforom(struct gpu_reader *reader)
{
    struct gpu_device_scan *card = &reader->card;
    char *const texts[] = {card->inforom_oem, card->inforom_ecc,
                           card->inforom_power};
    for (int object = 0; object < 3; object++)
        if (!reader->nvml->device_inforom ||
            reader->nvml->device_inforom(reader->device, object, texts[object],
                                         sizeof(card->inforom_oem)) !=
                NVML_SUCCESS)
            texts[object][0] = '\0';
}

/* Who the card is. Once, and again when another one answers at this index. */
static int read_identity(struct gpu_reader *reader)
{
    const struct nvml *nvml = reader->nvml;
    struct gpu_device_scan *card = &reader->card;
    struct nvml_pci_info pci;
    char uuid[GPU_TEXT_SIZE] = "";
    int brand;
    int r = nvml->device_uuid
                ? nvml->device_uuid(reader->device, uuid, sizeof(uuid))
                : NVML_ERROR_NOT_SUPPORTED;
    if (r != NVML_SUCCESS && r != NVML_ERROR_NOT_SUPPORTED)
        return r;
    if (reader->known && strcmp(uuid, card->uuid) == 0)
        return NVML_SUCCESS;
    r = nvml->device_pci(reader->device, &pci);
    if (r != NVML_SUCCESS)
        return r;
    *card = (struct gpu_device_scan){.record = {.vendor = GPU_VENDOR_NVIDIA}};
    snprintf(card->uuid, sizeof(card->uuid), "%s", uuid);
    snprintf(card->pci_bus_id, sizeof(card->pci_bus_id), "%.31s", pci.bus_id);
    READ_TEXT(reader, device_name, model);
    READ_TEXT(reader, device_serial, serial);
    READ_TEXT(reader, device_vbios, vbios_version);
    READ_TEXT(reader, device_inforom_image, inforom_image);
    read_inforom(reader);
    if (nvml->device_brand &&
        nvml->device_brand(reader->device, &brand) == NVML_SUCCESS)
        snprintf(card->brand, sizeof(card->brand), "%s", brand_text(brand));
    if (!nvml->device_minor ||
        nvml->device_minor(reader->device, &card->record.minor) != NVML_SUCCESS)
        card->record.minor = GPU_NONE;
    if (says_simulated(card->model))
        card->record.flags |= GPU_FLAG_SIMULATED;
    card->record.index = reader->index;
    card->record.parent = GPU_NONE;
    card->record.gpu_instance = card->record.compute_instance = GPU_NONE;
    reader->known = true;
    reader->slow_ns = 0;
    reader->slow_readings = 0;
    reader->health = (struct gpu_health){.inforom_corrupt = false};
    reader->counted = reader->nvlink_counted = false;
    return NVML_SUCCESS;
}

/* ---- what is one number -------------------------------------------------- */

typedef int (*number_function)(nvml_device device, unsigned int *ret_number);

/* Functions that give one number, and what it is to be multiplied with. */
static const struct number {
    size_t function; /* its place in struct nvml */
    enum gpu_reading what;
    double factor;
} numbers[] = {
    {offsetof(struct nvml, device_power), GPU_POWER_WATTS, 0.001},
    {offsetof(struct nvml, device_power_limit), GPU_POWER_LIMIT_WATTS, 0.001},
    {offsetof(struct nvml, device_pcie_replays), GPU_PCIE_REPLAYS, 1},
    {offsetof(struct nvml, device_pcie_generation), GPU_PCIE_LINK_GENERATION,
     1},
    {offsetof(struct nvml, device_pcie_width), GPU_PCIE_LINK_WIDTH, 1},
    {offsetof(struct nvml, device_pcie_generation_max),
     GPU_PCIE_LINK_GENERATION_MAX, 1},
    {offsetof(struct nvml, device_pcie_width_max), GPU_PCIE_LINK_WIDTH_MAX, 1},
    {offsetof(struct nvml, device_fan), GPU_FAN_PERCENT, 1},
};

static int read_numbers(struct gpu_reader *reader, struct gpu_record *gpu)
{
    for (size_t i = 0; i < array_size(numbers); i++) {
        number_function function;
        unsigned int value;
        memcpy(&function, (const char *)reader->nvml + numbers[i].function,
               sizeof(function));
        if (!function)
            continue;
        int r = function(reader->device, &value);
        if (r == NVML_ERROR_GPU_IS_LOST || r == NVML_ERROR_RESET_REQUIRED)
            return r;
        if (r != NVML_SUCCESS)
            continue;
        if (gpu_readings[numbers[i].what].kind == GPU_REAL)
            gpu_set_real(gpu, numbers[i].what, value * numbers[i].factor);
        else
            gpu_set_integer(gpu, numbers[i].what, value);
    }
    return NVML_SUCCESS;
}

static void read_clocks(struct gpu_reader *reader, struct gpu_record *gpu)
{
    const struct nvml *nvml = reader->nvml;
    unsigned int mhz;
    int state;
    if (nvml->device_clock &&
        nvml->device_clock(reader->device, NVML_CLOCK_SM, &mhz) == NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_SM_CLOCK_MHZ, mhz);
    if (nvml->device_clock &&
        nvml->device_clock(reader->device, NVML_CLOCK_MEMORY, &mhz) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_MEMORY_CLOCK_MHZ, mhz);
    if (nvml->device_clock_max &&
        nvml->device_clock_max(reader->device, NVML_CLOCK_SM, &mhz) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_SM_CLOCK_MAX_MHZ, mhz);
    if (nvml->device_performance_state &&
        nvml->device_performance_state(reader->device, &state) == NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_PERFORMANCE_STATE, (unsigned int)state);
}

static void read_temperatures(struct gpu_reader *reader, struct gpu_record *gpu)
{
    const struct nvml *nvml = reader->nvml;
    struct nvml_temperature v = {.version = NVML_TEMPERATURE_V1};
    unsigned int celsius;
    if (nvml->device_temperature &&
        nvml->device_temperature(reader->device, 0, &celsius) == NVML_SUCCESS) {
        if (celsius <= TEMPERATURE_MAX_C)
            gpu_set_integer(gpu, GPU_TEMPERATURE_C, celsius);
    } else if (nvml->device_temperature_v &&
               nvml->device_temperature_v(reader->device, &v) == NVML_SUCCESS &&
               v.celsius >= 0 && v.celsius <= TEMPERATURE_MAX_C) {
        gpu_set_integer(gpu, GPU_TEMPERATURE_C, (unsigned int)v.celsius);
    }
    if (nvml->device_temperature_threshold &&
        nvml->device_temperature_threshold(
            reader->device, NVML_THRESHOLD_SLOWDOWN, &celsius) == NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_TEMPERATURE_SLOWDOWN_C, celsius);
}

static void
read_memory(const struct nvml *nvml, nvml_device device, struct gpu_record *gpu)
{
    struct nvml_memory_v2 v2 = {.version = NVML_MEMORY_V2};
    struct nvml_memory v1;
    if (nvml->device_memory_v2 &&
        nvml->device_memory_v2(device, &v2) == NVML_SUCCESS) {
        gpu_set_integer(gpu, GPU_MEMORY_TOTAL_MIB, v2.total / MIB);
        gpu_set_integer(gpu, GPU_MEMORY_FREE_MIB, v2.free / MIB);
        gpu_set_integer(gpu, GPU_MEMORY_USED_MIB, v2.used / MIB);
        gpu_set_integer(gpu, GPU_MEMORY_RESERVED_MIB, v2.reserved / MIB);
    } else if (nvml->device_memory &&
               nvml->device_memory(device, &v1) == NVML_SUCCESS) {
        gpu_set_integer(gpu, GPU_MEMORY_TOTAL_MIB, v1.total / MIB);
        gpu_set_integer(gpu, GPU_MEMORY_FREE_MIB, v1.free / MIB);
        gpu_set_integer(gpu, GPU_MEMORY_USED_MIB, v1.used / MIB);
    }
}

static void read_utilization(struct gpu_reader *reader, struct gpu_record *gpu)
{
    const struct nvml *nvml = reader->nvml;
    struct nvml_utilization utilization;
    struct nvml_memory bar1;
    unsigned int percent, period_us;
    if (nvml->device_utilization &&
        nvml->device_utilization(reader->device, &utilization) ==
            NVML_SUCCESS) {
        gpu_set_integer(gpu, GPU_UTILIZATION_PERCENT, utilization.gpu);
        gpu_set_integer(gpu, GPU_MEMORY_UTILIZATION_PERCENT,
                        utilization.memory);
    }
    if (nvml->device_encoder &&
        nvml->device_encoder(reader->device, &percent, &period_us) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_ENCODER_PERCENT, percent);
    if (nvml->device_decoder &&
        nvml->device_decoder(reader->device, &percent, &period_us) ==
            NVML_SUCCESS)
        gpu_set_integer(gpu, GPU_DECODER_PERCENT, percent);
    if (nvml->device_bar1 &&
        nvml->device_bar1(reader->device, &bar1) == NVML_SUCCESS) {
        gpu_set_integer(gpu, GPU_BAR1_TOTAL_MIB, bar1.total / MIB);
        gpu_set_integer(gpu, GPU_BAR1_USED_MIB, bar1.used / MIB);
    }
}

/* The reasons, and an event for each that is new. */
static void read_reasons(struct gpu_reader *reader, struct gpu_record *gpu)
{
    const struct nvml *nvml = reader->nvml;
    unsigned long long reasons;
    if (!nvml->device_clock_reasons ||
        nvml->device_clock_reasons(reader->device, &reasons) != NVML_SUCCESS)
        return;
    gpu_set_integer(gpu, GPU_CLOCK_EVENT_REASONS, reasons);
    uint64_t fresh = reader->reasons_known ? reasons & ~reader->reasons : 0;
    for (uint32_t bit = 0; fresh; bit++, fresh >>= 1)
        if (fresh & 1) {
            struct gpu_event_record *event = gpu_scan_add_event(&reader->scan);
            if (event)
                *event =
                    (struct gpu_event_record){.kind = GPU_EVENT_CLOCK,
                                              .code = bit,
                                              .time_ns = clock_realtime_ns()};
        }
    reader->reasons = reasons;
    reader->reasons_known = true;
}

/* ---- all of it ----------------------------------------------------------- */

/* The slow readings of before, and the fast ones of now. */
static int read_card(struct gpu_reader *reader)
{
    if (clock_monotonic_ns() - reader->slow_ns > SLOW_NS ||
        reader->slow_ns == 0) {
        memset(reader->card.record.has, 0, sizeof(reader->card.record.has));
        gpu_reader_slow(reader);
        reader->slow_ns = clock_monotonic_ns();
    }
    struct gpu_device_scan *device = gpu_scan_add_device(&reader->scan);
    if (!device)
        return NVML_SUCCESS;
    *device = reader->card;
    struct gpu_record *gpu = &device->record;
    int r = read_numbers(reader, gpu);
    if (r != NVML_SUCCESS)
        return r;
    read_clocks(reader, gpu);
    read_temperatures(reader, gpu);
    read_memory(reader->nvml, reader->device, gpu);
    read_utilization(reader, gpu);
    read_reasons(reader, gpu);
    gpu_reader_fields(reader, gpu);
    gpu_reader_gpm(reader, gpu);
    gpu_health_judge(&reader->health, gpu, clock_monotonic_ns());
    gpu->taken_ns = clock_realtime_ns();
    return NVML_SUCCESS;
}

int gpu_reader_read(struct gpu_reader *reader)
{
    gpu_scan_clear(&reader->scan);
    int r = reader->nvml->device_by_index(reader->index, &reader->device);
    if (r == NVML_SUCCESS)
        r = read_identity(reader);
    if (r == NVML_SUCCESS)
        r = read_card(reader);
    if (r != NVML_SUCCESS)
        return r;
    gpu_reader_processes(reader, reader->device, 0);
    gpu_reader_instances(reader);
    return NVML_SUCCESS;
}

void gpu_reader_deinit(struct gpu_reader *reader)
{
    for (size_t i = 0; i < 2; i++)
        if (reader->samples[i])
            reader->nvml->gpm_sample_free(reader->samples[i]);
    gpu_scan_deinit(&reader->scan);
}
