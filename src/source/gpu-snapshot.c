/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/gpu-snapshot.h"

#include "base/cleanup.h"
#include "source/gpu-xid.h"

#include <stdio.h>
#include <string.h>

/* The strings of a device: where in the record, where in the scan. */
static const struct text {
    size_t record, scan, size;
} texts[] = {
#define TEXT(record_, scan_)                                                   \
    {                                                                          \
        offsetof(struct gpu_record, record_),                                  \
            offsetof(struct gpu_device_scan, scan_),                           \
            sizeof(((struct gpu_device_scan *)0)->scan_)                       \
    }
    TEXT(uuid, uuid),
    TEXT(pci_bus_id, pci_bus_id),
    TEXT(model, model),
    TEXT(serial, serial),
    TEXT(brand, brand),
    TEXT(vbios_version, vbios_version),
    TEXT(inforom_image, inforom_image),
    TEXT(inforom_oem, inforom_oem),
    TEXT(inforom_ecc, inforom_ecc),
    TEXT(inforom_power, inforom_power),
    TEXT(profile, profile),
    TEXT(trouble, trouble),
#undef TEXT
};

static void write_device(struct snapshot_builder *builder,
                         const struct gpu_device_scan *device,
                         struct gpu_record *ret_record)
{
    struct gpu_record record = device->record;
    for (unsigned int i = 0; i < array_size(texts); i++) {
        snapshot_string string = snapshot_builder_string(
            builder, i, (const char *)device + texts[i].scan);
        memcpy((char *)&record + texts[i].record, &string, sizeof(string));
    }
    *ret_record = record;
}

static void write_machine(struct snapshot_builder *builder,
                          const struct gpu_scan *scan)
{
    struct gpu_machine_record *machine = snapshot_builder_add(builder, 3, NULL);
    if (!machine)
        return;
    machine->driver_version =
        snapshot_builder_string(builder, 13, scan->driver_version);
    machine->nvml_version =
        snapshot_builder_string(builder, 13, scan->nvml_version);
    machine->cuda_version =
        snapshot_builder_string(builder, 13, scan->cuda_version);
    machine->amd_driver_version =
        snapshot_builder_string(builder, 13, scan->amd_driver_version);
    machine->trouble = snapshot_builder_string(builder, 13, scan->trouble);
    machine->expected = scan->expected;
    machine->visible = scan->visible;
    machine->released = scan->released;
}

static void write_xids(struct snapshot_builder *builder,
                       const struct gpu_scan *scan)
{
    for (size_t i = 0; i < scan->xid_count; i++) {
        const struct gpu_xid_scan *xid = &scan->xids[i];
        struct xid_record *record = snapshot_builder_add(builder, 1, NULL);
        if (!record)
            return;
        *record = (struct xid_record){.text = snapshot_builder_string(
                                          builder, 14, gpu_xid_text(xid->code)),
                                      .gpu = xid->device,
                                      .code = xid->code,
                                      .count = xid->count,
                                      .last_s = xid->last_s};
    }
    for (size_t i = 0; i < scan->event_count; i++) {
        struct gpu_event_record *record =
            snapshot_builder_add(builder, 2, NULL);
        if (!record)
            return;
        *record = scan->events[i];
    }
}

int gpu_snapshot_write(const struct gpu_scan *scan,
                       struct snapshot_builder *builder,
                       struct error *err)
{
    void *records;
    int r = snapshot_builder_begin(builder, SNAPSHOT_GPUS, scan->device_count,
                                   &records, err);
    if (r < 0)
        return r;
    struct gpu_record *record = records;
    for (size_t i = 0; i < scan->device_count; i++)
        write_device(builder, &scan->devices[i], &record[i]);
    write_xids(builder, scan);
    write_machine(builder, scan);
    return snapshot_builder_end(builder, scan->device_count, err);
}

/* ---- back ---------------------------------------------------------------- */

static void recall_device(const struct snapshot *snapshot,
                          const struct gpu_record *record,
                          struct gpu_scan *scan)
{
    struct gpu_device_scan *device = gpu_scan_add_device(scan);
    if (!device)
        return;
    device->record = *record;
    memset(device->record.has, 0, sizeof(device->record.has));
    for (size_t i = 0; i < array_size(texts); i++) {
        snapshot_string string;
        memcpy(&string, (const char *)record + texts[i].record, sizeof(string));
        snprintf((char *)device + texts[i].scan, texts[i].size, "%s",
                 snapshot_text(snapshot, SNAPSHOT_GPUS, string));
        memset((char *)&device->record + texts[i].record, 0,
               sizeof(snapshot_string));
    }
}

void gpu_snapshot_recall(const struct snapshot *snapshot,
                         struct gpu_scan *ret_scan)
{
    size_t count, xid_count, event_count;
    const struct gpu_record *gpus =
        snapshot_array(snapshot, SNAPSHOT_GPUS, 0, &count);
    const struct xid_record *xids =
        snapshot_array(snapshot, SNAPSHOT_GPUS, 1, &xid_count);
    const struct gpu_event_record *events =
        snapshot_array(snapshot, SNAPSHOT_GPUS, 2, &event_count);
    for (size_t i = 0; i < count; i++)
        recall_device(snapshot, &gpus[i], ret_scan);
    if (ret_scan->device_count < count)
        return; /* no memory: numbers would mislead */
    for (size_t i = 0; i < xid_count; i++) {
        struct gpu_xid_scan *xid = gpu_scan_add_xid(ret_scan);
        if (xid)
            *xid = (struct gpu_xid_scan){.device = xids[i].gpu,
                                         .code = xids[i].code,
                                         .count = xids[i].count,
                                         .last_s = xids[i].last_s};
    }
    for (size_t i = 0; i < event_count; i++) {
        struct gpu_event_record *event = gpu_scan_add_event(ret_scan);
        if (event)
            *event = events[i];
    }
}
