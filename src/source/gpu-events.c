/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the thread hears waits in a ring until the next cycle takes it; when a
 * storm fills it, the newest are dropped: a thousand errors within one cycle
 * are told well enough by the first.
 */
#include "source/gpu-events.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    WAITING_MAX = 1024,
    WAIT_MS = 1000,
    STACK_SIZE = 256 * 1024
};

struct gpu_events {
    const struct nvml *nvml;
    nvml_event_set set;
    pthread_mutex_t lock;
    struct gpu_ledger_event waiting[WAITING_MAX];
    size_t count;
};

static void note(struct gpu_events *events, const struct nvml_event *event)
{
    struct nvml_pci_info info;
    struct gpu_pci pci;
    if (!(event->type & NVML_EVENT_XID) ||
        events->nvml->device_pci(event->device, &info) != NVML_SUCCESS ||
        !gpu_pci_parse(info.bus_id, &pci))
        return; /* of one that is lost the kernel log tells */
    pthread_mutex_lock(&events->lock);
    if (events->count < WAITING_MAX)
        events->waiting[events->count++] =
            (struct gpu_ledger_event){.pci = pci,
                                      .code = (uint32_t)event->data,
                                      .time_ns = clock_realtime_ns()};
    pthread_mutex_unlock(&events->lock);
}

static void *listen(void *context)
{
    struct gpu_events *events = context;
    for (;;) {
        struct nvml_event event;
        int64_t began_ns = clock_monotonic_ns();
        int r = events->nvml->event_wait(events->set, &event, WAIT_MS);
        if (r == NVML_SUCCESS) {
            note(events, &event);
            continue;
        }
        /* It may come back early, and must not keep a core busy with that. */
        int64_t left_ns =
            WAIT_MS * NS_PER_MS - (clock_monotonic_ns() - began_ns);
        if (left_ns > 0)
            nanosleep(&(struct timespec){.tv_nsec = left_ns % NS_PER_S}, NULL);
    }
    return NULL;
}

static unsigned int enroll(struct gpu_events *events, unsigned int count)
{
    const struct nvml *nvml = events->nvml;
    unsigned int enrolled = 0;
    for (unsigned int i = 0; i < count; i++) {
        nvml_device device;
        unsigned long long types = NVML_EVENT_XID;
        if (nvml->device_by_index(i, &device) != NVML_SUCCESS)
            continue;
        if (nvml->device_event_types &&
            (nvml->device_event_types(device, &types) != NVML_SUCCESS ||
             !(types & NVML_EVENT_XID)))
            continue;
        enrolled += nvml->device_register_events(device, NVML_EVENT_XID,
                                                 events->set) == NVML_SUCCESS;
    }
    return enrolled;
}

struct gpu_events *gpu_events_new(const struct nvml *nvml, unsigned int count)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (count == 0 || !nvml->event_set_new || !nvml->event_wait ||
        !nvml->device_register_events)
        return NULL;
    struct gpu_events *events = calloc(1, sizeof(*events));
    if (!events)
        return NULL;
    events->nvml = nvml;
    pthread_mutex_init(&events->lock, NULL);
    if (nvml->event_set_new(&events->set) != NVML_SUCCESS) {
        free(events);
        return NULL;
    }
    if (enroll(events, count) == 0) {
        if (nvml->event_set_free)
            nvml->event_set_free(events->set);
        free(events);
        return NULL;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int r = pthread_create(&thread, &attributes, listen, events);
    pthread_attr_destroy(&attributes);
    if (r == 0)
        return events;
    free(events);
    return NULL;
}

void gpu_events_take(struct gpu_events *events, struct gpu_ledger *ledger)
{
    pthread_mutex_lock(&events->lock);
    for (size_t i = 0; i < events->count; i++)
        gpu_ledger_tell(ledger, GPU_WITNESS_EVENT, &events->waiting[i].pci,
                        events->waiting[i].code, events->waiting[i].time_ns);
    events->count = 0;
    pthread_mutex_unlock(&events->lock);
}
