/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the kernel log. A record that was overwritten before we came is
 * skipped by the kernel (EPIPE). Errors that somebody has repaired long ago
 * must not be reported as new after each start, hence the bound on looking
 * back.
 */
#include "source/gpu-kmsg.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_BACK_NS (2 * 3600 * NS_PER_S)

enum {
    RECORD_SIZE = 8192, /* the kernel's own bound */
    RECORDS_MAX = 10000 /* in one go, so that a storm keeps nobody waiting */
};

bool gpu_kmsg_parse(const char *record, struct gpu_kmsg_xid *ret_xid)
{
    static const char mark[] = "NVRM: Xid (PCI:";
    const char *text = strchr(record, ';');
    char *end;
    if (!text || !isdigit((unsigned char)record[0]))
        return false;
    /* Priority, sequence, time, flags. */
    const char *time = strchr(record, ',');
    time = time ? strchr(time + 1, ',') : NULL;
    if (!time || time > text)
        return false;
    errno = 0;
    long long time_us = strtoll(time + 1, &end, 10);
    if (errno || *end != ',' || time_us < 0)
        return false;
    const char *xid = strstr(text, mark);
    if (!xid || !gpu_pci_parse(xid + strlen(mark), &ret_xid->pci))
        return false;
    /* "(PCI:0000:9b:00 GPU-I:05): 94, ..." */
    const char *code = strstr(xid, "): ");
    if (!code || !isdigit((unsigned char)code[3]))
        return false;
    unsigned long number = strtoul(code + 3, &end, 10);
    if (number > 10000)
        return false;
    ret_xid->time_us = time_us;
    ret_xid->code = (uint32_t)number;
    return true;
}

static int64_t boot_ns(void)
{
    struct timespec since_boot;
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return clock_realtime_ns() -
           (since_boot.tv_sec * NS_PER_S + since_boot.tv_nsec);
}

int gpu_kmsg_open(const char *path,
                  int64_t since_ns,
                  struct gpu_kmsg *ret_kmsg,
                  struct error *err)
{
    int64_t bound_ns = clock_realtime_ns() - LOOK_BACK_NS;
    *ret_kmsg = (struct gpu_kmsg){
        .fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC),
        .since_ns = since_ns > bound_ns ? since_ns : bound_ns};
    if (ret_kmsg->fd < 0)
        return error_errno(err, errno, "%s", path);
    return 0;
}

void gpu_kmsg_close(struct gpu_kmsg *kmsg)
{
    close_fd(&kmsg->fd);
    kmsg->fd = -1;
}

static void tell(const struct gpu_kmsg *kmsg,
                 struct gpu_ledger *ledger,
                 const char *record,
                 int64_t booted_ns)
{
    struct gpu_kmsg_xid xid;
    if (!gpu_kmsg_parse(record, &xid))
        return;
    int64_t time_ns = booted_ns + xid.time_us * 1000;
    if (time_ns > kmsg->since_ns)
        gpu_ledger_tell(ledger, GPU_WITNESS_LOG, &xid.pci, xid.code, time_ns);
}

void gpu_kmsg_read(struct gpu_kmsg *kmsg, struct gpu_ledger *ledger)
{
    char record[RECORD_SIZE + 1];
    int64_t booted_ns = boot_ns();
    for (int i = 0; kmsg->fd >= 0 && i < RECORDS_MAX; i++) {
        ssize_t size = read(kmsg->fd, record, RECORD_SIZE);
        if (size < 0 && (errno == EPIPE || errno == EINTR))
            continue;
        if (size <= 0)
            return;
        record[size] = '\0';
        /* One record; several where a plain file stands for the log. */
        for (char *line = record, *rest; line; line = rest) {
            rest = strchr(line, '\n');
            if (rest)
                *rest++ = '\0';
            tell(kmsg, ledger, line, booted_ns);
        }
    }
}
