/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the kernel log, in which any program's name may stand. */
#include "fuzz.h"

#include "source/gpu-kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpu_kmsg_xid xid;
    char *record = fuzz_string(data, size);
    if (gpu_kmsg_parse(record, &xid)) {
        fuzz_check(xid.time_us >= 0);
        fuzz_check(xid.code <= 10000);
        fuzz_check(xid.pci.bus <= 0xff && xid.pci.device <= 0xff);
    }
    free(record);
    return 0;
}
