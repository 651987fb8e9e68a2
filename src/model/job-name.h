/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users call a job: "17", a task "17_3", a part of a heterogeneous job
 * "17+1".
 */
#pragma once

#include "model/snapshot.h"

enum {
    JOB_NAME_SIZE = 32
};

/* BUFFER has JOB_NAME_SIZE bytes; returns BUFFER. */
char *job_name(const struct job_record *job, char *buffer);
