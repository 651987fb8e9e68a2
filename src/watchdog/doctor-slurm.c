/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of what Slurm says about nodes: their states and reasons, versions,
 * and whether a node's record is true of this machine.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COMMAND_SECONDS = 8
};

/* ---- versions ------------------------------------------------------------ */

static bool own_version(slurm_version *ret_version)
{
    static const char *const arguments[] = {"scontrol", "-V", NULL};
    _cleanup_(text_deinit) struct text output = TEXT_INIT;
    doctor_run(arguments, NULL, COMMAND_SECONDS, &output);
    const char *text = text_str(&output);
    return text && slurm_version_parse(text, ret_version, NULL) == 0;
}

/* "SLURM_VERSION           = 22.05.8" of "scontrol show config". */
static bool head_version(slurm_version *ret_version)
{
    static const char *const arguments[] = {"scontrol", "show", "config", NULL};
    _cleanup_(text_deinit) struct text output = TEXT_INIT;
    char text[64];
    if (doctor_run(arguments, NULL, COMMAND_SECONDS, &output) != 0)
        return false;
    const char *said = text_str(&output);
    const char *at = said ? strstr(said, "\nSLURM_VERSION") : NULL;
    if (!at || !(at = strchr(at + 1, '=')))
        return false;
    at += 1 + strspn(at + 1, " ");
    snprintf(text, sizeof(text), "slurm %.*s", (int)strcspn(at, " \n"), at);
    return slurm_version_parse(text, ret_version, NULL) == 0;
}

void doctor_check_versions(struct doctor *doctor)
{
    slurm_version head, own;
    _cleanup_(text_deinit) struct text a = TEXT_INIT, b = TEXT_INIT;
    if (doctor->nodes.size == 0 || !own_version(&own) || !head_version(&head))
        return;
    slurm_version_format(head, &a);
    slurm_version_format(own, &b);
    if (doctor_versions_agree(head, own))
        doctor_tell(doctor, DOCTOR_GOOD, "",
                    "Slurm %s here, slurmctld of the head is %s", text_str(&b),
                    text_str(&a));
    else
        doctor_tell(doctor, DOCTOR_WRONG,
                    "install the head's version here, or a newer one there",
                    "Slurm %s here does not go with slurmctld %s of the head: "
                    "a node's may not be newer, nor much older",
                    text_str(&b), text_str(&a));
}

/* ---- nodes --------------------------------------------------------------- */

/* What Slurm's record promises and this machine does not have. */
static void check_promise(struct doctor *doctor, const char *line)
{
    char memory[32], gres[256], name[64];
    const struct inventory *here = &doctor->inventory;
    doctor_field(line, "NodeName", name, sizeof(name));
    doctor_field(line, "RealMemory", memory, sizeof(memory));
    doctor_field(line, "Gres", gres, sizeof(gres));
    unsigned long long promised_mb = strtoull(memory, NULL, 10);
    unsigned int gpus = doctor_gpu_count(gres);
    char next[192];
    snprintf(next, sizeof(next),
             "end gpu-watchdog here and start it again; or gpu-watchdog leave "
             "%.60s --now, and join",
             name);
    /* Who only grows does no harm; a little less is a kernel's update. */
    if (promised_mb > here->machine_memory_mb && here->machine_memory_mb > 0)
        doctor_tell(doctor, DOCTOR_WRONG, next,
                    "Slurm has %llu MB for this node; the machine has %llu MB",
                    promised_mb, (unsigned long long)here->machine_memory_mb);
    if (gpus != here->gpus.count)
        doctor_tell(doctor, DOCTOR_WRONG, next,
                    "Slurm has %u GPUs for this node; %zu are found here", gpus,
                    (size_t)here->gpus.count);
}

static void check_line(struct doctor *doctor, const char *line, size_t *bad)
{
    char name[64], text[768], next[256];
    if (doctor_judge_node(line, text, sizeof(text), next, sizeof(next))) {
        (*bad)++;
        doctor_tell(doctor, DOCTOR_WRONG, next, "%s", text);
    }
    if (doctor_field(line, "NodeName", name, sizeof(name)) &&
        strcmp(name, doctor->node) == 0)
        check_promise(doctor, line);
}

void doctor_check_nodes(struct doctor *doctor)
{
    const char *all = text_str(&doctor->nodes);
    _cleanup_(free_ptr) char *copy = all && *all ? strdup(all) : NULL;
    size_t count = 0, bad = 0;
    char *rest = copy;
    for (const char *line; rest && (line = strsep(&rest, "\n"));) {
        if (strncmp(line, "NodeName=", 9) != 0)
            continue;
        count++;
        check_line(doctor, line, &bad);
    }
    if (count > 0 && bad == 0)
        doctor_tell(doctor, DOCTOR_GOOD, "", "%s in Slurm as it should be",
                    count == 1 ? "the node is" : "all are");
}

/* ---- joins --------------------------------------------------------------- */

void doctor_check_refused(struct doctor *doctor)
{
    const json_t *refused = json_object_get(doctor->status, "refused");
    for (size_t i = 0; i < json_array_size(refused); i++) {
        const json_t *r = json_array_get(refused, i);
        doctor_tell(doctor, DOCTOR_NOTE, "", "%s (%s) was refused: %s",
                    doctor_json_text(r, "host"), doctor_json_text(r, "from"),
                    doctor_json_text(r, "reason"));
    }
}
