/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xids from the kernel log: /dev/kmsg, which gives one record at a time, and
 * needs CAP_SYSLOG where dmesg is restricted.
 */
#pragma once

#include "source/gpu-xid.h"

struct gpu_kmsg_xid {
    int64_t time_us; /* since boot */
    struct gpu_pci pci;
    uint32_t code;
};

/* RECORD as /dev/kmsg gives it, "6,1234,5678,-;NVRM: Xid (PCI:0000:9b:00): 79,
 * ...", its end marked by a zero byte. False when it is none of an Xid. */
bool gpu_kmsg_parse(const char *record, struct gpu_kmsg_xid *ret_xid);

struct gpu_kmsg {
    int fd;           /* -1: cannot be read */
    int64_t since_ns; /* real time: what is older is not told */
};

/* SINCE_NS: of the real clock; what is from before the boot of this machine, or
 * older than two hours, is left alone in any case. -EPERM, -ENOENT. */
int gpu_kmsg_open(const char *path,
                  int64_t since_ns,
                  struct gpu_kmsg *ret_kmsg,
                  struct error *err);
void gpu_kmsg_close(struct gpu_kmsg *kmsg);

/* Tell LEDGER of what is new in the log. Never blocks. */
void gpu_kmsg_read(struct gpu_kmsg *kmsg, struct gpu_ledger *ledger);
