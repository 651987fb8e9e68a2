/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger of Xids. A witness who tells of what the other told of a moment
 * ago tells of the same error; one who tells twice tells of two.
 */
#include "source/gpu-xid.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <ctype.h>
#include <string.h>

#define SAME_NS (2 * NS_PER_S)
/* Longer than any window that is asked for. */
#define WINDOW_NS (3600 * NS_PER_S)

enum {
    ENTRIES_MAX = 1024,
    EVENTS_MAX = 4096
};

/* NVIDIA's numbers with our words; gpu.md 3.2. */
static const struct {
    uint32_t code;
    const char *text;
} texts[] = {
    {13, "graphics engine exception"},
    {31, "page fault"},
    {32, "corrupt push buffer"},
    {38, "firmware watchdog"},
    {39, "copy engine exception"},
    {43, "stopped processing"},
    {45, "clean-up of a process"},
    {46, "stopped processing, all channels"},
    {48, "double-bit ECC error"},
    {54, "auxiliary power is not connected"},
    {56, "display engine error"},
    {57, "memory link error"},
    {58, "memory error"},
    {60, "video engine exception"},
    {61, "micro-controller breakpoint"},
    {62, "micro-controller halted"},
    {63, "row remapping recorded"},
    {64, "row remapping failed"},
    {68, "video decoder exception"},
    {69, "graphics class error"},
    {74, "NVLink error"},
    {78, "vGPU start error"},
    {79, "fell off the bus"},
    {92, "many single-bit ECC errors"},
    {93, "InfoROM is worn"},
    {94, "contained ECC error"},
    {95, "uncontained ECC error"},
    {109, "context switch timed out"},
    {110, "security fault"},
    {119, "GSP does not answer"},
    {120, "GSP error"},
    {121, "C2C link error"},
    {122, "SPI error"},
    {123, "power management error"},
    {136, "link training failed"},
    {137, "NVLink privilege error"},
    {140, "unrecovered ECC error"},
    {143, "GPU did not start"},
    {144, "NVLink error: SAW"},
    {145, "NVLink error: RLW"},
    {146, "NVLink error: TLW"},
    {147, "NVLink error: TREX"},
    {148, "NVLink error: NVLPW"},
    {149, "NVLink error: NETIR"},
    {150, "NVLink error: MSE"},
    {151, "key rotation"},
    {154, "recovery action changed"},
    {155, "NVLink error, by software"},
    {156, "resource retired"},
    {158, "fatal time-out"},
    {171, "uncorrectable DRAM error"},
    {172, "uncorrectable SRAM error"},
};

const char *gpu_xid_text(uint32_t code)
{
    for (size_t i = 0; i < array_size(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "";
}

/* By hand: scanf takes signs and blanks for a part of a number. */
static bool take_hex(const char **at, int digits_max, uint32_t *ret_number)
{
    int digits = 0;
    *ret_number = 0;
    for (; digits < digits_max && isxdigit((unsigned char)**at); digits++) {
        int c = tolower((unsigned char)*(*at)++);
        *ret_number =
            *ret_number * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return digits > 0;
}

bool gpu_pci_parse(const char *text, struct gpu_pci *ret_pci)
{
    return take_hex(&text, 8, &ret_pci->domain) && *text++ == ':' &&
           take_hex(&text, 2, &ret_pci->bus) && *text++ == ':' &&
           take_hex(&text, 2, &ret_pci->device);
}

static bool pci_equal(const struct gpu_pci *a, const struct gpu_pci *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

/* ---- counting ------------------------------------------------------------ */

static struct gpu_ledger_entry *
entry_of(struct gpu_ledger *ledger, const struct gpu_pci *pci, uint32_t code)
{
    for (size_t i = 0; i < ledger->entry_count; i++)
        if (ledger->entries[i].code == code &&
            pci_equal(&ledger->entries[i].pci, pci))
            return &ledger->entries[i];
    if (ledger->entry_count == ENTRIES_MAX)
        return NULL;
    struct gpu_ledger_entry *grown =
        reallocarray(ledger->entries, ledger->entry_count + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    ledger->entries = grown;
    struct gpu_ledger_entry *entry = &grown[ledger->entry_count++];
    *entry = (struct gpu_ledger_entry){.pci = *pci, .code = code};
    return entry;
}

static void events_trim(struct gpu_ledger *ledger, int64_t now_ns)
{
    size_t gone = 0;
    while (gone < ledger->event_count &&
           (ledger->events[gone].time_ns < now_ns - WINDOW_NS ||
            ledger->event_count - gone >= EVENTS_MAX))
        gone++;
    if (gone == 0)
        return;
    ledger->event_count -= gone;
    memmove(ledger->events, ledger->events + gone,
            ledger->event_count * sizeof(*ledger->events));
}

static void event_add(struct gpu_ledger *ledger,
                      const struct gpu_pci *pci,
                      uint32_t code,
                      int64_t time_ns)
{
    events_trim(ledger, time_ns);
    struct gpu_ledger_event *grown =
        reallocarray(ledger->events, ledger->event_count + 1, sizeof(*grown));
    if (!grown)
        return;
    ledger->events = grown;
    grown[ledger->event_count++] = (struct gpu_ledger_event){
        .pci = *pci, .code = code, .time_ns = time_ns};
}

void gpu_ledger_tell(struct gpu_ledger *ledger,
                     enum gpu_witness witness,
                     const struct gpu_pci *pci,
                     uint32_t code,
                     int64_t time_ns)
{
    enum gpu_witness other =
        witness == GPU_WITNESS_EVENT ? GPU_WITNESS_LOG : GPU_WITNESS_EVENT;
    struct gpu_ledger_entry *entry = entry_of(ledger, pci, code);
    if (!entry)
        return;
    int64_t apart_ns = time_ns - entry->told_ns[other];
    bool same =
        entry->ahead[other] > 0 && apart_ns < SAME_NS && apart_ns > -SAME_NS;
    if (same) {
        entry->ahead[other]--;
        return;
    }
    entry->ahead[other] = 0; /* what it told of, this one has missed */
    entry->ahead[witness]++;
    entry->told_ns[witness] = time_ns;
    entry->count++;
    if (time_ns / NS_PER_S > entry->last_s)
        entry->last_s = time_ns / NS_PER_S;
    event_add(ledger, pci, code, time_ns);
}

/* ---- from and to scans --------------------------------------------------- */

void gpu_ledger_recall(struct gpu_ledger *ledger,
                       const struct gpu_scan *recalled)
{
    struct gpu_pci pci;
    for (size_t i = 0; i < recalled->xid_count; i++) {
        const struct gpu_xid_scan *xid = &recalled->xids[i];
        if (!gpu_pci_parse(recalled->devices[xid->device].pci_bus_id, &pci))
            continue;
        struct gpu_ledger_entry *entry = entry_of(ledger, &pci, xid->code);
        if (!entry)
            return;
        entry->count = xid->count;
        entry->last_s = xid->last_s;
    }
    for (size_t i = 0; i < recalled->event_count; i++) {
        const struct gpu_event_record *event = &recalled->events[i];
        if (event->kind == GPU_EVENT_XID &&
            gpu_pci_parse(recalled->devices[event->gpu].pci_bus_id, &pci))
            event_add(ledger, &pci, event->code, event->time_ns);
    }
}

static void write_device(const struct gpu_ledger *ledger,
                         struct gpu_scan *scan,
                         uint32_t number,
                         const struct gpu_pci *pci)
{
    struct gpu_record *gpu = &scan->devices[number].record;
    int64_t newest_s = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < ledger->entry_count; i++) {
        const struct gpu_ledger_entry *entry = &ledger->entries[i];
        if (!pci_equal(&entry->pci, pci))
            continue;
        struct gpu_xid_scan *xid = gpu_scan_add_xid(scan);
        if (xid)
            *xid = (struct gpu_xid_scan){.device = number,
                                         .code = entry->code,
                                         .count = entry->count,
                                         .last_s = entry->last_s};
        if (entry->last_s >= newest_s) {
            newest_s = entry->last_s;
            last = entry->code;
        }
    }
    gpu_set_integer(gpu, GPU_LAST_XID, last);
    for (size_t i = 0; i < ledger->event_count; i++) {
        if (!pci_equal(&ledger->events[i].pci, pci))
            continue;
        struct gpu_event_record *event = gpu_scan_add_event(scan);
        if (event)
            *event =
                (struct gpu_event_record){.kind = GPU_EVENT_XID,
                                          .gpu = number,
                                          .code = ledger->events[i].code,
                                          .time_ns = ledger->events[i].time_ns};
    }
}

void gpu_ledger_write(struct gpu_ledger *ledger,
                      struct gpu_scan *scan,
                      int64_t now_ns)
{
    struct gpu_pci pci;
    events_trim(ledger, now_ns);
    for (uint32_t i = 0; i < scan->device_count; i++)
        if (scan->devices[i].record.parent == GPU_NONE &&
            scan->devices[i].record.vendor == GPU_VENDOR_NVIDIA &&
            gpu_pci_parse(scan->devices[i].pci_bus_id, &pci))
            write_device(ledger, scan, i, &pci);
}

void gpu_ledger_deinit(struct gpu_ledger *ledger)
{
    free(ledger->entries);
    free(ledger->events);
    *ledger = (struct gpu_ledger){.entries = NULL};
}
