/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor knows, as JSON.
 */
#include "watchdog/services-status.h"

#include "base/clock.h"

json_t *services_status(const struct supervisor *supervisor)
{
    json_t *array = json_array();
    size_t count = supervisor ? supervisor_count(supervisor) : 0;
    for (size_t i = 0; i < count; i++) {
        struct service_status s;
        supervisor_status(supervisor, i, &s);
        json_t *lines = json_array();
        for (size_t n = 0; n < SERVICE_LINES_MAX && s.lines[n]; n++)
            json_array_append_new(lines, json_string(s.lines[n]));
        double since_s =
            (double)(clock_monotonic_ns() - s.since_ns) / (double)NS_PER_S;
        json_array_append_new(
            array,
            json_pack("{s:s, s:s, s:i, s:f, s:i, s:s, s:o}", "name", s.name,
                      "state", service_state_words[s.state], "pid", (int)s.pid,
                      "for_seconds", since_s, "restarts", (int)s.restarts,
                      "reason", s.reason, "lines", lines));
    }
    return array;
}
