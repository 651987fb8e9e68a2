/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/nvml.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The name that every driver since 2011 installs; the one without a version is
 * for compilers, and is missing in containers. */
static const char usual_library[] = "libnvidia-ml.so.1";

enum {
    NAMES_MAX = 3
};

static const struct symbol {
    size_t offset; /* of the pointer in struct nvml */
    const char *names[NAMES_MAX];
} symbols[] = {{offsetof(struct nvml, error_string), {"nvmlErrorString"}},
#define NVML_SYMBOL(field, arguments, ...)                                     \
    {offsetof(struct nvml, field), {__VA_ARGS__}},
               NVML_FUNCTIONS(NVML_SYMBOL)
#undef NVML_SYMBOL
};

/* The last of those without which there is nothing to tell. */
static const size_t last_required = offsetof(struct nvml, device_name);

/* Layouts on 64-bit machines, as gpu.md 2.3 has them. */
_Static_assert(sizeof(void *) != 8 ||
                   (sizeof(struct nvml_pci_info) == 68 &&
                    sizeof(struct nvml_memory_v2) == 40 &&
                    sizeof(struct nvml_process) == 24 &&
                    sizeof(struct nvml_process_sample) == 32 &&
                    sizeof(struct nvml_event) == 32 &&
                    sizeof(struct nvml_field) == 40 &&
                    sizeof(struct nvml_gpm_metric) == 40),
               "NVML's layouts");

static void *find(void *handle, const struct symbol *symbol)
{
    void *found = NULL;
    for (size_t i = 0; !found && i < NAMES_MAX && symbol->names[i]; i++)
        found = dlsym(handle, symbol->names[i]);
    return found;
}

static int resolve(struct nvml *nvml, const char *library, struct error *err)
{
    for (size_t i = 0; i < array_size(symbols); i++) {
        void *found = find(nvml->handle, &symbols[i]);
        if (!found && symbols[i].offset <= last_required)
            return error_set(err, ELIBBAD,
                             "%s: has no %s; is it NVIDIA's library?", library,
                             symbols[i].names[0]);
        memcpy((char *)nvml + symbols[i].offset, &found, sizeof(found));
    }
    return 0;
}

const char *
nvml_error_text(const struct nvml *nvml, int result, char *buffer, size_t size)
{
    const char *text = nvml->error_string(result);
    snprintf(buffer, size, "%.80s (NVML %d)", text ? text : "unknown", result);
    return buffer;
}

static int
start(const struct nvml *nvml, const char *library, struct error *err)
{
    char text[128];
    int result = nvml->init();
    switch (result) {
    case NVML_SUCCESS:
        return 0;
    case NVML_ERROR_VERSION_MISMATCH:
        return error_set(
            err, ESTALE,
            "NVIDIA's driver was changed, and the old one is still "
            "loaded: stop what uses the GPUs and reload it, or "
            "reboot (NVML %d)",
            result);
    default:
        return error_set(err, EIO, "%s: %s", library,
                         nvml_error_text(nvml, result, text, sizeof(text)));
    }
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
    if (r == 0)
        r = start(&nvml, library, err);
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
