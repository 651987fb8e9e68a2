/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/prometheus-answer.h"

#include "base/cleanup.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void free_json(json_t **value)
{
    json_decref(*value);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* [1435781430.781, "1.5"]; the time is that of the step's end. */
static void take_value(const json_t *pair, struct prometheus_series *series)
{
    const char *text = json_string_value(json_array_get(pair, 1));
    const json_t *time = json_array_get(pair, 0);
    char *end = NULL;
    if (!text || !json_is_number(time))
        return;
    double value = strtod(text, &end);
    double at = (json_number_value(time) - (double)series->from_s) /
                    (double)series->step_s -
                1;
    if (*end || end == text || !isfinite(value) || !(at > -0.5) ||
        at >= (double)series->count - 0.5)
        return;
    series->values[(size_t)(at + 0.5)] = (float)value;
}

static void take_result(const json_t *result,
                        const char *kind,
                        struct prometheus_series *series,
                        size_t count)
{
    const json_t *metric = json_object_get(result, "metric");
    const json_t *values = json_object_get(result, "values");
    const struct prometheus_labels labels = {
        .node = text_of(metric, "node"),
        .partition = text_of(metric, "partition"),
        .job_id = text_of(metric, "job_id"),
        .host = text_of(metric, "Hostname"),
        .gpu = text_of(metric, "gpu"),
        .gpu_instance = text_of(metric, "GPU_I_ID"),
    };
    for (size_t i = 0; i < count; i++)
        if (prometheus_labels_are_of(&labels, kind, series[i].id))
            for (size_t v = 0; v < json_array_size(values); v++)
                take_value(json_array_get(values, v), &series[i]);
}

int prometheus_answer_read(const char *text,
                           size_t size,
                           const char *kind,
                           struct prometheus_series *series,
                           size_t count,
                           struct error *err)
{
    _cleanup_(free_json) json_t *root = json_loadb(text, size, 0, NULL);
    const json_t *data = json_object_get(root, "data");
    const json_t *results = json_object_get(data, "result");
    const char *status = text_of(root, "status");
    const char *type = text_of(data, "resultType");
    const char *reason = text_of(root, "error");
    if (status && strcmp(status, "error") == 0)
        return error_set(err, EBADMSG, "it refused: %.200s",
                         reason ? reason : "without a reason");
    if (!status || !type || strcmp(type, "matrix") != 0 ||
        !json_is_array(results))
        return error_set(err, EBADMSG, "its answer is not that of Prometheus");
    for (size_t i = 0; i < json_array_size(results); i++)
        take_result(json_array_get(results, i), kind, series, count);
    return 0;
}
