/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of the list of jobs, "name=value" a line; and a host list
 * with a name to look for in it. */
#include "fuzz.h"

#include "model/host-list.h"
#include "view/job-query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct job_query query = JOB_QUERY_INIT;
    struct error err = {.text = ""};
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *value = strchr(line, '=');
        if (!value)
            continue;
        *value++ = '\0';
        int r = job_query_set(&query, line, value, &err);
        fuzz_check(r == 1 || r == 0 || r == -EINVAL);
        fuzz_check(r != -EINVAL || *err.text);
        (void)host_list_contains(line, value);
    }
    struct record_source nothing = {.snapshot = NULL};
    uint32_t *indices;
    size_t count, total;
    fuzz_check(job_query_run(&query, &nothing, &indices, &count, &total) == 0);
    fuzz_check(count == 0 && total == 0);
    free(indices);
    free(text);
    return 0;
}
