/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a snapshot into a memfd. The file grows part by part; each time the
 * map is moved along with it, which costs page tables and no copying. The
 * pages of a part are asked for in one go, since faulting them one by one was
 * a third of the cost of filling them.
 */
#include "model/snapshot-build.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/string-table.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* Records of an array that is gathered beside the block. */
struct side_array {
    char *records;
    uint32_t count;
    uint32_t capacity;
};

struct snapshot_builder {
    int fd;
    char *block;
    size_t mapped, size; /* of the map; of what is written */
    bool failed;         /* memory ran out while gathering the part */
    bool open;           /* a part is under way */
    enum snapshot_part_kind kind;
    size_t part_offset, array_capacity;
    struct side_array sides[SNAPSHOT_ARRAYS_MAX];
    struct string_table strings;
    snapshot_string field_string[SNAPSHOT_FIELDS_MAX];
};

/* ---- the block ------------------------------------------------------------
 */

static size_t align_up(size_t size)
{
    return (size + SNAPSHOT_ALIGNMENT - 1) & ~(size_t)(SNAPSHOT_ALIGNMENT - 1);
}

/* Make the block at least SIZE bytes long, mapped and zero behind its end. */
static int grow(struct snapshot_builder *b, size_t size, struct error *err)
{
    const size_t page = 4096;
    if (size <= b->mapped)
        return 0;
    size_t length = (size + page - 1) & ~(page - 1);
    if (ftruncate(b->fd, (off_t)length) < 0)
        return error_errno(err, errno, "snapshot: growing to %zu bytes", size);
    void *block = b->block ? mremap(b->block, b->mapped, length, MREMAP_MAYMOVE)
                           : mmap(NULL, length, PROT_READ | PROT_WRITE,
                                  MAP_SHARED, b->fd, 0);
    if (block == MAP_FAILED)
        return error_errno(err, errno, "snapshot: mapping %zu bytes", size);
    b->block = block;
#ifdef MADV_POPULATE_WRITE
    madvise(b->block + b->mapped, length - b->mapped, MADV_POPULATE_WRITE);
#endif
    b->mapped = length;
    return 0;
}

/* Append SIZE bytes (aligned up) to the block. */
static int append(struct snapshot_builder *b,
                  const void *data,
                  size_t size,
                  struct error *err)
{
    int r = grow(b, b->size + align_up(size), err);
    if (r < 0)
        return r;
    if (size)
        memcpy(b->block + b->size, data, size);
    b->size += align_up(size);
    return 0;
}

int snapshot_builder_new(struct snapshot_builder **ret_builder,
                         struct error *err)
{
    struct snapshot_builder *b = calloc(1, sizeof(*b));
    if (!b)
        return error_errno(err, ENOMEM, "snapshot");
    string_table_init(&b->strings);
    b->fd = memfd_create("snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int r = b->fd < 0 ? error_errno(err, errno, "snapshot: memfd")
                      : grow(b, sizeof(struct snapshot_header), err);
    if (r < 0) {
        snapshot_builder_free(b);
        return r;
    }
    b->size = sizeof(struct snapshot_header);
    struct snapshot_header *header = snapshot_builder_header(b);
    header->magic = SNAPSHOT_MAGIC;
    header->version = SNAPSHOT_VERSION;
    header->header_size = sizeof(*header);
    *ret_builder = b;
    return 0;
}

void snapshot_builder_free(struct snapshot_builder *b)
{
    if (!b)
        return;
    if (b->block)
        munmap(b->block, b->mapped);
    close_fd(&b->fd);
    for (unsigned int i = 0; i < SNAPSHOT_ARRAYS_MAX; i++)
        free(b->sides[i].records);
    string_table_deinit(&b->strings);
    free(b);
}

struct snapshot_header *snapshot_builder_header(struct snapshot_builder *b)
{
    return (struct snapshot_header *)(void *)b->block;
}

struct snapshot_part *snapshot_builder_part(struct snapshot_builder *b,
                                            enum snapshot_part_kind kind)
{
    return &snapshot_builder_header(b)->parts[kind];
}

snapshot_string snapshot_builder_string(struct snapshot_builder *b,
                                        unsigned int field,
                                        const char *string)
{
    assert(b->open && field < SNAPSHOT_FIELDS_MAX);

    if (!string || !string[0])
        return 0;
    snapshot_string last = b->field_string[field];
    if (last && strcmp(b->strings.bytes + last, string) == 0)
        return last;
    snapshot_string found = string_table_add(&b->strings, string);
    if (!found)
        b->failed = true;
    b->field_string[field] = found;
    return found;
}

/* ---- parts ----------------------------------------------------------------
 */

int snapshot_builder_begin(struct snapshot_builder *b,
                           enum snapshot_part_kind kind,
                           size_t count,
                           void **ret_records,
                           struct error *err)
{
    assert(!b->open && !snapshot_builder_part(b, kind)->offset);

    size_t record_size = snapshot_record_size(kind, 0);
    if (count > UINT32_MAX)
        return error_set(err, EOVERFLOW, "snapshot: %zu records", count);
    int r = grow(b, b->size + align_up(count * record_size), err);
    if (r < 0)
        return r;
    b->open = true;
    b->failed = false;
    b->kind = kind;
    b->part_offset = b->size;
    b->array_capacity = count;
    string_table_clear(&b->strings);
    memset(b->field_string, 0, sizeof(b->field_string));
    *ret_records = count ? b->block + b->part_offset : NULL;
    return 0;
}

void *snapshot_builder_add(struct snapshot_builder *b,
                           unsigned int array,
                           uint32_t *ret_index)
{
    assert(b->open && array > 0 && snapshot_record_size(b->kind, array) > 0);

    struct side_array *side = &b->sides[array];
    size_t record_size = snapshot_record_size(b->kind, array);
    if (side->count == side->capacity) {
        uint32_t capacity = side->capacity ? side->capacity * 2 : 256;
        char *records = capacity < side->capacity
                            ? NULL
                            : realloc(side->records, capacity * record_size);
        if (!records) {
            b->failed = true;
            return NULL;
        }
        side->records = records;
        side->capacity = capacity;
    }
    if (ret_index)
        *ret_index = side->count;
    char *record = side->records + side->count++ * record_size;
    memset(record, 0, record_size);
    return record;
}

/* Write what was gathered behind array 0 and describe it. */
static int write_sides(struct snapshot_builder *b, struct error *err)
{
    for (unsigned int i = 1; i < SNAPSHOT_ARRAYS_MAX; i++) {
        const struct side_array *side = &b->sides[i];
        size_t record_size = snapshot_record_size(b->kind, i);
        if (side->count == 0)
            continue;
        size_t offset = b->size - b->part_offset;
        int r = append(b, side->records, side->count * record_size, err);
        if (r < 0)
            return r;
        snapshot_builder_part(b, b->kind)->arrays[i] =
            (struct snapshot_array){.offset = offset,
                                    .count = side->count,
                                    .record_size = (uint32_t)record_size};
    }
    return 0;
}

static void free_sides(struct snapshot_builder *b)
{
    for (unsigned int i = 0; i < SNAPSHOT_ARRAYS_MAX; i++) {
        free(b->sides[i].records);
        b->sides[i] = (struct side_array){.records = NULL};
    }
}

/* Write what belongs behind the USED records and describe the part. */
static int
write_part(struct snapshot_builder *b, size_t used, struct error *err)
{
    size_t record_size = snapshot_record_size(b->kind, 0);
    /* What was begun and dropped must not show in the next part's records. */
    memset(b->block + b->part_offset + used * record_size, 0,
           (b->array_capacity - used) * record_size);
    b->size = b->part_offset + align_up(used * record_size);
    int r = write_sides(b, err);
    size_t strings_offset = b->size - b->part_offset;
    if (r == 0)
        r = append(b, b->strings.bytes, b->strings.size, err);
    if (r < 0)
        return r;
    struct snapshot_part *part = snapshot_builder_part(b, b->kind);
    part->offset = b->part_offset;
    part->size = b->size - b->part_offset;
    part->arrays[0] = (struct snapshot_array){
        .count = (uint32_t)used, .record_size = (uint32_t)record_size};
    part->strings_offset = strings_offset;
    part->strings_size = b->strings.size;
    part->taken_ns = clock_realtime_ns();
    part->outcome = SNAPSHOT_FRESH;
    return 0;
}

/* Take the part under way back, as if it had never begun. */
static void drop_part(struct snapshot_builder *b)
{
    size_t end =
        b->part_offset + b->array_capacity * snapshot_record_size(b->kind, 0);
    if (end < b->size)
        end = b->size;
    memset(b->block + b->part_offset, 0, end - b->part_offset);
    b->size = b->part_offset;
    struct snapshot_part *part = snapshot_builder_part(b, b->kind);
    memset(part->arrays, 0, sizeof(part->arrays));
}

int snapshot_builder_end(struct snapshot_builder *b,
                         size_t used,
                         struct error *err)
{
    assert(b->open && used <= b->array_capacity);

    b->open = false;
    int r = b->failed ? error_errno(err, ENOMEM, "snapshot")
                      : write_part(b, used, err);
    if (r < 0)
        drop_part(b);
    free_sides(b);
    return r;
}

int snapshot_builder_carry(struct snapshot_builder *b,
                           enum snapshot_part_kind kind,
                           const struct snapshot *previous,
                           struct error *err)
{
    assert(!b->open && !snapshot_builder_part(b, kind)->offset);

    if (!previous || !snapshot_has(previous, kind))
        return 0;
    const struct snapshot_part *old = snapshot_part(previous, kind);
    size_t offset = b->size;
    int r = append(b, previous->bytes + old->offset, old->size, err);
    if (r < 0)
        return r;
    struct snapshot_part *part = snapshot_builder_part(b, kind);
    uint32_t outcome = part->outcome;
    int32_t error_code = part->error_code;
    *part = *old;
    part->offset = offset;
    part->outcome = outcome;
    part->error_code = error_code;
    part->wall_ns = 0;
    part->cpu_ns = 0;
    return 0;
}

int snapshot_builder_finish(struct snapshot_builder *b,
                            int *ret_fd,
                            struct error *err)
{
    assert(!b->open && b->block);

    snapshot_builder_header(b)->size = b->size;
    munmap(b->block, b->mapped);
    b->block = NULL;
    if (ftruncate(b->fd, (off_t)b->size) < 0 ||
        fcntl(b->fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return error_errno(err, errno, "snapshot: sealing");
    *ret_fd = take_fd(b->fd);
    return 0;
}
