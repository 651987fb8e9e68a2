/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/nvml.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The name that every driver since 2011 installs; the one without a version is
 * for compilers, and is missing in containers. */
static const char usual_library[] = "libnvidia-ml.so.1";

struct symbol {
    const char *name;
    size_t offset; /* of the pointer in struct nvml */
    bool optional;
};

#define SYMBOL(field, symbol)                                                  \
    {                                                                          \
        .name = symbol, .offset = offsetof(struct nvml, field)                 \
    }

static const struct symbol symbols[] = {
    SYMBOL(init, "nvmlInit_v2"),
    SYMBOL(shutdown, "nvmlShutdown"),
    SYMBOL(error_string, "nvmlErrorString"),
    SYMBOL(device_count, "nvmlDeviceGetCount_v2"),
    SYMBOL(device_by_index, "nvmlDeviceGetHandleByIndex_v2"),
    SYMBOL(device_minor, "nvmlDeviceGetMinorNumber"),
    SYMBOL(device_name, "nvmlDeviceGetName"),
    SYMBOL(device_memory, "nvmlDeviceGetMemoryInfo"),
    SYMBOL(device_pci, "nvmlDeviceGetPciInfo_v3"),
    {"nvmlDeviceGetMigMode", offsetof(struct nvml, device_mig_mode), true},
};

static int resolve(struct nvml *nvml, const char *library, struct error *err)
{
    for (size_t i = 0; i < array_size(symbols); i++) {
        void *found = dlsym(nvml->handle, symbols[i].name);
        if (!found && !symbols[i].optional)
            return error_set(err, ELIBBAD,
                             "%s: has no %s; is the driver older than 2018?",
                             library, symbols[i].name);
        memcpy((char *)nvml + symbols[i].offset, &found, sizeof(found));
    }
    return 0;
}

int nvml_open(const char *library, struct nvml *ret_nvml, struct error *err)
{
    struct nvml nvml = {0};
    library = library ? library : usual_library;
    nvml.handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!nvml.handle) {
        /* dlerror() begins with the name of the library. */
        const char *reason = dlerror();
        return error_set(err, ENOENT, "%s", reason ? reason : library);
    }
    int r = resolve(&nvml, library, err);
    if (r == 0) {
        int result = nvml.init();
        if (result != NVML_SUCCESS)
            r = error_set(err, EIO, "%s: %s", library,
                          nvml.error_string(result));
    }
    if (r < 0) {
        dlclose(nvml.handle);
        return r;
    }
    *ret_nvml = nvml;
    return 0;
}

void nvml_close(struct nvml *nvml)
{
    if (!nvml->handle)
        return;
    nvml->shutdown();
    dlclose(nvml->handle);
    *nvml = (struct nvml){0};
}
