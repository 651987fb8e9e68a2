/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs are known by their PCI address, since only some chips have a number of
 * their own, and in its order get their index. Which of them a process of kfd
 * uses goes by kfd's own numbers, which its topology ties to render nodes.
 */
#include "source/gpu-amd.h"

#include "base/cleanup.h"
#include "source/gpu-amd-files.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GPUS_MAX = 64,
    KFD_NODES_MAX = 256
};

struct gpu_amd {
    const char *sysfs_root;
    struct gpu_device_scan known[GPUS_MAX]; /* by PCI address */
    size_t known_count;
};

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* "card0", not "card0-HDMI-A-1". */
static bool is_card(const char *name)
{
    return strncmp(name, "card", 4) == 0 && name[4] != '\0' &&
           name[4 + strspn(name + 4, "0123456789")] == '\0';
}

/* ---- those that are known ------------------------------------------------ */

/* Its place; kept in order. GPUS_MAX: no more room. */
static size_t known_keep(struct gpu_amd *amd, const struct gpu_device_scan *new)
{
    size_t at = 0;
    while (at < amd->known_count &&
           strcmp(amd->known[at].pci_bus_id, new->pci_bus_id) < 0)
        at++;
    if (at < amd->known_count &&
        strcmp(amd->known[at].pci_bus_id, new->pci_bus_id) == 0)
        return at;
    if (amd->known_count == GPUS_MAX)
        return GPUS_MAX;
    size_t after = amd->known_count++ - at;
    memmove(&amd->known[at + 1], &amd->known[at], after * sizeof(*new));
    amd->known[at] = *new;
    return at;
}

/* Without what belongs to one moment. */
static struct gpu_device_scan identity_of(const struct gpu_device_scan *device)
{
    struct gpu_device_scan identity = *device;
    identity.record = (struct gpu_record){.vendor = GPU_VENDOR_AMD,
                                          .minor = device->record.minor,
                                          .parent = GPU_NONE,
                                          .gpu_instance = GPU_NONE,
                                          .compute_instance = GPU_NONE};
    identity.trouble[0] = '\0';
    return identity;
}

int gpu_amd_new(const char *sysfs_root,
                const struct gpu_scan *recalled,
                struct gpu_amd **ret_amd,
                struct error *err)
{
    struct gpu_amd *amd = calloc(1, sizeof(*amd));
    if (!amd)
        return error_set(err, ENOMEM, "no memory for AMD's GPUs");
    amd->sysfs_root = sysfs_root;
    for (size_t i = 0; recalled && i < recalled->device_count; i++)
        if (recalled->devices[i].record.vendor == GPU_VENDOR_AMD) {
            const struct gpu_device_scan identity =
                identity_of(&recalled->devices[i]);
            known_keep(amd, &identity);
        }
    *ret_amd = amd;
    return 0;
}

struct gpu_amd *gpu_amd_free(struct gpu_amd *amd)
{
    free(amd);
    return NULL;
}

/* ---- finding ------------------------------------------------------------- */

static uint32_t find_render_minor(int folder)
{
    uint32_t minor = GPU_NONE;
    int fd = openat(folder, "drm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (sscanf(entry->d_name, "renderD%" SCNu32, &minor) == 1)
            break;
    return minor;
}

/* "0000:07:00.0" in the driver's folder name, eight digits in ours. */
static bool find_address(const char *path, struct gpu_device_scan *device)
{
    char real[PATH_MAX];
    unsigned int domain, bus, slot, function;
    const char *name = realpath(path, real) ? strrchr(real, '/') : NULL;
    if (!name ||
        sscanf(name, "/%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
        return false;
    snprintf(device->pci_bus_id, sizeof(device->pci_bus_id),
             "%08X:%02X:%02X.%X", domain, bus & 0xff, slot & 0xff,
             function & 0xf);
    return true;
}

/* An open folder of CARD's device, if it is AMD's, and who it is; else -1. */
static int open_card(struct gpu_amd *amd, const char *card, size_t *ret_place)
{
    char path[PATH_MAX], vendor[16];
    struct gpu_device_scan device = {.record = {.minor = GPU_NONE}};
    snprintf(path, sizeof(path), "%s/class/drm/%.40s/device", amd->sysfs_root,
             card);
    _cleanup_(close_fd) int folder =
        open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 ||
        sysfs_read(folder, "vendor", vendor, sizeof(vendor)) <= 0 ||
        strcmp(vendor, "0x1002") != 0 || !find_address(path, &device))
        return -1;
    size_t before = amd->known_count;
    *ret_place = known_keep(amd, &device);
    if (*ret_place == GPUS_MAX)
        return -1;
    if (amd->known_count > before) {
        gpu_amd_identify(folder, &device);
        device.record.minor = find_render_minor(folder);
        amd->known[*ret_place] = identity_of(&device);
    }
    return take_fd(folder);
}

/* Open folders of those that are there; -1 in the place of others. */
static void open_all(struct gpu_amd *amd, int folders[GPUS_MAX])
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/class/drm", amd->sysfs_root);
    _cleanup_(close_dir) DIR *dir = opendir(path);
    for (size_t i = 0; i < GPUS_MAX; i++)
        folders[i] = -1;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t place, before = amd->known_count;
        int folder =
            is_card(entry->d_name) ? open_card(amd, entry->d_name, &place) : -1;
        if (folder < 0)
            continue;
        if (amd->known_count > before)
            memmove(&folders[place + 1], &folders[place],
                    (GPUS_MAX - 1 - place) * sizeof(*folders));
        else if (folders[place] >= 0)
            close(folders[place]);
        folders[place] = folder;
    }
}

static int add_device(struct gpu_amd *amd,
                      size_t place,
                      int folder,
                      struct gpu_scan *scan,
                      struct error *err)
{
    struct gpu_device_scan *device = gpu_scan_add_device(scan);
    if (!device)
        return error_set(err, ENOMEM, "no memory for AMD's GPUs");
    *device = amd->known[place];
    device->record.index = (uint32_t)place;
    scan->expected++;
    if (folder >= 0) {
        scan->visible++;
        gpu_amd_read(folder, device);
        return 0;
    }
    device->record.state = GPU_STATE_LOST;
    snprintf(device->trouble, sizeof(device->trouble),
             "the driver no longer lists it");
    return 0;
}

/* ---- processes ----------------------------------------------------------- */

/* kfd's number of a GPU, and its place in the scan. */
struct kfd_node {
    uint64_t gpu_id;
    uint32_t device;
};

static uint32_t device_by_minor(const struct gpu_scan *scan, uint64_t minor)
{
    for (size_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.vendor == GPU_VENDOR_AMD &&
            scan->devices[i].record.minor == minor)
            return (uint32_t)i;
    return GPU_NONE;
}

static bool read_kfd_node(const char *root,
                          unsigned int number,
                          const struct gpu_scan *scan,
                          struct kfd_node *ret_node)
{
    static const char key[] = "drm_render_minor ";
    char path[PATH_MAX], text[4096];
    snprintf(path, sizeof(path), "%s/class/kfd/kfd/topology/nodes/%u", root,
             number);
    _cleanup_(close_fd) int folder =
        open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(close_fd) int file =
        folder < 0 ? -1 : openat(folder, "properties", O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
    if (got <= 0 || !sysfs_read_number(folder, "gpu_id", &ret_node->gpu_id) ||
        ret_node->gpu_id == 0) /* a processor */
        return false;
    text[got] = '\0';
    const char *minor = strstr(text, key);
    ret_node->device =
        minor
            ? device_by_minor(scan, strtoull(minor + sizeof(key) - 1, NULL, 10))
            : GPU_NONE;
    return ret_node->device != GPU_NONE;
}

static size_t read_kfd_nodes(const char *root,
                             const struct gpu_scan *scan,
                             struct kfd_node nodes[GPUS_MAX])
{
    size_t count = 0;
    for (unsigned int i = 0; i < KFD_NODES_MAX && count < GPUS_MAX; i++)
        count += read_kfd_node(root, i, scan, &nodes[count]);
    return count;
}

/* The files vram_GPU of one process; it may end meanwhile. */
static void add_processes(int process,
                          uint32_t pid,
                          const struct kfd_node *nodes,
                          size_t count,
                          struct gpu_scan *scan)
{
    for (size_t i = 0; i < count; i++) {
        char name[40];
        uint64_t bytes;
        snprintf(name, sizeof(name), "vram_%" PRIu64, nodes[i].gpu_id);
        if (!sysfs_read_number(process, name, &bytes) || bytes == 0)
            continue;
        struct gpu_process_scan *entry = gpu_scan_add_process(scan);
        if (entry)
            *entry = (struct gpu_process_scan){.device = nodes[i].device,
                                               .pid = pid,
                                               .memory_bytes = bytes,
                                               .sm_percent = GPU_NONE};
    }
}

static void scan_processes(const char *root, struct gpu_scan *scan)
{
    char path[PATH_MAX];
    struct kfd_node nodes[GPUS_MAX];
    snprintf(path, sizeof(path), "%s/class/kfd/kfd/proc", root);
    _cleanup_(close_dir) DIR *dir = opendir(path);
    size_t count = dir ? read_kfd_nodes(root, scan, nodes) : 0;
    for (struct dirent *entry; count > 0 && (entry = readdir(dir));) {
        char *end;
        unsigned long pid = strtoul(entry->d_name, &end, 10);
        if (*end || pid == 0 || pid >= UINT32_MAX)
            continue;
        _cleanup_(close_fd) int process = openat(
            dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process >= 0)
            add_processes(process, (uint32_t)pid, nodes, count, scan);
    }
}

/* ---- a scan -------------------------------------------------------------- */

static void read_driver_version(const char *root, struct gpu_scan *scan)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/module/amdgpu/version", root);
    sysfs_read(AT_FDCWD, path, scan->amd_driver_version,
               sizeof(scan->amd_driver_version));
}

int gpu_amd_scan(struct gpu_amd *amd, struct gpu_scan *scan, struct error *err)
{
    int folders[GPUS_MAX], r = 0;
    open_all(amd, folders);
    for (size_t i = 0; i < amd->known_count; i++) {
        if (r == 0)
            r = add_device(amd, i, folders[i], scan, err);
        if (folders[i] >= 0)
            close(folders[i]);
    }
    if (r < 0 || amd->known_count == 0)
        return r;
    read_driver_version(amd->sysfs_root, scan);
    scan_processes(amd->sysfs_root, scan);
    return 0;
}
