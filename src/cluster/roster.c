/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roster's file and its look-ups. Clusters that are made by joining have
 * hundreds of members, not tens of thousands: a walk over all is fast enough.
 */
#include "cluster/roster.h"

#include "base/cleanup.h"
#include "cluster/secret-file.h"

#include <stdio.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 64 * 1024 * 1024,
    FILE_FORMAT = 1
};

const char *const member_state_words[MEMBER_STATE_COUNT] = {
    [MEMBER_AWAY] = "away",
    [MEMBER_PRESENT] = "present",
    [MEMBER_LOST] = "lost",
    [MEMBER_LEAVING] = "leaving",
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static struct member *member_free(struct member *member)
{
    if (member) {
        inventory_deinit(&member->inventory);
        free(member);
    }
    return NULL;
}

/* ---- the file -------------------------------------------------------------
 */

static json_t *member_write(const struct member *member)
{
    char pin[PIN_SIZE * 2 + 1];
    pin_format(&member->pin, pin);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "name", member->name,
        "pin", pin, "host", member->host, "address", member->address, "version",
        member->version, "slurm", (json_int_t)member->slurm, "joined_s",
        (json_int_t)member->joined_s, "seen_s", (json_int_t)member->seen_s,
        "inventory", inventory_write(&member->inventory));
}

static int
member_read(const json_t *object, struct member *member, struct error *err)
{
    char pin[PIN_SIZE * 2 + 1];
    int64_t slurm;
    int r = message_read_text(object, "host", member->host,
                              sizeof(member->host), err);
    if (r >= 0)
        r = message_read_text(object, "address", member->address,
                              sizeof(member->address), err);
    if (r >= 0)
        r = message_read_text(object, "version", member->version,
                              sizeof(member->version), err);
    if (r >= 0)
        r = message_read_text(object, "pin", pin, sizeof(pin), err);
    if (r >= 0 && pin_parse(pin, &member->pin) < 0)
        r = error_set(err, EBADMSG, "pin: no SHA-256");
    if (r >= 0)
        r = message_read_number(object, "slurm", 0, UINT32_MAX, &slurm, err);
    if (r >= 0)
        r = message_read_number(object, "joined_s", 0, INT64_MAX,
                                &member->joined_s, err);
    if (r >= 0)
        r = message_read_number(object, "seen_s", 0, INT64_MAX, &member->seen_s,
                                err);
    if (r >= 0)
        r = inventory_read(json_object_get(object, "inventory"),
                           &member->inventory, err);
    if (r >= 0)
        member->slurm = (slurm_version)slurm;
    return r;
}

static int
members_read(const json_t *document, struct roster *roster, struct error *err)
{
    const json_t *members = json_object_get(document, "members");
    int64_t format;
    int r = message_read_number(document, "format", FILE_FORMAT, FILE_FORMAT,
                                &format, err);
    if (r < 0)
        return r;
    if (!json_is_array(members))
        return error_set(err, EBADMSG, "members: missing");
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *object = json_array_get(members, i);
        char name[JOIN_NAME_SIZE];
        r = message_read_text(object, "name", name, sizeof(name), err);
        if (r < 0)
            return r;
        if (!join_name_valid(name) || roster_find(roster, name))
            return error_set(err, EBADMSG, "name \"%s\": twice, or no name",
                             name);
        struct member *member = roster_add(roster, name);
        if (!member)
            return error_set(err, ENOMEM, "out of memory");
        r = member_read(object, member, err);
        if (r < 0) {
            error_prefix(err, "%s", name);
            return r;
        }
    }
    return 0;
}

static int file_read(const char *path, struct roster *roster, struct error *err)
{
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    int r = secret_file_read(path, FILE_SIZE_MAX, true, &bytes, &size, err);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    json_error_t fault;
    _cleanup_(json_release) json_t *document =
        json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
    if (!document)
        r = error_set(err, EBADMSG, "line %d: %s", fault.line, fault.text);
    else
        r = members_read(document, roster, err);
    if (r == -EBADMSG)
        error_prefix(err,
                     "%s is damaged (nothing is done to it; put a copy back, "
                     "or move it away and let all nodes join again)",
                     path);
    return r;
}

int roster_open(const char *path, struct roster *ret_roster, struct error *err)
{
    *ret_roster = (struct roster){.path = strdup(path)};
    if (!ret_roster->path)
        return error_set(err, ENOMEM, "out of memory");
    int r = file_read(path, ret_roster, err);
    if (r < 0)
        roster_close(ret_roster);
    return r;
}

void roster_close(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        member_free(roster->members[i]);
    free(roster->members);
    free(roster->path);
    *roster = (struct roster){.count = 0};
}

int roster_save(const struct roster *roster, struct error *err)
{
    _cleanup_(json_release) json_t *members = json_array();
    for (size_t i = 0; i < roster->count; i++)
        if (json_array_append_new(members, member_write(roster->members[i])) <
            0)
            return error_set(err, ENOMEM, "out of memory");
    _cleanup_(json_release) json_t *document =
        json_pack("{s:i, s:O}", "format", FILE_FORMAT, "members", members);
    _cleanup_(free_ptr) char *text =
        document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    if (!text)
        return error_set(err, ENOMEM, "out of memory");
    return secret_file_write(roster->path, text, strlen(text), 0600, NULL, err);
}

/* ---- members --------------------------------------------------------------
 */

struct member *roster_find(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->count; i++)
        if (strcmp(roster->members[i]->name, name) == 0)
            return roster->members[i];
    return NULL;
}

struct member *roster_find_pin(const struct roster *roster,
                               const struct pin *pin)
{
    for (size_t i = 0; i < roster->count; i++)
        if (memcmp(&roster->members[i]->pin, pin, sizeof(*pin)) == 0)
            return roster->members[i];
    return NULL;
}

struct member *roster_add(struct roster *roster, const char *name)
{
    struct member **members = realloc(
        roster->members, (roster->count + 1) * sizeof(*roster->members));
    if (!members)
        return NULL;
    roster->members = members;
    struct member *member = calloc(1, sizeof(*member));
    if (!member)
        return NULL;
    snprintf(member->name, sizeof(member->name), "%s", name);
    members[roster->count++] = member;
    return member;
}

void roster_remove(struct roster *roster, struct member *member)
{
    size_t at = 0;
    while (at < roster->count && roster->members[at] != member)
        at++;
    if (at == roster->count)
        return;
    memmove(&roster->members[at], &roster->members[at + 1],
            (roster->count - at - 1) * sizeof(*roster->members));
    roster->count--;
    member_free(member);
}

void roster_pick_name(const struct roster *roster,
                      const char *cluster,
                      const char *wish,
                      char ret_name[JOIN_NAME_SIZE])
{
    if (join_name_valid(wish) && !roster_find(roster, wish)) {
        snprintf(ret_name, JOIN_NAME_SIZE, "%s", wish);
        return;
    }
    /* A number above all that are taken comes up at the latest. */
    for (size_t n = 1; n <= roster->count + 1; n++) {
        snprintf(ret_name, JOIN_NAME_SIZE, "%.50s-%zu", cluster, n);
        if (!roster_find(roster, ret_name))
            return;
    }
}
