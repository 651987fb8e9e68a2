/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "gpu-watchdog doctor", as its files share it. Every check is one function
 * that tests one thing and reports what it saw with doctor_tell():
 *
 *   doctor.c          the table of checks, and printing
 *   doctor-machine.c  checks of this machine alone
 *   doctor-network.c  checks between this machine and the others
 *   doctor-slurm.c    checks of what Slurm says about nodes
 *   doctor-text.c     judging what programs print; no system calls
 *   doctor-command.c  runs a program for a limited time
 */
#pragma once

#include "base/text.h"
#include "cluster/inventory.h"
#include "cluster/slurm-files.h"

#include <jansson.h>
#include <limits.h>

enum doctor_role {
    DOCTOR_NOBODY, /* neither head nor worker, as far as its files tell */
    DOCTOR_HEAD,
    DOCTOR_WORKER
};

enum doctor_verdict {
    DOCTOR_GOOD,
    DOCTOR_NOTE, /* worth knowing; no fault, or not known */
    DOCTOR_WRONG
};

struct doctor {
    enum doctor_role role;
    bool json;
    json_t *findings; /* array */
    size_t wrong;

    char state[PATH_MAX - 64]; /* folder */
    json_t *status;            /* of what runs here; NULL: nothing answers */
    json_t *member;            /* membership.json; or NULL */
    char node[64];             /* our name in Slurm; "" */
    char head[128];            /* the head's address or name; "" */
    uint16_t join_port;
    struct text slurm_conf; /* "" when there is none */
    struct inventory inventory;
    struct text nodes;   /* of Slurm, a line each; empty: no answer */
    bool slurm_port;     /* slurmctld's port answers us */
    bool clock_differs;  /* from the head's, by more than Slurm bears */
    const char *subject; /* of the check that runs */
};

/* A finding of the check that runs. NEXT is what to type or do, or "". */
void doctor_tell(struct doctor *doctor,
                 enum doctor_verdict verdict,
                 const char *next,
                 const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* Text of KEY in the object; "" when it is not there. */
const char *doctor_json_text(const json_t *object, const char *key);

/* ---- doctor-command.c */

/* Run ARGUMENTS (found along PATH) at most SECONDS, INPUT on its standard
 * input; RET_OUTPUT gets what it prints. Exit code, or negative: -ETIME, ... */
int doctor_run(const char *const arguments[],
               const struct text *input,
               int seconds,
               struct text *ret_output);

/* ---- doctor-text.c */

/* The value of KEY in a line of "scontrol --oneliner show node"; it may have
 * blanks in it. False: there is none, RET is "". */
bool doctor_field(const char *line, const char *key, char *ret, size_t size);

/* SlurmctldHost=NAME(ADDRESS), the first one. */
bool doctor_controller(const char *slurm_conf,
                       char *ret_name,
                       char *ret_address,
                       size_t size);

/* What is wrong with a node that Slurm shows like this; false: nothing. */
bool doctor_judge_node(const char *line,
                       char *ret_text,
                       size_t text_size,
                       char *ret_next,
                       size_t next_size);

/* "gpu:h100:4(S:0-1),gpu:a100:2": 6. */
unsigned int doctor_gpu_count(const char *gres);

/* CVE-2026-25506 in munge VERSION, as dpkg tells it (PACKAGED) or munged. */
enum doctor_verdict doctor_munge_leaks(const char *version, bool packaged);

/* The time in an HTTP answer's Date header; -1. */
int64_t doctor_http_date_s(const char *answer);

/* May a slurmd of NODE register with a slurmctld of HEAD? */
bool doctor_versions_agree(slurm_version head, slurm_version node);

/* ---- the checks, in the order of the table in doctor.c */

void doctor_check_programs(struct doctor *doctor);
void doctor_check_leak(struct doctor *doctor);
void doctor_check_services(struct doctor *doctor);
void doctor_check_host(struct doctor *doctor);
void doctor_check_address(struct doctor *doctor);
void doctor_check_state(struct doctor *doctor);
void doctor_check_disk(struct doctor *doctor);
void doctor_check_cgroup(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);
void doctor_check_clock(struct doctor *doctor);
void doctor_check_key(struct doctor *doctor);
void doctor_check_versions(struct doctor *doctor);
void doctor_check_nodes(struct doctor *doctor);
void doctor_check_record(struct doctor *doctor);
void doctor_check_refused(struct doctor *doctor);
