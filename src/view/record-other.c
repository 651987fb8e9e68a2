/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reservations and QOS as JSON. Whether a reservation is active now is for the
 * reader to work out from its times: a record does not change by itself.
 */
#include "view/records.h"

#include <stdio.h>

static const char *text_of(const struct record_source *source,
                           enum snapshot_part_kind kind,
                           snapshot_string string)
{
    return snapshot_text(source->snapshot, kind, string);
}

/* A list with commas as an array. */
static void print_list(struct json *json, const char *key, const char *list)
{
    json_begin_array(json, key);
    while (*list) {
        size_t size = strcspn(list, ",");
        if (size)
            json_text_part(json, NULL, list, size);
        list += size;
        list += *list == ',';
    }
    json_end_array(json);
}

static void print_reservation(struct json *json,
                              const struct record_source *source,
                              const struct reservation_record *r)
{
    const enum snapshot_part_kind kind = SNAPSHOT_RESERVATIONS;
    json_begin_object(json, NULL);
    json_text(json, "name", text_of(source, kind, r->name));
    print_list(json, "users", text_of(source, kind, r->users));
    print_list(json, "accounts", text_of(source, kind, r->accounts));
    json_text_known(json, "partition", text_of(source, kind, r->partition));
    json_text_known(json, "nodes", text_of(source, kind, r->nodes));
    json_u64(json, "node_count", r->node_count);
    json_u64(json, "cores", r->core_count);
    print_list(json, "flags", text_of(source, kind, r->flags));
    json_text_known(json, "tres", text_of(source, kind, r->tres));
    json_time(json, "start_s", r->start_time_s);
    json_time(json, "end_s", r->end_time_s);
    json_end_object(json);
}

/* Slurm shows those that one may use. Whom an account's admits is not known
 * here: they are taken for others'. */
static bool is_kept_secret(const struct record_source *source,
                           const struct reservation_record *r)
{
    const char *list = text_of(source, SNAPSHOT_RESERVATIONS, r->users);
    while (*list) {
        char user[256];
        size_t size = strcspn(list, ",");
        snprintf(user, sizeof(user), "%.*s", (int)size, list);
        if (!record_is_hidden(&source->audience, PRIVATE_RESERVATIONS, user))
            return false;
        list += size + (list[size] == ',');
    }
    return record_is_hidden(&source->audience, PRIVATE_RESERVATIONS, NULL);
}

void records_add_reservations(struct collection *collection,
                              const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_RESERVATIONS))
        return;
    size_t count;
    const struct reservation_record *records =
        snapshot_array(source->snapshot, SNAPSHOT_RESERVATIONS, 0, &count);
    for (size_t i = 0; i < count; i++)
        if (!is_kept_secret(source, &records[i]))
            print_reservation(
                collection_add_named(
                    collection,
                    text_of(source, SNAPSHOT_RESERVATIONS, records[i].name)),
                source, &records[i]);
}

/* ---- QOS ----------------------------------------------------------------- */

static void print_limits(struct json *json,
                         const struct record_source *source,
                         const struct qos_record *qos,
                         const struct limit_record *limits)
{
    const enum snapshot_part_kind kind = SNAPSHOT_ASSOCIATIONS;
    json_begin_array(json, "limits");
    for (uint32_t i = 0; i < qos->limit_count; i++) {
        const struct limit_record *limit = &limits[qos->limit_first + i];
        if (!(limit->has & LIMIT_HAS_LIMIT))
            continue;
        json_begin_object(json, NULL);
        json_text(json, "kind", text_of(source, kind, limit->kind));
        json_text(json, "resource", text_of(source, kind, limit->resource));
        json_real(json, "limit", limit->limit);
        if (limit->has & LIMIT_HAS_USED)
            json_real(json, "used", limit->used);
        json_end_object(json);
    }
    json_end_array(json);
}

void records_add_qos(struct collection *collection,
                     const struct record_source *source)
{
    if (!record_source_has(source, SNAPSHOT_ASSOCIATIONS))
        return;
    size_t count, limit_count;
    const struct limit_record *limits = snapshot_array(
        source->snapshot, SNAPSHOT_ASSOCIATIONS, 1, &limit_count);
    const struct qos_record *records =
        snapshot_array(source->snapshot, SNAPSHOT_ASSOCIATIONS, 2, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name =
            text_of(source, SNAPSHOT_ASSOCIATIONS, records[i].name);
        struct json *json = collection_add_named(collection, name);
        json_begin_object(json, NULL);
        json_text(json, "name", name);
        json_u64(json, "priority", records[i].priority);
        json_real(json, "usage_factor", records[i].usage_factor);
        json_u64(json, "jobs_running", records[i].jobs_running);
        json_u64(json, "jobs_submitted", records[i].jobs_submitted);
        print_limits(json, source, &records[i], limits);
        json_end_object(json);
    }
}
