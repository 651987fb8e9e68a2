/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's variables in an environment: one pass over the block, and a table of
 * what is kept of it.
 */
#include "source/job-text.h"

#include "source/job-word.h"

#include <stdio.h>
#include <string.h>

enum variable_kind {
    VARIABLE_NUMBER,
    VARIABLE_NAME, /* may be cut */
    VARIABLE_LIST, /* must be whole */
    VARIABLE_UUIDS
};

static const struct variable {
    const char *name;
    enum variable_kind kind;
    size_t offset, size;
} variables[] = {
#define NUMBER(name, field)                                                    \
    {                                                                          \
        name, VARIABLE_NUMBER, offsetof(struct job_environment, field), 0      \
    }
#define TEXT(name, kind, field)                                                \
    {                                                                          \
        name, kind, offsetof(struct job_environment, field),                   \
            sizeof(((struct job_environment *)0)->field)                       \
    }
    NUMBER("SLURM_JOB_ID", job_id),
    NUMBER("SLURM_JOB_UID", user_id),
    NUMBER("SLURM_ARRAY_JOB_ID", array_job_id),
    NUMBER("SLURM_ARRAY_TASK_ID", array_task_id),
    NUMBER("SLURM_HET_JOB_ID", het_job_id),
    NUMBER("SLURM_HET_JOB_OFFSET", het_offset),
    TEXT("SLURM_STEP_ID", VARIABLE_LIST, step),
    TEXT("SLURM_JOB_SLUID", VARIABLE_LIST, sluid),
    TEXT("SLURM_JOB_USER", VARIABLE_NAME, user),
    TEXT("SLURM_JOB_ACCOUNT", VARIABLE_NAME, account),
    TEXT("SLURM_JOB_PARTITION", VARIABLE_NAME, partition),
    TEXT("SLURM_JOB_NAME", VARIABLE_NAME, name),
    TEXT("SLURM_JOB_GPUS", VARIABLE_LIST, job_gpus),
    TEXT("SLURM_STEP_GPUS", VARIABLE_LIST, step_gpus),
    TEXT("CUDA_VISIBLE_DEVICES", VARIABLE_UUIDS, visible),
#undef NUMBER
#undef TEXT
};

static const struct variable *variable_find(const char *entry, size_t length)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (strlen(variables[i].name) == length &&
            memcmp(variables[i].name, entry, length) == 0)
            return &variables[i];
    return NULL;
}

static void store_number(const char *value, size_t length, uint32_t *ret_number)
{
    char text[16];
    const char *at = text;
    uint32_t number;
    if (copy_word(text, sizeof(text), value, length) &&
        take_u32(&at, &number) && *at == '\0')
        *ret_number = number;
}

static bool starts_with_uuid(const char *value, size_t length)
{
    return length > 4 &&
           (memcmp(value, "GPU-", 4) == 0 || memcmp(value, "MIG-", 4) == 0);
}

static void store(const struct variable *variable,
                  const char *value,
                  size_t length,
                  struct job_environment *environment)
{
    char *field = (char *)environment + variable->offset;
    if (variable->kind == VARIABLE_NUMBER) {
        store_number(value, length, (uint32_t *)(void *)field);
        return;
    }
    if (variable->kind == VARIABLE_UUIDS && !starts_with_uuid(value, length))
        return;
    if (variable->kind == VARIABLE_NAME && length >= variable->size)
        length = variable->size - 1;
    copy_word(field, variable->size, value, length);
}

/* "SLURM_JOB_ID_HET_GROUP_1=12": a variable of each component. */
static void store_component(const char *entry,
                            const char *equals,
                            const char *end,
                            struct job_environment *environment)
{
    static const char prefix[] = "SLURM_JOB_ID_HET_GROUP_";
    size_t length = sizeof(prefix) - 1;
    uint32_t place = UINT32_MAX;
    if ((size_t)(equals - entry) <= length ||
        memcmp(entry, prefix, length) != 0)
        return;
    store_number(entry + length, (size_t)(equals - entry) - length, &place);
    if (place < JOB_COMPONENTS_MAX && environment->components[place] == 0)
        store_number(equals + 1, (size_t)(end - equals - 1),
                     &environment->components[place]);
}

void job_environment_parse(const char *block,
                           size_t size,
                           char separator,
                           struct job_environment *ret_environment)
{
    *ret_environment = (struct job_environment){
        .user_id = JOB_UID_UNKNOWN,
        .array_job_id = UINT32_MAX,
        .array_task_id = UINT32_MAX,
        .het_job_id = UINT32_MAX,
        .het_offset = UINT32_MAX,
    };
    uint32_t seen = 0;
    for (const char *end = block + size; block < end;) {
        const char *stop = memchr(block, separator, (size_t)(end - block));
        const char *entry_end = stop ? stop : end;
        /* Slurm's own begin with S, CUDA's with C: most others end here. */
        const char *equals =
            *block == 'S' || *block == 'C'
                ? memchr(block, '=', (size_t)(entry_end - block))
                : NULL;
        const struct variable *variable =
            equals ? variable_find(block, (size_t)(equals - block)) : NULL;
        uint32_t bit = variable ? UINT32_C(1) << (variable - variables) : 0;
        if (variable && !(seen & bit))
            store(variable, equals + 1, (size_t)(entry_end - equals - 1),
                  ret_environment);
        else if (equals && !variable)
            store_component(block, equals, entry_end, ret_environment);
        seen |= bit;
        block = entry_end + 1;
    }
}

/* Which component of its het job; UINT32_MAX: none. */
static uint32_t component_of(const struct job_environment *environment,
                             uint32_t job_id)
{
    for (uint32_t i = 0; job_id && i < JOB_COMPONENTS_MAX; i++)
        if (environment->components[i] == job_id)
            return i;
    return UINT32_MAX;
}

bool job_environment_is_of(const struct job_environment *environment,
                           uint32_t job_id)
{
    return job_id != 0 && (environment->job_id == job_id ||
                           component_of(environment, job_id) != UINT32_MAX);
}

/* The value of NAME in BLOCK; NULL: none. */
static const char *value_find(const char *block,
                              size_t size,
                              char separator,
                              const char *name,
                              size_t *ret_length)
{
    size_t length = strlen(name);
    for (const char *end = block + size; block < end;) {
        const char *stop = memchr(block, separator, (size_t)(end - block));
        stop = stop ? stop : end;
        if ((size_t)(stop - block) > length && block[length] == '=' &&
            memcmp(block, name, length) == 0) {
            *ret_length = (size_t)(stop - block) - length - 1;
            return block + length + 1;
        }
        block = stop + 1;
    }
    return NULL;
}

void job_environment_be_component(const char *block,
                                  size_t size,
                                  char separator,
                                  uint32_t job_id,
                                  struct job_environment *environment)
{
    uint32_t place = component_of(environment, job_id);
    char name[48];
    size_t length;
    if (place == UINT32_MAX || environment->components[0] == 0)
        return;
    environment->job_id = job_id;
    environment->het_job_id = environment->components[0];
    environment->het_offset = place;
    snprintf(name, sizeof(name), "SLURM_JOB_PARTITION_HET_GROUP_%u", place);
    const char *value = value_find(block, size, separator, name, &length);
    if (value && length < sizeof(environment->partition))
        copy_word(environment->partition, sizeof(environment->partition), value,
                  length);
}

void job_number_format(const struct job_environment *environment,
                       uint32_t job_id,
                       char *ret_text,
                       size_t size)
{
    if (environment->array_job_id != UINT32_MAX &&
        environment->array_task_id != UINT32_MAX)
        snprintf(ret_text, size, "%u_%u", environment->array_job_id,
                 environment->array_task_id);
    else if (environment->het_job_id != UINT32_MAX &&
             environment->het_offset != UINT32_MAX)
        snprintf(ret_text, size, "%u+%u", environment->het_job_id,
                 environment->het_offset);
    else
        snprintf(ret_text, size, "%u", job_id);
}
