/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GRES of one node or job. What is configured and what is used come in two
 * strings, in any order, and older Slurm drops the type in one of them: used
 * "gpu:(null):2" then goes to the only kind of that name.
 */
#include "source/slurm-gres.h"

#include <string.h>

static bool slice_equals(struct slice slice, const char *string)
{
    return strlen(string) == slice.size &&
           memcmp(string, slice.data, slice.size) == 0;
}

struct gres_kind *
gres_set_find(struct gres_set *set, struct slice name, struct slice type)
{
    if (name.size >= GRES_NAME_SIZE || type.size >= GRES_NAME_SIZE)
        return NULL;
    for (size_t i = 0; i < set->count; i++)
        if (slice_equals(name, set->kinds[i].name) &&
            slice_equals(type, set->kinds[i].type))
            return &set->kinds[i];
    if (set->count == GRES_KINDS_MAX)
        return NULL;
    struct gres_kind *kind = &set->kinds[set->count++];
    slice_copy(name, kind->name, sizeof(kind->name));
    slice_copy(type, kind->type, sizeof(kind->type));
    kind->total = kind->used = 0;
    return kind;
}

void gres_set_add_total(struct gres_set *set,
                        const char *string,
                        uint64_t times)
{
    struct gres_reader reader = gres_read(string);
    struct gres_item item;
    while (gres_next(&reader, &item) == 1) {
        struct gres_kind *kind = gres_set_find(set, item.name, item.type);
        if (kind)
            kind->total += item.count * times;
    }
}

struct gres_kind *gres_set_find_only(struct gres_set *set, struct slice name)
{
    struct gres_kind *found = NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (!slice_equals(name, set->kinds[i].name))
            continue;
        if (found)
            return NULL;
        found = &set->kinds[i];
    }
    return found;
}

void gres_set_add_used(struct gres_set *set, const char *string)
{
    struct gres_reader reader = gres_read(string);
    struct gres_item item;
    while (gres_next(&reader, &item) == 1) {
        struct gres_kind *kind = NULL;
        if (item.type.size == 0) {
            if (item.count == 0)
                continue;
            kind = gres_set_find_only(set, item.name);
        }
        if (!kind)
            kind = gres_set_find(set, item.name, item.type);
        if (kind)
            kind->used += item.count;
    }
}

static uint64_t less(uint64_t sum, uint64_t part)
{
    return sum > part ? sum - part : 0;
}

void gres_set_split_sums(struct gres_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct gres_kind *sum = &set->kinds[i];
        if (sum->type[0])
            continue;
        for (size_t k = 0; k < set->count; k++) {
            const struct gres_kind *typed = &set->kinds[k];
            if (!typed->type[0] || strcmp(typed->name, sum->name) != 0)
                continue;
            sum->total = less(sum->total, typed->total);
            sum->used = less(sum->used, typed->used);
        }
    }
}

void gres_set_write(const struct gres_set *set,
                    struct snapshot_builder *builder,
                    unsigned int array,
                    unsigned int name_field,
                    uint32_t *ret_first,
                    uint32_t *ret_count)
{
    uint32_t first = 0, count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct gres_kind *kind = &set->kinds[i];
        if (kind->total == 0 && kind->used == 0)
            continue;
        uint32_t index;
        struct gres_record *record =
            snapshot_builder_add(builder, array, &index);
        if (!record)
            break; /* the builder remembers it and fails the part */
        *record = (struct gres_record){
            .name = snapshot_builder_string(builder, name_field, kind->name),
            .type =
                snapshot_builder_string(builder, name_field + 1, kind->type),
            .total = kind->total,
            .used = kind->used,
        };
        if (count++ == 0)
            first = index;
    }
    *ret_first = first;
    *ret_count = count;
}

void job_gpus_write(struct snapshot_builder *builder,
                    unsigned int node_field,
                    const char *node,
                    uint32_t job,
                    const char *detail)
{
    struct gres_reader reader = gres_read(detail);
    struct gres_item item;
    while (gres_next(&reader, &item) == 1) {
        uint32_t place;
        struct gres_indices indices = gres_indices(item.note);
        if (item.name.size != 3 || memcmp(item.name.data, "gpu", 3) != 0)
            continue;
        while (gres_indices_next(&indices, &place)) {
            struct job_gpu_record *record =
                snapshot_builder_add(builder, 2, NULL);
            if (!record)
                return; /* the builder remembers it and fails the part */
            *record = (struct job_gpu_record){
                .node = snapshot_builder_string(builder, node_field, node),
                .job = job,
                .place = place,
            };
        }
    }
}
