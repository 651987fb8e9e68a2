/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody asks to be done with jobs and nodes, as the page sends it and
 * as it travels to the process that does it: one JSON object, read strictly by
 * both, since the second has more rights than the first (act.c).
 *
 *   {"action": "cancel", "jobs": ["17", "18_3"]}     hold, release, requeue
 *   {"action": "drain", "nodes": ["n1"], "reason": "fan"}
 *   {"action": "resume", "nodes": ["n1"]}
 *   {"action": "script", "jobs": ["17"]}             to read it
 *   {"action": "submit", "script": "#!/bin/sh\n...", "partition": "all", ...}
 *
 * It becomes the words of one of Slurm's own commands (sbatch(1), scancel(1),
 * scontrol(1)). No text of the request stands where a command could take it for
 * an option of its own.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t; /* jansson's */

enum action_verb {
    ACTION_CANCEL,
    ACTION_HOLD,
    ACTION_RELEASE,
    ACTION_REQUEUE,
    ACTION_DRAIN,
    ACTION_RESUME,
    ACTION_SUBMIT,
    ACTION_SCRIPT,
    ACTION_VERB_COUNT
};

/* As they stand in a request. */
extern const char *const action_verb_names[ACTION_VERB_COUNT];

enum {
    ACTION_TARGETS_MAX = 100,
    ACTION_TEXT_SIZE = 256, /* reason, fields of a job */
    ACTION_SCRIPT_MAX = 64 * 1024,
    ACTION_WORDS_MAX = ACTION_TARGETS_MAX + 16
};

/* What may be said of a job besides its script; each becomes --NAME=VALUE of
 * sbatch. */
enum action_field {
    ACTION_FIELD_NAME,
    ACTION_FIELD_PARTITION,
    ACTION_FIELD_ACCOUNT,
    ACTION_FIELD_QOS,
    ACTION_FIELD_NODES,
    ACTION_FIELD_TASKS,
    ACTION_FIELD_CPUS,
    ACTION_FIELD_MEMORY,
    ACTION_FIELD_GPUS, /* per node, "2" or "h100:2" */
    ACTION_FIELD_TIME,
    ACTION_FIELD_COUNT
};

struct action_request {
    enum action_verb verb;
    size_t target_count; /* jobs, or nodes */
    char (*targets)[ACTION_TEXT_SIZE];
    char reason[ACTION_TEXT_SIZE];
    char fields[ACTION_FIELD_COUNT][ACTION_TEXT_SIZE]; /* "": not said */
    char *script;                                      /* of a submission */
};

/* -EINVAL: ERR is a sentence for who asked. */
int action_request_read(const struct json_t *object,
                        struct action_request *ret_request,
                        struct error *err);

/* The same from SIZE bytes; RET_OBJECT (json_decref() it), or NULL, gets them
 * as an object. */
int action_request_parse(const char *bytes,
                         size_t size,
                         struct action_request *ret_request,
                         struct json_t **ret_object,
                         struct error *err);
void action_request_deinit(struct action_request *request);

/* The words of a command, the first its name. */
struct action_words {
    char *words[ACTION_WORDS_MAX + 1]; /* owned; NULL ends */
    size_t count;
    bool failed; /* out of memory */
};

/* Of the command that does it. WHO (or NULL) is named in the reason of a drain,
 * where the command runs as somebody else. HOME is where a submitted job works
 * and leaves its output. */
int action_request_words(const struct action_request *request,
                         const char *who,
                         const char *home,
                         struct action_words *ret_words);
void action_words_deinit(struct action_words *words);

/* Its targets for a log: "17,18_3". At most SIZE bytes with the end. */
void action_request_targets(const struct action_request *request,
                            char *ret_text,
                            size_t size);
