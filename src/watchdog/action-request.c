/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog/action-request.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const action_verb_names[ACTION_VERB_COUNT] = {
    [ACTION_CANCEL] = "cancel",   [ACTION_HOLD] = "hold",
    [ACTION_RELEASE] = "release", [ACTION_REQUEUE] = "requeue",
    [ACTION_DRAIN] = "drain",     [ACTION_RESUME] = "resume",
    [ACTION_SUBMIT] = "submit",   [ACTION_SCRIPT] = "script",
};

/* The bytes that a field may have besides letters and digits; a name may have
 * any that can be printed. */
static const struct {
    const char *key;
    const char *option; /* of sbatch */
    const char *bytes;  /* NULL: any text */
    const char *example;
} fields[ACTION_FIELD_COUNT] = {
    [ACTION_FIELD_NAME] = {"name", "job-name", NULL, "train"},
    [ACTION_FIELD_PARTITION] = {"partition", "partition", "_-.,", "all"},
    [ACTION_FIELD_ACCOUNT] = {"account", "account", "_-.", "physics"},
    [ACTION_FIELD_QOS] = {"qos", "qos", "_-.", "normal"},
    [ACTION_FIELD_NODES] = {"nodes", "nodes", "-", "2"},
    [ACTION_FIELD_TASKS] = {"tasks", "ntasks", "", "8"},
    [ACTION_FIELD_CPUS] = {"cpus_per_task", "cpus-per-task", "", "4"},
    [ACTION_FIELD_MEMORY] = {"memory", "mem", "", "16G"},
    [ACTION_FIELD_GPUS] = {"gpus_per_node", "gres", "_-.:", "h100:2"},
    [ACTION_FIELD_TIME] = {"time", "time", "-:", "1:30:00"},
};

/* ---- reading ------------------------------------------------------------- */

/* Something that people can read, and that does not look like an option. */
static bool is_line(const char *text)
{
    if (*text == '-')
        return false;
    for (size_t size; *text; text += size) {
        uint32_t code;
        size = utf8_decode(text, &code);
        if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return false;
    }
    return true;
}

static bool is_made_of(const char *text, const char *bytes)
{
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(bytes, *p))
            return false;
    return *text != '-';
}

/* "17", "17_3", "17_[3-5,9]", "17+1". */
static bool is_job(const char *text)
{
    static const char digits[] = "0123456789", of_list[] = "0123456789-,";
    size_t n = strspn(text, digits);
    const char *rest = text + n;
    if (n == 0 || !*rest)
        return n > 0;
    if (strncmp(rest, "_[", 2) == 0) {
        n = strspn(rest + 2, of_list);
        return n > 0 && strcmp(rest + 2 + n, "]") == 0;
    }
    n = strspn(rest + 1, digits);
    return strchr("_+", *rest) && n > 0 && !rest[1 + n];
}

static bool is_node(const char *text)
{
    return *text && is_made_of(text, "_-.");
}

static int copy_text(const json_t *value,
                     const char *what,
                     char ret_text[ACTION_TEXT_SIZE],
                     struct error *err)
{
    const char *text = json_string_value(value);
    if (!text)
        return error_set(err, EINVAL, "%s: write a text in quotes.", what);
    if (strlen(text) >= ACTION_TEXT_SIZE)
        return error_set(err, EINVAL, "%s: more than %d bytes.", what,
                         ACTION_TEXT_SIZE - 1);
    strcpy(ret_text, text);
    return 0;
}

static int
read_script(struct action_request *r, const json_t *value, struct error *err)
{
    const char *script = json_string_value(value);
    if (!script || strncmp(script, "#!", 2) != 0)
        return error_set(err, EINVAL,
                         "script: the first line names its interpreter: "
                         "#!/bin/bash");
    if (strlen(script) > ACTION_SCRIPT_MAX)
        return error_set(err, EINVAL, "script: more than %d bytes.",
                         ACTION_SCRIPT_MAX);
    if (strchr(script, '\r'))
        return error_set(err, EINVAL,
                         "script: its lines end as on DOS; sbatch would "
                         "refuse it.");
    free(r->script);
    r->script = strdup(script);
    return r->script ? 0 : error_set(err, ENOMEM, "Out of memory.");
}

static int read_targets(struct action_request *r,
                        const json_t *list,
                        bool nodes,
                        struct error *err)
{
    const char *what = nodes ? "nodes" : "jobs";
    size_t count = json_array_size(list);
    if (count == 0 || count > ACTION_TARGETS_MAX)
        return error_set(err, EINVAL, "%s: write a list of 1 to %d of them.",
                         what, ACTION_TARGETS_MAX);
    r->targets = calloc(count, sizeof(*r->targets));
    if (!r->targets)
        return error_set(err, ENOMEM, "Out of memory.");
    for (size_t i = 0; i < count; i++) {
        int e = copy_text(json_array_get(list, i), what, r->targets[i], err);
        if (e < 0)
            return e;
        if (!(nodes ? is_node(r->targets[i]) : is_job(r->targets[i])))
            return error_set(err, EINVAL, "%s: \"%.40s\" is none.", what,
                             r->targets[i]);
    }
    r->target_count = count;
    return 0;
}

static int read_field(struct action_request *r,
                      enum action_field field,
                      const json_t *value,
                      struct error *err)
{
    char *text = r->fields[field];
    int e = copy_text(value, fields[field].key, text, err);
    if (e < 0)
        return e;
    bool good = fields[field].bytes ? is_made_of(text, fields[field].bytes)
                                    : is_line(text);
    return good ? 0
                : error_set(err, EINVAL,
                            "%s: \"%.40s\" cannot be one; write for example "
                            "\"%s\".",
                            fields[field].key, text, fields[field].example);
}

static bool is_about_nodes(enum action_verb verb)
{
    return verb == ACTION_DRAIN || verb == ACTION_RESUME;
}

/* One key besides "action". */
static int read_key(struct action_request *r,
                    const char *key,
                    const json_t *value,
                    struct error *err)
{
    bool nodes = is_about_nodes(r->verb);
    if (r->verb == ACTION_SUBMIT) {
        if (strcmp(key, "script") == 0)
            return read_script(r, value, err);
        for (unsigned int i = 0; i < ACTION_FIELD_COUNT; i++)
            if (strcmp(key, fields[i].key) == 0)
                return read_field(r, i, value, err);
    } else if (strcmp(key, nodes ? "nodes" : "jobs") == 0) {
        return read_targets(r, value, nodes, err);
    } else if (r->verb == ACTION_DRAIN && strcmp(key, "reason") == 0) {
        int e = copy_text(value, "reason", r->reason, err);
        return e == 0 && !is_line(r->reason)
                   ? error_set(err, EINVAL,
                               "reason: one line, and no \"-\" in front.")
                   : e;
    }
    return error_set(err, EINVAL, "\"%.40s\" means nothing for \"%s\".", key,
                     action_verb_names[r->verb]);
}

static int
read_verb(struct action_request *r, const json_t *object, struct error *err)
{
    const char *name = json_string_value(json_object_get(object, "action"));
    for (unsigned int i = 0; name && i < ACTION_VERB_COUNT; i++) {
        if (strcmp(name, action_verb_names[i]) != 0)
            continue;
        r->verb = i;
        return 0;
    }
    return error_set(err, EINVAL,
                     "action: write cancel, hold, release, requeue, drain, "
                     "resume, submit or script.");
}

/* What must not be missing. */
static int check_whole(const struct action_request *r, struct error *err)
{
    if (r->verb == ACTION_SUBMIT)
        return r->script ? 0 : error_set(err, EINVAL, "script: missing.");
    if (r->target_count == 0)
        return error_set(err, EINVAL, "%s: missing.",
                         is_about_nodes(r->verb) ? "nodes" : "jobs");
    if (r->verb == ACTION_SCRIPT && r->target_count > 1)
        return error_set(err, EINVAL, "jobs: one script at a time.");
    if (r->verb == ACTION_DRAIN && !*r->reason)
        return error_set(err, EINVAL,
                         "reason: say why; it is shown to everybody who "
                         "wonders about the node.");
    return 0;
}

int action_request_read(const json_t *object,
                        struct action_request *ret_request,
                        struct error *err)
{
    struct action_request request = {.script = NULL};
    const char *key;
    json_t *value;
    int r = read_verb(&request, object, err);
    if (r == 0)
        json_object_foreach((json_t *)(uintptr_t)object, key, value)
        {
            if (strcmp(key, "action") != 0)
                r = read_key(&request, key, value, err);
            if (r < 0)
                break;
        }
    if (r == 0)
        r = check_whole(&request, err);
    if (r < 0) {
        action_request_deinit(&request);
        return r;
    }
    *ret_request = request;
    return 0;
}

int action_request_parse(const char *bytes,
                         size_t size,
                         struct action_request *ret_request,
                         json_t **ret_object,
                         struct error *err)
{
    json_error_t fault;
    json_t *object = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, EINVAL,
                         "The body is no JSON object; doc/api.md shows some.");
    }
    int r = action_request_read(object, ret_request, err);
    if (r == 0 && ret_object)
        *ret_object = object;
    else
        json_decref(object);
    return r;
}

void action_request_deinit(struct action_request *request)
{
    free(request->targets);
    free(request->script);
    *request = (struct action_request){.script = NULL};
}

/* ---- words --------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void
add_word(struct action_words *words, const char *format, ...)
{
    char *word;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&word, format, args);
    va_end(args);
    if (size < 0 || words->count == ACTION_WORDS_MAX) {
        if (size >= 0)
            free(word);
        words->failed = true;
        return;
    }
    words->words[words->count++] = word;
}

static void add_targets(struct action_words *words,
                        const struct action_request *request)
{
    for (size_t i = 0; i < request->target_count; i++)
        add_word(words, "%s", request->targets[i]);
}

/* scontrol takes several with commas between them. */
static void add_list(struct action_words *words,
                     const char *before,
                     const struct action_request *request)
{
    char *list = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&list, &size);
    if (!file) {
        words->failed = true;
        return;
    }
    for (size_t i = 0; i < request->target_count; i++)
        fprintf(file, "%s%s", i ? "," : before, request->targets[i]);
    if (fclose(file) != 0)
        words->failed = true;
    else
        add_word(words, "%s", list);
    free(list);
}

static void add_node_words(struct action_words *words,
                           const struct action_request *request,
                           const char *who)
{
    add_word(words, "scontrol");
    add_word(words, "update");
    add_list(words, "nodename=", request);
    add_word(words, "state=%s", action_verb_names[request->verb]);
    if (request->verb == ACTION_DRAIN && who)
        add_word(words, "reason=%s (%s)", request->reason, who);
    else if (request->verb == ACTION_DRAIN)
        add_word(words, "reason=%s", request->reason);
}

static void add_submit_words(struct action_words *words,
                             const struct action_request *request,
                             const char *home)
{
    add_word(words, "sbatch");
    add_word(words, "--parsable");
    add_word(words, "--chdir=%s", home);
    for (unsigned int i = 0; i < ACTION_FIELD_COUNT; i++)
        if (*request->fields[i])
            add_word(words, "--%s=%s%s", fields[i].option,
                     i == ACTION_FIELD_GPUS ? "gpu:" : "", request->fields[i]);
}

int action_request_words(const struct action_request *request,
                         const char *who,
                         const char *home,
                         struct action_words *ret_words)
{
    struct action_words *words = ret_words;
    *words = (struct action_words){.count = 0};
    if (request->verb == ACTION_SUBMIT) {
        add_submit_words(words, request, home);
    } else if (is_about_nodes(request->verb)) {
        add_node_words(words, request, who);
    } else if (request->verb == ACTION_CANCEL) {
        add_word(words, "scancel");
        add_targets(words, request);
    } else if (request->verb == ACTION_SCRIPT) {
        add_word(words, "scontrol");
        add_word(words, "write");
        add_word(words, "batch_script");
        add_word(words, "%s", request->targets[0]);
        add_word(words, "-");
    } else {
        add_word(words, "scontrol");
        add_word(words, "%s", action_verb_names[request->verb]);
        add_list(words, "", request);
    }
    if (!words->failed)
        return 0;
    action_words_deinit(words);
    return -ENOMEM;
}

void action_words_deinit(struct action_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->words[i]);
    *words = (struct action_words){.count = 0};
}

void action_request_targets(const struct action_request *request,
                            char *ret_text,
                            size_t size)
{
    size_t at = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < request->target_count && at < size; i++) {
        int n = snprintf(ret_text + at, size - at, "%s%s", i ? "," : "",
                         request->targets[i]);
        at += n > 0 ? (size_t)n : 0;
    }
}
