/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node's GPU exporter may be anybody's: its page is any bytes. */
#include "fuzz.h"

#include "model/measured.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct measured_node node;
    int r = measured_node_parse((const char *)data, size, &node);
    fuzz_check(r == 0 || r == -ENODATA);
    if (r < 0)
        return 0;
    fuzz_check(node.gpu_count > 0 && node.gpu_count <= MEASURED_GPUS_MAX);
    fuzz_check(node.job_count <= MEASURED_JOBS_MAX);
    for (size_t i = 0; i < node.job_count; i++) {
        const struct measured_job *job = &node.jobs[i];
        fuzz_check(job->gpu < node.gpu_count);
        fuzz_check(strnlen(job->job, sizeof(job->job)) < sizeof(job->job));
    }
    measured_node_deinit(&node);
    return 0;
}
