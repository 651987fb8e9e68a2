/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated machine as it is at this moment, and how a call of NVML gets at
 * it: every function begins with call_begin(), which settles who is asked, and
 * whether an answer, an error or nothing at all is to come.
 *
 * Everything lies in GPU_SIMULATED_DIR (/run/gpu-simulated): "scenario", the
 * folder "use", "events" (events.h). It is read again while it changes.
 */
#pragma once

#include "nvml.h"
#include "scenario.h"
#include "use.h"

enum call_kind {
    CALL_IDENTITY, /* answered by whatever still is on the bus; instances too */
    CALL_METER,    /* not while the GPU has to be reset, not of instances */
    CALL_SHARED    /* a meter that instances have, too */
};

/* What a handle points to: one for each place where a GPU or instance may be,
 * for as long as the library is loaded. */
struct simulated_device {
    uint32_t slot;     /* N of /dev/nvidiaN */
    uint32_t instance; /* number in its GPU, and 1; 0: is a GPU */
    uint64_t layout;   /* of MIG, when the handle was given out */
};

struct call {
    int result; /* other than NVML_SUCCESS: return it at once */
    const struct scenario *scenario;
    const struct simulated_gpu *gpu;
    const struct instance *instance; /* NULL: the GPU itself is asked */
    uint32_t slot;
    double now_s;
};

/* Begin the function of NVML called NAME on DEVICE. It holds the machine still
 * until call_end(); to be used with _cleanup_. */
struct call
call_begin(nvml_device device, enum call_kind kind, const char *name);
/* ... one that is about no GPU. */
struct call call_begin_machine(const char *name);
/* ... that may be called before nvmlInit. */
struct call call_begin_early(const char *name);
void call_end(struct call *call);

/* Handles and what belongs to them. INDEX counts GPUs that are not missing. */
nvml_device device_at(const struct call *call, uint32_t index);
nvml_device device_of_slot(const struct call *call, uint32_t slot);
nvml_device device_of_instance(const struct call *call, uint32_t instance);
uint32_t device_count(const struct call *call);
uint32_t device_index(const struct call *call);
uint32_t device_bus(uint32_t slot); /* of PCI, in domain 0 */

/* "GPU-..." or "MIG-..." of the call's device; SIZE as NVML has it, 80. */
void device_uuid(const struct call *call, char *ret_uuid, size_t size);
uint64_t device_number(const struct call *call, const char *purpose);

/* Who uses the call's device. Neither *USE nor POSITION lives longer than the
 * call. Begin with *POSITION 0; NULL at the end. With an instance asked, only
 * those of it; with a GPU asked, those of its instances as well. */
const struct use *call_next_use(const struct call *call, size_t *position);

/* Where a use of the call's GPU is: its instance; NULL: the whole GPU. */
const struct instance *call_use_instance(const struct call *call,
                                         const struct use *use);

/* Path of a file of the simulation. */
void machine_path(const char *name, char *ret_path, size_t size);

/* How often the library has been initialised. */
int machine_open(const struct call *call);
int machine_close(void);
