/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four sources tell of a job's GRES, none of them all of it:
 *
 *     gres_total   what it was given, typed as it was asked for
 *     TRES         only what AccountingStorageTRES lists, types included
 *     tres_per_X   what it asks for, per job, node, socket or task
 *
 * The first is believed first; TRES adds types where that has none; a pending
 * job is counted by TRES and typed by its request, or read from that alone at a
 * site that accounts no GRES.
 */
#include "source/slurm-job-resources.h"

#include "model/tres.h"
#include "source/slurm-gres.h"

#include <string.h>

static const char gres_prefix[] = "gres/";

/* Split "gres/gpu:a100" into "gpu" and "a100"; false when it is no GRES. */
static bool split_gres_name(struct slice tres,
                            struct slice *ret_name,
                            struct slice *ret_type)
{
    const size_t prefix = sizeof(gres_prefix) - 1;
    if (tres.size <= prefix || memcmp(tres.data, gres_prefix, prefix) != 0)
        return false;
    struct slice name = {.data = tres.data + prefix,
                         .size = tres.size - prefix};
    struct slice type = {.data = name.data, .size = 0};
    const char *colon = memchr(name.data, ':', name.size);
    if (colon) {
        size_t length = (size_t)(colon - name.data);
        type =
            (struct slice){.data = colon + 1, .size = name.size - length - 1};
        name.size = length;
    }
    *ret_name = name;
    *ret_type = type;
    return true;
}

/* Does one of the first COUNT kinds tell of NAME at least as well as an item
 * that is TYPED or not? */
static bool
is_told(const struct gres_set *set, size_t count, struct slice name, bool typed)
{
    for (size_t i = 0; i < count; i++) {
        const struct gres_kind *kind = &set->kinds[i];
        if (strlen(kind->name) == name.size &&
            memcmp(kind->name, name.data, name.size) == 0 &&
            (!typed || kind->type[0]))
            return true;
    }
    return false;
}

static void
add_tres(struct gres_set *set, const char *string, uint64_t *ret_memory_mib)
{
    size_t told = set->count;
    struct tres_reader reader = tres_read(string);
    struct tres_item item;
    *ret_memory_mib = 0;
    while (tres_next(&reader, &item) == 1) {
        struct slice name, type;
        if (item.name.size == 3 && memcmp(item.name.data, "mem", 3) == 0)
            *ret_memory_mib = item.value;
        if (!split_gres_name(item.name, &name, &type) ||
            is_told(set, told, name, type.size > 0))
            continue;
        struct gres_kind *kind = gres_set_find(set, name, type);
        if (kind)
            kind->total += item.value;
    }
}

static uint64_t at_least_one(uint32_t count)
{
    return count == 0 || count == NO_VAL ? 1 : count;
}

/* The least that the request comes to. */
static void add_request(struct gres_set *set, const slurm_job_info_t *job)
{
    uint64_t nodes = at_least_one(job->num_nodes);
    uint64_t sockets =
        job->sockets_per_node == NO_VAL16 || job->sockets_per_node == 0
            ? 1
            : job->sockets_per_node;
    gres_set_add_total(set, job->tres_per_job, 1);
    gres_set_add_total(set, job->tres_per_node, nodes);
    gres_set_add_total(set, job->tres_per_socket, nodes * sockets);
    gres_set_add_total(set, job->tres_per_task, at_least_one(job->num_tasks));
}

/* Give each kind without a type that of the request, when all of the request
 * for that name is of one type: most sites account "gres/gpu" alone. */
static void add_requested_types(struct gres_set *set,
                                const slurm_job_info_t *job)
{
    struct gres_set request;
    request.count = 0;
    add_request(&request, job);
    for (size_t i = 0; i < set->count; i++) {
        struct gres_kind *kind = &set->kinds[i];
        struct slice name = {.data = kind->name, .size = strlen(kind->name)};
        const struct gres_kind *only = gres_set_find_only(&request, name);
        if (only && !kind->type[0] && gres_set_find_only(set, name))
            memcpy(kind->type, only->type, sizeof(kind->type));
    }
}

static struct job_resources read_job(struct job_resources_reader *reader,
                                     const slurm_job_info_t *job,
                                     bool allocated)
{
    struct job_resources resources;
    struct gres_set set;
    set.count = 0;
    gres_set_add_total(&set, job->gres_total, 1);
    add_tres(&set, slurm_job_tres(job), &resources.memory_mib);
    if (set.count == 0)
        add_request(&set, job);
    else if (!allocated)
        add_requested_types(&set, job);
    gres_set_split_sums(&set);
    for (size_t i = 0; i < set.count; i++)
        set.kinds[i].used = allocated ? set.kinds[i].total : 0;
    gres_set_write(&set, reader->builder, 1, reader->name_field,
                   &resources.gres_first, &resources.gres_count);
    return resources;
}

/* ---- remembering ----------------------------------------------------------
 */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* True when all that read_job() looks at, TRES apart, is the same. */
static bool asks_the_same(const slurm_job_info_t *a, const slurm_job_info_t *b)
{
    return same(a->gres_total, b->gres_total) &&
           same(a->tres_per_node, b->tres_per_node) &&
           same(a->tres_per_job, b->tres_per_job) &&
           same(a->tres_per_socket, b->tres_per_socket) &&
           same(a->tres_per_task, b->tres_per_task) &&
           a->num_nodes == b->num_nodes && a->num_tasks == b->num_tasks &&
           a->sockets_per_node == b->sockets_per_node;
}

/* Where a job like this one would be remembered. */
static size_t find_place(const slurm_job_info_t *job, snapshot_string tres)
{
    uint32_t hash = tres;
    const char *request =
        job->gres_total ? job->gres_total : job->tres_per_node;
    for (; request && *request; request++)
        hash = hash * 31 + (unsigned char)*request;
    return (hash * UINT32_C(0x9e3779b1)) >> 24;
}
_Static_assert(JOB_RESOURCES_PLACES == 1 << 8, "find_place() gives 8 bits");

struct job_resources job_resources_read(struct job_resources_reader *reader,
                                        const slurm_job_info_t *job,
                                        snapshot_string tres,
                                        bool allocated)
{
    struct job_resources_place *place = &reader->places[find_place(job, tres)];
    if (!place->job || place->tres != tres || place->allocated != allocated ||
        !asks_the_same(place->job, job))
        *place = (struct job_resources_place){
            .job = job,
            .tres = tres,
            .allocated = allocated,
            .resources = read_job(reader, job, allocated)};
    return place->resources;
}
