/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of this machine alone.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"
#include "cluster/listening.h"
#include "cluster/place.h"
#include "cluster/programs.h"
#include "cluster/secret-file.h"
#include "cluster/services.h"
#include "watchdog/version.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    COMMAND_SECONDS = 5,
    DISK_LEFT_MIN_MB = 64,
    INODES_LEFT_MIN = 1024
};

void doctor_check_programs(struct doctor *doctor)
{
    struct error err;
    bool head = doctor->role == DOCTOR_HEAD;
    /* Without munge's socket it may be Slurm itself that authenticates. */
    bool munge = listening_unix(SERVICES_MUNGE_SOCKET) ||
                 access(SERVICES_SLURM_KEY, F_OK) < 0;
    if (programs_check(head, !head, munge, &err) < 0)
        doctor_tell(doctor, DOCTOR_WRONG, "install what is missing", "%s",
                    err.text);
    else
        doctor_tell(doctor, DOCTOR_GOOD, "", "%s installed, and new enough",
                    munge ? "munge and Slurm are" : "Slurm is");
}

/* munge's version: by the package, which may have fixes that the number does
 * not tell; else "munge-0.5.15 (2022-06-22)". */
static bool munge_version(struct text *output)
{
    static const char *const dpkg[] = {"dpkg-query", "-W", "-f=${Version}",
                                       "munge", NULL};
    static const char *const munged[] = {"munged", "--version", NULL};
    if (doctor_run(dpkg, NULL, COMMAND_SECONDS, output) == 0 && output->size)
        return true;
    text_clear(output);
    doctor_run(munged, NULL, COMMAND_SECONDS, output);
    return false;
}

void doctor_check_leak(struct doctor *doctor)
{
    _cleanup_(text_deinit) struct text output = TEXT_INIT;
    bool packaged = munge_version(&output);
    const char *version = text_str(&output);
    version = version ? version + strcspn(version, "0123456789") : "";
    int length = (int)strcspn(version, " \n");
    if (length == 0 || length > 60)
        return; /* "programs" tells that there is none */
    switch (doctor_munge_leaks(version, packaged)) {
    case DOCTOR_GOOD:
        doctor_tell(doctor, DOCTOR_GOOD, "",
                    "munge %.*s does not leak its key (CVE-2026-25506)", length,
                    version);
        break;
    case DOCTOR_WRONG:
        doctor_tell(doctor, DOCTOR_WRONG,
                    "apt update && apt install --only-upgrade munge, on all "
                    "nodes; then on the head: gpu-watchdog key rotate",
                    "munge %.*s can be made to leak the key of the cluster "
                    "(CVE-2026-25506) by any user",
                    length, version);
        break;
    case DOCTOR_NOTE:
        doctor_tell(doctor, DOCTOR_NOTE,
                    "look for CVE-2026-25506 in your system's security pages",
                    "munge %.*s: whether it leaks its key (CVE-2026-25506, "
                    "fixed in 0.5.18) cannot be told from its number",
                    length, version);
    }
}

/* ---- services ------------------------------------------------------------ */

static const char *keeper(const struct doctor *doctor)
{
    return doctor->role == DOCTOR_HEAD ? "gpu-watchdog head"
                                       : "gpu-watchdog join";
}

static void tell_not_running(struct doctor *doctor)
{
    if (doctor->role == DOCTOR_NOBODY)
        doctor_tell(
            doctor, DOCTOR_WRONG,
            "gpu-watchdog head; or the line that gpu-watchdog token "
            "prints on the head",
            "this machine belongs to no cluster of gpu-watchdog (looked "
            "in %s)",
            doctor->state);
    else if (access(SERVICES_RUN_DIRECTORY "/control.sock", F_OK) == 0)
        doctor_tell(doctor, DOCTOR_WRONG, keeper(doctor),
                    "\"%s\" does not answer: it has ended without a word, was "
                    "stopped, or hangs",
                    keeper(doctor));
    else
        doctor_tell(doctor, DOCTOR_WRONG, keeper(doctor),
                    "\"%s\" does not run on this machine", keeper(doctor));
}

void doctor_check_services(struct doctor *doctor)
{
    const json_t *services = json_object_get(doctor->status, "services");
    size_t count = json_array_size(services), ready = 0;
    if (!doctor->status) {
        tell_not_running(doctor);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *s = json_array_get(services, i);
        if (strcmp(doctor_json_text(s, "state"), "ready") == 0) {
            ready++;
            continue;
        }
        const json_t *lines = json_object_get(s, "lines");
        const char *last = json_string_value(
            json_array_get(lines, json_array_size(lines) - 1));
        doctor_tell(doctor, DOCTOR_WRONG, "gpu-watchdog status --json",
                    "%s is not ready but \"%s\": %s%s%.200s",
                    doctor_json_text(s, "name"), doctor_json_text(s, "state"),
                    doctor_json_text(s, "reason"),
                    last ? "; it said last: " : "", last ? last : "");
    }
    if (ready == count && count > 0)
        doctor_tell(doctor, DOCTOR_GOOD, "", "all %zu are ready", count);
    else if (count == 0)
        doctor_tell(doctor, DOCTOR_WRONG, "",
                    "none was started: the head has not let this machine in");
    if (strcmp(doctor_json_text(doctor->status, "version"), PROJECT_VERSION))
        doctor_tell(doctor, DOCTOR_WRONG, "end it and start it again",
                    "gpu-watchdog %s runs, %s is installed",
                    doctor_json_text(doctor->status, "version"),
                    PROJECT_VERSION);
}

/* ---- names and addresses ------------------------------------------------- */

/* slurmctld refuses to run where SlurmctldHost is not the host's name. */
static bool head_name_changed(struct doctor *doctor, const char *host)
{
    char name[256], address[256];
    const char *conf = text_str(&doctor->slurm_conf);
    if (doctor->role != DOCTOR_HEAD || !conf ||
        !doctor_controller(conf, name, address, sizeof(name)) ||
        strcasecmp(name, host) == 0)
        return false;
    doctor_tell(
        doctor, DOCTOR_WRONG,
        "end \"gpu-watchdog head\" and start it again: it writes the "
        "new name",
        "this machine is \"%s\" now, but was \"%s\" when slurm.conf was "
        "written; slurmctld will not start again like this",
        host, name);
    return true;
}

void doctor_check_host(struct doctor *doctor)
{
    char host[256];
    struct addrinfo *found = NULL;
    place_host(host, sizeof(host));
    if (head_name_changed(doctor, host))
        return;
    int r = getaddrinfo(host, NULL, NULL, &found);
    if (r == 0) {
        freeaddrinfo(found);
        doctor_tell(doctor, DOCTOR_GOOD, "", "\"%s\" has an address", host);
    } else {
        doctor_tell(doctor, DOCTOR_NOTE,
                    "echo 127.0.1.1 $(hostname) >>/etc/hosts",
                    "\"%s\" has no address (%s); Slurm and munge as we start "
                    "them need none, other programs may",
                    host, gai_strerror(r));
    }
}

/* ---- places -------------------------------------------------------------- */

static void check_members(struct doctor *doctor)
{
    const json_t *nodes = json_object_get(doctor->status, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        if (strcmp(doctor_json_text(node, "slurm_state"), "missing") == 0)
            doctor_tell(doctor, DOCTOR_WRONG,
                        "end gpu-watchdog on that node and start it again",
                        "Slurm has forgotten node %s, which has joined: "
                        "slurmctld's state in %s was lost, or the node's "
                        "slurmd is not up",
                        doctor_json_text(node, "name"), doctor->state);
    }
}

void doctor_check_state(struct doctor *doctor)
{
    if (doctor->role == DOCTOR_NOBODY)
        return;
    const char *impermanent = place_impermanence(doctor->state);
    if (access(doctor->state, W_OK) < 0)
        doctor_tell(doctor, DOCTOR_WRONG, "mount it, or name another: --state",
                    "%s cannot be written", doctor->state);
    else if (*impermanent)
        doctor_tell(doctor, DOCTOR_NOTE,
                    "give --state a folder on a volume that lasts",
                    "%s is on %s: nodes and jobs are forgotten then",
                    doctor->state, impermanent);
    else
        doctor_tell(doctor, DOCTOR_GOOD, "", "%s outlasts a restart",
                    doctor->state);
    check_members(doctor);
}

static bool disk_is_full(struct doctor *doctor, const char *path)
{
    struct statvfs s;
    if (statvfs(path, &s) < 0)
        return false; /* not made yet */
    uint64_t left_mb = (uint64_t)s.f_bavail * s.f_frsize / (1024 * 1024);
    bool inodes = s.f_files > 0 && s.f_favail < INODES_LEFT_MIN;
    if (s.f_flag & ST_RDONLY)
        doctor_tell(doctor, DOCTOR_WRONG, "dmesg | tail",
                    "%s cannot be written: its file system is read-only", path);
    else if (left_mb < DISK_LEFT_MIN_MB || inodes)
        doctor_tell(doctor, DOCTOR_WRONG, "make room; what is large: du -xh /",
                    "%s is full: %llu MB and %llu files are left; jobs fail, "
                    "and Slurm loses its state",
                    path, (unsigned long long)left_mb,
                    (unsigned long long)s.f_favail);
    else
        return false;
    return true;
}

void doctor_check_disk(struct doctor *doctor)
{
    const char *const paths[] = {doctor->state, SERVICES_NODE_SPOOL,
                                 SERVICES_RUN_DIRECTORY, "/tmp"};
    bool full = false;
    for (size_t i = 0; i < array_size(paths); i++)
        full |= disk_is_full(doctor, paths[i]);
    if (!full)
        doctor_tell(doctor, DOCTOR_GOOD, "", "there is room");
}

/* Does our cgroup.conf tell slurmd not to look? "cgroup/v1" touches nothing
 * until a consumer asks, and we configure none. */
static bool cgroups_unused(void)
{
    _cleanup_(free_ptr) char *conf = NULL;
    size_t size;
    return secret_file_read(SLURM_FILES_DIRECTORY "/cgroup.conf", 65536, false,
                            &conf, &size, NULL) == 0 &&
           (strstr(conf, "CgroupPlugin=cgroup/v1") ||
            strstr(conf, "CgroupPlugin=disabled"));
}

/* From 24.05 on we tell Slurm to do without. */
void doctor_check_cgroup(struct doctor *doctor)
{
    static const char *const arguments[] = {"slurmd", "-V", NULL};
    _cleanup_(text_deinit) struct text output = TEXT_INIT;
    slurm_version version = 0;
    doctor_run(arguments, NULL, COMMAND_SECONDS, &output);
    const char *text = text_str(&output);
    if (!text || slurm_version_parse(text, &version, NULL) < 0)
        return; /* no slurmd */
    if (doctor->inventory.cgroup_visible || cgroups_unused() ||
        version >= 0x180500)
        doctor_tell(doctor, DOCTOR_GOOD, "", "slurmd has the cgroups it needs");
    else
        doctor_tell(doctor, DOCTOR_WRONG,
                    "mount -t tmpfs none /sys/fs/cgroup; or take Slurm 24.05 "
                    "or later, which needs none",
                    "nothing is mounted on /sys/fs/cgroup, without which this "
                    "slurmd does not start, even where nothing uses it");
}
