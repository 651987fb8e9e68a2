/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog doctor": finds what is wrong with this machine as a head or a
 * worker by testing, one check after the other, and says in plain words what it
 * is and what to type next. A row here and a function make a further check.
 * Exit code 0: nothing is wrong; 1: something is.
 *
 * It changes nothing. What head and worker know of each other it takes from
 * "status" of the one that runs here; without one it goes by their files.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"
#include "cluster/place.h"
#include "cluster/secret-file.h"
#include "watchdog/report.h"
#include "watchdog/subcommand.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
    WIDTH = 78,
    INDENT = 16,
    FILE_MAX = 1024 * 1024,
    STATUS_SECONDS = 5
};

static const struct check {
    const char *subject;
    void (*run)(struct doctor *doctor);
} checks[] = {
    {"programs", doctor_check_programs}, {"munge", doctor_check_leak},
    {"services", doctor_check_services}, {"host name", doctor_check_host},
    {"address", doctor_check_address},   {"state", doctor_check_state},
    {"disk", doctor_check_disk},         {"cgroup", doctor_check_cgroup},
    {"ports", doctor_check_ports},       {"clock", doctor_check_clock},
    {"key", doctor_check_key},           {"versions", doctor_check_versions},
    {"nodes", doctor_check_nodes},       {"record", doctor_check_record},
    {"joins", doctor_check_refused},
};

static const char *const verdict_words[] = {"ok", "note", "WRONG"};

/* ---- printing ------------------------------------------------------------ */

static bool in_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

/* TEXT in lines that fit, the first of which begins at column INDENT. */
static void print_wrapped(const char *text)
{
    size_t width = WIDTH - INDENT;
    for (;;) {
        size_t length = strlen(text), cut = length;
        if (length > width) {
            for (cut = width; cut > 0 && text[cut] != ' '; cut--)
                ;
            if (cut == 0)
                cut = width;
        }
        printf("%.*s\n", (int)cut, text);
        text += cut;
        text += strspn(text, " ");
        if (!*text)
            return;
        printf("%*s", INDENT, "");
    }
}

static void print_finding(const char *subject,
                          enum doctor_verdict verdict,
                          const char *text,
                          const char *next)
{
    static const char *const colours[] = {"32", "33", "31"};
    if (in_colour())
        printf("\r\033[K\033[%sm%-5s\033[0m %-10s", colours[verdict],
               verdict_words[verdict], subject);
    else
        printf("%-5s %-10s", verdict_words[verdict], subject);
    print_wrapped(text);
    if (*next) {
        printf("%*s", INDENT - 6, "");
        printf("next: ");
        print_wrapped(next);
    }
    fflush(stdout);
}

void doctor_tell(struct doctor *doctor,
                 enum doctor_verdict verdict,
                 const char *next,
                 const char *format,
                 ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    doctor->wrong += verdict == DOCTOR_WRONG;
    json_array_append_new(
        doctor->findings,
        json_pack("{s:s, s:s, s:s, s:s}", "check", doctor->subject, "verdict",
                  verdict == DOCTOR_WRONG ? "wrong" : verdict_words[verdict],
                  "text", text, "next", next));
    if (!doctor->json)
        print_finding(doctor->subject, verdict, text, next);
}

/* ---- who are we? --------------------------------------------------------- */

const char *doctor_json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static json_t *read_json(const struct doctor *doctor, const char *name)
{
    char path[PATH_MAX];
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/%s", doctor->state, name);
    if (secret_file_read(path, FILE_MAX, true, &bytes, &size, NULL) < 0)
        return NULL;
    return json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
}

/* By a child, so that one that hangs cannot make us hang. */
static void ask_status(struct doctor *doctor)
{
    static const char *const arguments[] = {"/proc/self/exe", "status",
                                            "--json", NULL};
    _cleanup_(text_deinit) struct text output = TEXT_INIT;
    doctor_run(arguments, NULL, STATUS_SECONDS, &output);
    doctor->status = json_loads(text_str(&output) ? text_str(&output) : "",
                                JSON_DISABLE_EOF_CHECK, NULL);
    const char *state = doctor_json_text(doctor->status, "state_directory");
    if (*state)
        snprintf(doctor->state, sizeof(doctor->state), "%s", state);
}

static void split_head(struct doctor *doctor, const char *head)
{
    const char *colon = strrchr(head, ':');
    size_t length = colon ? (size_t)(colon - head) : strlen(head);
    if (length > 2 && head[0] == '[' && head[length - 1] == ']') {
        head++;
        length -= 2;
    }
    snprintf(doctor->head, sizeof(doctor->head), "%.*s", (int)length, head);
    doctor->join_port = colon ? (uint16_t)atoi(colon + 1) : 0;
}

static void find_role(struct doctor *doctor)
{
    json_t *cluster = read_json(doctor, "cluster.json");
    const char *role = doctor_json_text(doctor->status, "role");
    doctor->member = read_json(doctor, "membership.json");
    const json_t *source = doctor->status ? doctor->status
                           : cluster      ? cluster
                                          : doctor->member;
    if (strcmp(role, "head") == 0 || (!*role && cluster)) {
        doctor->role = DOCTOR_HEAD;
        snprintf(doctor->head, sizeof(doctor->head), "127.0.0.1");
    } else if (*role || doctor->member) {
        doctor->role = DOCTOR_WORKER;
        split_head(doctor, doctor_json_text(source, "head"));
    }
    snprintf(doctor->node, sizeof(doctor->node), "%s",
             doctor_json_text(source, "node"));
    json_decref(cluster);
}

static void find_facts(struct doctor *doctor, const struct settings *settings)
{
    _cleanup_(free_ptr) char *conf = NULL;
    size_t size;
    struct error err;
    if (*settings->state)
        snprintf(doctor->state, sizeof(doctor->state), "%s", settings->state);
    else
        place_state_default(doctor->state, sizeof(doctor->state));
    ask_status(doctor);
    find_role(doctor);
    if (secret_file_read(SLURM_FILES_DIRECTORY "/slurm.conf", FILE_MAX, false,
                         &conf, &size, NULL) == 0)
        text_add_bytes(&doctor->slurm_conf, conf, size);
    (void)inventory_take("", &doctor->inventory, &err);
}

/* ---- the command --------------------------------------------------------- */

static void print_head(const struct doctor *doctor)
{
    static const char *const roles[] = {"neither head nor worker", "a head",
                                        "a worker"};
    printf("this machine is %s%s%s%s\n\n", roles[doctor->role],
           *doctor->node ? ", node " : "", doctor->node,
           doctor->status || doctor->role == DOCTOR_NOBODY
               ? ""
               : "; gpu-watchdog does not run");
    fflush(stdout);
}

static void print_end(const struct doctor *doctor)
{
    if (doctor->wrong == 0)
        puts("\nnothing is wrong");
    else
        printf("\n%zu %s wrong; begin with the first\n", doctor->wrong,
               doctor->wrong == 1 ? "thing is" : "things are");
}

static void run_checks(struct doctor *doctor)
{
    for (size_t i = 0; i < array_size(checks); i++) {
        doctor->subject = checks[i].subject;
        if (!doctor->json && in_colour()) {
            printf("\r\033[K\033[2m...   %s\033[0m", doctor->subject);
            fflush(stdout);
        }
        checks[i].run(doctor);
    }
    if (!doctor->json && in_colour())
        printf("\r\033[K");
}

int doctor_main(const struct settings *settings)
{
    static const char *const roles[] = {"none", "head", "worker"};
    struct doctor doctor = {.json = settings->json, .findings = json_array()};
    if (geteuid() != 0) {
        json_decref(doctor.findings);
        return report_failure(&(struct error){
            .text = "doctor needs root, to read keys and ask for the state; "
                    "type: sudo gpu-watchdog doctor"});
    }
    find_facts(&doctor, settings);
    if (!doctor.json)
        print_head(&doctor);
    run_checks(&doctor);
    if (doctor.json) {
        json_t *all = json_pack(
            "{s:s, s:s, s:b, s:I, s:O}", "role", roles[doctor.role], "node",
            doctor.node, "running", doctor.status != NULL, "wrong",
            (json_int_t)doctor.wrong, "findings", doctor.findings);
        report_json(all);
        json_decref(all);
    } else {
        print_end(&doctor);
    }
    json_decref(doctor.findings);
    json_decref(doctor.status);
    json_decref(doctor.member);
    text_deinit(&doctor.slurm_conf);
    text_deinit(&doctor.nodes);
    inventory_deinit(&doctor.inventory);
    return doctor.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
