/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An inventory as JSON and back. What comes back is somebody else's claim: it
 * is held against what a machine can be at all.
 */
#include "cluster/join-message.h"

#include <stdlib.h>
#include <string.h>

enum {
    CPUS_MAX = 65534, /* Slurm counts them in 16 bits */
    GPUS_MAX = 256,
    MEMORY_MB_MIN = 16,
    MEMORY_MB_MAX = 1 << 30 /* a pebibyte */
};

static json_t *gpu_write(const struct gpu_device *gpu)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "model", gpu->model,
                     "type", gpu->type, "file", gpu->file, "pci", gpu->pci,
                     "memory_mb", (json_int_t)gpu->memory_mb, "simulated",
                     gpu->simulated);
}

json_t *inventory_write(const struct inventory *inventory)
{
    json_t *gpus = json_array();
    for (size_t i = 0; i < inventory->gpus.count; i++)
        if (json_array_append_new(gpus,
                                  gpu_write(&inventory->gpus.devices[i])) < 0) {
            json_decref(gpus);
            return NULL;
        }
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:b, s:b, s:s, s:s, s:o}", "cpus",
        (json_int_t)inventory->cpus, "sockets", (json_int_t)inventory->sockets,
        "cores_per_socket", (json_int_t)inventory->cores_per_socket,
        "threads_per_core", (json_int_t)inventory->threads_per_core,
        "cpus_limited", inventory->cpus_limited, "machine_memory_mb",
        (json_int_t)inventory->machine_memory_mb, "memory_mb",
        (json_int_t)inventory->memory_mb, "memory_limited",
        inventory->memory_limited, "cgroup_visible", inventory->cgroup_visible,
        "gpu_source", inventory->gpus.source ? inventory->gpus.source : "none",
        "gpu_note", inventory->gpus.note, "gpus", gpus);
}

/* GRES types and device files go into gres.conf and --conf as they are. */
static bool is_plain(const char *text, const char *more)
{
    for (const char *at = text; *at; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ||
              (*at >= 'A' && *at <= 'Z') || strchr(more, *at)))
            return false;
    return true;
}

static int
gpu_read(const json_t *object, struct gpu_device *gpu, struct error *err)
{
    int64_t memory_mb;
    if (message_read_text(object, "model", gpu->model, sizeof(gpu->model),
                          err) < 0 ||
        message_read_text(object, "type", gpu->type, sizeof(gpu->type), err) <
            0 ||
        message_read_text(object, "file", gpu->file, sizeof(gpu->file), err) <
            0 ||
        message_read_text(object, "pci", gpu->pci, sizeof(gpu->pci), err) < 0 ||
        message_read_number(object, "memory_mb", 0, MEMORY_MB_MAX, &memory_mb,
                            err) < 0 ||
        message_read_bool(object, "simulated", &gpu->simulated, err) < 0)
        return -EBADMSG;
    gpu->memory_mb = (uint64_t)memory_mb;
    if (!*gpu->type || !is_plain(gpu->type, "_.-"))
        return error_set(err, EBADMSG, "type \"%s\" is no GRES type",
                         gpu->type);
    if (strncmp(gpu->file, "/dev/", 5) != 0 || !is_plain(gpu->file, "/_.-,:"))
        return error_set(err, EBADMSG, "file \"%s\" is no device file",
                         gpu->file);
    return 0;
}

static int
gpus_read(const json_t *object, struct gpu_inventory *gpus, struct error *err)
{
    const json_t *array = json_object_get(object, "gpus");
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count > GPUS_MAX)
        return error_set(err, EBADMSG, "gpus: no list of at most %d", GPUS_MAX);
    gpus->source = "its worker";
    if (message_read_text(object, "gpu_note", gpus->note, sizeof(gpus->note),
                          err) < 0)
        return -EBADMSG;
    if (count == 0)
        return 0;
    gpus->devices = calloc(count, sizeof(*gpus->devices));
    if (!gpus->devices)
        return error_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        int r = gpu_read(json_array_get(array, i), &gpus->devices[i], err);
        if (r < 0) {
            error_prefix(err, "GPU %zu", i);
            return r;
        }
        gpus->count = i + 1;
    }
    return 0;
}

static int
cpus_read(const json_t *object, struct inventory *inventory, struct error *err)
{
    const struct {
        const char *key;
        uint32_t *target;
    } fields[] = {
        {"cpus", &inventory->cpus},
        {"sockets", &inventory->sockets},
        {"cores_per_socket", &inventory->cores_per_socket},
        {"threads_per_core", &inventory->threads_per_core},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        int64_t number;
        int r = message_read_number(object, fields[i].key, 1, CPUS_MAX, &number,
                                    err);
        if (r < 0)
            return r;
        *fields[i].target = (uint32_t)number;
    }
    uint64_t product = (uint64_t)inventory->sockets *
                       inventory->cores_per_socket *
                       inventory->threads_per_core;
    if (product != inventory->cpus)
        return error_set(err, EBADMSG,
                         "%u CPUs cannot be %u sockets of %u cores of %u "
                         "threads",
                         inventory->cpus, inventory->sockets,
                         inventory->cores_per_socket,
                         inventory->threads_per_core);
    return 0;
}

static int memory_read(const json_t *object,
                       struct inventory *inventory,
                       struct error *err)
{
    int64_t memory_mb, machine_mb;
    int r = message_read_number(object, "memory_mb", MEMORY_MB_MIN,
                                MEMORY_MB_MAX, &memory_mb, err);
    if (r < 0)
        return r;
    r = message_read_number(object, "machine_memory_mb", memory_mb,
                            MEMORY_MB_MAX, &machine_mb, err);
    if (r < 0)
        return r;
    inventory->memory_mb = (uint64_t)memory_mb;
    inventory->machine_memory_mb = (uint64_t)machine_mb;
    return 0;
}

int inventory_read(const json_t *object,
                   struct inventory *ret_inventory,
                   struct error *err)
{
    *ret_inventory = (struct inventory){.cpus = 0};
    if (!json_is_object(object))
        return error_set(err, EBADMSG, "no inventory");
    int r = cpus_read(object, ret_inventory, err);
    if (r >= 0)
        r = memory_read(object, ret_inventory, err);
    if (r >= 0)
        r = message_read_bool(object, "cpus_limited",
                              &ret_inventory->cpus_limited, err);
    if (r >= 0)
        r = message_read_bool(object, "memory_limited",
                              &ret_inventory->memory_limited, err);
    if (r >= 0)
        r = message_read_bool(object, "cgroup_visible",
                              &ret_inventory->cgroup_visible, err);
    if (r >= 0)
        r = gpus_read(object, &ret_inventory->gpus, err);
    if (r < 0) {
        error_prefix(err, "inventory");
        inventory_deinit(ret_inventory);
        *ret_inventory = (struct inventory){.cpus = 0};
    }
    return r;
}
