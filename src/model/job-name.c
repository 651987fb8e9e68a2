/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/job-name.h"

#include <inttypes.h>
#include <stdio.h>

char *job_name(const struct job_record *job, char *buffer)
{
    if (job->has & JOB_HAS_ARRAY_TASK)
        snprintf(buffer, JOB_NAME_SIZE, "%" PRIu32 "_%" PRIu32,
                 job->array_job_id, job->array_task_id);
    else if (job->has & JOB_HAS_HET)
        snprintf(buffer, JOB_NAME_SIZE, "%" PRIu32 "+%" PRIu32, job->het_job_id,
                 job->het_offset);
    else
        snprintf(buffer, JOB_NAME_SIZE, "%" PRIu32, job->job_id);
    return buffer;
}
