/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: snapshot blocks, as a collector or a recording hands them over.
 * A block that opens is read to its last string, and its parts, carried into a
 * snapshot of our own, open and read the same.
 *
 * Random bytes never get past the magic. The mutator therefore starts from
 * samples, changes either anything or one number of the part table or of a
 * record, and mostly puts right afterwards what the header must say.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "model/test-sample.h"

/* libFuzzer's; the replay of seeds has none and mutates nothing. */
__attribute__((weak)) size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data,
                               size_t size,
                               size_t max_size,
                               unsigned int seed);

/* ---- mutation -------------------------------------------------------------
 */

/* A sample instead of what is at DATA; 0 when it does not fit. */
static size_t start_afresh(uint8_t *data, size_t max_size, unsigned int random)
{
    _cleanup_(free_ptr) void *sample = NULL;
    size_t size;
    fuzz_check(sample_new(random & SAMPLE_ALL_PARTS, random >> 8 & 3, &sample,
                          &size, NULL) == 0);
    if (size > max_size)
        return 0;
    memcpy(data, sample, size);
    return size;
}

/* Change one number of 4 bytes: by little, to an extreme, or to another one of
 * the block, which is how a reference becomes a wrong but likely one. */
static void change_number(uint8_t *data, size_t size, unsigned int random)
{
    size_t header = sizeof(struct snapshot_header);
    size_t area = random & 1 && size > header ? size : header;
    size_t at = (size_t)rand() % (area / 4) * 4;
    uint32_t number;
    memcpy(&number, data + at, sizeof(number));
    switch (random >> 1 & 3) {
    case 0:
        number += 1 + (random >> 3 & 7);
        break;
    case 1:
        number -= 1 + (random >> 3 & 7);
        break;
    case 2:
        number = random & 8 ? UINT32_MAX : 0;
        break;
    default:
        memcpy(&number, data + (size_t)rand() % (size / 4) * 4, sizeof(number));
    }
    memcpy(data + at, &number, sizeof(number));
}

static void repair_header(uint8_t *data, size_t size)
{
    struct snapshot_header header;
    memcpy(&header, data, sizeof(header));
    header.magic = SNAPSHOT_MAGIC;
    header.version = SNAPSHOT_VERSION;
    header.header_size = sizeof(header);
    header.size = size;
    header.cluster_name[sizeof(header.cluster_name) - 1] = '\0';
    header.slurm_text[sizeof(header.slurm_text) - 1] = '\0';
    memcpy(data, &header, sizeof(header));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data,
                               size_t size,
                               size_t max_size,
                               unsigned int seed)
{
    srand(seed);
    unsigned int random = (unsigned int)rand();
    if (size < sizeof(struct snapshot_header) || random % 64 == 0) {
        size_t afresh = start_afresh(data, max_size, random >> 6);
        if (afresh)
            return afresh;
    }
    if (random & 1 || size < sizeof(struct snapshot_header))
        size = LLVMFuzzerMutate(data, size, max_size);
    else
        change_number(data, size, random >> 1);
    if (size >= sizeof(struct snapshot_header) && random % 16 != 2)
        repair_header(data, size);
    return size;
}

/* ---- the target -----------------------------------------------------------
 */

static void check_carried(const struct snapshot *old)
{
    struct snapshot_builder *b;
    _cleanup_(close_fd) int fd = -1;
    _cleanup_(free_ptr) void *data = NULL;
    struct snapshot snapshot;
    size_t size;
    fuzz_check(snapshot_builder_new(&b, NULL) == 0);
    struct snapshot_header *header = snapshot_builder_header(b);
    memcpy(header->cluster_name, old->header->cluster_name,
           sizeof(header->cluster_name));
    memcpy(header->slurm_text, old->header->slurm_text,
           sizeof(header->slurm_text));
    for (unsigned int i = 0; i < SNAPSHOT_PART_COUNT; i++) {
        enum snapshot_part_kind kind = (enum snapshot_part_kind)i;
        snapshot_builder_part(b, kind)->outcome =
            snapshot_part(old, kind)->outcome;
        fuzz_check(snapshot_builder_carry(b, kind, old, NULL) == 0);
    }
    fuzz_check(snapshot_builder_finish(b, &fd, NULL) == 0);
    snapshot_builder_free(b);
    fuzz_check(sample_read(fd, &data, &size, NULL) == 0);
    fuzz_check(snapshot_open(data, size, &snapshot, NULL) == 0);
    fuzz_check(sample_walk(&snapshot) == sample_walk(old));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot snapshot;
    struct error err = {.text = ""};
    /* A copy, aligned and exactly as long, for the sanitizer to watch. */
    char *block = malloc(size ? size : 1);
    fuzz_check(block);
    memcpy(block, data, size);
    int r = snapshot_open(block, size, &snapshot, &err);
    fuzz_check(r == 0 || (r == -EPROTO && *err.text));
    if (r == 0)
        check_carried(&snapshot);
    free(block);
    return 0;
}
