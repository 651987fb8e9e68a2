/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVML's events. The file "events" has a line for each, in the order in which
 * they happened: the GPU's number, the type and the data, in decimal. A set
 * sees what is added after a GPU has been registered with it.
 */
#include "api-private.h"

#include <sys/stat.h>
#include <time.h>

NVML_EXPORT int nvmlEventSetCreate(nvml_event_set *set);
NVML_EXPORT int nvmlEventSetFree(nvml_event_set set);
NVML_EXPORT int nvmlDeviceGetSupportedEventTypes(nvml_device device,
                                                 unsigned long long *types);
NVML_EXPORT int nvmlDeviceRegisterEvents(nvml_device device,
                                         unsigned long long types,
                                         nvml_event_set set);
NVML_EXPORT int nvmlEventSetWait_v2(nvml_event_set set,
                                    struct nvml_event *event,
                                    unsigned int timeout_ms);
NVML_EXPORT int nvmlEventSetWait(nvml_event_set set,
                                 struct nvml_event *event,
                                 unsigned int timeout_ms);

enum {
    LOOK_MS = 20
};

struct simulated_event_set {
    long offset; /* in the file: what lies before is over; -1: not begun */
    uint64_t types[SCENARIO_GPUS_MAX];
};

int nvmlEventSetCreate(nvml_event_set *set)
{
    *set = calloc(1, sizeof(**set));
    if (!*set)
        return NVML_MEMORY;
    (*set)->offset = -1;
    return NVML_SUCCESS;
}

int nvmlEventSetFree(nvml_event_set set)
{
    free(set);
    return NVML_SUCCESS;
}

int nvmlDeviceGetSupportedEventTypes(nvml_device device,
                                     unsigned long long *types)
{
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    *types = NVML_EVENT_XID | NVML_EVENT_CLOCK;
    if (call.gpu->model->row_remapping)
        *types |=
            NVML_EVENT_ECC_SINGLE | NVML_EVENT_ECC_DOUBLE | NVML_EVENT_RECOVERY;
    return NVML_SUCCESS;
}

static long events_size(void)
{
    char path[256];
    struct stat st;
    machine_path("events", path, sizeof(path));
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

int nvmlDeviceRegisterEvents(nvml_device device,
                             unsigned long long types,
                             nvml_event_set set)
{
    unsigned long long supported;
    int result = nvmlDeviceGetSupportedEventTypes(device, &supported);
    if (result != NVML_SUCCESS)
        return result;
    if ((types & ~supported) != 0)
        return NVML_NOT_SUPPORTED;
    _cleanup_(call_end) struct call call =
        call_begin(device, CALL_METER, __func__);
    if (call.result != NVML_SUCCESS)
        return call.result;
    set->types[call.slot] |= types;
    if (set->offset < 0)
        set->offset = events_size();
    return NVML_SUCCESS;
}

/* The next event that SET asked for. A line that is still being written is
 * left for the next look. */
static bool next_event(struct simulated_event_set *set,
                       uint32_t *ret_slot,
                       uint64_t *ret_type,
                       uint64_t *ret_data)
{
    char path[256], line[128];
    unsigned long long type, data;
    bool found = false;
    if (set->offset < 0 || events_size() <= set->offset)
        return false;
    machine_path("events", path, sizeof(path));
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    fseek(file, set->offset, SEEK_SET);
    while (!found && fgets(line, sizeof(line), file) && strchr(line, '\n')) {
        set->offset = ftell(file);
        found = sscanf(line, "%u %llu %llu", ret_slot, &type, &data) == 3 &&
                *ret_slot < SCENARIO_GPUS_MAX &&
                (set->types[*ret_slot] & type) != 0;
    }
    fclose(file);
    *ret_type = found ? type : 0;
    *ret_data = found ? data : 0;
    return found;
}

/* One look at the file; NVML_TIMEOUT: nothing is there. */
static int look(nvml_event_set set, struct nvml_event *event)
{
    uint32_t slot;
    _cleanup_(call_end) struct call call =
        call_begin_machine("nvmlEventSetWait_v2");
    if (call.result != NVML_SUCCESS)
        return call.result;
    *event = (struct nvml_event){
        .gpu_instance = (uint32_t)NVML_NO_INSTANCE,
        .compute_instance = (uint32_t)NVML_NO_INSTANCE,
    };
    if (!next_event(set, &slot, &event->type, &event->data))
        return NVML_TIMEOUT;
    event->device = device_of_slot(&call, slot);
    return NVML_SUCCESS;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int nvmlEventSetWait_v2(nvml_event_set set,
                        struct nvml_event *event,
                        unsigned int timeout_ms)
{
    static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
    int64_t end_ms = now_ms() + timeout_ms;
    for (;;) {
        int result = look(set, event);
        if (result != NVML_TIMEOUT || now_ms() >= end_ms)
            return result;
        nanosleep(&pause, NULL);
    }
}

int nvmlEventSetWait(nvml_event_set set,
                     struct nvml_event *event,
                     unsigned int timeout_ms)
{
    return nvmlEventSetWait_v2(set, event, timeout_ms);
}
