/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of a job by name, for sorting and for tables. Private to this
 * room.
 */
#pragma once

#include "view/records.h"

/* A text, or a number when TEXT is NULL. */
struct job_value {
    const char *text;
    int64_t number;
};

struct job_field {
    const char *name; /* as in the JSON record */
    /* BUFFER has JOB_NAME_SIZE bytes, for texts that have to be made. */
    struct job_value (*get)(const struct record_source *source,
                            const struct job_record *job,
                            char *buffer);
};

/* A field without a name ends the table. */
extern const struct job_field job_fields[];
