/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "use.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SINE_S = 60,
    BURST_S = 20
};

static const char *const pattern_names[] = {
    [USE_CONSTANT] = "constant",
    [USE_SINE] = "sine",
    [USE_BURST] = "burst",
    [USE_IDLE] = "idle",
};

/* When the kernel started PID, in ticks; 0: there is no such process, or it is
 * dead and waits for its parent. */
static unsigned long long process_start(uint32_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    /* Behind the name, which may hold anything. */
    const char *p = strrchr(text, ')');
    if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
        return 0;
    p += 2;
    for (int field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (!p)
            return 0;
        p++;
    }
    return strtoull(p, NULL, 10);
}

static bool process_is_of(uint32_t pid, uid_t user)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/%u", pid);
    return stat(path, &st) == 0 && st.st_uid == user;
}

static void read_word(struct use *use, const char *key, const char *value)
{
    if (strcmp(key, "device") == 0 && use->device_count < USE_DEVICES_MAX)
        snprintf(use->devices[use->device_count++], USE_DEVICE_SIZE, "%s",
                 value);
    else if (strcmp(key, "started-ms") == 0)
        use->started_s = strtod(value, NULL) / 1e3;
    else if (strcmp(key, "utilization") == 0)
        use->level = fmin(fmax(strtod(value, NULL) / 100, 0), 1);
    else if (strcmp(key, "memory-mib") == 0)
        use->memory_mib = strtoull(value, NULL, 10);
    else if (strcmp(key, "pattern") == 0)
        for (size_t i = 0; i < array_size(pattern_names); i++)
            if (strcmp(value, pattern_names[i]) == 0)
                use->pattern = (enum use_pattern)i;
}

static void read_words(FILE *file, struct use *use)
{
    char line[128], key[64], value[64];
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%63s %63s", key, value) == 2)
            read_word(use, key, value);
}

/* NAME is PID.START. */
static bool read_use(int folder, const char *name, struct use *ret_use)
{
    unsigned long long start;
    struct stat st;
    *ret_use = (struct use){0};
    if (sscanf(name, "%u.%llu", &ret_use->pid, &start) != 2)
        return false;
    int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    FILE *file = fdopen(fd, "re");
    if (!file || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return false;
    }
    read_words(file, ret_use);
    fclose(file);
    ret_use->ended_s =
        (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
    if (process_start(ret_use->pid) == start) {
        if (!process_is_of(ret_use->pid, st.st_uid))
            return false;
        ret_use->alive = true;
    }
    return ret_use->device_count > 0 && ret_use->started_s > 0 &&
           ret_use->started_s <= ret_use->ended_s;
}

size_t uses_read(const char *folder, struct use uses[USES_MAX])
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (struct dirent *entry; count < USES_MAX && (entry = readdir(dir));)
        if (read_use(dirfd(dir), entry->d_name, &uses[count]))
            count++;
    closedir(dir);
    return count;
}

static double busy_seconds(const struct use *use, double t)
{
    if (t <= 0)
        return 0;
    switch (use->pattern) {
    case USE_CONSTANT:
        return use->level * t;
    case USE_SINE:
        return use->level *
               (t / 2 - SINE_S / (4 * M_PI) * sin(2 * M_PI * t / SINE_S));
    case USE_BURST:
        return use->level * (floor(t / BURST_S) * BURST_S / 2 +
                             fmin(fmod(t, BURST_S), BURST_S / 2.0));
    case USE_IDLE:
        return 0;
    }
    return 0;
}

double use_busy_seconds(const struct use *use, double until_s)
{
    if (!use->alive)
        until_s = fmin(until_s, use->ended_s);
    return busy_seconds(use, until_s - use->started_s);
}

double use_spent_seconds(const struct use *use)
{
    return busy_seconds(use, use->ended_s - use->started_s);
}
