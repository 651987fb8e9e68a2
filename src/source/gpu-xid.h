/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xids: what NVIDIA's driver calls the errors of a GPU. Two witnesses tell of
 * them, the driver's events and the kernel log, and each misses some: events
 * those from before it listened, the log those that were overrun. The ledger
 * counts each error once, whoever told of it first.
 *
 * The counts are those since the first collector started; the ledger is
 * recalled from the last snapshot when a collector is replaced.
 */
#pragma once

#include "source/gpu-scan.h"

enum gpu_witness {
    GPU_WITNESS_EVENT,
    GPU_WITNESS_LOG,
    GPU_WITNESS_COUNT
};

/* Where on the bus; the function is left out, as the kernel log does. */
struct gpu_pci {
    uint32_t domain, bus, device;
};

/* "00000000:9B:00.0", "0000:9b:00": false when it is no address. */
bool gpu_pci_parse(const char *text, struct gpu_pci *ret_pci);

struct gpu_ledger_entry {
    struct gpu_pci pci;
    uint32_t code;
    uint64_t count;
    int64_t last_s;
    int64_t told_ns[GPU_WITNESS_COUNT]; /* by whom it was last told, and when */
    uint32_t ahead[GPU_WITNESS_COUNT];  /* told by this one alone so far */
};

struct gpu_ledger_event {
    struct gpu_pci pci;
    uint32_t code;
    int64_t time_ns;
};

struct gpu_ledger {
    struct gpu_ledger_entry *entries;
    size_t entry_count;
    struct gpu_ledger_event *events; /* of the last window, oldest first */
    size_t event_count;
};

/* WITNESS tells of CODE at TIME_NS (real time). */
void gpu_ledger_tell(struct gpu_ledger *ledger,
                     enum gpu_witness witness,
                     const struct gpu_pci *pci,
                     uint32_t code,
                     int64_t time_ns);

/* Go on from what RECALLED, a scan read from a snapshot, says. */
void gpu_ledger_recall(struct gpu_ledger *ledger,
                       const struct gpu_scan *recalled);

/* Write what it knows of SCAN's devices into SCAN, the last Xid among their
 * readings (0: none so far). */
void gpu_ledger_write(struct gpu_ledger *ledger,
                      struct gpu_scan *scan,
                      int64_t now_ns);

void gpu_ledger_deinit(struct gpu_ledger *ledger);

/* What the code means, in a few words of ours; "" when it is not known. */
const char *gpu_xid_text(uint32_t code);
