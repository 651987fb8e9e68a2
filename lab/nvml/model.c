/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include "base/cleanup.h"

#include <stddef.h>
#include <string.h>

static const struct model models[] = {
    {
        .word = "h100",
        .name = "NVIDIA H100 80GB HBM3",
        .pci_device_id = 0x233010de,
        .memory_mib = 81559,
        .reserved_mib = 551,
        .bar1_mib = 131072,
        .idle_watts = 70,
        .limit_watts = 700,
        .sm_mhz = 1980,
        .sm_idle_mhz = 345,
        .memory_mhz = 2619,
        .pcie_generation = 5,
        .pcie_width = 16,
        .nvlinks = 18,
        .multiprocessors = 132,
        .slowdown_celsius = 87,
        .shutdown_celsius = 92,
        .mig = true,
        .gpm = true,
        .row_remapping = true,
        .memory_sensor = true,
    },
    {
        .word = "a100",
        .name = "NVIDIA A100-SXM4-80GB",
        .pci_device_id = 0x20b210de,
        .memory_mib = 81920,
        .reserved_mib = 606,
        .bar1_mib = 131072,
        .idle_watts = 55,
        .limit_watts = 400,
        .sm_mhz = 1410,
        .sm_idle_mhz = 210,
        .memory_mhz = 1593,
        .pcie_generation = 4,
        .pcie_width = 16,
        .nvlinks = 12,
        .multiprocessors = 108,
        .slowdown_celsius = 89,
        .shutdown_celsius = 92,
        .mig = true,
        .row_remapping = true,
        .memory_sensor = true,
    },
    {
        .word = "p100",
        .name = "Tesla P100-PCIE-16GB",
        .pci_device_id = 0x15f810de,
        .memory_mib = 16384,
        .reserved_mib = 99,
        .bar1_mib = 16384,
        .idle_watts = 26,
        .limit_watts = 250,
        .sm_mhz = 1328,
        .sm_idle_mhz = 405,
        .memory_mhz = 715,
        .pcie_generation = 3,
        .pcie_width = 16,
        .multiprocessors = 56,
        .slowdown_celsius = 82,
        .shutdown_celsius = 85,
        .page_retirement = true,
    },
    {
        .word = "rtx4090",
        .name = "NVIDIA GeForce RTX 4090",
        .pci_device_id = 0x268410de,
        .memory_mib = 24564,
        .reserved_mib = 345,
        .bar1_mib = 32768,
        .idle_watts = 20,
        .limit_watts = 450,
        .sm_mhz = 2520,
        .sm_idle_mhz = 210,
        .memory_mhz = 10501,
        .pcie_generation = 4,
        .pcie_width = 16,
        .multiprocessors = 128,
        .slowdown_celsius = 95,
        .shutdown_celsius = 100,
        .fan = true,
    },
};

const struct model *model_by_word(const char *word)
{
    for (size_t i = 0; i < array_size(models); i++)
        if (strcmp(models[i].word, word) == 0)
            return &models[i];
    return NULL;
}
