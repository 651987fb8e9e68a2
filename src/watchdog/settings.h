/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of gpu-watchdog, and the table of options they come from. To
 * add a setting: a field here and a row in options.c. Read only, once made; a
 * reload makes new ones.
 */
#pragma once

#include "base/log.h"
#include "base/option-change.h"
#include "base/text.h"

/* The subcommands, as bits in the table's rows. */
enum {
    COMMAND_EXPORTER = 1U << 0,
    COMMAND_SNAPSHOT = 1U << 1,
    COMMAND_HEAD = 1U << 2,
    COMMAND_JOIN = 1U << 3,
    COMMAND_TOKEN = 1U << 4,
    COMMAND_LEAVE = 1U << 5,
    COMMAND_STATUS = 1U << 6,
    COMMAND_USER = 1U << 7,
    COMMAND_KEY = 1U << 8,
    COMMAND_DOCTOR = 1U << 9,
    COMMAND_SERVE = 1U << 10,
    COMMAND_ACT = 1U << 11
};

/* Where each node's GPU exporter is, unless told otherwise. */
#define GPU_EXPORTER_URL "http://%a:9400/metrics"

#define SETTINGS_DEFAULT_FILE "/etc/gpu-watchdog/gpu-watchdog.yaml"

/* How the daemons of the cluster know each other. */
enum settings_auth {
    SETTINGS_AUTH_AUTO, /* as the cluster began; a new one: munge */
    SETTINGS_AUTH_MUNGE,
    SETTINGS_AUTH_SLURM
};

struct settings {
    struct option_list listen; /* addresses as --listen takes them */
    char *web_config_file;
    uint32_t max_connections;

    /* Of serve. */
    struct option_list dashboard_listen;
    char *proxy_header;            /* that names who signed in; "": none */
    struct option_list proxy_from; /* addresses that may say so */
    char *jwt_key;                 /* file; "": no token is good */
    bool allow_actions;
    struct option_list operators, admins; /* names that sign in otherwise */
    char *web_user;     /* whom a link to the dashboard is for; "": anybody */
    int web_role;       /* enum sign_in_role; ROLE_NONE: as usual */
    bool insecure_open; /* elsewhere than on loopback without authentication */
    char *ui_dir;       /* "": the page that is in the program */
    char *gpu_exporter_url; /* of a node; "": GPUs are not measured */
    int64_t gpu_interval_ns;
    int64_t keep_fine_ns, keep_minutes_ns; /* of series, by resolution */
    int64_t keep_ns;        /* at the coarsest; events and jobs, too */
    char *prometheus_url;   /* for what is longer ago; "": none */
    char *prometheus_match; /* of every selector there; "" */

    int64_t interval_ns;
    int64_t jobs_interval_ns; /* 0: as the controller's size allows */
    int64_t slow_interval_ns;
    int64_t deadline_ns;
    int64_t stale_after_ns;
    char *slurm_conf; /* "": libslurm's own default */
    char *replay;     /* "": a live cluster */

    struct option_list collect; /* families; none: the default set */
    struct option_list no_collect;
    bool gpus_acct;
    uint32_t job_series; /* at most so many; 0: no per-job series */

    /* Of head, join and the commands that talk to them. */
    char *address; /* of this machine in the cluster; "": found */
    char *name;    /* of the cluster, of the node; "": given */
    char *state;   /* folder; "": place_state_default() */
    char *partition;
    char *home;         /* a shared folder of homes; "": none */
    char *cluster_user; /* the first one; "": none */
    int auth;           /* enum settings_auth */
    uint32_t nodes_max;
    uint32_t join_port;
    bool confine_gpus;
    bool compute; /* the head runs jobs, too */
    int64_t lost_after_ns;
    int64_t forget_after_ns;
    int64_t ttl_ns; /* of a token */
    uint32_t uses;  /* of a token; 0: any number */
    char *token_file;
    bool now;  /* leave without waiting for jobs */
    bool json; /* print JSON */

    char *user;     /* to become after binding; "": stay */
    int log_format; /* enum log_format */
    int log_level;  /* index from LOG_LEVEL_ERROR; see settings_log_level() */

    char *config; /* the configuration file */
    bool check_config;
    bool show_config;
    bool help;
    bool version;

    char *const *line;         /* the command line, to read again */
    struct option_set options; /* owns the above; origins, arguments */
};

extern const struct option_table settings_table;

/* Make the settings of COMMAND from defaults, configuration file and ARGUMENTS
 * (NULL at the end; must outlive the settings), and validate them whole. With
 * --help or --version among ARGUMENTS no file is read. -EINVAL: usage;
 * -EBADMSG: the file's content; else the file cannot be read. */
int settings_new(const struct option_command *command,
                 char *const arguments[],
                 struct settings **ret_settings,
                 struct error *err);

/* Accepts NULL; returns NULL. */
struct settings *settings_free(struct settings *settings);

/* For SIGHUP: read the file anew under the command line that CURRENT came
 * from. A bad file is refused whole: RET_SETTINGS is not set and CURRENT stays
 * good. On success the caller swaps to RET_SETTINGS and frees CURRENT; what
 * cannot change while running has its old value there. */
int settings_reload(const struct settings *current,
                    struct settings **ret_settings,
                    struct option_changes *changes,
                    struct error *err);

/* The mask of the families to serve, as in model/metric.h. */
uint32_t settings_families(const struct settings *settings);

enum log_level settings_log_level(const struct settings *settings);
