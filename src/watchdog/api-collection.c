/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The collections: whole, what changed in them, a part of one, one record.
 * Parameters are read strictly: one that is not known, or given where it means
 * nothing, is refused with a sentence.
 */
#include "watchdog/api-private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/unit.h"
#include "model/host-list.h"
#include "view/job-query.h"

#include <stdio.h>
#include <string.h>

/* ---- what is asked for ----------------------------------------------------
 */

enum {
    NODES_SIZE_MAX = 4096 /* some milliseconds over all nodes */
};

struct asked {
    uint64_t since;
    bool has_since;
    struct job_query jobs;
    const char *nodes; /* of GPUs: a host list; NULL: all. The request's */
};

static int read_since(struct asked *asked, const char *value, struct error *err)
{
    if (asked->has_since)
        return error_set(err, EINVAL, "since: it is given twice.");
    if (!number_parse(value, &asked->since))
        return error_set(err, EINVAL,
                         "since: \"%.40s\" is no version; take the one of the "
                         "answer before.",
                         value);
    asked->has_since = true;
    return 1;
}

static int read_nodes(struct asked *asked, const char *value, struct error *err)
{
    if (asked->nodes)
        return error_set(err, EINVAL, "node: it is given twice.");
    if (!*value)
        return error_set(err, EINVAL,
                         "node: give a node's name, or a list as Slurm writes "
                         "it: node[01-16].");
    if (strlen(value) > NODES_SIZE_MAX)
        return error_set(err, EINVAL,
                         "node: the list is longer than %d characters; ask for "
                         "all GPUs, or for parts of the list.",
                         NODES_SIZE_MAX);
    asked->nodes = value;
    return 1;
}

/* No parameter of the path. */
static int refuse_parameter(const char *name, struct error *err)
{
    return error_set(err, EINVAL,
                     "\"%.40s\" is no parameter of this path; doc/api.md "
                     "lists those there are.",
                     name);
}

bool api_takes_nothing(struct http_request *request, struct http_reply *reply)
{
    struct error err;
    const char *name, *value;
    if (!http_request_parameter(request, 0, &name, &value))
        return true;
    refuse_parameter(name, &err);
    api_refuse(reply, 400, "%s", err.text);
    return false;
}

/* Read the parameters of a collection. */
static int read_asked(struct http_request *request,
                      enum api_which which,
                      struct asked *ret_asked,
                      struct http_reply *reply)
{
    struct error err = {.text = ""};
    const char *name, *value;
    *ret_asked = (struct asked){.jobs = JOB_QUERY_INIT};
    for (size_t i = 0; http_request_parameter(request, i, &name, &value); i++) {
        int r = 0;
        if (strcmp(name, "since") == 0)
            r = read_since(ret_asked, value, &err);
        else if (which == API_JOBS)
            r = job_query_set(&ret_asked->jobs, name, value, &err);
        else if (which == API_GPUS && strcmp(name, "node") == 0)
            r = read_nodes(ret_asked, value, &err);
        if (r == 0)
            r = refuse_parameter(name, &err);
        if (r < 0) {
            api_refuse(reply, 400, "%s", err.text);
            return r;
        }
    }
    if ((ret_asked->jobs.given != 0 || ret_asked->nodes) &&
        ret_asked->has_since) {
        api_refuse(reply, 400,
                   "since: it goes with no other parameter; changes are told "
                   "of all %s.",
                   api_names[which]);
        return -EINVAL;
    }
    return 0;
}

/* ---- collections ----------------------------------------------------------
 */

static void
print_head(const struct api_set *set, enum api_which which, struct json *json)
{
    /* One's own is as new as the round in which it was written, even if nothing
     * in it changed since an earlier one: the stream tells the versions of
     * all's. */
    uint64_t version = set->version
                           ? set->version
                           : collection_version(set->collections[which]);
    json_begin_object(json, NULL);
    json_u64(json, "version", version);
    json_time(json, "time_s", set->taken_ns[which] / NS_PER_S);
    json_bool(json, "stale", set->stale[which]);
}

/* All records of a collection, from the opening bracket to the closing one. */
static struct http_content *find_whole(struct api_set *set,
                                       enum api_which which)
{
    struct api_answer *kept = &set->wholes[which];
    uint64_t version = collection_version(set->collections[which]);
    if (kept->content && kept->version == version)
        return kept->content;
    struct text text = TEXT_INIT;
    size_t size;
    const char *records = collection_text(set->collections[which], &size);
    text_addf(&text, ",\"%s\":[", api_names[which]);
    text_add_bytes(&text, records, size);
    text_add(&text, "]}");
    http_content_unref(kept->content);
    kept->content = http_content_take(&text);
    kept->version = version;
    return kept->content;
}

static void print_changes(const struct collection *collection,
                          enum api_which which,
                          uint64_t since,
                          struct text *out)
{
    text_addf(out, ",\"%s\":[", api_names[which]);
    collection_print_changed(collection, since, out);
    text_add_char(out, ']');
    struct json json = {.out = out, .comma = true};
    json_begin_array(&json, "gone");
    collection_print_gone(collection, since, &json);
    json_end_array(&json);
    json_end_object(&json);
}

/* What changed since a version: the same for all who had that one. */
static struct http_content *
find_changes(struct api *api, enum api_which which, uint64_t since)
{
    const struct collection *collection = api->all.collections[which];
    uint64_t version = collection_version(collection);
    for (size_t i = 0; i < API_ANSWERS_KEPT; i++) {
        const struct api_answer *kept = &api->changes[i];
        if (kept->content && kept->which == which && kept->since == since &&
            kept->version == version)
            return kept->content;
    }
    struct text text = TEXT_INIT;
    print_changes(collection, which, since, &text);
    struct api_answer *next =
        &api->changes[api->changes_next++ % API_ANSWERS_KEPT];
    http_content_unref(next->content);
    *next = (struct api_answer){.content = http_content_take(&text),
                                .which = which,
                                .version = version,
                                .since = since};
    return next->content;
}

/* The set of who asks, for WHICH; NULL: REPLY says why not. */
static struct api_set *find_set(struct api *api,
                                enum api_which which,
                                struct http_request *request,
                                struct http_reply *reply)
{
    struct record_audience audience = api_audience(api, request);
    struct api_set *set = api_set_for(api, &audience, which);
    if (!set)
        api_refuse(reply, 503, "Memory ran out; try again.");
    else if (set != &api->all)
        http_reply_set_header(reply, "Cache-Control", "no-store");
    return set;
}

static void answer_collection(struct api *api,
                              enum api_which which,
                              const struct asked *asked,
                              struct http_request *request,
                              struct http_reply *reply)
{
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    struct api_set *set = find_set(api, which, request, reply);
    if (!set)
        return;
    bool reaches = asked->has_since &&
                   collection_reaches(set->collections[which], asked->since);
    print_head(set, which, &json);
    if (asked->has_since && !reaches)
        json_bool(&json, "whole", true);
    http_reply_set_type(reply, API_TYPE);
    if (reaches && set != &api->all)
        print_changes(set->collections[which], which, asked->since, &text);
    http_reply_add_text(reply, &text);
    if (reaches && set != &api->all)
        return;
    http_reply_add(reply, reaches ? find_changes(api, which, asked->since)
                                  : find_whole(set, which));
}

/* A collection with the one record whose name stands in the path. */
void api_serve_named(struct api *api,
                     enum api_which which,
                     const char *name,
                     struct http_request *request,
                     struct http_reply *reply)
{
    if (!api_takes_nothing(request, reply))
        return;
    const struct api_set *set = find_set(api, which, request, reply);
    if (!set)
        return;
    const struct collection *collection = set->collections[which];
    const struct collection_record *record =
        collection_find_named(collection, name);
    if (!record) {
        api_refuse(reply, 404, "There is no \"%.80s\" among the %s.", name,
                   api_names[which]);
        return;
    }
    size_t size;
    const char *records = collection_text(collection, &size);
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    print_head(set, which, &json);
    text_addf(&text, ",\"%s\":[", api_names[which]);
    text_add_bytes(&text, records + record->start, record->size);
    text_add(&text, "]}");
    api_reply_text(reply, &text);
}

/* ---- jobs -----------------------------------------------------------------
 */

static void print_page(const struct api_set *set,
                       const struct record_source *source,
                       const uint32_t *indices,
                       size_t count,
                       struct text *out)
{
    size_t size, job_count;
    const struct collection *collection = set->collections[API_JOBS];
    const char *records = collection_text(collection, &size);
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &job_count);
    bool comma = false;
    for (size_t i = 0; i < count; i++) {
        const struct collection_record *record =
            collection_find(collection, jobs[indices[i]].job_id);
        if (!record)
            continue;
        if (comma)
            text_add_char(out, ',');
        comma = true;
        text_add_bytes(out, records + record->start, record->size);
    }
}

static void answer_page(struct api *api,
                        const struct job_query *query,
                        struct http_request *request,
                        struct http_reply *reply)
{
    struct record_source source = api_source(api);
    const struct api_set *set = find_set(api, API_JOBS, request, reply);
    if (!set)
        return;
    source.audience = api_audience(api, request);
    _cleanup_(free_ptr) uint32_t *indices = NULL;
    size_t count, total;
    if (job_query_run(query, &source, &indices, &count, &total) < 0) {
        api_refuse(reply, 503, "Memory ran out; try again.");
        return;
    }
    struct text text = TEXT_INIT;
    if (query->csv) {
        job_query_print_csv(&source, indices, count, &text);
        http_reply_set_type(reply, "text/csv; charset=utf-8");
        http_reply_set_header(reply, "Content-Disposition",
                              "attachment; filename=\"jobs.csv\"");
        http_reply_add_text(reply, &text);
        return;
    }
    struct json json = JSON_INIT(&text);
    print_head(set, API_JOBS, &json);
    json_u64(&json, "total", total);
    json_begin_array(&json, "jobs");
    print_page(set, &source, indices, count, &text);
    json_end_array(&json);
    json_end_object(&json);
    api_reply_text(reply, &text);
}

void api_serve_job(struct api *api,
                   const char *name,
                   struct http_request *request,
                   struct http_reply *reply)
{
    uint64_t id;
    if (!api_takes_nothing(request, reply))
        return;
    if (!number_parse(name, &id)) {
        api_refuse(reply, 400, "\"%.40s\" is no job's number.", name);
        return;
    }
    struct record_source source = api_source(api);
    source.audience = api_audience(api, request);
    size_t count;
    const struct job_record *jobs =
        snapshot_array(source.snapshot, SNAPSHOT_JOBS, 0, &count);
    size_t i = 0;
    while (i < count && jobs[i].job_id != id)
        i++;
    bool hidden = i == count ||
                  record_is_hidden(&source.audience, PRIVATE_JOBS,
                                   snapshot_text(source.snapshot, SNAPSHOT_JOBS,
                                                 jobs[i].user));
    /* What we kept of one that is over tells what it made of its GPUs, too. */
    struct text kept = TEXT_INIT;
    if (id <= UINT32_MAX && (hidden || record_job_is_over(&jobs[i])) &&
        api_find_finished(api, &source.audience, (uint32_t)id, &kept)) {
        api_reply_text(reply, &kept);
        return;
    }
    if (hidden) {
        api_refuse(reply, 404,
                   "Slurm does not know a job %.20s, or has forgotten it.",
                   name);
        return;
    }
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    record_print_job_whole(&json, &source, &jobs[i]);
    api_reply_text(reply, &text);
}

/* ---- GPUs -----------------------------------------------------------------
 */

/* Those of the nodes in LIST. */
static void print_gpus(const struct collection *collection,
                       const char *list,
                       struct text *out)
{
    char node[256] = "";
    size_t size, count = collection_count(collection);
    const char *records = collection_text(collection, &size);
    bool wanted = false, comma = false;
    for (size_t i = 0; i < count; i++) {
        const struct collection_record *record =
            collection_record(collection, i);
        const char *name = collection_name(collection, record);
        const char *end = strrchr(name, '/');
        size_t length = end ? (size_t)(end - name) : strlen(name);
        /* Those of one node stand together. */
        if (strncmp(node, name, length) != 0 || node[length]) {
            snprintf(node, sizeof(node), "%.*s", (int)length, name);
            wanted = host_list_contains(list, node);
        }
        if (!wanted)
            continue;
        if (comma)
            text_add_char(out, ',');
        comma = true;
        text_add_bytes(out, records + record->start, record->size);
    }
}

static void answer_gpus(struct api *api,
                        const char *list,
                        struct http_request *request,
                        struct http_reply *reply)
{
    const struct api_set *set = find_set(api, API_GPUS, request, reply);
    if (!set)
        return;
    struct text text = TEXT_INIT;
    struct json json = JSON_INIT(&text);
    print_head(set, API_GPUS, &json);
    json_begin_array(&json, "gpus");
    print_gpus(set->collections[API_GPUS], list, &text);
    json_end_array(&json);
    json_end_object(&json);
    api_reply_text(reply, &text);
}

/* ---- any of them ----------------------------------------------------------
 */

void api_serve_collection(struct api *api,
                          enum api_which which,
                          struct http_request *request,
                          struct http_reply *reply)
{
    struct asked asked;
    if (read_asked(request, which, &asked, reply) < 0)
        return;
    if (asked.jobs.given != 0)
        answer_page(api, &asked.jobs, request, reply);
    else if (asked.nodes)
        answer_gpus(api, asked.nodes, request, reply);
    else
        answer_collection(api, which, &asked, request, reply);
}
