/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembering which process is which.
 */
#include "cluster/leftover.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Field 22 of /proc/PID/stat, proc(5): clock ticks since the machine's start; 0
 * when there is no such process, or only its remains. */
static unsigned long long start_time(pid_t pid)
{
    char path[64], line[1024] = "", state = 'X';
    unsigned long long ticks = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char *read = fgets(line, sizeof(line), file);
    fclose(file);
    /* The name in the second field may hold anything, ")" included. */
    const char *rest = read ? strrchr(line, ')') : NULL;
    if (!rest ||
        sscanf(rest + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %*s %*s %*s %llu",
               &state, &ticks) != 2 ||
        state == 'Z')
        return 0;
    return ticks;
}

static void make_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || (size_t)(slash - path) >= sizeof(folder))
        return;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    mkdir(folder, 0700);
}

void leftover_record(const char *path, pid_t pid)
{
    make_folder_of(path);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fprintf(file, "%d %llu\n", pid, start_time(pid));
    fclose(file);
}

void leftover_forget(const char *path)
{
    unlink(path);
}

bool leftover_signal(const char *path, int signal_number)
{
    int pid = 0;
    unsigned long long ticks = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int fields = fscanf(file, "%d %llu", &pid, &ticks);
    fclose(file);
    if (fields != 2 || pid <= 1 || ticks == 0 || start_time(pid) != ticks)
        return false;
    return kill(pid, signal_number) == 0;
}

/* By comm, which has room for 15 characters (proc(5)). */
static bool is_step(const char *pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool is =
        fgets(name, sizeof(name), file) && strcmp(name, "slurmstepd\n") == 0;
    fclose(file);
    return is;
}

bool leftover_steps(void)
{
    struct dirent *entry;
    bool found = false;
    DIR *proc = getpid() == 1 ? NULL : opendir("/proc");
    while (proc && !found && (entry = readdir(proc)))
        found =
            isdigit((unsigned char)*entry->d_name) && is_step(entry->d_name);
    if (proc)
        closedir(proc);
    return found;
}
