/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MAX = 16
};

static const char *const setting_names[SETTING_COUNT] = {
    [SETTING_LOST] = "lost",
    [SETTING_MISSING] = "missing",
    [SETTING_RESET_REQUIRED] = "reset-required",
    [SETTING_ECC_CORRECTED] = "ecc-corrected",
    [SETTING_ECC_UNCORRECTED] = "ecc-uncorrected",
    [SETTING_ROWS_CORRECTED] = "rows-corrected",
    [SETTING_ROWS_UNCORRECTED] = "rows-uncorrected",
    [SETTING_ROW_REMAP_PENDING] = "row-remap-pending",
    [SETTING_ROW_REMAP_FAILED] = "row-remap-failed",
    [SETTING_PAGES_SINGLE] = "pages-single",
    [SETTING_PAGES_DOUBLE] = "pages-double",
    [SETTING_PAGES_PENDING] = "pages-pending",
    [SETTING_PCIE_WIDTH] = "pcie-width",
    [SETTING_PCIE_GENERATION] = "pcie-generation",
    [SETTING_PCIE_REPLAYS] = "pcie-replays",
    [SETTING_PCIE_ERRORS] = "pcie-errors",
    [SETTING_NVLINKS_DOWN] = "nvlinks-down",
    [SETTING_NVLINK_CRC] = "nvlink-crc",
    [SETTING_NVLINK_REPLAYS] = "nvlink-replays",
    [SETTING_NVLINK_RECOVERIES] = "nvlink-recoveries",
    [SETTING_RECOVERY_ACTION] = "recovery-action",
    [SETTING_VGPU_LICENSE] = "vgpu-license",
    [SETTING_THERMAL_SINCE_MS] = "thermal-since-ms",
    [SETTING_THERMAL_MS] = "thermal-ms",
    [SETTING_BRAKE_SINCE_MS] = "brake-since-ms",
    [SETTING_BRAKE_MS] = "brake-ms",
};

struct line {
    char *words[WORDS_MAX];
    size_t count;
};

static struct line line_split(char *text)
{
    struct line line = {0};
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\n", &rest);
         word && word[0] != '#' && line.count < WORDS_MAX;
         word = strtok_r(NULL, " \t\n", &rest))
        line.words[line.count++] = word;
    return line;
}

static void copy_word(char *to, size_t size, const char *word)
{
    snprintf(to, size, "%s", word);
}

static void
add_fault(struct fault *faults, size_t *count, const char *call, int result)
{
    if (*count == SCENARIO_FAULTS_MAX)
        return;
    struct fault *fault = &faults[(*count)++];
    copy_word(fault->call, sizeof(fault->call), call);
    fault->result = result;
}

/* Numbers as the driver gives them out: 1g from 7 on, 2g from 3, 3g and 4g
 * from 1, and 0 for the whole. */
static uint32_t instance_id(const struct simulated_gpu *gpu, uint32_t slices)
{
    uint32_t id = slices >= 7 ? 0 : slices >= 3 ? 1 : slices == 2 ? 3 : 7;
    for (uint32_t i = 0; i < gpu->instance_count; i++)
        if (gpu->instances[i].id == id)
            id++;
    return id;
}

/* PROFILE is "1g.10gb". */
static void add_instance(struct simulated_gpu *gpu, const char *profile)
{
    unsigned int slices, gigabytes;
    if (gpu->instance_count == SCENARIO_INSTANCES_MAX ||
        sscanf(profile, "%1ug.%3ugb", &slices, &gigabytes) != 2)
        return;
    struct instance *instance = &gpu->instances[gpu->instance_count];
    copy_word(instance->profile, sizeof(instance->profile), profile);
    instance->id = instance_id(gpu, slices);
    instance->slices = slices;
    /* Some of each gigabyte is the driver's. */
    instance->memory_mib = gigabytes * 1024 - gigabytes * 1024 / 20;
    gpu->instance_count++;
}

static void set_number(struct simulated_gpu *gpu, const char *name, uint64_t to)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(setting_names[i], name) == 0)
            gpu->settings[i] = to;
}

/* WORDS are behind "gpu N". */
static void
read_gpu(struct simulated_gpu *gpu, char *const *words, size_t count)
{
    if (strcmp(words[0], "mig") == 0) {
        gpu->mig = true;
        for (size_t i = 1; i < count; i++)
            add_instance(gpu, words[i]);
    } else if (count < 2) {
        return;
    } else if (strcmp(words[0], "model") == 0) {
        gpu->model = model_by_word(words[1]);
    } else if (strcmp(words[0], "hang") == 0) {
        add_fault(gpu->faults, &gpu->fault_count, words[1], FAULT_HANGS);
    } else if (strcmp(words[0], "fail") == 0 && count == 3) {
        add_fault(gpu->faults, &gpu->fault_count, words[1], atoi(words[2]));
    } else {
        set_number(gpu, words[0], strtoull(words[1], NULL, 10));
    }
}

static void read_line(struct scenario *scenario, const struct line *line)
{
    const char *key = line->words[0], *value = line->words[1];
    if (strcmp(key, "machine") == 0)
        copy_word(scenario->machine, sizeof(scenario->machine), value);
    else if (strcmp(key, "driver") == 0)
        copy_word(scenario->driver, sizeof(scenario->driver), value);
    else if (strcmp(key, "since-ms") == 0)
        scenario->since_ms = strtoull(value, NULL, 10);
    else if (strcmp(key, "process-record-bytes") == 0)
        scenario->process_record_bytes = (uint32_t)atoi(value);
    else if (strcmp(key, "hang") == 0)
        add_fault(scenario->faults, &scenario->fault_count, value, FAULT_HANGS);
    else if (strcmp(key, "fail") == 0 && line->count == 3)
        add_fault(scenario->faults, &scenario->fault_count, value,
                  atoi(line->words[2]));
    else if (strcmp(key, "gpu") == 0 && line->count > 2) {
        unsigned long slot = strtoul(value, NULL, 10);
        if (slot < SCENARIO_GPUS_MAX)
            read_gpu(&scenario->gpus[slot], line->words + 2, line->count - 2);
    }
}

void scenario_read(const char *path, struct scenario *ret_scenario)
{
    char text[512];
    *ret_scenario = (struct scenario){
        .machine = "machine",
        .driver = "550.54-simulated",
        .process_record_bytes = 24,
    };
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    ret_scenario->exists = true;
    while (fgets(text, sizeof(text), file)) {
        struct line line = line_split(text);
        if (line.count >= 2)
            read_line(ret_scenario, &line);
    }
    fclose(file);
}

const struct fault *
fault_find(const struct fault *faults, size_t count, const char *call)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(faults[i].call, call) == 0 ||
            strcmp(faults[i].call, "any") == 0)
            return &faults[i];
    return NULL;
}
