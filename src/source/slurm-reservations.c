/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reservations of nodes for users and maintenance. */
#include "source/slurm-parts.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum reservation_field {
    FIELD_NAME,
    FIELD_USERS,
    FIELD_ACCOUNTS,
    FIELD_PARTITION,
    FIELD_NODES,
    FIELD_FLAGS,
    FIELD_TRES,
};

/* Flags by their bit, which no version has changed; those that only ask for a
 * change of a reservation are never seen in one. */
static const struct {
    unsigned int bit;
    const char *name;
} flag_names[] = {
    {0, "MAINT"},       {2, "DAILY"},         {4, "WEEKLY"},
    {6, "IGNORE_JOBS"}, {8, "ANY_NODES"},     {10, "STATIC"},
    {12, "PART_NODES"}, {14, "OVERLAP"},      {15, "SPEC_NODES"},
    {17, "TIME_FLOAT"}, {18, "REPLACE"},      {19, "ALL_NODES"},
    {20, "PURGE_COMP"}, {21, "WEEKDAY"},      {22, "WEEKEND"},
    {25, "FLEX"},       {29, "NO_HOLD_JOBS"}, {30, "REPLACE_DOWN"},
    {32, "MAGNETIC"},   {35, "HOURLY"},
};

static void spell_flags(uint64_t flags, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < array_size(flag_names); i++) {
        if (!(flags >> flag_names[i].bit & 1))
            continue;
        int n = snprintf(buffer + used, size - used, "%s%s", used ? "," : "",
                         flag_names[i].name);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

static void convert_reservation(struct snapshot_builder *b,
                                const reserve_info_t *reservation,
                                struct reservation_record *record)
{
    char flags[320];
    spell_flags(reservation->flags, flags, sizeof(flags));
    *record = (struct reservation_record){
        .name = snapshot_builder_string(b, FIELD_NAME, reservation->name),
        .users = snapshot_builder_string(b, FIELD_USERS, reservation->users),
        .accounts =
            snapshot_builder_string(b, FIELD_ACCOUNTS, reservation->accounts),
        .partition =
            snapshot_builder_string(b, FIELD_PARTITION, reservation->partition),
        .nodes =
            snapshot_builder_string(b, FIELD_NODES, reservation->node_list),
        .flags = snapshot_builder_string(b, FIELD_FLAGS, flags),
        .tres = snapshot_builder_string(b, FIELD_TRES, reservation->tres_str),
        .node_count =
            reservation->node_cnt == NO_VAL ? 0 : reservation->node_cnt,
        .core_count =
            reservation->core_cnt == NO_VAL ? 0 : reservation->core_cnt,
        .start_time_s = slurm_time(reservation->start_time),
        .end_time_s = slurm_time(reservation->end_time),
    };
}

int slurm_reservations_convert(struct slurm_request *request,
                               const reserve_info_msg_t *message,
                               struct error *err)
{
    struct snapshot_builder *b = request->builder;
    void *records;
    int r = snapshot_builder_begin(b, SNAPSHOT_RESERVATIONS,
                                   message->record_count, &records, err);
    if (r < 0)
        return r;
    struct reservation_record *record = records;
    for (uint32_t i = 0; i < message->record_count; i++)
        convert_reservation(b, &message->reservation_array[i], &record[i]);
    r = snapshot_builder_end(b, message->record_count, err);
    if (r == 0)
        snapshot_builder_part(b, SNAPSHOT_RESERVATIONS)->updated_s =
            message->last_update;
    return r;
}

int slurm_reservations_load(struct slurm_request *request, struct error *err)
{
    reserve_info_msg_t *message = NULL;
    int r =
        slurm_call_result(slurm_load_reservations(request->known_s, &message));
    if (r != 0)
        return r;
    r = slurm_reservations_convert(request, message, err);
    slurm_free_reservation_info_msg(message);
    return r;
}
