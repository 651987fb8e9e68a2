/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's readings by number, of which new ones need no new function, and its
 * functions for NVLink, which only repeat them.
 */
#include "api-private.h"

#include <math.h>

NVML_EXPORT int nvmlDeviceGetFieldValues(nvml_device device,
                                         int count,
                                         struct nvml_field *fields);
NVML_EXPORT int nvmlDeviceGetNvLinkState(nvml_device device,
                                         unsigned int link,
                                         unsigned int *active);
NVML_EXPORT int nvmlDeviceGetNvLinkErrorCounter(nvml_device device,
                                                unsigned int link,
                                                unsigned int counter,
                                                unsigned long long *count);

enum {
    LINK_MIB_PER_S = 18000,
    /* of nvmlDeviceGetNvLinkErrorCounter */
    COUNTER_REPLAY = 0,
    COUNTER_RECOVERY = 1,
    COUNTER_CRC_FLIT = 2
};

/* A count that a setting holds. */
struct counter_field {
    uint32_t id;
    enum setting setting;
    bool of_nvlink, of_pages, of_rows;
};

static const struct counter_field counter_fields[] = {
    {.id = 3, .setting = SETTING_ECC_CORRECTED},
    {.id = 4, .setting = SETTING_ECC_UNCORRECTED},
    {.id = 5, .setting = SETTING_ECC_CORRECTED},
    {.id = 6, .setting = SETTING_ECC_UNCORRECTED},
    {.id = 29, .setting = SETTING_PAGES_SINGLE, .of_pages = true},
    {.id = 30, .setting = SETTING_PAGES_DOUBLE, .of_pages = true},
    {.id = 31, .setting = SETTING_PAGES_PENDING, .of_pages = true},
    {.id = 38, .setting = SETTING_NVLINK_CRC, .of_nvlink = true},
    {.id = 52, .setting = SETTING_NVLINK_REPLAYS, .of_nvlink = true},
    {.id = 59, .setting = SETTING_NVLINK_RECOVERIES, .of_nvlink = true},
    {.id = 94, .setting = SETTING_PCIE_REPLAYS},
    {.id = 142, .setting = SETTING_ROWS_CORRECTED, .of_rows = true},
    {.id = 143, .setting = SETTING_ROWS_UNCORRECTED, .of_rows = true},
    {.id = 144, .setting = SETTING_ROW_REMAP_PENDING, .of_rows = true},
    {.id = 145, .setting = SETTING_ROW_REMAP_FAILED, .of_rows = true},
    {.id = 173, .setting = SETTING_PCIE_ERRORS},
    {.id = 230, .setting = SETTING_RECOVERY_ACTION, .of_rows = true},
};

static int give_u64(struct nvml_field *field, uint64_t value)
{
    field->type = NVML_U64;
    field->value.u64 = value;
    return NVML_SUCCESS;
}

static int give_u32(struct nvml_field *field, uint32_t value)
{
    field->type = NVML_U32;
    field->value.u32 = value;
    return NVML_SUCCESS;
}

static int give_counter(const struct call *call, struct nvml_field *field)
{
    const struct model *model = call->gpu->model;
    for (size_t i = 0; i < array_size(counter_fields); i++) {
        const struct counter_field *counter = &counter_fields[i];
        if (counter->id != field->id)
            continue;
        if ((counter->of_nvlink && model->nvlinks == 0) ||
            (counter->of_pages && !model->page_retirement) ||
            (counter->of_rows && !model->row_remapping))
            return NVML_NOT_SUPPORTED;
        return give_u64(field, call->gpu->settings[counter->setting]);
    }
    /* Errors that are known, and never happen here. */
    if (field->id == 45)
        return model->nvlinks ? give_u64(field, 0) : NVML_NOT_SUPPORTED;
    if (field->id == 95 || (field->id >= 174 && field->id <= 183))
        return give_u64(field, 0);
    return NVML_NOT_SUPPORTED;
}

static uint32_t links_up(const struct call *call)
{
    uint64_t down = call->gpu->settings[SETTING_NVLINKS_DOWN];
    uint32_t all = call->gpu->model->nvlinks;
    return down < all ? all - (uint32_t)down : 0;
}

/* KiB that one link, or with a scope of all ones all links, have moved. */
static int give_throughput(const struct call *call, struct nvml_field *field)
{
    if (call->gpu->model->nvlinks == 0)
        return NVML_NOT_SUPPORTED;
    uint32_t links = field->scope == UINT32_MAX ? links_up(call)
                                                : field->scope < links_up(call);
    if (field->scope != UINT32_MAX && field->scope >= call->gpu->model->nvlinks)
        return NVML_INVALID_ARGUMENT;
    double share = field->id == 138 || field->id == 140 ? 0.4 : 0.38;
    return give_u64(field, (uint64_t)(meter_busy_seconds(call) * share *
                                      LINK_MIB_PER_S * 1024) *
                               links);
}

static int give_link(const struct call *call, struct nvml_field *field)
{
    if (field->scope >= call->gpu->model->nvlinks)
        return call->gpu->model->nvlinks ? NVML_INVALID_ARGUMENT
                                         : NVML_NOT_SUPPORTED;
    bool up = field->scope < links_up(call);
    switch (field->id) {
    case 164: /* MB/s */
        return give_u32(field, up ? 26562 : 0);
    case 165:
        return give_u32(field, up);
    default: /* version */
        return give_u32(field, call->gpu->model->gpm ? 7 : 5);
    }
}

static int give_field(const struct call *call, struct nvml_field *field)
{
    const struct model *model = call->gpu->model;
    switch (field->id) {
    case 74:
    case 271:
        return give_u64(field, meter_brake_ns(call));
    case 75:
    case 269:
    case 270:
        return give_u64(field, meter_thermal_ns(call));
    case 76:
    case 77:
    case 78:
    case 79:
    case 80:
    case 81:
        return give_u64(field, 0);
    case 82:
        return model->memory_sensor
                   ? give_u32(field, meter_temperature(call) + 6)
                   : NVML_NOT_SUPPORTED;
    case 83:
        return model->row_remapping
                   ? give_u64(field,
                              (uint64_t)(meter_energy_joules(call) * 1e3))
                   : NVML_NOT_SUPPORTED;
    case 91:
        return give_u32(field, model->nvlinks);
    case 138:
    case 139:
    case 140:
    case 141:
        return give_throughput(call, field);
    case 147:
        return give_u32(field, model->nvlinks > 0);
    case 164:
    case 165:
    case 166:
        return give_link(call, field);
    case 185:
    case 186:
        return model->row_remapping
                   ? give_u32(field,
                              (uint32_t)lround(meter_power_watts(call) * 1e3))
                   : NVML_NOT_SUPPORTED;
    case 190:
        return give_u32(field, model->limit_watts * 1000);
    default:
        return give_counter(call, field);
    }
}

int nvmlDeviceGetFieldValues(nvml_device device,
                             int count,
                             struct nvml_field *fields)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    for (int i = 0; i < count; i++) {
        fields[i].timestamp_us = (int64_t)(call.now_s * 1e6);
        fields[i].latency_us = 0;
        fields[i].result = (uint32_t)give_field(&call, &fields[i]);
    }
    return NVML_SUCCESS;
}

int nvmlDeviceGetNvLinkState(nvml_device device,
                             unsigned int link,
                             unsigned int *active)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    struct nvml_field field = {.id = 165, .scope = link};
    int result = give_link(&call, &field);
    return result != NVML_SUCCESS ? result
                                  : give_number(field.value.u32, active);
}

/* All errors are those of the first link. */
int nvmlDeviceGetNvLinkErrorCounter(nvml_device device,
                                    unsigned int link,
                                    unsigned int counter,
                                    unsigned long long *count)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    if (link >= call.gpu->model->nvlinks)
        return call.gpu->model->nvlinks ? NVML_INVALID_ARGUMENT
                                        : NVML_NOT_SUPPORTED;
    const uint64_t *settings = call.gpu->settings;
    *count = link != 0                     ? 0
             : counter == COUNTER_REPLAY   ? settings[SETTING_NVLINK_REPLAYS]
             : counter == COUNTER_RECOVERY ? settings[SETTING_NVLINK_RECOVERIES]
             : counter == COUNTER_CRC_FLIT ? settings[SETTING_NVLINK_CRC]
                                           : 0;
    return NVML_SUCCESS;
}
