/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads, and what is made of their findings. There is no free(): a thread
 * that hangs in the driver cannot be ended, so the process is.
 */
#include "source/gpu-nvidia.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/gpu-events.h"
#include "source/gpu-kmsg.h"
#include "source/gpu-peers.h"
#include "source/gpu-reader.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    GPUS_MAX = 64,
    KNOWN_MAX = 256,
    STACK_SIZE = 256 * 1024, /* the driver's own calls need some */
    XID_UNCONTAINED = 95
};

enum worker_state {
    WORKER_IDLE,
    WORKER_ASKED, /* reads, or will in a moment; READER is the thread's */
    WORKER_DONE
};

struct worker {
    struct gpu_nvidia *nvidia;
    struct gpu_reader reader;
    enum worker_state state; /* under the lock */
    bool started;
};

struct gpu_nvidia {
    struct gpu_nvidia_settings settings;
    struct nvml nvml;
    bool open, outdated;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct worker *workers[GPUS_MAX];
    struct gpu_device_scan *known; /* GPUs that were ever seen */
    size_t known_count;
    struct gpu_events *events; /* NULL: the driver tells of none */
    struct gpu_peers *peers;   /* NULL: the driver does not tell */
    struct gpu_kmsg kmsg;
    struct gpu_ledger ledger;
    char driver_version[80], nvml_version[80], cuda_version[32];
};

/* ---- what is remembered -------------------------------------------------- */

static struct gpu_device_scan *known_find(const struct gpu_nvidia *nvidia,
                                          const char *uuid)
{
    for (size_t i = 0; i < nvidia->known_count; i++)
        if (strcmp(nvidia->known[i].uuid, uuid) == 0)
            return &nvidia->known[i];
    return NULL;
}

static void known_keep(struct gpu_nvidia *nvidia,
                       const struct gpu_device_scan *device)
{
    struct gpu_device_scan *known = known_find(nvidia, device->uuid);
    if (!known && nvidia->known_count < KNOWN_MAX) {
        struct gpu_device_scan *grown = reallocarray(
            nvidia->known, nvidia->known_count + 1, sizeof(*grown));
        if (!grown)
            return;
        nvidia->known = grown;
        known = &grown[nvidia->known_count++];
    }
    if (!known)
        return;
    *known = *device;
    memset(known->record.has, 0, sizeof(known->record.has));
    known->record.flags &= ~(uint32_t)GPU_FLAG_MIG;
}

static struct gpu_device_scan *known_by_index(const struct gpu_nvidia *nvidia,
                                              unsigned int index)
{
    for (size_t i = 0; i < nvidia->known_count; i++)
        if (nvidia->known[i].record.index == index)
            return &nvidia->known[i];
    return NULL;
}

/* ---- workers ------------------------------------------------------------- */

static void *work(void *context)
{
    struct worker *worker = context;
    struct gpu_nvidia *nvidia = worker->nvidia;
    pthread_mutex_lock(&nvidia->lock);
    for (;;) {
        while (worker->state != WORKER_ASKED)
            pthread_cond_wait(&nvidia->changed, &nvidia->lock);
        pthread_mutex_unlock(&nvidia->lock);
        worker->reader.result = gpu_reader_read(&worker->reader);
        pthread_mutex_lock(&nvidia->lock);
        worker->state = WORKER_DONE;
        pthread_cond_broadcast(&nvidia->changed);
    }
    return NULL;
}

static bool worker_start(struct gpu_nvidia *nvidia, unsigned int index)
{
    struct worker *worker = nvidia->workers[index];
    pthread_attr_t attributes;
    pthread_t thread;
    if (worker)
        return worker->started;
    worker = calloc(1, sizeof(*worker));
    if (!worker)
        return false;
    worker->nvidia = nvidia;
    worker->reader.nvml = &nvidia->nvml;
    worker->reader.index = index;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    worker->started = pthread_create(&thread, &attributes, work, worker) == 0;
    pthread_attr_destroy(&attributes);
    nvidia->workers[index] = worker;
    return worker->started;
}

static bool all_done(const struct gpu_nvidia *nvidia, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        if (nvidia->workers[i] && nvidia->workers[i]->state == WORKER_ASKED)
            return false;
    return true;
}

/* Let them read, and wait for all, or until the deadline. One that has not come
 * back from an earlier cycle is not waited for again. */
static void workers_run(struct gpu_nvidia *nvidia, unsigned int count)
{
    bool hung[GPUS_MAX] = {false};
    struct timespec until;
    int64_t due_ns = clock_monotonic_ns() + nvidia->settings.device_deadline_ns;
    until.tv_sec = due_ns / NS_PER_S;
    until.tv_nsec = due_ns % NS_PER_S;
    for (unsigned int i = 0; i < count; i++)
        worker_start(nvidia, i);
    pthread_mutex_lock(&nvidia->lock);
    unsigned int waiting = 0;
    for (unsigned int i = 0; i < count; i++) {
        struct worker *worker = nvidia->workers[i];
        hung[i] = !worker || !worker->started || worker->state == WORKER_ASKED;
        if (!hung[i]) {
            worker->state = WORKER_ASKED;
            waiting++;
        }
    }
    pthread_cond_broadcast(&nvidia->changed);
    while (waiting > 0 && !all_done(nvidia, count)) {
        unsigned int left = 0;
        for (unsigned int i = 0; i < count; i++)
            left += !hung[i] && nvidia->workers[i]->state == WORKER_ASKED;
        if (left == 0 || pthread_cond_timedwait(&nvidia->changed, &nvidia->lock,
                                                &until) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&nvidia->lock);
}

/* ---- findings ------------------------------------------------------------ */

/* The GPU in STATE, without readings. */
static void add_troubled(struct gpu_scan *scan,
                         const struct gpu_device_scan *known,
                         enum gpu_state state,
                         const char *trouble)
{
    struct gpu_device_scan *device = gpu_scan_add_device(scan);
    if (!device)
        return;
    *device = *known;
    device->record.state = state;
    device->record.taken_ns = 0;
    snprintf(device->trouble, sizeof(device->trouble), "%s", trouble);
}

/* What the thread has found, with its numbers made the scan's. */
static void take_over(struct gpu_nvidia *nvidia,
                      const struct gpu_scan *found,
                      struct gpu_scan *scan)
{
    uint32_t first = (uint32_t)scan->device_count;
    for (size_t i = 0; i < found->device_count; i++) {
        struct gpu_device_scan *device = gpu_scan_add_device(scan);
        if (!device)
            return;
        *device = found->devices[i];
        if (device->record.parent != GPU_NONE)
            device->record.parent += first;
        else
            known_keep(nvidia, device);
    }
    for (size_t i = 0; i < found->process_count; i++) {
        struct gpu_process_scan *process = gpu_scan_add_process(scan);
        if (!process)
            return;
        *process = found->processes[i];
        process->device += first;
    }
    for (size_t i = 0; i < found->event_count; i++) {
        struct gpu_event_record *event = gpu_scan_add_event(scan);
        if (!event)
            return;
        *event = found->events[i];
        event->gpu += first;
    }
}

static enum gpu_state state_of_result(int result)
{
    switch (result) {
    case NVML_ERROR_GPU_IS_LOST:
        return GPU_STATE_LOST;
    case NVML_ERROR_RESET_REQUIRED:
        return GPU_STATE_RESET;
    default:
        return GPU_STATE_FAILED;
    }
}

static void gather_failed(struct gpu_nvidia *nvidia,
                          const struct gpu_device_scan *known,
                          int result,
                          struct gpu_scan *scan)
{
    char text[128];
    if (result == NVML_ERROR_UNINITIALIZED ||
        result == NVML_ERROR_VERSION_MISMATCH ||
        result == NVML_ERROR_DRIVER_NOT_LOADED)
        nvidia->outdated = true;
    add_troubled(scan, known, state_of_result(result),
                 nvml_error_text(&nvidia->nvml, result, text, sizeof(text)));
}

/* One GPU that the driver lists. */
static void
gather(struct gpu_nvidia *nvidia, unsigned int index, struct gpu_scan *scan)
{
    struct worker *worker = nvidia->workers[index];
    struct gpu_device_scan unknown = {.record = {.index = index,
                                                 .minor = GPU_NONE,
                                                 .parent = GPU_NONE,
                                                 .gpu_instance = GPU_NONE,
                                                 .compute_instance = GPU_NONE}};
    const struct gpu_device_scan *known = known_by_index(nvidia, index);
    bool done = false;
    if (worker) {
        pthread_mutex_lock(&nvidia->lock);
        done = worker->state == WORKER_DONE;
        pthread_mutex_unlock(&nvidia->lock);
    }
    if (!known)
        known = &unknown;
    if (!done)
        add_troubled(scan, known, GPU_STATE_HUNG,
                     "a call to the driver does not return");
    else if (worker->reader.result != NVML_SUCCESS)
        gather_failed(nvidia, known, worker->reader.result, scan);
    else
        take_over(nvidia, &worker->reader.scan, scan);
}

static bool is_listed(const struct gpu_scan *scan, const char *uuid)
{
    for (size_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.parent == GPU_NONE &&
            strcmp(scan->devices[i].uuid, uuid) == 0)
            return true;
    return false;
}

static void gather_lost(struct gpu_nvidia *nvidia, struct gpu_scan *scan)
{
    for (size_t i = 0; i < nvidia->known_count; i++)
        if (!is_listed(scan, nvidia->known[i].uuid))
            add_troubled(scan, &nvidia->known[i], GPU_STATE_LOST,
                         nvidia->open ? "the driver no longer lists it"
                                      : "there is no driver");
}

/* ---- the driver ---------------------------------------------------------- */

static void read_versions(struct gpu_nvidia *nvidia)
{
    const struct nvml *nvml = &nvidia->nvml;
    int cuda;
    if (!nvml->driver_version ||
        nvml->driver_version(nvidia->driver_version,
                             sizeof(nvidia->driver_version)) != NVML_SUCCESS)
        nvidia->driver_version[0] = '\0';
    if (!nvml->nvml_version ||
        nvml->nvml_version(nvidia->nvml_version,
                           sizeof(nvidia->nvml_version)) != NVML_SUCCESS)
        nvidia->nvml_version[0] = '\0';
    if (nvml->cuda_version && nvml->cuda_version(&cuda) == NVML_SUCCESS)
        snprintf(nvidia->cuda_version, sizeof(nvidia->cuda_version), "%d.%d",
                 cuda / 1000, cuda % 1000 / 10);
}

static bool driver_ready(struct gpu_nvidia *nvidia, struct gpu_scan *scan)
{
    struct error err;
    if (nvidia->open)
        return true;
    if (nvml_open(nvidia->settings.library, &nvidia->nvml, &err) < 0) {
        snprintf(scan->trouble, sizeof(scan->trouble), "%.*s",
                 (int)sizeof(scan->trouble) - 1, err.text);
        return false;
    }
    nvidia->open = true;
    nvidia->peers = gpu_peers_new(&nvidia->nvml);
    read_versions(nvidia);
    return true;
}

static unsigned int count_devices(struct gpu_nvidia *nvidia,
                                  struct gpu_scan *scan)
{
    char text[128];
    unsigned int count = 0;
    int r = nvidia->nvml.device_count(&count);
    if (r == NVML_SUCCESS)
        return count < GPUS_MAX ? count : GPUS_MAX;
    nvidia->outdated = true;
    snprintf(scan->trouble, sizeof(scan->trouble), "the driver: %s",
             nvml_error_text(&nvidia->nvml, r, text, sizeof(text)));
    return 0;
}

/* An error that reached the memory of others, ever since it was seen. */
static void judge_xids(struct gpu_scan *scan)
{
    for (size_t i = 0; i < scan->xid_count; i++)
        if (scan->xids[i].code == XID_UNCONTAINED)
            gpu_health_add(&scan->devices[scan->xids[i].device].record,
                           GPU_FINDING_UNCONTAINED);
}

void gpu_nvidia_scan(struct gpu_nvidia *nvidia, struct gpu_scan *scan)
{
    if (driver_ready(nvidia, scan)) {
        unsigned int count = count_devices(nvidia, scan);
        if (nvidia->peers)
            gpu_peers_ask(nvidia->peers, count);
        workers_run(nvidia, count);
        for (unsigned int i = 0; i < count; i++)
            gather(nvidia, i, scan);
        if (nvidia->peers)
            gpu_peers_take(nvidia->peers, scan);
        if (!nvidia->events)
            nvidia->events = gpu_events_new(&nvidia->nvml, count);
        scan->visible = count;
    }
    gather_lost(nvidia, scan);
    snprintf(scan->driver_version, sizeof(scan->driver_version), "%s",
             nvidia->driver_version);
    snprintf(scan->nvml_version, sizeof(scan->nvml_version), "%s",
             nvidia->nvml_version);
    snprintf(scan->cuda_version, sizeof(scan->cuda_version), "%s",
             nvidia->cuda_version);
    scan->expected = (uint32_t)nvidia->known_count;
    if (nvidia->events)
        gpu_events_take(nvidia->events, &nvidia->ledger);
    gpu_kmsg_read(&nvidia->kmsg, &nvidia->ledger);
    gpu_ledger_write(&nvidia->ledger, scan, clock_realtime_ns());
    judge_xids(scan);
}

bool gpu_nvidia_outdated(const struct gpu_nvidia *nvidia)
{
    return nvidia->outdated;
}

int gpu_nvidia_new(const struct gpu_nvidia_settings *settings,
                   const struct gpu_scan *recalled,
                   struct gpu_nvidia **ret_nvidia,
                   struct error *err)
{
    struct gpu_nvidia *nvidia = calloc(1, sizeof(*nvidia));
    pthread_condattr_t attributes;
    if (!nvidia)
        return error_errno(err, ENOMEM, "GPUs");
    nvidia->settings = *settings;
    pthread_mutex_init(&nvidia->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&nvidia->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    for (size_t i = 0; i < recalled->device_count; i++)
        if (recalled->devices[i].record.parent == GPU_NONE &&
            recalled->devices[i].record.vendor == GPU_VENDOR_NVIDIA)
            known_keep(nvidia, &recalled->devices[i]);
    gpu_ledger_recall(&nvidia->ledger, recalled);
    nvidia->kmsg.fd = -1;
    /* Not being allowed to read the log is no failure: there is the driver. */
    if (settings->kmsg_path)
        gpu_kmsg_open(settings->kmsg_path, settings->log_since_ns,
                      &nvidia->kmsg, NULL);
    *ret_nvidia = nvidia;
    return 0;
}
