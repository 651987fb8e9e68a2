/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of gpu-watchdog's options. Rows of one group stand together; the
 * order here is the order on every page.
 */
#include "watchdog/options-check.h"
#include "watchdog/settings.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/metric.h"

#include <string.h>

static const char *const log_format_words[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_JSON] = "json",
    [LOG_FORMAT_JOURNAL] = "journal",
    NULL,
};

static const char *const log_level_words[] = {
    [LOG_LEVEL_ERROR - LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING - LOG_LEVEL_ERROR] = "warning",
    [LOG_LEVEL_NOTICE - LOG_LEVEL_ERROR] = "notice",
    [LOG_LEVEL_INFO - LOG_LEVEL_ERROR] = "info",
    [LOG_LEVEL_DEBUG - LOG_LEVEL_ERROR] = "debug",
    NULL,
};

static const char *const auth_words[] = {
    [SETTINGS_AUTH_AUTO] = "auto",
    [SETTINGS_AUTH_MUNGE] = "munge",
    [SETTINGS_AUTH_SLURM] = "slurm",
    NULL,
};

#define COMMANDS_WATCHING (COMMAND_EXPORTER | COMMAND_SERVE)
#define COMMANDS_KEEPING (COMMAND_HEAD | COMMAND_JOIN)
#define COMMANDS_ASKING                                                        \
    (COMMAND_TOKEN | COMMAND_LEAVE | COMMAND_STATUS | COMMAND_USER |           \
     COMMAND_KEY | COMMAND_DOCTOR)
#define COMMANDS_ALL                                                           \
    (COMMANDS_WATCHING | COMMAND_SNAPSHOT | COMMANDS_KEEPING | COMMANDS_ASKING)

static const struct option_row rows[] = {
    {
        .name = "listen",
        .alias = "web.listen-address listen-address",
        .group = "Serving",
        OPTION_LIST(struct settings, listen),
        .initial = ":9341",
        .check = option_check_address,
        .unit = "ADDR",
        .help = "Serve on this address and port",
        .about = "As HOST:PORT; without a host on all addresses, IPv4 and "
                 "IPv6. An IPv6 address stands in brackets: [::1]:9341.",
        .commands = COMMANDS_WATCHING | COMMAND_HEAD,
    },
    {
        .name = "dashboard-listen",
        .group = "Serving",
        OPTION_LIST(struct settings, dashboard_listen),
        .initial = "127.0.0.1:8080",
        .check = option_check_address,
        .unit = "ADDR",
        .help = "Serve the dashboard on this address and port",
        .about = "Where others can reach it, it asks for the passwords of "
                 "--web.config.file, or, without them, for a link that "
                 "\"gpu-watchdog token web\" prints.",
        .commands = COMMAND_SERVE | COMMAND_HEAD,
    },
    {
        .name = "insecure-open",
        .group = "Serving",
        OPTION_BOOL(struct settings, insecure_open),
        .initial = "false",
        .help = "Show the dashboard to everybody who can reach it",
        .commands = COMMAND_SERVE | COMMAND_HEAD,
    },
    {
        .name = "gpu-exporter-url",
        .group = "Serving",
        OPTION_STRING(struct settings, gpu_exporter_url),
        .initial = GPU_EXPORTER_URL,
        .check = option_check_pattern,
        .unit = "URL",
        .help = "Where each node's GPU exporter is, ours or NVIDIA's",
        .about = "%a stands for the node's address in Slurm, %n for its name. "
                 "Empty: GPUs are not measured.",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "gpu-interval",
        .group = "Serving",
        OPTION_DURATION(struct settings, gpu_interval_ns),
        .initial = "15s",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Ask each node for its GPUs so often",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "ui-dir",
        .group = "Serving",
        OPTION_FILE(struct settings, ui_dir),
        .unit = "DIR",
        .help = "Read the dashboard's page from this folder, for work on it",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "web.config.file",
        .group = "Serving",
        OPTION_FILE(struct settings, web_config_file),
        .unit = "FILE",
        .help = "TLS, client certificates and passwords",
        .about = "A web configuration file as the Prometheus exporters of the "
                 "exporter-toolkit take it.",
        .commands = COMMANDS_WATCHING | COMMAND_HEAD,
    },
    {
        .name = "max-connections",
        .group = "Serving",
        OPTION_U32(struct settings, max_connections),
        .initial = "512",
        .min = 1,
        .max = 65536,
        .unit = "N",
        .help = "So many clients may be connected at once",
        .commands = COMMANDS_WATCHING,
    },
    {
        .name = "user",
        .group = "Serving",
        OPTION_STRING(struct settings, user),
        .unit = "NAME",
        .help = "Become this user once the ports are bound",
        .about = "Empty: stay who we are. Only root can become somebody else.",
        .commands = COMMANDS_WATCHING,
    },
    {
        .name = "interval",
        .group = "Collecting",
        OPTION_DURATION(struct settings, interval_ns),
        .initial = "15s",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Ask the controller for nodes, partitions and statistics so "
                "often",
        .about = "Stretched to five times what the last cycle took, so that a "
                 "slow controller is never pushed. Scrapes cost the controller "
                 "nothing, however many there are.",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "jobs-interval",
        .group = "Collecting",
        OPTION_DURATION(struct settings, jobs_interval_ns),
        .initial = "0",
        .unit = "TIME",
        .help = "Ask for jobs so often; 0: as the number of jobs allows",
        .about = "The list of jobs is the dearest question to a large "
                 "controller.",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "slow-interval",
        .group = "Collecting",
        OPTION_DURATION(struct settings, slow_interval_ns),
        .initial = "60s",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Ask for reservations, licences, associations and QOS so often",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "deadline",
        .group = "Collecting",
        OPTION_DURATION(struct settings, deadline_ns),
        .initial = "60s",
        .min = 15 * NS_PER_S,
        .unit = "TIME",
        .help = "End and replace a collector whose cycle takes longer",
        .about = "One honest time-out of libslurm takes ten seconds already.",
        .commands = COMMANDS_WATCHING | COMMAND_SNAPSHOT,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "stale-after",
        .group = "Collecting",
        OPTION_DURATION(struct settings, stale_after_ns),
        .initial = "2m",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Withdraw series that are older",
        .about = "Not less than the interval. slurm_up and the age of the data "
                 "are served all the time.",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "slurm-conf",
        .group = "Collecting",
        OPTION_FILE(struct settings, slurm_conf),
        .unit = "FILE",
        .help = "The slurm.conf of the cluster to watch",
        .about = "Sets SLURM_CONF for the collector. Empty: as Slurm's own "
                 "commands find it.",
        .commands = COMMANDS_WATCHING | COMMAND_SNAPSHOT,
    },
    {
        .name = "replay",
        .group = "Collecting",
        OPTION_FILE(struct settings, replay),
        .unit = "FILE",
        .help = "Serve this recording instead of a live cluster",
        .about = "\"gpu-watchdog snapshot save\" makes one.",
        .commands = COMMANDS_WATCHING,
    },
    {
        .name = "collect",
        .group = "Metrics",
        OPTION_LIST(struct settings, collect),
        .words = metric_family_names,
        .unit = "FAMILY",
        .help = "Serve only these families of metrics",
        .about = "None named: all but \"job\", which --job-series switches on.",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "no-collect",
        .group = "Metrics",
        OPTION_LIST(struct settings, no_collect),
        .words = metric_family_names,
        .unit = "FAMILY",
        .help = "Leave these families of metrics out",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "gpus-acct",
        .group = "Metrics",
        OPTION_BOOL(struct settings, gpus_acct),
        .initial = "true",
        .help = "Serve the slurm_gpus_ series",
        .about = "The name is that of prometheus-slurm-exporter's flag; "
                 "accounting is not needed for it.",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "job-series",
        .group = "Metrics",
        OPTION_U32(struct settings, job_series),
        .initial = "0",
        .unit = "N",
        .help = "Serve series of single jobs, of at most N jobs; 0: none",
        .commands = COMMANDS_WATCHING,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "address",
        .group = "Cluster",
        OPTION_STRING(struct settings, address),
        .unit = "ADDR",
        .help = "The address of this machine that the other nodes reach",
        .about = "Empty: that of the interface that leads outside; on a RunPod "
                 "pod its private one.",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "name",
        .group = "Cluster",
        OPTION_STRING(struct settings, name),
        .check = option_check_name,
        .unit = "NAME",
        .help = "The name of the cluster (head), of this node (join)",
        .about = "Empty: \"cluster\"; a node is called as its host if that is "
                 "free, else by the cluster's name and a number. Neither "
                 "changes later.",
        .commands = COMMANDS_KEEPING,
    },
    {
        .name = "state",
        .group = "Cluster",
        OPTION_FILE(struct settings, state),
        .unit = "DIR",
        .help =
            "The folder to keep keys, members, Slurm's state and history in",
        .about = "Empty: /workspace/gpu-watchdog where /workspace is a volume, "
                 "else /var/lib/gpu-watchdog. It should outlast the machine's "
                 "restart.",
        .commands =
            COMMANDS_KEEPING | COMMAND_DOCTOR | COMMAND_SERVE | COMMAND_TOKEN,
    },
    {
        .name = "partition",
        .group = "Cluster",
        OPTION_STRING(struct settings, partition),
        .initial = "all",
        .check = option_check_partition,
        .unit = "NAME",
        .help = "The name of the partition of all nodes",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "auth",
        .group = "Cluster",
        OPTION_CHOICE(struct settings, auth),
        .initial = "auto",
        .words = auth_words,
        .help = "What the daemons authenticate by: munge, or Slurm itself",
        .about = "slurm: auth/slurm, without munge, where all nodes have Slurm "
                 "24.05 or later with that plugin; others are refused. auto: "
                 "as the cluster was begun, a new one with munge.",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "compute",
        .group = "Cluster",
        OPTION_BOOL(struct settings, compute),
        .initial = "true",
        .help = "Let the head run jobs, too",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "nodes-max",
        .group = "Cluster",
        OPTION_U32(struct settings, nodes_max),
        .initial = "1024",
        .min = 1,
        .max = 65533,
        .unit = "N",
        .help = "So many nodes may join",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "join-port",
        .group = "Cluster",
        OPTION_U32(struct settings, join_port),
        .initial = "6824",
        .min = 1,
        .max = 65535,
        .unit = "PORT",
        .help = "The port on which workers join",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "lost-after",
        .group = "Cluster",
        OPTION_DURATION(struct settings, lost_after_ns),
        .initial = "30s",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Set a node down that has given no sign of life for so long",
        .about = "Its batch jobs are queued again then.",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "forget-after",
        .group = "Cluster",
        OPTION_DURATION(struct settings, forget_after_ns),
        .initial = "1h",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "Delete a lost node from Slurm after so long",
        .about = "Not while a job or a reservation names it. It stays a member "
                 "and is made anew when it comes back.",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "home",
        .group = "Cluster",
        OPTION_STRING(struct settings, home),
        .unit = "DIR",
        .help = "The folder of home directories that all nodes share",
        .about = "Empty: homes are not shared; a job's output lies on the node "
                 "that ran it.",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "user",
        .key = "cluster_user",
        .group = "Cluster",
        OPTION_STRING(struct settings, cluster_user),
        .initial = "user",
        .check = option_check_name,
        .unit = "NAME",
        .help = "Make this user on all nodes, to run jobs as; empty: none",
        .commands = COMMAND_HEAD,
    },
    {
        .name = "token-file",
        .group = "Cluster",
        OPTION_FILE(struct settings, token_file),
        .unit = "FILE",
        .help = "Read the token from this file; \"-\": from standard input",
        .commands = COMMAND_JOIN,
    },
    {
        .name = "ttl",
        .group = "Cluster",
        OPTION_DURATION(struct settings, ttl_ns),
        .initial = "24h",
        .min = NS_PER_S,
        .unit = "TIME",
        .help = "The new token is good for so long",
        .commands = COMMAND_TOKEN,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "uses",
        .group = "Cluster",
        OPTION_U32(struct settings, uses),
        .initial = "0",
        .unit = "N",
        .help = "So many machines may join with the new token; 0: any number",
        .commands = COMMAND_TOKEN,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "now",
        .group = "Cluster",
        OPTION_BOOL(struct settings, now),
        .initial = "false",
        .help = "Do not wait for jobs to end: queue them again elsewhere",
        .commands = COMMAND_LEAVE,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "json",
        .group = "Cluster",
        OPTION_BOOL(struct settings, json),
        .initial = "false",
        .help = "Print JSON",
        .commands = COMMAND_TOKEN | COMMAND_STATUS | COMMAND_DOCTOR,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "log-format",
        .group = "Log",
        OPTION_CHOICE(struct settings, log_format),
        .initial = "auto",
        .words = log_format_words,
        .help = "How lines on standard error look",
        .about = "journal: with the priority in front (<6>), as the journal "
                 "reads it. auto: so where the journal reads, else plain.",
        .commands = COMMANDS_ALL,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "log-level",
        .group = "Log",
        OPTION_CHOICE(struct settings, log_level),
        .initial = "info",
        .words = log_level_words,
        .unit = "LEVEL",
        .help = "The least important messages to write: error, warning, "
                "notice, info or debug",
        .commands = COMMANDS_ALL,
        .flags = OPTION_RELOADABLE,
    },
    {
        .name = "config",
        .group = "This program",
        OPTION_FILE(struct settings, config),
        .initial = SETTINGS_DEFAULT_FILE,
        .unit = "FILE",
        .help = "The configuration file",
        .about = "The default one need not be there. See gpu-watchdog.yaml(5).",
        .commands = COMMANDS_ALL,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "check-config",
        .group = "This program",
        OPTION_BOOL(struct settings, check_config),
        .initial = "false",
        .help = "Say whether the configuration is good, and end",
        .commands = COMMANDS_ALL,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "show-config",
        .group = "This program",
        OPTION_BOOL(struct settings, show_config),
        .initial = "false",
        .help = "Print the configuration and where each value comes from, and "
                "end",
        .about = "What is printed is a complete configuration file.",
        .commands = COMMANDS_ALL,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "help",
        .short_name = 'h',
        .group = "This program",
        OPTION_BOOL(struct settings, help),
        .initial = "false",
        .help = "Print this help, and end",
        .commands = UINT32_MAX,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
    {
        .name = "version",
        .group = "This program",
        OPTION_BOOL(struct settings, version),
        .initial = "false",
        .help = "Print the version, and end",
        .commands = UINT32_MAX,
        .flags = OPTION_COMMAND_LINE_ONLY,
    },
};

const struct option_table settings_table = {
    .program = "gpu-watchdog",
    .rows = rows,
    .row_count = array_size(rows),
    .values_size = sizeof(struct settings),
};
