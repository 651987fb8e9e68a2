/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines are made anew for each start, from settings that may have
 * changed. What must be there before a start is made at each start as well:
 * /run is emptied when a container starts again.
 */
#include "cluster/services.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "cluster/listening.h"
#include "cluster/programs.h"
#include "cluster/secret-file.h"

#include <assert.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SERVICES_MAX = 5,
    WORDS_MAX = 16,
    KEY_SIZE_MAX = 1024
};

/* Several keys for auth/slurm; wins over the one of ours. */
#define SLURM_KEYS "/etc/slurm/slurm.jwks"
/* Compiled into Slurm. */
#define SLURMCTLD_RUN_DIRECTORY "/run/slurmctld"
#define MUNGE_KEY_COPY SERVICES_MUNGE_DIRECTORY "/munge.key"

struct command {
    char *words[WORDS_MAX + 1]; /* NULL behind the last */
    size_t count;
    bool failed;
};

struct services {
    bool head, compute, gpus, auth_slurm;
    bool forget_credentials; /* at the next start of slurmd */
    char *state, *munge_user, *slurm_user, *address;
    char *node, *node_conf, *program, *exporter_listen;
    const char **serve_arguments;
    struct service_spec specs[SERVICES_MAX];
    size_t count;
    struct command command; /* of the service that starts */
};

/* ---- command lines ------------------------------------------------------- */

static void command_clear(struct command *command)
{
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
    *command = (struct command){.count = 0};
}

__attribute__((format(printf, 2, 3))) static void
command_add(struct command *command, const char *format, ...)
{
    assert(command->count < WORDS_MAX);
    va_list args;
    va_start(args, format);
    int size = vasprintf(&command->words[command->count], format, args);
    va_end(args);
    if (size < 0) {
        command->words[command->count] = NULL;
        command->failed = true;
        return;
    }
    command->count++;
}

/* Begin with PROGRAM. */
static struct command *command_begin(struct services *services,
                                     const char *program)
{
    command_clear(&services->command);
    command_add(&services->command, "%s",
                program[0] == '/' ? program : program_find(program));
    return &services->command;
}

static const char *const *command_words(const struct command *command)
{
    return command->failed ? NULL : (const char *const *)command->words;
}

static const char *const *munged_command(void *context)
{
    struct services *services = context;
    struct command *command = command_begin(services, "munged");
    command_add(command, "--foreground");
    command_add(command, "--socket=%s", SERVICES_MUNGE_SOCKET);
    command_add(command, "--key-file=%s", MUNGE_KEY_COPY);
    command_add(command, "--pid-file=%s/munged.pid", SERVICES_MUNGE_DIRECTORY);
    command_add(command, "--seed-file=%s/munged.seed",
                SERVICES_MUNGE_DIRECTORY);
    command_add(command, "--num-threads=2");
    /* Without one munged looks its host name up, which need not resolve. */
    command_add(command, "--origin=%s",
                services->address ? services->address : "127.0.0.1");
    return command_words(command);
}

static const char *const *slurmctld_command(void *context)
{
    struct command *command = command_begin(context, "slurmctld");
    command_add(command, "-D");
    return command_words(command);
}

static const char *const *slurmd_command(void *context)
{
    struct services *services = context;
    struct command *command = command_begin(services, "slurmd");
    command_add(command, "-D");
    command_add(command, "-Z");
    command_add(command, "-N");
    command_add(command, "%s", services->node);
    if (services->node_conf && services->node_conf[0]) {
        command_add(command, "--conf");
        command_add(command, "%s", services->node_conf);
    }
    return command_words(command);
}

/* What our own programs log keeps its severity on its way through our pipe. */
static void add_log_format(struct command *command)
{
    command_add(command, "--log-format");
    command_add(command, "journal");
}

static const char *const *serve_command(void *context)
{
    struct services *services = context;
    struct command *command = command_begin(services, services->program);
    command_add(command, "serve");
    command_add(command, "--state");
    command_add(command, "%s", services->state);
    command_add(command, "--listen");
    command_add(command, "%s", services->exporter_listen);
    for (size_t i = 0;
         services->serve_arguments && services->serve_arguments[i]; i++)
        command_add(command, "%s", services->serve_arguments[i]);
    add_log_format(command);
    if (services->slurm_user) {
        command_add(command, "--user");
        command_add(command, "%s", services->slurm_user);
    }
    return command_words(command);
}

static const char *const *gpu_exporter_command(void *context)
{
    struct services *services = context;
    struct command *command =
        command_begin(services, program_find("gpu-exporter"));
    add_log_format(command);
    return command_words(command);
}

/* ---- what must be there before ------------------------------------------- */

/* The folder PATH with exactly this MODE; OWNER NULL: as it is. */
static int
make_folder(const char *path, mode_t mode, const char *owner, struct error *err)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return error_errno(err, errno, "folder %s cannot be made", path);
    if (owner) {
        const struct passwd *user = getpwnam(owner);
        if (!user)
            return error_set(err, ESRCH, "there is no user '%s' here", owner);
        if (chown(path, user->pw_uid, user->pw_gid) < 0)
            return error_errno(err, errno, "folder %s cannot be given to %s",
                               path, owner);
    }
    if (chmod(path, mode) < 0)
        return error_errno(err, errno, "mode of folder %s", path);
    return 0;
}

static int check_port_free(uint16_t port, struct error *err)
{
    if (!listening_tcp(port))
        return 0;
    return error_set(err, EADDRINUSE,
                     "port %u is taken by another program; to see which, "
                     "type: ss -ltnp 'sport = :%u'",
                     port, port);
}

const char *services_key_name(bool auth_slurm)
{
    return auth_slurm ? "slurm.key" : "munge.key";
}

/* Copy the cluster's key to PATH, for OWNER alone. */
static int copy_key(const struct services *services,
                    const char *path,
                    const char *owner,
                    struct error *err)
{
    char key_path[PATH_MAX];
    _cleanup_(free_ptr) char *key = NULL;
    size_t size = 0;
    snprintf(key_path, sizeof(key_path), "%s/%s", services->state,
             services_key_name(services->auth_slurm));
    int r = secret_file_read(key_path, KEY_SIZE_MAX, true, &key, &size, err);
    if (r == 0)
        r = secret_file_write(path, key, size, 0400, owner, err);
    if (key)
        explicit_bzero(key, size);
    return r;
}

/* slurmctld reads it as its user, slurmd as root. */
static int copy_slurm_key(const struct services *services, struct error *err)
{
    if (!services->auth_slurm)
        return 0;
    if (access(SLURM_KEYS, F_OK) == 0)
        return error_set(err, EEXIST,
                         "%s is not ours, and Slurm would take it before the "
                         "cluster's key; type: mv %s %s.old",
                         SLURM_KEYS, SLURM_KEYS, SLURM_KEYS);
    return copy_key(services, SERVICES_SLURM_KEY, services->slurm_user, err);
}

static int munged_prepare(void *context, struct error *err)
{
    const struct services *services = context;
    int r = make_folder(SERVICES_RUN_DIRECTORY, 0755, NULL, err);
    if (r == 0)
        r = make_folder(SERVICES_MUNGE_DIRECTORY, 0711, services->munge_user,
                        err);
    if (r == 0)
        r = copy_key(services, MUNGE_KEY_COPY, services->munge_user, err);
    if (r == 0 && !listening_unix(SERVICES_MUNGE_SOCKET))
        unlink(SERVICES_MUNGE_SOCKET); /* of one that was killed */
    return r;
}

static int slurmctld_prepare(void *context, struct error *err)
{
    const struct services *services = context;
    char path[PATH_MAX];
    int r = check_port_free(SLURMCTLD_PORT, err);
    /* Its user has to get through; nobody can list the folder. */
    if (r == 0)
        r = make_folder(services->state, services->slurm_user ? 0711 : 0700,
                        NULL, err);
    snprintf(path, sizeof(path), "%s/%s", services->state,
             SERVICES_CONTROLLER_STATE);
    if (r == 0)
        r = make_folder(path, 0700, services->slurm_user, err);
    /* Its user could not make it, for the socket by which it authenticates. */
    if (r == 0 && services->auth_slurm)
        r = make_folder(SLURMCTLD_RUN_DIRECTORY, 0755, services->slurm_user,
                        err);
    if (r == 0)
        r = copy_slurm_key(services, err);
    return r;
}

static int serve_prepare(void *context, struct error *err)
{
    const struct services *services = context;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", services->state, SERVICES_HISTORY);
    return make_folder(path, 0700, services->slurm_user, err);
}

static int slurmd_prepare(void *context, struct error *err)
{
    struct services *services = context;
    int r = check_port_free(SLURMD_PORT, err);
    if (r == 0)
        r = make_folder("/var/spool", 0755, NULL, err);
    if (r == 0)
        r = make_folder(SERVICES_NODE_SPOOL, 0755, NULL, err);
    if (r == 0)
        r = copy_slurm_key(services, err);
    if (r == 0 && services->forget_credentials) {
        unlink(SERVICES_NODE_SPOOL "/cred_state");
        unlink(SERVICES_NODE_SPOOL "/cred_state.new");
        services->forget_credentials = false;
    }
    return r;
}

/* ---- is it ready? -------------------------------------------------------- */

static bool munged_ready(void *context)
{
    (void)context;
    return listening_unix(SERVICES_MUNGE_SOCKET);
}

static bool slurmctld_ready(void *context)
{
    (void)context;
    return listening_tcp(SLURMCTLD_PORT);
}

static bool slurmd_ready(void *context)
{
    (void)context;
    return listening_tcp(SLURMD_PORT);
}

static bool serve_ready(void *context)
{
    const struct services *services = context;
    const char *port = strrchr(services->exporter_listen, ':');
    return port && listening_tcp((uint16_t)strtoul(port + 1, NULL, 10));
}

static bool gpu_exporter_ready(void *context)
{
    (void)context;
    return listening_tcp(GPU_EXPORTER_PORT);
}

/* One that runs already, ours or NVIDIA's, is left alone. */
static bool gpu_exporter_wanted(const struct services *services)
{
    const char *program = program_find("gpu-exporter");
    return services->gpus && *program == '/' &&
           !listening_tcp(GPU_EXPORTER_PORT);
}

/* ---- the list ------------------------------------------------------------ */

static void add_spec(struct services *services, struct service_spec spec)
{
    assert(services->count < SERVICES_MAX);
    spec.context = services;
    services->specs[services->count++] = spec;
}

static void add_munged(struct services *services)
{
    add_spec(services,
             (struct service_spec){.name = "munged",
                                   .pid_path = SERVICES_PID_DIRECTORY "/munged",
                                   .user = services->munge_user,
                                   .prepare = munged_prepare,
                                   .command = munged_command,
                                   .ready = munged_ready});
}

static void add_specs(struct services *services)
{
    const char *auth = services->auth_slurm ? NULL : "munged";
    const char *controller = services->head ? "slurmctld" : NULL;
    if (!services->auth_slurm)
        add_munged(services);
    if (services->head)
        add_spec(services, (struct service_spec){
                               .name = "slurmctld",
                               .pid_path = SERVICES_PID_DIRECTORY "/slurmctld",
                               .needs = {auth},
                               .prepare = slurmctld_prepare,
                               .command = slurmctld_command,
                               .ready = slurmctld_ready});
    /* On a head the controller first, or slurmd would wait to try again. Its
     * steps are no children of ours and go on when it stops. */
    if (services->compute)
        add_spec(services, (struct service_spec){
                               .name = "slurmd",
                               .pid_path = SERVICES_PID_DIRECTORY "/slurmd",
                               .needs = {auth ? auth : controller,
                                         auth ? controller : NULL},
                               .prepare = slurmd_prepare,
                               .command = slurmd_command,
                               .ready = slurmd_ready});
    if (services->head && services->exporter_listen)
        add_spec(services, (struct service_spec){
                               .name = "serve",
                               .pid_path = SERVICES_PID_DIRECTORY "/serve",
                               .needs = {"slurmctld"},
                               .prepare = serve_prepare,
                               .command = serve_command,
                               .ready = serve_ready});
    if (gpu_exporter_wanted(services))
        add_spec(services,
                 (struct service_spec){.name = "gpu-exporter",
                                       .pid_path = SERVICES_PID_DIRECTORY
                                       "/gpu-exporter",
                                       .command = gpu_exporter_command,
                                       .ready = gpu_exporter_ready});
}

static int copy_text(char **ret_copy, const char *text)
{
    *ret_copy = text ? strdup(text) : NULL;
    return text && !*ret_copy ? -ENOMEM : 0;
}

static int copy_arguments(struct services *services,
                          const struct services_settings *settings)
{
    if (!settings->serve_arguments)
        return 0;
    services->serve_arguments = child_arguments_copy(settings->serve_arguments);
    return services->serve_arguments ? 0 : -ENOMEM;
}

int services_new(const struct services_settings *settings,
                 struct services **ret_services,
                 struct error *err)
{
    assert(settings->state && (settings->node || !settings->compute));

    struct services *s = calloc(1, sizeof(*s));
    if (!s)
        return error_errno(err, ENOMEM, "services");
    s->head = settings->head;
    s->compute = settings->compute;
    s->gpus = settings->gpus;
    s->auth_slurm = settings->auth_slurm;
    if (copy_text(&s->state, settings->state) < 0 ||
        copy_text(&s->munge_user, settings->munge_user) < 0 ||
        copy_text(&s->slurm_user, settings->slurm_user) < 0 ||
        copy_text(&s->address, settings->address) < 0 ||
        copy_text(&s->node, settings->node) < 0 ||
        copy_text(&s->node_conf, settings->node_conf) < 0 ||
        copy_text(&s->program, settings->program) < 0 ||
        copy_text(&s->exporter_listen, settings->exporter_listen) < 0 ||
        copy_arguments(s, settings) < 0) {
        services_free(s);
        return error_errno(err, ENOMEM, "services");
    }
    add_specs(s);
    *ret_services = s;
    return 0;
}

struct services *services_free(struct services *services)
{
    if (!services)
        return NULL;
    command_clear(&services->command);
    free(services->state);
    free(services->munge_user);
    free(services->slurm_user);
    free(services->address);
    free(services->node);
    free(services->node_conf);
    free(services->program);
    free(services->exporter_listen);
    child_arguments_free(services->serve_arguments);
    free(services);
    return NULL;
}

const struct service_spec *services_specs(const struct services *services,
                                          size_t *ret_count)
{
    *ret_count = services->count;
    return services->specs;
}

void services_forget_credentials(struct services *services)
{
    services->forget_credentials = true;
}

int services_set_node(struct services *services,
                      const char *node,
                      const char *node_conf,
                      struct error *err)
{
    char *node_copy = NULL, *conf_copy = NULL;
    if (copy_text(&node_copy, node) < 0 ||
        copy_text(&conf_copy, node_conf) < 0) {
        free(node_copy);
        return error_errno(err, ENOMEM, "services: node %s", node);
    }
    free(services->node);
    free(services->node_conf);
    services->node = node_copy;
    services->node_conf = conf_copy;
    return 0;
}
