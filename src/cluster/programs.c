/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions differ in the names of packages: Debian and Ubuntu name them
 * after the daemon, Fedora and EPEL put "slurm-" in front. Others get the names
 * of the programs.
 */
#include "cluster/programs.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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
    bool munge;             /* only where munge authenticates */
    const char *package[3]; /* by enum family */
} requirements[] = {
    {"munged", true, true, true, {"munge", "munge", "munge"}},
    {"slurmctld",
     true,
     false,
     false,
     {"slurmctld", "slurmctld", "slurm-slurmctld"}},
    {"slurmd", false, true, false, {"slurmd", "slurmd", "slurm-slurmd"}},
    {"scontrol", true, true, false, {"slurm", "slurm-client", "slurm"}},
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

static int check_present(bool head, bool compute, bool munge, struct error *err)
{
    enum family family = family_of_system();
    _cleanup_(text_deinit) struct text programs = TEXT_INIT;
    _cleanup_(text_deinit) struct text packages = TEXT_INIT;
    for (size_t i = 0; i < array_size(requirements); i++) {
        const struct requirement *r = &requirements[i];
        if (!((head && r->head) || (compute && r->compute)) ||
            (r->munge && !munge) || program_find(r->program)[0] == '/')
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

int programs_check(bool head, bool compute, bool munge, struct error *err)
{
    int r = check_present(head, compute, munge, err);
    if (r < 0)
        return r;
    return check_version(compute ? "slurmd" : "slurmctld", err);
}

/* ---- plugins ------------------------------------------------------------- */

/* Where a Slurm keeps its plugins is compiled into it and told only by a
 * running one; packages and "make install" put them below the programs' own
 * prefix. */
bool programs_have_plugin(const char *name)
{
    static const char *const folders[] = {"lib*/slurm*", "lib/*/slurm*"};
    char program[PATH_MAX], pattern[2 * PATH_MAX];
    if (!realpath(program_find("slurmd"), program) &&
        !realpath(program_find("slurmctld"), program))
        return false;
    /* PREFIX/sbin/slurmd */
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = '\0';
    }
    bool found = false;
    for (size_t i = 0; i < array_size(folders) && !found; i++) {
        glob_t matches;
        snprintf(pattern, sizeof(pattern), "%s/%s/%s.so", program, folders[i],
                 name);
        found = glob(pattern, 0, NULL, &matches) == 0;
        globfree(&matches);
    }
    return found;
}

int programs_check_auth(slurm_version version, struct error *err)
{
    _cleanup_(text_deinit) struct text number = TEXT_INIT;
    slurm_version_format(version, &number);
    const char *told = text_str(&number);
    if (!slurm_version_has_auth(version))
        return error_set(err, ENOTSUP,
                         "Slurm %s has no auth/slurm that a cluster can be run "
                         "with; 24.05 and later do (Debian 13)",
                         told ? told : "");
    if (!programs_have_plugin("auth_slurm"))
        return error_set(err, ENOTSUP,
                         "Slurm %s is installed without its plugin auth/slurm "
                         "(auth_slurm.so, which is built where libjwt is)",
                         told ? told : "");
    return 0;
}
