/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xids: the kernel log as it is written, and that two witnesses of one error
 * count it once.
 */
#include "source/gpu-kmsg.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The linker sends the reads of what is tested here (--wrap). */
static struct {
    int fd, overruns; /* reads to come that find the log overrun */
} overrun = {.fd = -1};

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    if (fd != overrun.fd || overrun.overruns == 0)
        return __real_read(fd, buffer, size);
    overrun.overruns--;
    errno = EPIPE;
    return -1;
}

static void records_of_the_kernel_log(void **state)
{
    (void)state;
    struct gpu_kmsg_xid xid;
    assert_true(gpu_kmsg_parse(
        "6,1234,5678,-;NVRM: Xid (PCI:0000:9b:00): 79, pid='<unknown>', "
        "name=<unknown>, GPU has fallen off the bus.",
        &xid));
    assert_int_equal(xid.code, 79);
    assert_int_equal(xid.time_us, 5678);
    assert_int_equal(xid.pci.bus, 0x9b);
    assert_true(gpu_kmsg_parse(
        "4,9,12,c;NVRM: Xid (PCI:0001:01:1f GPU-I:05): 94, pid=1", &xid));
    assert_int_equal(xid.code, 94);
    assert_int_equal(xid.pci.domain, 1);
    assert_int_equal(xid.pci.device, 0x1f);
    static const char *const others[] = {
        "",
        "6,1,2,-;usb 1-1: new device",
        "NVRM: Xid (PCI:0000:9b:00): 79",
        "6,1,2,-;NVRM: Xid (PCI:zzzz): 79, ",
        "6,1,2,-;NVRM: Xid (PCI:0000:9b:00): seventy",
        "6,1,2,-;NVRM: Xid (PCI:0000:9b:00): 99999999999, ",
        "6,1,-2,-;NVRM: Xid (PCI:0000:9b:00): 79, ",
        "6,1,2,-;NVRM: Xid (PCI:0000:-1:00): 79, ",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(gpu_kmsg_parse(others[i], &xid));
}

static const struct gpu_pci card = {.bus = 0x9b};

static struct gpu_scan scan_of_card(struct gpu_ledger *ledger)
{
    struct gpu_scan scan = {.devices = NULL};
    struct gpu_device_scan *device = gpu_scan_add_device(&scan);
    strcpy(device->pci_bus_id, "00000000:9B:00.0");
    device->record.parent = GPU_NONE;
    gpu_ledger_write(ledger, &scan, 1000 * NS_PER_S);
    return scan;
}

static void tell(struct gpu_ledger *ledger,
                 enum gpu_witness witness,
                 uint32_t code,
                 int64_t ms)
{
    gpu_ledger_tell(ledger, witness, &card, code,
                    900 * NS_PER_S + ms * NS_PER_MS);
}

static void two_witnesses_of_one_error_count_it_once(void **state)
{
    (void)state;
    struct gpu_ledger ledger = {.entries = NULL};
    tell(&ledger, GPU_WITNESS_EVENT, 79, 0);
    tell(&ledger, GPU_WITNESS_LOG, 79, 300);
    /* Two of a kind within a moment, each told by both. */
    tell(&ledger, GPU_WITNESS_LOG, 31, 1000);
    tell(&ledger, GPU_WITNESS_LOG, 31, 1001);
    tell(&ledger, GPU_WITNESS_EVENT, 31, 1002);
    tell(&ledger, GPU_WITNESS_EVENT, 31, 1003);
    /* One that the events missed, and one later. */
    tell(&ledger, GPU_WITNESS_LOG, 48, 2000);
    tell(&ledger, GPU_WITNESS_EVENT, 48, 9000);
    struct gpu_scan scan = scan_of_card(&ledger);
    assert_int_equal(scan.xid_count, 3);
    for (size_t i = 0; i < scan.xid_count; i++)
        assert_int_equal(scan.xids[i].count, scan.xids[i].code == 79 ? 1 : 2);
    assert_int_equal(scan.devices[0].record.values[GPU_LAST_XID].integer, 48);
    assert_int_equal(scan.event_count, 5);
    gpu_scan_deinit(&scan);
    gpu_ledger_deinit(&ledger);
}

static void counts_go_on_in_the_next_collector(void **state)
{
    (void)state;
    struct gpu_ledger first = {.entries = NULL}, second = {.entries = NULL};
    tell(&first, GPU_WITNESS_LOG, 79, 0);
    struct gpu_scan scan = scan_of_card(&first);
    gpu_ledger_recall(&second, &scan);
    gpu_scan_deinit(&scan);
    tell(&second, GPU_WITNESS_EVENT, 79, 60000);
    scan = scan_of_card(&second);
    assert_int_equal(scan.xids[0].count, 2);
    assert_int_equal(scan.event_count, 2);
    gpu_scan_deinit(&scan);
    gpu_ledger_deinit(&first);
    gpu_ledger_deinit(&second);
}

static void a_log_is_read_on_from_where_it_was(void **state)
{
    (void)state;
    char path[] = "/tmp/test-gpu-xid-XXXXXX";
    struct gpu_ledger ledger = {.entries = NULL};
    struct gpu_kmsg kmsg;
    struct timespec now;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    clock_gettime(CLOCK_BOOTTIME, &now);
    long long us = now.tv_sec * 1000000LL;
    dprintf(fd, "6,1,%lld,-;NVRM: Xid (PCI:0000:9b:00): 13, pid=1\n", us);
    assert_int_equal(gpu_kmsg_open(path, 0, &kmsg, NULL), 0);
    gpu_kmsg_read(&kmsg, &ledger);
    gpu_kmsg_read(&kmsg, &ledger);
    assert_int_equal(ledger.entries[0].count, 1);
    dprintf(fd, "6,2,%lld,-;NVRM: Xid (PCI:0000:9b:00): 13, pid=1\n", us);
    gpu_kmsg_read(&kmsg, &ledger);
    assert_int_equal(ledger.entries[0].count, 2);
    gpu_kmsg_close(&kmsg);
    gpu_ledger_deinit(&ledger);
    close(fd);
    unlink(path);
}

/* The kernel wrote more than its buffer holds: what is left is read. */
static void an_overrun_log_is_read_on(void **state)
{
    (void)state;
    char path[] = "/tmp/test-gpu-xid-XXXXXX";
    struct gpu_ledger ledger = {.entries = NULL};
    struct gpu_kmsg kmsg;
    struct timespec now;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    clock_gettime(CLOCK_BOOTTIME, &now);
    long long us = now.tv_sec * 1000000LL;
    dprintf(fd, "6,9000,%lld,-;NVRM: Xid (PCI:0000:9b:00): 31, pid=1\n", us);
    assert_int_equal(gpu_kmsg_open(path, 0, &kmsg, NULL), 0);
    overrun.fd = kmsg.fd;
    overrun.overruns = 3;
    gpu_kmsg_read(&kmsg, &ledger);
    assert_int_equal(overrun.overruns, 0);
    assert_int_equal(ledger.entries[0].count, 1);
    /* One that is overrun again and again does not hold up the cycle. */
    overrun.overruns = 100000;
    gpu_kmsg_read(&kmsg, &ledger);
    assert_in_range(overrun.overruns, 1, 99999);
    overrun.fd = -1;
    gpu_kmsg_close(&kmsg);
    gpu_ledger_deinit(&ledger);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_the_kernel_log),
        cmocka_unit_test(two_witnesses_of_one_error_count_it_once),
        cmocka_unit_test(counts_go_on_in_the_next_collector),
        cmocka_unit_test(a_log_is_read_on_from_where_it_was),
        cmocka_unit_test(an_overrun_log_is_read_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
