/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of gpu-exporter: its options, under dcgm-exporter's names where
 * that has them (gpu.md 1.6), and the variables of the environment that stand
 * for some of them there.
 */
#pragma once

#include "base/log.h"
#include "base/option-change.h"

enum {
    EXIT_USAGE = 2
};

enum {
    COMMAND_SERVE = 1 << 0,
    COMMAND_COLLECT = 1 << 1,
    COMMAND_CONTROL = 1 << 2,
    COMMAND_SNAPSHOT = 1 << 3,
    COMMAND_GENERATE = 1 << 4
};

struct settings {
    struct option_list listen;
    char *web_config_file;
    uint32_t max_connections;
    char *collectors;
    bool more;
    int metric_names; /* enum gpu_names */
    uint32_t interval_ms;
    int64_t stale_after_ns;
    bool no_hostname;
    bool hostname_lower;
    bool old_namespace;
    bool replace_blanks;
    char *devices;
    bool hpc_job;
    char *hpc_job_mapping_dir;
    char *gpustat_dir;
    char *hook_dir;
    bool processes;
    uint32_t process_series;
    uint32_t xid_window_ms;
    uint32_t clock_window_ms;
    char *nvml_library;
    char *sysfs_root;
    char *proc_root;
    char *kmsg;
    int64_t device_deadline_ns;
    char *replay;
    char *control;
    int log_format;
    int log_level;
    char *config;
    bool check_config, show_config, help, version;
    struct option_set options;
    char *const *line; /* the command line that they came from */
};

extern const struct option_table settings_table;

/* Read the environment, ARGUMENTS and the file. -EINVAL: usage; else the file
 * is at fault. */
int settings_new(const struct option_command *command,
                 char *const arguments[],
                 struct settings **ret_settings,
                 struct error *err);

/* For SIGHUP: read the file anew under the command line of CURRENT. A bad file
 * is refused whole: RET_SETTINGS is not set and CURRENT stays good. What cannot
 * change while we run has its old value in RET_SETTINGS. */
int settings_reload(const struct settings *current,
                    struct settings **ret_settings,
                    struct option_changes *changes,
                    struct error *err);

enum log_level settings_log_level(const struct settings *settings);

/* Accepts NULL; returns NULL. */
struct settings *settings_free(struct settings *settings);

/* What "-d" says: which GPUs, 1 << index, and whether instances are shown. */
struct device_choice {
    uint64_t gpus;
    bool instances;
};

/* "f", "g", "i", "g:0,2-3", joined by '+'. -EINVAL. */
int device_choice_parse(const char *text,
                        struct device_choice *ret_choice,
                        struct error *err);
