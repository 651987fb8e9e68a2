/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verifying a snapshot. A block comes from another process or from a file that
 * somebody sent, so nothing in it is believed: each array must lie inside its
 * part, each part inside the block, each string reference inside the strings,
 * each record reference inside its array. What a record type refers to is told
 * once, in a table; to add a record type is to add a row.
 */
#include "model/snapshot.h"

#include "model/gpu-record.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

const char *const snapshot_part_names[SNAPSHOT_PART_COUNT] = {
    [SNAPSHOT_NODES] = "nodes",
    [SNAPSHOT_PARTITIONS] = "partitions",
    [SNAPSHOT_JOBS] = "jobs",
    [SNAPSHOT_STATISTICS] = "statistics",
    [SNAPSHOT_RESERVATIONS] = "reservations",
    [SNAPSHOT_LICENSES] = "licenses",
    [SNAPSHOT_ASSOCIATIONS] = "associations",
    [SNAPSHOT_GPUS] = "gpus",
    [SNAPSHOT_GPU_USE] = "gpu_use",
};

const char *const snapshot_outcome_names[SNAPSHOT_OUTCOME_COUNT] = {
    [SNAPSHOT_NOT_DUE] = "not_due",     [SNAPSHOT_FRESH] = "fresh",
    [SNAPSHOT_UNCHANGED] = "unchanged", [SNAPSHOT_FAILED] = "failed",
    [SNAPSHOT_SKIPPED] = "skipped",
};

/* Where a record names one record of array 0 of a part, by its number. */
struct record_reference {
    size_t offset; /* 0: it does not */
    enum snapshot_part_kind part;
    bool optional; /* GPU_NONE: names none */
};

/* What a record type holds: its size, how many string references it starts
 * with, and where it names a run of records ("first" and "count") of another
 * array of its part. */
struct record_type {
    size_t size;
    size_t strings;
    size_t first_offset;
    size_t count_offset;
    unsigned int refers_to; /* 0: to nothing */
    size_t choice_offset;   /* of an enum, which readers index names by */
    uint32_t choices;       /* 0: the record has none */
    struct record_reference references[2];
};

#define RECORD(type, string_count)                                             \
    {                                                                          \
        .size = sizeof(struct type), .strings = (string_count)                 \
    }
#define RECORD_WITH_RUN(type, string_count, first, many, array)                \
    {                                                                          \
        .size = sizeof(struct type), .strings = (string_count),                \
        .first_offset = offsetof(struct type, first),                          \
        .count_offset = offsetof(struct type, many), .refers_to = (array)      \
    }
#define RECORD_OF_GPU(type, string_count)                                      \
    {                                                                          \
        .size = sizeof(struct type), .strings = (string_count),                \
        .references = {                                                        \
            {offsetof(struct type, gpu), SNAPSHOT_GPUS, false}                 \
        }                                                                      \
    }

static const struct record_type
    record_types[SNAPSHOT_PART_COUNT][SNAPSHOT_ARRAYS_MAX] = {
        [SNAPSHOT_NODES] =
            {
                RECORD_WITH_RUN(node_record, 7, gres_first, gres_count, 1),
                RECORD(gres_record, 2),
            },
        [SNAPSHOT_PARTITIONS] =
            {
                {
                    .size = sizeof(struct partition_record),
                    .strings = 3,
                    .first_offset =
                        offsetof(struct partition_record, range_first),
                    .count_offset =
                        offsetof(struct partition_record, range_count),
                    .refers_to = 1,
                    .choice_offset = offsetof(struct partition_record, state),
                    .choices = PARTITION_STATE_COUNT,
                },
                RECORD(node_range_record, 0),
            },
        [SNAPSHOT_JOBS] =
            {
                RECORD_WITH_RUN(job_record, 12, gres_first, gres_count, 1),
                RECORD(gres_record, 2),
                {
                    .size = sizeof(struct job_gpu_record),
                    .strings = 1,
                    .references = {{offsetof(struct job_gpu_record, job),
                                    SNAPSHOT_JOBS, false}},
                },
            },
        [SNAPSHOT_STATISTICS] =
            {
                RECORD(statistics_record, 0),
                RECORD(rpc_record, 1),
                RECORD(rpc_record, 1),
            },
        [SNAPSHOT_RESERVATIONS] = {RECORD(reservation_record, 7)},
        [SNAPSHOT_LICENSES] = {RECORD(license_record, 1)},
        [SNAPSHOT_ASSOCIATIONS] =
            {
                RECORD_WITH_RUN(
                    association_record, 4, limit_first, limit_count, 1),
                RECORD(limit_record, 2),
                RECORD_WITH_RUN(qos_record, 1, limit_first, limit_count, 1),
            },
        [SNAPSHOT_GPUS] =
            {
                {
                    .size = sizeof(struct gpu_record),
                    .strings = 12,
                    .choice_offset = offsetof(struct gpu_record, state),
                    .choices = GPU_STATE_COUNT,
                    .references = {{offsetof(struct gpu_record, parent),
                                    SNAPSHOT_GPUS, true}},
                },
                RECORD_OF_GPU(xid_record, 1),
                {
                    .size = sizeof(struct gpu_event_record),
                    .choice_offset = offsetof(struct gpu_event_record, kind),
                    .choices = GPU_EVENT_COUNT,
                    .references = {{offsetof(struct gpu_event_record, gpu),
                                    SNAPSHOT_GPUS, false}},
                },
                RECORD(gpu_machine_record, 5),
            },
        [SNAPSHOT_GPU_USE] =
            {
                RECORD_OF_GPU(gpu_job_record, 6),
                {
                    .size = sizeof(struct gpu_process_record),
                    .strings = 2,
                    .references = {{offsetof(struct gpu_process_record, gpu),
                                    SNAPSHOT_GPUS, false},
                                   {offsetof(struct gpu_process_record,
                                             job_record),
                                    SNAPSHOT_GPU_USE, true}},
                },
                RECORD(host_job_record, 2),
            },
};

/* Records must be whole numbers of the alignment, and start with their
 * strings, for the table above to be true. */
#define CHECK_RECORD(type, last_string, string_count)                          \
    _Static_assert(sizeof(struct type) % SNAPSHOT_ALIGNMENT == 0, #type);      \
    _Static_assert(offsetof(struct type, last_string) ==                       \
                       ((string_count)-1) * sizeof(snapshot_string),           \
                   #type)
CHECK_RECORD(node_record, slurmd_version, 7);
CHECK_RECORD(gres_record, type, 2);
CHECK_RECORD(partition_record, qos, 3);
CHECK_RECORD(job_record, tres, 12);
CHECK_RECORD(job_gpu_record, node, 1);
CHECK_RECORD(rpc_record, name, 1);
CHECK_RECORD(reservation_record, tres, 7);
CHECK_RECORD(license_record, name, 1);
CHECK_RECORD(association_record, parent, 4);
CHECK_RECORD(limit_record, resource, 2);
CHECK_RECORD(qos_record, name, 1);
CHECK_RECORD(gpu_record, trouble, 12);
CHECK_RECORD(xid_record, text, 1);
CHECK_RECORD(gpu_machine_record, trouble, 5);
CHECK_RECORD(gpu_job_record, step, 6);
CHECK_RECORD(gpu_process_record, user, 2);
CHECK_RECORD(host_job_record, user, 2);
_Static_assert(sizeof(struct gpu_event_record) % SNAPSHOT_ALIGNMENT == 0 &&
                   offsetof(struct gpu_event_record, gpu) != 0,
               "gpu_event_record");
_Static_assert(sizeof(struct statistics_record) % SNAPSHOT_ALIGNMENT == 0,
               "statistics_record");
_Static_assert(sizeof(struct snapshot_header) % SNAPSHOT_ALIGNMENT == 0,
               "snapshot_header");

size_t snapshot_record_size(enum snapshot_part_kind kind, unsigned int array)
{
    return array < SNAPSHOT_ARRAYS_MAX ? record_types[kind][array].size : 0;
}

/* True when SIZE bytes from OFFSET lie inside LIMIT. */
static bool fits(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/* Places that the verifier looks at in the part under way. */
struct part_view {
    const struct snapshot *snapshot;
    const char *bytes; /* of the part */
    const struct snapshot_part *part;
    const char *name;
};

static int check_strings(const struct part_view *view, struct error *err)
{
    const struct snapshot_part *part = view->part;
    if (part->strings_size == 0)
        return 0;
    if (!fits(part->strings_offset, part->strings_size, part->size) ||
        part->strings_size > UINT32_MAX)
        return error_set(err, EPROTO, "%s: strings lie outside the part",
                         view->name);
    const char *strings = view->bytes + part->strings_offset;
    if (strings[0] != '\0' || strings[part->strings_size - 1] != '\0')
        return error_set(err, EPROTO, "%s: strings have no end", view->name);
    return 0;
}

static int check_array(const struct part_view *view,
                       unsigned int index,
                       const struct record_type *type,
                       struct error *err)
{
    const struct snapshot_array *array = &view->part->arrays[index];
    if (array->count == 0)
        return 0;
    if (type->size == 0 || array->record_size != type->size)
        return error_set(err, EPROTO,
                         "%s: array %u has records of %" PRIu32
                         " bytes, this program's have %zu",
                         view->name, index, array->record_size, type->size);
    uint64_t size = (uint64_t)array->count * type->size;
    if (array->offset % SNAPSHOT_ALIGNMENT != 0 ||
        !fits(array->offset, size, view->part->size))
        return error_set(err, EPROTO, "%s: array %u lies outside the part",
                         view->name, index);
    return 0;
}

static uint32_t u32_at(const char *record, size_t offset)
{
    uint32_t value;
    memcpy(&value, record + offset, sizeof(value));
    return value;
}

/* What a record may refer to. */
struct record_limits {
    uint64_t strings_size;
    uint64_t run_records;
    uint32_t referred[2]; /* records that its references choose from */
};

/* What is wrong with RECORD, NULL when it is good. */
static const char *record_fault(const char *record,
                                const struct record_type *type,
                                const struct record_limits *limits)
{
    for (size_t s = 0; s < type->strings; s++)
        if (u32_at(record, s * sizeof(snapshot_string)) >= limits->strings_size)
            return "names a string that is not there";
    if (type->refers_to &&
        !fits(u32_at(record, type->first_offset),
              u32_at(record, type->count_offset), limits->run_records))
        return "names records that are not there";
    if (type->choices && u32_at(record, type->choice_offset) >= type->choices)
        return "has a state that is not known";
    for (size_t i = 0; i < 2 && type->references[i].offset; i++) {
        uint32_t index = u32_at(record, type->references[i].offset);
        bool none = type->references[i].optional && index == GPU_NONE;
        if (index >= limits->referred[i] && !none)
            return "names a record that is not there";
    }
    return NULL;
}

/* Records of array 0 of part KIND. The array itself is judged with its part. */
static uint32_t records_of(const struct snapshot *snapshot,
                           enum snapshot_part_kind kind)
{
    const struct snapshot_part *part = snapshot_part(snapshot, kind);
    return part->offset ? part->arrays[0].count : 0;
}

static int check_records(const struct part_view *view,
                         unsigned int index,
                         const struct record_type *type,
                         struct error *err)
{
    const struct snapshot_part *part = view->part;
    const struct record_limits limits = {
        /* Without strings only the reference 0 is good. */
        .strings_size = part->strings_size ? part->strings_size : 1,
        .run_records = part->arrays[type->refers_to].count,
        .referred = {records_of(view->snapshot, type->references[0].part),
                     records_of(view->snapshot, type->references[1].part)},
    };
    const struct snapshot_array *array = &part->arrays[index];
    if (array->count == 0)
        return 0; /* and its offset may be anything */
    const char *record = view->bytes + array->offset;
    for (uint32_t i = 0; i < array->count; i++, record += type->size) {
        const char *fault = record_fault(record, type, &limits);
        if (fault)
            return error_set(err, EPROTO,
                             "%s: record %" PRIu32 " of array %u %s",
                             view->name, i, index, fault);
    }
    return 0;
}

static int check_part(const struct snapshot *snapshot,
                      enum snapshot_part_kind kind,
                      struct error *err)
{
    const struct snapshot_part *part = snapshot_part(snapshot, kind);
    struct part_view view = {
        .snapshot = snapshot, .part = part, .name = snapshot_part_names[kind]};

    if (part->outcome >= SNAPSHOT_OUTCOME_COUNT)
        return error_set(err, EPROTO, "%s: unknown outcome %u", view.name,
                         part->outcome);
    if (part->offset == 0)
        return 0;
    if (part->offset < sizeof(struct snapshot_header) ||
        part->offset % SNAPSHOT_ALIGNMENT != 0 ||
        !fits(part->offset, part->size, snapshot->size))
        return error_set(err, EPROTO, "%s: lies outside the block", view.name);
    view.bytes = snapshot->bytes + part->offset;
    int r = check_strings(&view, err);
    for (unsigned int a = 0; r == 0 && a < SNAPSHOT_ARRAYS_MAX; a++)
        r = check_array(&view, a, &record_types[kind][a], err);
    for (unsigned int a = 0; r == 0 && a < SNAPSHOT_ARRAYS_MAX; a++)
        r = check_records(&view, a, &record_types[kind][a], err);
    return r;
}

static int check_header(const struct snapshot_header *header,
                        size_t size,
                        struct error *err)
{
    if (header->magic != SNAPSHOT_MAGIC)
        return error_set(err, EPROTO, "this is not a snapshot");
    if (header->version != SNAPSHOT_VERSION)
        return error_set(err, EPROTO,
                         "it has format %" PRIu32 ", this program reads %d: "
                         "use the program that made it",
                         header->version, SNAPSHOT_VERSION);
    if (header->header_size != sizeof(*header))
        return error_set(err, EPROTO, "its header has an unknown size");
    if (header->size != size)
        return error_set(err, EPROTO,
                         "it says %" PRIu64 " bytes but has %zu: it is cut "
                         "short or was added to",
                         header->size, size);
    if (memchr(header->cluster_name, '\0', sizeof(header->cluster_name)) ==
            NULL ||
        memchr(header->slurm_text, '\0', sizeof(header->slurm_text)) == NULL)
        return error_set(err, EPROTO, "a name in its header has no end");
    return 0;
}

int snapshot_open(const void *data,
                  size_t size,
                  struct snapshot *ret_snapshot,
                  struct error *err)
{
    assert((uintptr_t)data % SNAPSHOT_ALIGNMENT == 0);

    if (size < sizeof(struct snapshot_header))
        return error_set(err, EPROTO, "this is too short for a snapshot");
    struct snapshot snapshot = {.header = data, .bytes = data, .size = size};
    int r = check_header(snapshot.header, size, err);
    for (unsigned int kind = 0; r == 0 && kind < SNAPSHOT_PART_COUNT; kind++)
        r = check_part(&snapshot, (enum snapshot_part_kind)kind, err);
    if (r == 0)
        *ret_snapshot = snapshot;
    return r;
}

const void *snapshot_array(const struct snapshot *snapshot,
                           enum snapshot_part_kind kind,
                           unsigned int array,
                           size_t *ret_count)
{
    const struct snapshot_part *part = snapshot_part(snapshot, kind);
    const struct snapshot_array *found = &part->arrays[array];
    *ret_count = part->offset ? found->count : 0;
    if (*ret_count == 0)
        return NULL;
    return snapshot->bytes + part->offset + found->offset;
}
