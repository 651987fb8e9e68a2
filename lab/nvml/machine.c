/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include "base/cleanup.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    FRESH_MS = 20,
    HANG_LOOK_NS = 20 * 1000 * 1000
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct scenario scenario;
static struct use uses[USES_MAX];
static size_t use_count;
static int64_t read_ms; /* when scenario and uses were read; 0: never */
static int open_count;
static char driver_at_load[SCENARIO_NAME_SIZE];
static struct simulated_device devices[SCENARIO_GPUS_MAX]
                                      [1 + SCENARIO_INSTANCES_MAX];

void machine_path(const char *name, char *ret_path, size_t size)
{
    const char *folder = getenv("GPU_SIMULATED_DIR");
    snprintf(ret_path, size, "%s/%s", folder ? folder : "/run/gpu-simulated",
             name);
}

static void machine_refresh(void)
{
    char path[256];
    struct timespec now;
    /* A test that changes the scenario looks at once. */
    const char *fresh = getenv("GPU_SIMULATED_FRESH_MS");
    int64_t fresh_ms = fresh ? atoi(fresh) : FRESH_MS;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (read_ms != 0 && now_ms < read_ms + fresh_ms)
        return;
    read_ms = now_ms;
    machine_path("scenario", path, sizeof(path));
    scenario_read(path, &scenario);
    machine_path("use", path, sizeof(path));
    use_count = uses_read(path, uses);
}

/* ---- handles ---- */

/* A number that changes whenever the instances of GPU do. */
static uint64_t layout_of(const struct simulated_gpu *gpu)
{
    uint64_t layout = gpu->mig;
    for (uint32_t i = 0; i < gpu->instance_count; i++)
        layout = layout * 31 + gpu->instances[i].id * 8 +
                 gpu->instances[i].slices + 1;
    return layout;
}

static bool is_handle(nvml_device device)
{
    return device >= &devices[0][0] &&
           device < &devices[0][0] + sizeof(devices) / sizeof(devices[0][0]);
}

static bool is_counted(uint32_t slot)
{
    return scenario.gpus[slot].model &&
           !scenario.gpus[slot].settings[SETTING_MISSING];
}

nvml_device device_of_slot(const struct call *call, uint32_t slot)
{
    (void)call;
    devices[slot][0] = (struct simulated_device){.slot = slot};
    return &devices[slot][0];
}

nvml_device device_at(const struct call *call, uint32_t index)
{
    for (uint32_t slot = 0; slot < SCENARIO_GPUS_MAX; slot++)
        if (is_counted(slot) && index-- == 0)
            return device_of_slot(call, slot);
    return NULL;
}

uint32_t device_count(const struct call *call)
{
    uint32_t count = 0;
    (void)call;
    for (uint32_t slot = 0; slot < SCENARIO_GPUS_MAX; slot++)
        count += is_counted(slot);
    return count;
}

uint32_t device_index(const struct call *call)
{
    uint32_t index = 0;
    for (uint32_t slot = 0; slot < call->slot; slot++)
        index += is_counted(slot);
    return index;
}

nvml_device device_of_instance(const struct call *call, uint32_t instance)
{
    nvml_device device = &devices[call->slot][1 + instance];
    *device = (struct simulated_device){
        .slot = call->slot,
        .instance = 1 + instance,
        .layout = layout_of(call->gpu),
    };
    return device;
}

uint32_t device_bus(uint32_t slot)
{
    return 0x1b + slot * 0x0d;
}

/* ---- numbers that are always the same for one GPU of one machine ---- */

static uint64_t hash_add(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

/* Mixed, for hashes of short texts differ in few digits. */
static uint64_t hash_end(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

uint64_t device_number(const struct call *call, const char *purpose)
{
    char place[64];
    snprintf(place, sizeof(place), "/%u/%s", call->slot,
             call->instance ? call->instance->profile : "");
    uint64_t hash = hash_add(0xcbf29ce484222325, call->scenario->machine);
    hash = hash_add(hash_add(hash, place), purpose);
    return hash_end(hash + (call->instance ? call->instance->id : 0));
}

void device_uuid(const struct call *call, char *ret_uuid, size_t size)
{
    uint64_t a = device_number(call, "uuid"), b = device_number(call, "more");
    snprintf(ret_uuid, size, "%s-%08x-%04x-%04x-%04x-%012llx",
             call->instance ? "MIG" : "GPU", (unsigned int)(a >> 32),
             (unsigned int)(a >> 16 & 0xffff), (unsigned int)(a & 0xffff),
             (unsigned int)(b >> 48),
             (unsigned long long)b & 0xffffffffffffULL);
}

/* ---- calls ---- */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns with a fault's result, at the end of a hang; 0: there is none. */
static int suffer(const struct fault *fault)
{
    static const struct timespec look = {.tv_nsec = HANG_LOOK_NS};
    if (fault->result != FAULT_HANGS)
        return fault->result;
    pthread_mutex_unlock(&lock);
    nanosleep(&look, NULL);
    pthread_mutex_lock(&lock);
    machine_refresh();
    return FAULT_HANGS;
}

static int meet_faults(const struct call *call, const char *name)
{
    for (;;) {
        const struct fault *fault =
            call->gpu
                ? fault_find(call->gpu->faults, call->gpu->fault_count, name)
                : fault_find(scenario.faults, scenario.fault_count, name);
        int result = fault ? suffer(fault) : NVML_SUCCESS;
        if (result != FAULT_HANGS)
            return result;
    }
}

/* Has nvmlInit been called, and is the driver still the one of then? */
static int machine_ready(const struct call *call)
{
    if (open_count == 0)
        return NVML_UNINITIALIZED;
    /* A newer driver was loaded meanwhile: only a library that is loaded
     * afresh fits it. */
    if (strcmp(driver_at_load, call->scenario->driver) != 0)
        return NVML_LIBRARY_MISMATCH;
    return NVML_SUCCESS;
}

static int find_device(struct call *call, nvml_device device)
{
    if (!is_handle(device))
        return NVML_INVALID_ARGUMENT;
    call->slot = device->slot;
    call->gpu = &scenario.gpus[device->slot];
    if (!is_counted(device->slot))
        return NVML_GPU_IS_LOST;
    if (device->instance == 0)
        return NVML_SUCCESS;
    if (device->instance > call->gpu->instance_count ||
        device->layout != layout_of(call->gpu))
        return NVML_INVALID_ARGUMENT;
    call->instance = &call->gpu->instances[device->instance - 1];
    return NVML_SUCCESS;
}

static int settle(struct call *call, enum call_kind kind, const char *name)
{
    const uint64_t *settings = call->gpu->settings;
    int result = meet_faults(call, name);
    if (result != NVML_SUCCESS)
        return result;
    if (settings[SETTING_LOST] || settings[SETTING_MISSING])
        return NVML_GPU_IS_LOST;
    if (settings[SETTING_RESET_REQUIRED] && kind != CALL_IDENTITY)
        return NVML_RESET_REQUIRED;
    if (call->instance && kind == CALL_METER)
        return NVML_NOT_SUPPORTED;
    return NVML_SUCCESS;
}

struct call
call_begin(nvml_device device, enum call_kind kind, const char *name)
{
    pthread_mutex_lock(&lock);
    machine_refresh();
    struct call call = {.scenario = &scenario, .now_s = now_s()};
    call.result = machine_ready(&call);
    if (call.result == NVML_SUCCESS)
        call.result = find_device(&call, device);
    if (call.result == NVML_SUCCESS)
        call.result = settle(&call, kind, name);
    return call;
}

struct call call_begin_early(const char *name)
{
    pthread_mutex_lock(&lock);
    machine_refresh();
    struct call call = {.scenario = &scenario, .now_s = now_s()};
    call.result = meet_faults(&call, name);
    return call;
}

struct call call_begin_machine(const char *name)
{
    struct call call = call_begin_early(name);
    if (call.result == NVML_SUCCESS)
        call.result = machine_ready(&call);
    return call;
}

void call_end(struct call *call)
{
    (void)call;
    pthread_mutex_unlock(&lock);
}

int machine_open(const struct call *call)
{
    if (!call->scenario->exists)
        return NVML_DRIVER_NOT_LOADED;
    if (driver_at_load[0] == '\0')
        snprintf(driver_at_load, sizeof(driver_at_load), "%s",
                 call->scenario->driver);
    open_count++;
    int result = machine_ready(call);
    if (result != NVML_SUCCESS)
        open_count--;
    return result;
}

int machine_close(void)
{
    if (open_count == 0)
        return NVML_UNINITIALIZED;
    open_count--;
    return NVML_SUCCESS;
}

/* ---- who uses it ---- */

/* Is WORD ("3", "GPU-...") the call's GPU? */
static bool is_gpu(const struct call *call, const char *word)
{
    char name[96];
    struct call whole = *call;
    whole.instance = NULL;
    snprintf(name, sizeof(name), "%u", call->slot);
    if (strcmp(word, name) == 0)
        return true;
    device_uuid(&whole, name, sizeof(name));
    return strcmp(word, name) == 0;
}

/* Is WORD ("3.7", "MIG-...") INSTANCE of the call's GPU? */
static bool is_instance(const struct call *call,
                        const struct instance *instance,
                        const char *word)
{
    char name[96];
    struct call part = *call;
    part.instance = instance;
    snprintf(name, sizeof(name), "%u.%u", call->slot, instance->id);
    if (strcmp(word, name) == 0)
        return true;
    device_uuid(&part, name, sizeof(name));
    return strcmp(word, name) == 0;
}

/* -1: not on this GPU; 0: on the whole; else number of the instance, and 1. */
static int place_of(const struct call *call, const struct use *use)
{
    for (size_t i = 0; i < use->device_count; i++) {
        if (is_gpu(call, use->devices[i]))
            return 0;
        for (uint32_t k = 0; k < call->gpu->instance_count; k++)
            if (is_instance(call, &call->gpu->instances[k], use->devices[i]))
                return (int)k + 1;
    }
    return -1;
}

const struct use *call_next_use(const struct call *call, size_t *position)
{
    while (*position < use_count) {
        const struct use *use = &uses[(*position)++];
        int place = place_of(call, use);
        if (place >= 0 &&
            (!call->instance ||
             (place > 0 && &call->gpu->instances[place - 1] == call->instance)))
            return use;
    }
    return NULL;
}

const struct instance *call_use_instance(const struct call *call,
                                         const struct use *use)
{
    int place = place_of(call, use);
    return place > 0 ? &call->gpu->instances[place - 1] : NULL;
}
