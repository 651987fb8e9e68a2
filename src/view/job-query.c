/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing, ordering and tabling jobs.
 */
#include "view/job-query.h"

#include "base/cleanup.h"
#include "base/unit.h"
#include "model/host-list.h"
#include "view/job-field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- parameters -----------------------------------------------------------
 */

static int
set_sort(struct job_query *query, const char *value, struct error *err)
{
    query->descending = *value == '-';
    const char *name = value + query->descending;
    for (int i = 0; job_fields[i].name; i++) {
        if (strcmp(job_fields[i].name, name) != 0)
            continue;
        query->sort = i;
        return 1;
    }
    return error_set(err, EINVAL,
                     "sort: a job has no field \"%.40s\"; take a field of the "
                     "record, such as submit_s, or -submit_s for the newest "
                     "first.",
                     name);
}

static int
set_format(struct job_query *query, const char *value, struct error *err)
{
    query->csv = strcmp(value, "csv") == 0;
    if (query->csv || strcmp(value, "json") == 0)
        return 1;
    return error_set(err, EINVAL, "format: \"%.40s\" is neither json nor csv.",
                     value);
}

static int set_number(uint64_t *number,
                      const char *name,
                      const char *value,
                      struct error *err)
{
    if (number_parse(value, number) && *number <= UINT32_MAX)
        return 1;
    return error_set(err, EINVAL,
                     "%s: \"%.40s\" is no number; write for example %s=100.",
                     name, value, name);
}

int job_query_set(struct job_query *query,
                  const char *name,
                  const char *value,
                  struct error *err)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"state", &query->state},
        {"user", &query->user},
        {"account", &query->account},
        {"partition", &query->partition},
        {"node", &query->node},
        {"search", &query->search},
        {"sort", NULL},
        {"format", NULL},
        {"offset", NULL},
        {"limit", NULL},
    };
    size_t i = 0;
    while (i < array_size(texts) && strcmp(texts[i].name, name) != 0)
        i++;
    if (i == array_size(texts))
        return 0;
    if (query->given >> i & 1)
        return error_set(err, EINVAL, "%s: it is given twice.", name);
    query->given |= 1U << i;
    if (texts[i].text) {
        *texts[i].text = value;
        return 1;
    }
    if (strcmp(name, "sort") == 0)
        return set_sort(query, value, err);
    if (strcmp(name, "format") == 0)
        return set_format(query, value, err);
    return set_number(name[0] == 'o' ? &query->offset : &query->limit, name,
                      value, err);
}

/* ---- choosing -------------------------------------------------------------
 */

/* Whether WORD is one of LIST, whose items stand between commas. */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (*list) {
        size_t size = strcspn(list, ",");
        if (size == length && strncasecmp(list, word, size) == 0)
            return true;
        list += size + (list[size] == ',');
    }
    return false;
}

static bool found(const struct job_query *query,
                  const struct record_source *source,
                  const struct job_record *job)
{
    const snapshot_string texts[] = {job->name, job->user, job->account,
                                     job->partition, job->nodes};
    char number[JOB_NAME_SIZE];
    if (strcasestr(job_name(job, number), query->search))
        return true;
    for (size_t i = 0; i < array_size(texts); i++)
        if (strcasestr(snapshot_text(source->snapshot, SNAPSHOT_JOBS, texts[i]),
                       query->search))
            return true;
    return false;
}

static bool wanted(const struct job_query *query,
                   const struct record_source *source,
                   const struct job_record *job)
{
#define JOB_TEXT(field)                                                        \
    snapshot_text(source->snapshot, SNAPSHOT_JOBS, job->field)
    if (record_is_hidden(&source->audience, PRIVATE_JOBS, JOB_TEXT(user)))
        return false;
    return (!*query->state || list_has(query->state, record_job_state(job))) &&
           (!*query->user || strcmp(query->user, JOB_TEXT(user)) == 0) &&
           (!*query->account ||
            strcmp(query->account, JOB_TEXT(account)) == 0) &&
           (!*query->partition ||
            list_has(JOB_TEXT(partition), query->partition)) &&
           (!*query->node ||
            host_list_contains(JOB_TEXT(nodes), query->node)) &&
           (!*query->search || found(query, source, job));
#undef JOB_TEXT
}

/* ---- ordering -------------------------------------------------------------
 */

struct sortable {
    const char *text; /* NULL: the number counts */
    int64_t number;
    uint32_t index;
    char made[JOB_NAME_SIZE];
};

static int compare(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;
    int order = a->text && b->text
                    ? strcmp(a->text, b->text)
                    : (a->number > b->number) - (a->number < b->number);
    /* The same each time, however the C library sorts. */
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int compare_down(const void *left, const void *right)
{
    return compare(right, left);
}

static int sort_jobs(const struct job_query *query,
                     const struct record_source *source,
                     const struct job_record *jobs,
                     uint32_t *indices,
                     size_t count)
{
    struct sortable *sortables = calloc(count + 1, sizeof(*sortables));
    if (!sortables)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct sortable *s = &sortables[i];
        struct job_value value =
            job_fields[query->sort].get(source, &jobs[indices[i]], s->made);
        s->text = value.text;
        s->number = value.number;
        s->index = indices[i];
    }
    qsort(sortables, count, sizeof(*sortables),
          query->descending ? compare_down : compare);
    for (size_t i = 0; i < count; i++)
        indices[i] = sortables[i].index;
    free(sortables);
    return 0;
}

int job_query_run(const struct job_query *query,
                  const struct record_source *source,
                  uint32_t **ret_indices,
                  size_t *ret_count,
                  size_t *ret_total)
{
    size_t count = 0, total = 0;
    const struct job_record *jobs = NULL;
    if (record_source_has(source, SNAPSHOT_JOBS))
        jobs = snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &count);
    _cleanup_(free_ptr) uint32_t *indices = calloc(count + 1, sizeof(*indices));
    if (!indices)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (wanted(query, source, &jobs[i]))
            indices[total++] = (uint32_t)i;
    if (query->sort >= 0 && sort_jobs(query, source, jobs, indices, total) < 0)
        return -ENOMEM;
    size_t offset = query->offset < total ? (size_t)query->offset : total;
    size_t left = total - offset;
    *ret_count = query->limit && query->limit < left ? query->limit : left;
    memmove(indices, indices + offset, *ret_count * sizeof(*indices));
    *ret_total = total;
    *ret_indices = take_ptr(indices);
    return 0;
}

/* ---- CSV ------------------------------------------------------------------
 */

/* A spreadsheet takes what begins like a formula for one: an apostrophe in
 * front makes it a text. Control characters become blanks. */
static void add_cell(struct text *out, const char *value)
{
    text_add_char(out, '"');
    if (*value && strchr("=+-@\t\r", *value))
        text_add_char(out, '\'');
    for (; *value; value++) {
        if (*value == '"')
            text_add_char(out, '"');
        text_add_char(out, (unsigned char)*value < 0x20 ? ' ' : *value);
    }
    text_add_char(out, '"');
}

void job_query_print_csv(const struct record_source *source,
                         const uint32_t *indices,
                         size_t count,
                         struct text *out)
{
    size_t job_count;
    const struct job_record *jobs =
        snapshot_array(source->snapshot, SNAPSHOT_JOBS, 0, &job_count);
    for (int f = 0; job_fields[f].name; f++)
        text_addf(out, "%s%s", f ? "," : "", job_fields[f].name);
    text_add(out, "\r\n");
    for (size_t i = 0; i < count; i++) {
        for (int f = 0; job_fields[f].name; f++) {
            char buffer[JOB_NAME_SIZE];
            struct job_value value =
                job_fields[f].get(source, &jobs[indices[i]], buffer);
            if (f)
                text_add_char(out, ',');
            if (value.text)
                add_cell(out, value.text);
            else
                text_add_i64(out, value.number);
        }
        text_add(out, "\r\n");
    }
}
