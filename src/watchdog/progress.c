/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress on standard output.
 */
#include "watchdog/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SERVICES_MAX = 16
};

static int64_t begin_ns;
static enum service_state last_states[SERVICES_MAX];

static bool in_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

__attribute__((format(printf, 3, 0))) static void print_line(const char *mark,
                                                             const char *colour,
                                                             const char *format,
                                                             va_list args)
{
    double seconds =
        (double)(clock_monotonic_ns() - begin_ns) / (double)NS_PER_S;
    if (in_colour() && *colour)
        printf("\033[2m%6.1f s\033[0m  \033[%sm%s\033[0m", seconds, colour,
               mark);
    else
        printf("%6.1f s  %s", seconds, mark);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
}

void progress_begin(void)
{
    begin_ns = clock_monotonic_ns();
}

void progress_step(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line("", "", format, args);
    va_end(args);
}

void progress_done(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line("ready: ", "32", format, args);
    va_end(args);
}

void progress_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("          ");
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
}

void progress_services(const struct supervisor *supervisor)
{
    size_t count = supervisor_count(supervisor);
    for (size_t i = 0; i < count && i < SERVICES_MAX; i++) {
        struct service_status status;
        supervisor_status(supervisor, i, &status);
        enum service_state before = last_states[i];
        last_states[i] = status.state;
        if (status.state == before)
            continue;
        if (status.state == SERVICE_READY)
            progress_step("%s is ready", status.name);
        else if (status.state == SERVICE_BACKOFF)
            progress_step("%s failed: %s", status.name, status.reason);
    }
}
