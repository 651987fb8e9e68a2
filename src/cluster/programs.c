/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions differ in the names of packages: Debian and Ubuntu name them
 * after the daemon, Fedora and EPEL put "slurm-" in front. Others get the names
 * of the programs.
 */
#include "cluster/programs.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
    /* The first Slurm with dynamic nodes, as year * 100 + month. */
    SLURM_OLDEST = 2205
};

const char *program_find(const char *name)
{
    static char path[PATH_MAX];
    const char *search = getenv("PATH");
    char folders[PATH_MAX];
    snprintf(folders, sizeof(folders),
             "%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             search ? search : "");
    char *rest = folders;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (folder[0] && access(path, X_OK) == 0)
            return path;
    }
    return name;
}

/* ---- what system is this? ------------------------------------------------ */

enum family {
    FAMILY_OTHER,
    FAMILY_DEBIAN,
    FAMILY_RED_HAT
};

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += size)
        if ((at == words || strchr(" \"'", at[-1])) &&
            strchr(" \"'\n", at[size]))
            return true;
    return false;
}

static enum family family_of_system(void)
{
    _cleanup_(close_file) FILE *file = fopen("/etc/os-release", "re");
    char line[512];
    while (file && fgets(line, sizeof(line), file)) {
        const char *value = strchr(line, '=');
        if (!value ||
            (strncmp(line, "ID=", 3) != 0 && strncmp(line, "ID_LIKE=", 8) != 0))
            continue;
        value++;
        if (has_word(value, "debian") || has_word(value, "ubuntu"))
            return FAMILY_DEBIAN;
        if (has_word(value, "fedora") || has_word(value, "rhel") ||
            has_word(value, "centos"))
            return FAMILY_RED_HAT;
    }
    return FAMILY_OTHER;
}

/* ---- what is missing ----------------------------------------------------- */

static const struct requirement {
    const char *program;
    bool head, compute;     /* who needs it */
    const char *package[3]; /* by enum family */
} requirements[] = {
    {"munged", true, true, {"munge", "munge", "munge"}},
    {"slurmctld", true, false, {"slurmctld", "slurmctld", "slurm-slurmctld"}},
    {"slurmd", false, true, {"slurmd", "slurmd", "slurm-slurmd"}},
    {"scontrol", true, true, {"slurm", "slurm-client", "slurm"}},
};

static int missing_tell(const struct text *programs,
                        const char *packages,
                        enum family family,
                        struct error *err)
{
    static const char *const lines[] = {
        "install them: ",
        "type: apt install ",
        "type: dnf install epel-release && dnf install ",
    };
    return error_set(err, ENOENT, "not installed here: %.*s; %s%s",
                     (int)programs->size, programs->data, lines[family],
                     packages);
}

static int check_present(bool head, bool compute, struct error *err)
{
    enum family family = family_of_system();
    _cleanup_(text_deinit) struct text programs = TEXT_INIT;
    _cleanup_(text_deinit) struct text packages = TEXT_INIT;
    for (size_t i = 0; i < array_size(requirements); i++) {
        const struct requirement *r = &requirements[i];
        if (!((head && r->head) || (compute && r->compute)) ||
            program_find(r->program)[0] == '/')
            continue;
        text_addf(&programs, "%s%s", programs.size ? ", " : "", r->program);
        text_addf(&packages, "%s%s", packages.size ? " " : "",
                  r->package[family]);
    }
    if (programs.size == 0)
        return 0;
    const char *names = text_str(&packages);
    return missing_tell(&programs, names ? names : "", family, err);
}

/* "slurm 22.05.8", "slurm-wlm 24.11.5". */
static int check_version(const char *daemon, struct error *err)
{
    char command[PATH_MAX + 8], answer[128] = "";
    snprintf(command, sizeof(command), "'%s' -V", program_find(daemon));
    FILE *pipe = popen(command, "re");
    if (!pipe)
        return error_errno(err, errno, "%s", command);
    bool told = fgets(answer, sizeof(answer), pipe);
    pclose(pipe);
    answer[strcspn(answer, "\n")] = '\0';
    const char *number = strrchr(answer, ' ');
    unsigned int year, month;
    if (!told || !number || sscanf(number, " %u.%u", &year, &month) != 2)
        return error_set(err, EINVAL,
                         "%s tells no version but \"%s\"; does it run at all?",
                         command, answer);
    if (year * 100 + month < SLURM_OLDEST)
        return error_set(err, ENOTSUP,
                         "Slurm%s is too old: nodes can join from 22.05 on; "
                         "Debian 12, Ubuntu 24.04 and later have it",
                         number);
    return 0;
}

int programs_check(bool head, bool compute, struct error *err)
{
    int r = check_present(head, compute, err);
    if (r < 0)
        return r;
    return check_version(compute ? "slurmd" : "slurmctld", err);
}
