/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog status": what runs on this machine as a head or a worker, in 80
 * columns. Exit code 0: all services are ready; 1: not, or nothing runs here.
 */
#include "base/text.h"
#include "cluster/join-message.h"
#include "watchdog/control.h"
#include "watchdog/report.h"
#include "watchdog/subcommand.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REASON_WIDTH = 76
};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static long long number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* ---- services -------------------------------------------------------------
 */

static bool print_services(const json_t *services)
{
    bool all_ready = json_array_size(services) > 0;
    printf("\n%-12s %-9s %8s %9s\n", "SERVICE", "STATE", "PID", "RESTARTS");
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *s = json_array_get(services, i);
        bool ready = strcmp(text_at(s, "state"), "ready") == 0;
        all_ready = all_ready && ready;
        printf("%-12s %-9s %8lld %9lld\n", text_at(s, "name"),
               text_at(s, "state"), number_at(s, "pid"),
               number_at(s, "restarts"));
        if (*text_at(s, "reason") && !ready)
            printf("  %.*s\n", REASON_WIDTH, text_at(s, "reason"));
    }
    return all_ready;
}

/* ---- nodes ----------------------------------------------------------------
 */

static void gpus_text(const json_t *node, struct text *out)
{
    const json_t *gpus = json_object_get(node, "gpus");
    for (size_t i = 0; i < json_array_size(gpus); i++) {
        const json_t *g = json_array_get(gpus, i);
        text_addf(out, "%s%lld/%lld %s", i ? ", " : "",
                  number_at(g, "allocated"), number_at(g, "total"),
                  text_at(g, "type"));
    }
    if (json_array_size(gpus) == 0)
        text_add(out, "-");
    else if (json_is_true(json_object_get(node, "simulated")))
        text_add(out, " simulated");
}

static void print_node(const json_t *node)
{
    struct text gpus = TEXT_INIT;
    char cpus[32];
    const char *member = text_at(node, "member");
    gpus_text(node, &gpus);
    snprintf(cpus, sizeof(cpus), "%lld/%lld", number_at(node, "cpus_allocated"),
             number_at(node, "cpus"));
    printf("%-14.14s %-15.15s %-14.14s %-7s %-7s %s\n", text_at(node, "name"),
           text_at(node, "address"), text_at(node, "slurm_state"), member, cpus,
           text_str(&gpus));
    if (*text_at(node, "reason"))
        printf("  %.*s\n", REASON_WIDTH, text_at(node, "reason"));
    text_deinit(&gpus);
}

static void print_nodes(const json_t *nodes)
{
    printf("\n%-14s %-15s %-14s %-7s %-7s %s\n", "NODE", "ADDRESS", "SLURM",
           "MEMBER", "CPUS", "GPUS");
    for (size_t i = 0; i < json_array_size(nodes); i++)
        print_node(json_array_get(nodes, i));
}

/* Whole, since what to do about it stands at its end. */
static void print_wrapped(const char *text)
{
    enum {
        WIDTH = REASON_WIDTH - 2
    };
    while (strlen(text) > WIDTH) {
        int length = WIDTH;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0)
            length = WIDTH;
        printf("    %.*s\n", length, text);
        text += length;
        text += *text == ' ';
    }
    printf("    %s\n", text);
}

/* Who waits to join, or was refused, since or at the time under KEY. */
static void print_joins(const char *title, const json_t *joins, const char *key)
{
    if (json_array_size(joins) == 0)
        return;
    printf("\n%s\n", title);
    for (size_t i = 0; i < json_array_size(joins); i++) {
        const json_t *r = json_array_get(joins, i);
        time_t when = (time_t)number_at(r, key);
        char clock[16];
        struct tm parts;
        localtime_r(&when, &parts);
        strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
        printf("  %s %s %s\n", clock, text_at(r, "from"), text_at(r, "host"));
        print_wrapped(text_at(r, "reason"));
    }
}

/* ---- the two kinds --------------------------------------------------------
 */

static void print_queue(const json_t *queue)
{
    if (json_is_object(queue))
        printf("\nqueue    %lld running, %lld pending\n",
               number_at(queue, "running"), number_at(queue, "pending"));
    else
        printf("\nqueue    Slurm has not told yet\n");
}

static bool print_head(const json_t *status)
{
    char words[JOIN_CLUSTER_WORDS_SIZE];
    bool auth_slurm = strcmp(text_at(status, "auth"), "slurm") == 0;
    printf("%s, head %s (%s), Slurm %s%s\n",
           join_cluster_words(text_at(status, "cluster"), words),
           text_at(status, "host"), text_at(status, "address"),
           text_at(status, "slurm"), auth_slurm ? ", auth/slurm" : "");
    bool ready = print_services(json_object_get(status, "services"));
    print_nodes(json_object_get(status, "nodes"));
    print_queue(json_object_get(status, "queue"));
    printf("metrics  %s\n", text_at(status, "metrics_url"));
    if (*text_at(status, "shared_home"))
        printf("homes    shared under %s\n", text_at(status, "shared_home"));
    else
        printf("homes    not shared: a job's output lies on the node that ran "
               "it\n");
    if (json_is_true(json_object_get(status, "gpus_confined")))
        printf(
            "gpus     a job can use those that it asked for, and no other\n");
    else
        printf("gpus     a job is told its own, and can reach all of its node "
               "(--confine-gpus)\n");
    printf("state    %s\n", text_at(status, "state_directory"));
    if (*text_at(status, "slurm_reason"))
        printf("slurm    %.*s\n", REASON_WIDTH - 9,
               text_at(status, "slurm_reason"));
    print_joins("wait to join", json_object_get(status, "waiting"), "since_s");
    print_joins("refused to join", json_object_get(status, "refused"),
                "time_s");
    return ready;
}

static bool print_worker(const json_t *status)
{
    char words[JOIN_CLUSTER_WORDS_SIZE];
    printf("%s, node %s, %s\n",
           join_cluster_words(text_at(status, "cluster"), words),
           text_at(status, "node"),
           *text_at(status, "slurm_state") ? text_at(status, "slurm_state")
                                           : "not yet in Slurm");
    printf("head %s, %s\n", text_at(status, "head"),
           json_is_true(json_object_get(status, "connected"))
               ? "connected"
               : text_at(status, "trouble"));
    return print_services(json_object_get(status, "services"));
}

static bool all_ready(const json_t *status)
{
    const json_t *services = json_object_get(status, "services");
    for (size_t i = 0; i < json_array_size(services); i++)
        if (strcmp(text_at(json_array_get(services, i), "state"), "ready") != 0)
            return false;
    return json_array_size(services) > 0;
}

int status_main(const struct settings *settings)
{
    json_t *answer;
    struct error err;
    if (control_ask(json_pack("{s:s}", "type", CONTROL_STATUS), NULL, &answer,
                    &err) < 0)
        return report_failure(&err);
    const json_t *status = json_object_get(answer, "status");
    bool ready;
    if (settings->json) {
        report_json(status);
        ready = all_ready(status);
    } else if (strcmp(text_at(status, "role"), "head") == 0) {
        ready = print_head(status);
    } else {
        ready = print_worker(status);
    }
    json_decref(answer);
    return ready ? EXIT_SUCCESS : EXIT_FAILURE;
}
