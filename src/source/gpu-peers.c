/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/gpu-peers.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_NS (60 * NS_PER_S)

enum {
    STACK_SIZE = 256 * 1024
};

struct table {
    uint8_t peers[GPU_PEERS_MAX][GPU_PEERS_MAX]; /* enum gpu_peer */
};

struct gpu_peers {
    const struct nvml *nvml;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    /* Under the lock. */
    unsigned int count; /* not 0: to be asked, or being asked */
    int64_t asked_ns;   /* monotonic; 0: never */
    struct table last;
};

static void
ask_all(const struct nvml *nvml, unsigned int count, struct table *ret_table)
{
    nvml_device devices[GPU_PEERS_MAX];
    memset(ret_table, GPU_PEER_UNKNOWN, sizeof(*ret_table));
    for (unsigned int i = 0; i < count; i++)
        if (nvml->device_by_index(i, &devices[i]) != NVML_SUCCESS)
            devices[i] = NULL;
    for (unsigned int i = 0; i < count; i++)
        for (unsigned int j = 0; j < count; j++) {
            unsigned int status;
            if (i != j && devices[i] && devices[j] &&
                nvml->device_p2p(devices[i], devices[j], NVML_P2P_NVLINK,
                                 &status) == NVML_SUCCESS)
                ret_table->peers[i][j] = status < GPU_PEER_UNSURE - GPU_PEER_OK
                                             ? (uint8_t)(GPU_PEER_OK + status)
                                             : GPU_PEER_UNSURE;
        }
}

static void *work(void *context)
{
    struct gpu_peers *peers = context;
    struct table table;
    pthread_mutex_lock(&peers->lock);
    for (;;) {
        while (peers->count == 0)
            pthread_cond_wait(&peers->asked, &peers->lock);
        unsigned int count = peers->count;
        pthread_mutex_unlock(&peers->lock);
        ask_all(peers->nvml, count, &table);
        pthread_mutex_lock(&peers->lock);
        peers->last = table;
        peers->count = 0;
    }
    return NULL;
}

struct gpu_peers *gpu_peers_new(const struct nvml *nvml)
{
    pthread_attr_t attributes;
    pthread_t thread;
    struct gpu_peers *peers =
        nvml->device_p2p ? calloc(1, sizeof(*peers)) : NULL;
    if (!peers)
        return NULL;
    peers->nvml = nvml;
    pthread_mutex_init(&peers->lock, NULL);
    pthread_cond_init(&peers->asked, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int r = pthread_create(&thread, &attributes, work, peers);
    pthread_attr_destroy(&attributes);
    if (r == 0)
        return peers;
    free(peers);
    return NULL;
}

void gpu_peers_ask(struct gpu_peers *peers, unsigned int count)
{
    int64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&peers->lock);
    if (peers->count == 0 &&
        (peers->asked_ns == 0 || now_ns - peers->asked_ns >= PEERS_NS)) {
        peers->count = count < GPU_PEERS_MAX ? count : GPU_PEERS_MAX;
        peers->asked_ns = now_ns;
        pthread_cond_signal(&peers->asked);
    }
    pthread_mutex_unlock(&peers->lock);
}

void gpu_peers_take(struct gpu_peers *peers, struct gpu_scan *scan)
{
    pthread_mutex_lock(&peers->lock);
    for (size_t i = 0; i < scan->device_count; i++) {
        struct gpu_record *gpu = &scan->devices[i].record;
        if (gpu->vendor == GPU_VENDOR_NVIDIA && gpu->parent == GPU_NONE &&
            gpu->state == GPU_STATE_UP && gpu->index < GPU_PEERS_MAX)
            memcpy(gpu->peers, peers->last.peers[gpu->index],
                   sizeof(gpu->peers));
    }
    pthread_mutex_unlock(&peers->lock);
}
