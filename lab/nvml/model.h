/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of GPUs that the lab can simulate: what a data sheet says of each.
 * A number of 0 stands for what a kind does not have.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct model {
    const char *word; /* in scenarios: "h100" */
    const char *name; /* of the product; the library adds "(simulated)" */
    uint32_t pci_device_id;
    uint32_t memory_mib, reserved_mib, bar1_mib;
    uint32_t idle_watts, limit_watts;
    uint32_t sm_mhz, sm_idle_mhz, memory_mhz;
    uint32_t pcie_generation, pcie_width;
    uint32_t nvlinks;
    uint32_t multiprocessors;
    uint32_t slowdown_celsius, shutdown_celsius;
    bool mig, gpm, row_remapping, page_retirement, memory_sensor, fan;
};

/* NULL: there is none of this name. */
const struct model *model_by_word(const char *word);
