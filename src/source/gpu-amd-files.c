/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file says what, on which chip, is from the kernel's amdgpu: the edge
 * sensor is missing on MI300, so temperatures go by their labels;
 * power1_average became power1_input; serial and unique_id are on some chips
 * only. While a GPU is reset its files give EPERM.
 */
#include "source/gpu-amd-files.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SENSORS_MAX = 8,
    MIB = 1 << 20
};

int sysfs_read(int folder, const char *name, char *ret_text, size_t size)
{
    ret_text[0] = '\0';
    _cleanup_(close_fd) int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, ret_text, size - 1);
    if (got < 0)
        return -errno;
    ret_text[got] = '\0';
    size_t length = strcspn(ret_text, "\n");
    ret_text[length] = '\0';
    return (int)length;
}

bool sysfs_read_number(int folder, const char *name, uint64_t *ret_number)
{
    char text[64], *end;
    if (sysfs_read(folder, name, text, sizeof(text)) <= 0 || text[0] < '0' ||
        text[0] > '9')
        return false;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && (*end == '\0' || *end == ' ' || *end == '.');
}

/* ---- identity ------------------------------------------------------------ */

void gpu_amd_identify(int folder, struct gpu_device_scan *device)
{
    char id[32];
    if (sysfs_read(folder, "unique_id", id, sizeof(id)) > 0)
        snprintf(device->uuid, sizeof(device->uuid), "%s", id);
    else
        snprintf(device->uuid, sizeof(device->uuid), "%s", device->pci_bus_id);
    if (sysfs_read(folder, "product_name", device->model,
                   sizeof(device->model)) <= 0) {
        sysfs_read(folder, "device", id, sizeof(id));
        snprintf(device->model, sizeof(device->model), "AMD GPU %s", id);
    }
    sysfs_read(folder, "serial_number", device->serial, sizeof(device->serial));
    sysfs_read(folder, "vbios_version", device->vbios_version,
               sizeof(device->vbios_version));
}

/* ---- readings ------------------------------------------------------------ */

static void read_integer(int folder,
                         const char *name,
                         struct gpu_record *record,
                         enum gpu_reading first,
                         enum gpu_reading second)
{
    uint64_t number;
    if (!sysfs_read_number(folder, name, &number))
        return;
    gpu_set_integer(record, first, number);
    gpu_set_integer(record, second, number);
}

static void read_memory(int folder, struct gpu_record *record)
{
    uint64_t total, used;
    if (!sysfs_read_number(folder, "mem_info_vram_total", &total))
        return;
    gpu_set_integer(record, GPU_MEMORY_TOTAL_MIB, total / MIB);
    gpu_set_integer(record, GPU_AMD_VRAM_TOTAL_MB, total / MIB);
    if (!sysfs_read_number(folder, "mem_info_vram_used", &used) || used > total)
        return;
    gpu_set_integer(record, GPU_MEMORY_USED_MIB, used / MIB);
    gpu_set_integer(record, GPU_AMD_VRAM_USED_MB, used / MIB);
    gpu_set_integer(record, GPU_MEMORY_FREE_MIB, (total - used) / MIB);
    gpu_set_integer(record, GPU_AMD_VRAM_FREE_MB, (total - used) / MIB);
}

/* "16.0 GT/s PCIe"; "Unknown" gives 0. */
static double read_speed(int folder, const char *name)
{
    char text[64];
    double speed = 0;
    if (sysfs_read(folder, name, text, sizeof(text)) > 0)
        sscanf(text, "%lf GT/s", &speed);
    return speed > 0 && speed < 1000 ? speed : 0;
}

/* The first generation has 2.5 GT/s, the second 5, each later about double. */
static uint64_t generation_of(double speed)
{
    uint64_t generation = 1;
    for (double bound = 3.75; speed > bound && generation < 9; bound *= 1.8)
        generation++;
    return generation;
}

static void read_link(int folder, struct gpu_record *record)
{
    uint64_t width;
    double speed = read_speed(folder, "current_link_speed");
    double max = read_speed(folder, "max_link_speed");
    if (speed > 0) {
        gpu_set_real(record, GPU_AMD_PCIE_SPEED, speed);
        gpu_set_integer(record, GPU_PCIE_LINK_GENERATION, generation_of(speed));
    }
    if (max > 0) {
        gpu_set_real(record, GPU_AMD_PCIE_SPEED_MAX, max);
        gpu_set_integer(record, GPU_PCIE_LINK_GENERATION_MAX,
                        generation_of(max));
    }
    /* 255 and 0: the kernel does not know. */
    if (sysfs_read_number(folder, "current_link_width", &width) && width > 0 &&
        width < 255)
        gpu_set_integer(record, GPU_PCIE_LINK_WIDTH, width);
    if (sysfs_read_number(folder, "max_link_width", &width) && width > 0 &&
        width < 255)
        gpu_set_integer(record, GPU_PCIE_LINK_WIDTH_MAX, width);
    read_integer(folder, "pcie_replay_count", record, GPU_PCIE_REPLAYS,
                 GPU_AMD_PCIE_REPLAYS);
}

/* Each block of the chip has "ue: N\nce: N". */
static void read_errors(int folder, struct gpu_record *record)
{
    uint64_t uncorrectable = 0, correctable = 0;
    bool any = false;
    int fd = openat(folder, "ras", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char text[96];
        uint64_t ue, ce;
        const char *tail = strstr(entry->d_name, "_err_count");
        if (!tail || tail[strlen("_err_count")])
            continue;
        _cleanup_(close_fd) int file =
            openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC);
        ssize_t got = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
        if (got <= 0)
            continue;
        text[got] = '\0';
        if (sscanf(text, "ue: %" SCNu64 " ce: %" SCNu64, &ue, &ce) != 2)
            continue;
        any = true;
        uncorrectable += ue;
        correctable += ce;
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (!any)
        return;
    gpu_set_integer(record, GPU_AMD_ECC_UNCORRECTABLE, uncorrectable);
    gpu_set_integer(record, GPU_AMD_ECC_CORRECTABLE, correctable);
}

/* ---- hwmon --------------------------------------------------------------- */

static int open_hwmon(int folder)
{
    char path[64];
    int found = -1;
    int fd = openat(folder, "hwmon", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && found < 0 && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "hwmon", 5) == 0) {
            snprintf(path, sizeof(path), "%.60s", entry->d_name);
            found = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return found;
}

/* Sensors of KIND ("temp", "freq") have numbers that mean different things on
 * different chips; the label tells. */
static bool
read_sensor(int hwmon, const char *kind, const char *label, uint64_t *ret_value)
{
    for (int i = 1; i <= SENSORS_MAX; i++) {
        char name[32], text[32];
        snprintf(name, sizeof(name), "%s%d_label", kind, i);
        if (sysfs_read(hwmon, name, text, sizeof(text)) <= 0 ||
            strcmp(text, label) != 0)
            continue;
        snprintf(name, sizeof(name), "%s%d_input", kind, i);
        return sysfs_read_number(hwmon, name, ret_value);
    }
    return false;
}

static void read_temperatures(int hwmon, struct gpu_record *record)
{
    uint64_t edge, junction, memory;
    bool has_edge = read_sensor(hwmon, "temp", "edge", &edge);
    bool has_junction = read_sensor(hwmon, "temp", "junction", &junction);
    if (has_edge)
        gpu_set_real(record, GPU_AMD_EDGE_TEMPERATURE_C, (double)edge / 1000);
    if (has_junction)
        gpu_set_real(record, GPU_AMD_JUNCTION_TEMPERATURE_C,
                     (double)junction / 1000);
    if (has_edge || has_junction)
        gpu_set_integer(record, GPU_TEMPERATURE_C,
                        ((has_edge ? edge : junction) + 500) / 1000);
    if (read_sensor(hwmon, "temp", "mem", &memory)) {
        gpu_set_real(record, GPU_AMD_MEMORY_TEMPERATURE_C,
                     (double)memory / 1000);
        gpu_set_integer(record, GPU_MEMORY_TEMPERATURE_C,
                        (memory + 500) / 1000);
    }
}

static void read_hwmon(int hwmon, struct gpu_record *record)
{
    uint64_t value;
    read_temperatures(hwmon, record);
    if (sysfs_read_number(hwmon, "power1_average", &value) ||
        sysfs_read_number(hwmon, "power1_input", &value)) {
        gpu_set_real(record, GPU_POWER_WATTS, (double)value / 1e6);
        gpu_set_real(record, GPU_AMD_PACKAGE_POWER_WATTS, (double)value / 1e6);
    }
    if (sysfs_read_number(hwmon, "power1_cap", &value))
        gpu_set_real(record, GPU_POWER_LIMIT_WATTS, (double)value / 1e6);
    if (read_sensor(hwmon, "freq", "sclk", &value))
        gpu_set_integer(record, GPU_SM_CLOCK_MHZ, value / 1000000);
    if (read_sensor(hwmon, "freq", "mclk", &value))
        gpu_set_integer(record, GPU_MEMORY_CLOCK_MHZ, value / 1000000);
    if (sysfs_read_number(hwmon, "pwm1", &value) && value <= 255)
        gpu_set_integer(record, GPU_FAN_PERCENT, (value * 100 + 127) / 255);
}

/* ---- state --------------------------------------------------------------- */

/* Looked at before all else, since every other file would wake it. */
static bool sleeps(int folder)
{
    char text[32];
    return sysfs_read(folder, "power/runtime_status", text, sizeof(text)) > 0 &&
           (strcmp(text, "suspended") == 0 || strcmp(text, "suspending") == 0);
}

static bool is_ready(int folder, struct gpu_device_scan *device)
{
    char text[32];
    int r = sysfs_read(folder, "gpu_busy_percent", text, sizeof(text));
    const char *trouble = NULL;
    if (r == -EPERM) {
        device->record.state = GPU_STATE_RESET;
        trouble = "the driver resets it: its files are closed";
    } else if (r == -ENODEV || r == -EIO || r == -ENXIO) {
        device->record.state = GPU_STATE_LOST;
        trouble = "the driver cannot reach it";
    }
    if (trouble)
        snprintf(device->trouble, sizeof(device->trouble), "%s", trouble);
    return !trouble;
}

void gpu_amd_read(int folder, struct gpu_device_scan *device)
{
    struct gpu_record *record = &device->record;
    record->state = GPU_STATE_UP;
    record->taken_ns = clock_realtime_ns();
    if (sleeps(folder) || !is_ready(folder, device))
        return;
    read_integer(folder, "gpu_busy_percent", record, GPU_UTILIZATION_PERCENT,
                 GPU_AMD_GFX_ACTIVITY);
    read_integer(folder, "mem_busy_percent", record,
                 GPU_MEMORY_UTILIZATION_PERCENT, GPU_AMD_UMC_ACTIVITY);
    read_memory(folder, record);
    read_link(folder, record);
    read_errors(folder, record);
    _cleanup_(close_fd) int hwmon = open_hwmon(folder);
    if (hwmon >= 0)
        read_hwmon(hwmon, record);
}
