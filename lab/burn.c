/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * burn [--utilization PERCENT] [--memory-mib N] [--pattern P] [--seconds N]
 *      [--gpus N]
 *
 * What a job of the lab runs to "use" the simulated GPUs that it was given: it
 * leaves word of itself where the simulated driver looks (lab/nvml/use.h), and
 * then sleeps. Which GPUs: SLURM_STEP_GPUS or SLURM_JOB_GPUS; of these the
 * first N of --gpus, so that a job can be made that wastes the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char path[512];

static unsigned long long own_start(void)
{
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = '\0';
    const char *p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    return p ? strtoull(p + 1, NULL, 10) : 0;
}

/* "0,2-3" as lines; at most LIMIT of them. */
static void write_devices(FILE *file, const char *list, long limit)
{
    while (*list && limit > 0) {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (end == list)
            return;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        for (; first <= last && limit > 0; first++, limit--)
            fprintf(file, "device %ld\n", first);
        list = *end == ',' ? end + 1 : end;
        if (*end != ',')
            return;
    }
}

static void on_end(int number)
{
    (void)number;
    utimensat(AT_FDCWD, path, NULL, 0); /* until now */
    _exit(0);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"utilization", required_argument, NULL, 'u'},
        {"memory-mib", required_argument, NULL, 'm'},
        {"pattern", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'},
        {"gpus", required_argument, NULL, 'g'},
        {NULL, 0, NULL, 0}};
    const char *utilization = "90", *memory = "20000", *pattern = "constant";
    const char *gpus = getenv("SLURM_STEP_GPUS");
    const char *folder = getenv("GPU_SIMULATED_DIR");
    long seconds = 0, limit = 64;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (c) {
        case 'u':
            utilization = optarg;
            break;
        case 'm':
            memory = optarg;
            break;
        case 'p':
            pattern = optarg;
            break;
        case 's':
            seconds = strtol(optarg, NULL, 10);
            break;
        case 'g':
            limit = strtol(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    gpus = gpus ? gpus : getenv("SLURM_JOB_GPUS");
    if (!gpus || !*gpus) {
        fprintf(stderr, "burn: this job was given no GPU; ask for one with "
                        "--gres=gpu:1\n");
        return 1;
    }
    snprintf(path, sizeof(path), "%s/use/%d.%llu",
             folder ? folder : "/run/gpu-simulated", (int)getpid(),
             own_start());
    FILE *file = fopen(path, "wxe");
    if (!file) {
        fprintf(stderr, "burn: %s: %s\n", path, strerror(errno));
        return 1;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(file,
            "started-ms %lld\nutilization %s\npattern %s\nmemory-mib %s\n",
            (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, utilization,
            pattern, memory);
    write_devices(file, gpus, limit);
    fclose(file);
    signal(SIGTERM, on_end);
    signal(SIGINT, on_end);
    for (long t = 0; seconds == 0 || t < seconds; t++) {
        sleep(1);
        utimensat(AT_FDCWD, path, NULL, 0);
    }
    return 0;
}
