/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The collectors file of gpu-exporter. */
#include "fuzz.h"

#include "model/gpu-metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpu_metrics metrics;
    struct error err;
    if (gpu_metrics_parse("f", (const char *)data, size, &metrics, &err) < 0) {
        fuzz_check(err.text[0] == 'f');
        return 0;
    }
    fuzz_check(metrics.count > 0);
    for (size_t i = 0; i < metrics.count; i++)
        fuzz_check(metrics.metrics[i].name[0] != '\0' &&
                   metrics.metrics[i].type < GPU_TYPE_COUNT);
    gpu_metrics_deinit(&metrics);
    return 0;
}
