/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of gpu-watchdog's options. Rows of one group stand together; the
 * order here is the order on every page.
 */
#include "watchdog/options.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/metric.h"

#define COMMANDS_WATCHING (COMMAND_EXPORTER | COMMAND_SERVE)
#define COMMANDS_KEEPING (COMMAND_HEAD | COMMAND_JOIN)
#define COMMANDS_ASKING                                                        \
    (COMMAND_TOKEN | COMMAND_LEAVE | COMMAND_STATUS | COMMAND_USER |           \
     COMMAND_KEY | COMMAND_DOCTOR)
#define COMMANDS_ALL                                                           \
    (COMMANDS_WATCHING | COMMAND_SNAPSHOT | COMMANDS_KEEPING |                 \
     COMMANDS_ASKING | COMMAND_ACT)

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
        .name = "proxy-header",
        .group = "Serving",
        OPTION_STRING(struct settings, proxy_header),
        .unit = "NAME",
        .help = "Let in whom a proxy names in this header of its requests",
        .about = "X-Remote-User for example; only from the addresses of "
                 "--proxy-from.",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "proxy-from",
        .group = "Serving",
        OPTION_LIST(struct settings, proxy_from),
        .unit = "ADDR",
        .help = "Believe --proxy-header from this address",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "jwt-key",
        .group = "Serving",
        OPTION_FILE(struct settings, jwt_key),
        .unit = "FILE",
        .help = "Let in who shows a token that is signed with this key",
        .about = "JSON Web Tokens with HS256, such as \"scontrol token\" makes "
                 "under the jwt_key of slurm.conf. Shown as \"Authorization: "
                 "Bearer TOKEN\", or, in a browser, at /sign-in?token=TOKEN.",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "allow-actions",
        .group = "Serving",
        OPTION_BOOL(struct settings, allow_actions),
        .initial = "false",
        .help = "Let operators submit and cancel jobs, drain and resume nodes",
        .about = "Each as the Linux user of his name, so that Slurm decides "
                 "what he may; admins as Slurm's own user. Needs root, and "
                 "--user to give it up. Everything that is done is written to "
                 "audit.log in the state folder.",
        .commands = COMMAND_SERVE | COMMAND_HEAD,
    },
    {
        .name = "operator",
        .group = "Serving",
        OPTION_LIST(struct settings, operators),
        .unit = "NAME",
        .help = "Who signs in by password or proxy under this name may act",
        .commands = COMMAND_SERVE | COMMAND_HEAD,
    },
    {
        .name = "admin",
        .group = "Serving",
        OPTION_LIST(struct settings, admins),
        .unit = "NAME",
        .help = "The same on all jobs and nodes",
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
        .name = "history-keep",
        .group = "Serving",
        OPTION_DURATION(struct settings, keep_ns),
        .initial = "90d",
        .min = 3600 * NS_PER_S,
        .unit = "TIME",
        .help = "Remember events, finished jobs and the course of things so "
                "long",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "history-minutes",
        .group = "Serving",
        OPTION_DURATION(struct settings, keep_minutes_ns),
        .initial = "2d",
        .min = 3600 * NS_PER_S,
        .unit = "TIME",
        .help = "Remember the course of things by the minute so long",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "history-fine",
        .group = "Serving",
        OPTION_DURATION(struct settings, keep_fine_ns),
        .initial = "2h",
        .min = 900 * NS_PER_S,
        .unit = "TIME",
        .help = "Remember the course of things by 15 seconds so long",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "prometheus-url",
        .group = "Serving",
        OPTION_STRING(struct settings, prometheus_url),
        .check = option_check_url,
        .unit = "URL",
        .help = "Show what is longer ago than --history-minutes from this "
                "Prometheus",
        .about = "It has to scrape this exporter and those of the GPUs. The "
                 "dashboard then keeps events, finished jobs and what is "
                 "recent, which takes about a quarter of the disk.",
        .commands = COMMAND_SERVE,
    },
    {
        .name = "prometheus-match",
        .group = "Serving",
        OPTION_STRING(struct settings, prometheus_match),
        .unit = "MATCHERS",
        .help = "Ask it only for series with these labels",
        .about = "As in PromQL: cluster=\"a\". For a Prometheus that knows "
                 "several clusters.",
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
        .commands = COMMANDS_WATCHING | COMMAND_ACT,
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
        .commands = COMMANDS_WATCHING | COMMAND_SNAPSHOT | COMMAND_ACT,
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
#include "watchdog/options-cluster.h"
    {
        .name = "log-format",
        .group = "Log",
        OPTION_CHOICE(struct settings, log_format),
        .initial = "auto",
        .words = option_log_format_words,
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
        .words = option_log_level_words,
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
