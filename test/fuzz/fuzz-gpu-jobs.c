/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tells a job from files of /proc and of prologs; the first byte chooses.
 */
#include "fuzz.h"

#include "model/gpu-record.h"
#include "source/job-text.h"

#include <string.h>

static void check_environment(const char *text, size_t size, char separator)
{
    struct job_environment environment;
    char number[64];
    job_environment_parse(text, size, separator, &environment);
    job_environment_be_component(text, size, separator,
                                 environment.components[1], &environment);
    fuzz_check(strlen(environment.user) < sizeof(environment.user));
    fuzz_check(strlen(environment.job_gpus) < sizeof(environment.job_gpus));
    job_number_format(&environment, environment.job_id, number, sizeof(number));
}

static void check_list(const char *text)
{
    struct job_gpu_list list = {.at = text};
    char word[96];
    uint32_t index;
    for (int i = 0; i < 100000; i++)
        if (!job_gpu_list_next(&list, &index, word, sizeof(word)))
            return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t jobs[JOB_LINES_MAX], a, b;
    struct job_stat stat;
    struct job_step step;
    if (size == 0)
        return 0;
    char *text = fuzz_string(data + 1, size - 1);
    switch (data[0] % 8) {
    case 0:
        job_stat_parse(text, &stat);
        break;
    case 1:
        job_title_parse(text, &step);
        break;
    case 2:
        job_cgroup_parse(text, &step);
        break;
    case 3:
        check_environment((const char *)data + 1, size - 1, '\0');
        break;
    case 4:
        check_environment(text, strlen(text), '\n');
        break;
    case 5:
        check_list(text);
        break;
    case 6:
        fuzz_check(job_mapping_parse(text, jobs) <= JOB_LINES_MAX);
        job_mapping_name_parse(text, &a, &b);
        break;
    default:
        job_gpustat_parse(text, &a, &b);
        break;
    }
    free(text);
    return 0;
}
