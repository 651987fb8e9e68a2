/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/gpu-metric.h"

#include "base/cleanup.h"
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

const char *const gpu_type_names[GPU_TYPE_COUNT] = {
    [GPU_TYPE_GAUGE] = "gauge",         [GPU_TYPE_COUNTER] = "counter",
    [GPU_TYPE_HISTOGRAM] = "histogram", [GPU_TYPE_SUMMARY] = "summary",
    [GPU_TYPE_LABEL] = "label",
};

/* Fields that are no readings. */
static const struct other {
    const char *name, *new_name, *help;
    enum gpu_metric_source source;
    enum gpu_metric_text text;
} others[] = {
    {"DCGM_FI_DRIVER_VERSION", "DCGM_FI_SYSTEM_DRIVER_VERSION",
     "Driver Version", GPU_METRIC_TEXT, GPU_TEXT_DRIVER_VERSION},
    {"DCGM_FI_NVML_VERSION", "DCGM_FI_SYSTEM_NVML_VERSION", "NVML Version",
     GPU_METRIC_TEXT, GPU_TEXT_NVML_VERSION},
    {"DCGM_FI_CUDA_DRIVER_VERSION", NULL, "CUDA Driver Version",
     GPU_METRIC_TEXT, GPU_TEXT_CUDA_VERSION},
    {"DCGM_FI_DEV_BRAND", "DCGM_FI_DEV_GPU_BRAND", "Device Brand",
     GPU_METRIC_TEXT, GPU_TEXT_BRAND},
    {"DCGM_FI_DEV_SERIAL", "DCGM_FI_DEV_BOARD_SERIAL", "Device Serial Number",
     GPU_METRIC_TEXT, GPU_TEXT_SERIAL},
    {"DCGM_FI_DEV_VBIOS_VERSION", NULL, "VBIOS version of the device",
     GPU_METRIC_TEXT, GPU_TEXT_VBIOS},
    {"DCGM_FI_DEV_INFOROM_IMAGE_VER", "DCGM_FI_DEV_INFOROM_IMAGE_VERSION",
     "Inforom image version", GPU_METRIC_TEXT, GPU_TEXT_INFOROM_IMAGE},
    {"DCGM_FI_DEV_OEM_INFOROM_VER", "DCGM_FI_DEV_INFOROM_OEM_VERSION",
     "OEM inforom version", GPU_METRIC_TEXT, GPU_TEXT_INFOROM_OEM},
    {"DCGM_FI_DEV_ECC_INFOROM_VER", "DCGM_FI_DEV_INFOROM_ECC_VERSION",
     "ECC inforom version", GPU_METRIC_TEXT, GPU_TEXT_INFOROM_ECC},
    {"DCGM_FI_DEV_POWER_INFOROM_VER", "DCGM_FI_DEV_INFOROM_POWER_VERSION",
     "Power management object inforom version", GPU_METRIC_TEXT,
     GPU_TEXT_INFOROM_POWER},
    {"DCGM_EXP_XID_ERRORS_COUNT", NULL,
     "Count of XID Errors within user-specified time window (see "
     "xid-count-window-size param).",
     GPU_METRIC_XID_WINDOW, 0},
    {"DCGM_EXP_CLOCK_EVENTS_COUNT", NULL,
     "Count of clock events within the user-specified time window (see "
     "clock-events-count-window-size param).",
     GPU_METRIC_CLOCK_WINDOW, 0},
    {"DCGM_EXP_GPU_HEALTH_STATUS", NULL,
     "Health of the GPU by watch: 0 passes, 10 is a warning, 20 a failure.",
     GPU_METRIC_HEALTH, 0},
    {"DCGM_EXP_P2P_STATUS", NULL,
     "Whether the GPU reaches another by NVLink: 0 when it does.",
     GPU_METRIC_PEERS, 0},
};

bool gpu_metric_computed(size_t index,
                         const char **ret_name,
                         const char **ret_help)
{
    for (size_t i = 0; i < array_size(others); i++)
        if (others[i].source != GPU_METRIC_TEXT && index-- == 0) {
            *ret_name = others[i].name;
            *ret_help = others[i].help;
            return true;
        }
    return false;
}

/* ---- the list ------------------------------------------------------------ */

void gpu_metrics_deinit(struct gpu_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        free(metrics->metrics[i].name);
        free(metrics->metrics[i].help);
    }
    free(metrics->metrics);
    *metrics = (struct gpu_metrics){.count = 0};
}

static int add(struct gpu_metrics *metrics,
               const struct gpu_metric *metric,
               const char *name,
               const char *help,
               struct error *err)
{
    struct gpu_metric *grown =
        reallocarray(metrics->metrics, metrics->count + 1, sizeof(*grown));
    if (!grown)
        return error_errno(err, ENOMEM, "metrics");
    metrics->metrics = grown;
    grown[metrics->count] = *metric;
    grown[metrics->count].name = strdup(name);
    grown[metrics->count].help = strdup(help);
    metrics->count++;
    if (!grown[metrics->count - 1].name || !grown[metrics->count - 1].help)
        return error_errno(err, ENOMEM, "metrics");
    return 0;
}

static int add_reading(struct gpu_metrics *metrics,
                       enum gpu_reading what,
                       enum gpu_names names,
                       struct error *err)
{
    const struct gpu_reading_info *info = &gpu_readings[what];
    const struct gpu_metric metric = {.type = info->counter ? GPU_TYPE_COUNTER
                                                            : GPU_TYPE_GAUGE,
                                      .source = GPU_METRIC_READING,
                                      .reading = what};
    int r = 0;
    if (names != GPU_NAMES_NEW || !info->new_name)
        r = add(metrics, &metric, info->name, info->help, err);
    if (r == 0 && names != GPU_NAMES_OLD && info->new_name)
        r = add(metrics, &metric, info->new_name, info->help, err);
    return r;
}

int gpu_metrics_default(enum gpu_names names,
                        bool more,
                        struct gpu_metrics *ret_metrics,
                        struct error *err)
{
    const struct gpu_metric label = {.type = GPU_TYPE_LABEL,
                                     .source = GPU_METRIC_TEXT,
                                     .text = GPU_TEXT_DRIVER_VERSION};
    struct gpu_metrics metrics = {.count = 0};
    int r = 0;
    for (unsigned int i = 0; r == 0 && i < GPU_READING_COUNT; i++)
        if (more || gpu_readings[i].group != GPU_GROUP_DCGM_MORE)
            r = add_reading(&metrics, (enum gpu_reading)i, names, err);
    if (r == 0 && names != GPU_NAMES_NEW)
        r = add(&metrics, &label, others[0].name, others[0].help, err);
    if (r == 0 && names != GPU_NAMES_OLD)
        r = add(&metrics, &label, others[0].new_name, others[0].help, err);
    if (r < 0)
        gpu_metrics_deinit(&metrics);
    else
        *ret_metrics = metrics;
    return r;
}

/* ---- the file ------------------------------------------------------------ */

/* A piece of the file. */
struct piece {
    const char *data;
    size_t size;
};

static struct piece trim(struct piece piece)
{
    while (piece.size && isspace((unsigned char)piece.data[0])) {
        piece.data++;
        piece.size--;
    }
    while (piece.size && isspace((unsigned char)piece.data[piece.size - 1]))
        piece.size--;
    return piece;
}

/* What is before SEPARATOR, or all; REST is what stands behind it. */
static struct piece cut(struct piece *rest, char separator, bool *ret_found)
{
    const char *at = memchr(rest->data, separator, rest->size);
    struct piece before = {rest->data,
                           at ? (size_t)(at - rest->data) : rest->size};
    size_t taken = before.size + (at != NULL);
    rest->data += taken;
    rest->size -= taken;
    *ret_found = at != NULL;
    return before;
}

static bool is(struct piece piece, const char *text)
{
    return text && strlen(text) == piece.size &&
           memcmp(piece.data, text, piece.size) == 0;
}

static bool find_field(struct piece name, struct gpu_metric *metric)
{
    for (unsigned int i = 0; i < GPU_READING_COUNT; i++)
        if (is(name, gpu_readings[i].name) ||
            is(name, gpu_readings[i].new_name)) {
            metric->source = GPU_METRIC_READING;
            metric->reading = (enum gpu_reading)i;
            return true;
        }
    for (size_t i = 0; i < array_size(others); i++)
        if (is(name, others[i].name) || is(name, others[i].new_name)) {
            metric->source = others[i].source;
            metric->text = others[i].text;
            return true;
        }
    return false;
}

static int refuse_field(struct piece name, struct error *err)
{
    char word[128];
    size_t size = name.size < sizeof(word) - 1 ? name.size : sizeof(word) - 1;
    memcpy(word, name.data, size);
    word[size] = '\0';
    struct nearest nearest = {.word = word};
    for (unsigned int i = 0; i < GPU_READING_COUNT; i++)
        nearest_offer(&nearest, gpu_readings[i].name);
    for (size_t i = 0; i < array_size(others); i++)
        nearest_offer(&nearest, others[i].name);
    if (nearest.best[0])
        return error_set(err, EBADMSG,
                         "there is no field %.80s; did you mean %s?", word,
                         nearest.best);
    return error_set(err, EBADMSG,
                     "there is no field %.80s; doc/gpu-metrics.md lists those "
                     "there are",
                     word);
}

static bool find_type(struct piece word, enum gpu_metric_type *ret_type)
{
    for (unsigned int i = 0; i < GPU_TYPE_COUNT; i++)
        if (is(word, gpu_type_names[i])) {
            *ret_type = (enum gpu_metric_type)i;
            return true;
        }
    return false;
}

static int
parse_line(struct piece line, struct gpu_metrics *metrics, struct error *err)
{
    struct gpu_metric metric = {0};
    bool first, second;
    struct piece field = trim(cut(&line, ',', &first));
    struct piece type = trim(cut(&line, ',', &second));
    struct piece help = trim(line);
    if (!first || !second)
        return error_set(err, EBADMSG,
                         "a line is FIELD, TYPE, HELP with two commas");
    if (memchr(field.data, '\0', field.size) ||
        memchr(help.data, '\0', help.size))
        return error_set(err, EBADMSG, "a zero byte");
    if (!find_field(field, &metric))
        return refuse_field(field, err);
    if (!find_type(type, &metric.type))
        return error_set(err, EBADMSG,
                         "the type is gauge, counter, histogram, summary or "
                         "label");
    if ((metric.type == GPU_TYPE_LABEL) != (metric.source == GPU_METRIC_TEXT))
        return error_set(err, EBADMSG,
                         "a text can only be a label, a number never is one");
    _cleanup_(free_ptr) char *name = strndup(field.data, field.size);
    _cleanup_(free_ptr) char *words = strndup(help.data, help.size);
    if (!name || !words)
        return error_errno(err, ENOMEM, "metrics");
    return add(metrics, &metric, name, words, err);
}

int gpu_metrics_parse(const char *name,
                      const char *text,
                      size_t size,
                      struct gpu_metrics *ret_metrics,
                      struct error *err)
{
    struct gpu_metrics metrics = {.count = 0};
    struct piece rest = {text, size};
    int r = 0;
    for (unsigned int number = 1; r == 0 && rest.size > 0; number++) {
        bool found;
        struct piece line = trim(cut(&rest, '\n', &found));
        if (line.size == 0 || line.data[0] == '#')
            continue;
        r = parse_line(line, &metrics, err);
        if (r < 0)
            error_prefix(err, "%s:%u", name, number);
    }
    if (r == 0 && metrics.count == 0)
        r = error_set(err, EBADMSG, "%s: names no field", name);
    if (r < 0)
        gpu_metrics_deinit(&metrics);
    else
        *ret_metrics = metrics;
    return r;
}
