/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu-time PID...: the CPU time that each process has used so far, all of its
 * threads together, in milliseconds. /proc knows it only in hundredths of a
 * second, which is more than some of what is measured.
 */
#include "base/clock.h"

#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc < 2)
        error(2, 0, "usage: cpu-time PID...");
    for (int i = 1; i < argc; i++) {
        clockid_t clock;
        int r = clock_getcpuclockid(atoi(argv[i]), &clock);
        if (r != 0)
            error(EXIT_FAILURE, r, "process %s", argv[i]);
        printf("%.3f\n", (double)clock_read_ns(clock) / (double)NS_PER_MS);
    }
    return EXIT_SUCCESS;
}
