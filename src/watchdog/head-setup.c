/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be there before a head can start: a folder for its state that no
 * other head uses, an address, the keys, Slurm's files for the version that is
 * installed. All of it is found anew at each start, so that a head whose host
 * name or address changed goes on with its cluster.
 */
#include "watchdog/head.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/unit.h"
#include "cluster/confine.h"
#include "cluster/place.h"
#include "cluster/programs.h"
#include "cluster/secret-file.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    KEY_SIZE = 128, /* as mungekey(8) makes it */
    MEMORY_PER_CPU_MB = 1024
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static void
path_in(const struct head *head, const char *name, char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/%s", head->state, name);
}

/* ---- who and where --------------------------------------------------------
 */

static int check_root(struct error *err)
{
    if (geteuid() == 0)
        return 0;
    return error_set(err, EPERM,
                     "this needs root: it writes /etc/slurm, keeps a key, and "
                     "starts slurmd, which runs jobs as their users; try: sudo "
                     "gpu-watchdog head");
}

static const char *user_if_there(const char *name)
{
    return getpwnam(name) ? name : NULL;
}

static int find_version(struct head *head, struct error *err)
{
    char line[128] = "";
    FILE *pipe = popen("slurmctld -V", "re");
    if (!pipe)
        return error_errno(err, errno, "slurmctld -V");
    char *said = fgets(line, sizeof(line), pipe);
    pclose(pipe);
    if (!said)
        return error_set(err, ENOEXEC, "\"slurmctld -V\" says nothing");
    return slurm_version_parse(line, &head->slurm, err);
}

/* Two heads on one state would spoil it. */
static int lock_state(struct head *head, struct error *err)
{
    char path[PATH_MAX];
    path_in(head, "lock", path);
    head->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (head->lock_fd < 0)
        return error_errno(err, errno, "%s", path);
    if (flock(head->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, EBUSY,
                         "a head runs on %s already; \"gpu-watchdog status\" "
                         "shows it",
                         head->state);
    return 0;
}

static int find_place(struct head *head, struct error *err)
{
    if (*head->settings->state)
        snprintf(head->state, sizeof(head->state), "%s", head->settings->state);
    else
        place_state_default(head->state, sizeof(head->state));
    place_host(head->host, sizeof(head->host));
    int r = place_address(head->settings->address, head->address,
                          sizeof(head->address), err);
    /* munged and slurmctld, who are not root, have files in it. */
    if (r == 0)
        r = place_make(head->state, 0711, err);
    if (r == 0)
        r = lock_state(head, err);
    if (r < 0)
        return r;
    const char *impermanent = place_impermanence(head->state);
    if (*impermanent)
        log_warning("%s is on %s: jobs and nodes would be forgotten then; give "
                    "--state a folder that lasts",
                    head->state, impermanent);
    return 0;
}

/* ---- the cluster's name ---------------------------------------------------
 */

/* cluster.json: what must not change from start to start. */
static int read_cluster(struct head *head, const char *path, struct error *err)
{
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    int r = secret_file_read(path, 65536, true, &bytes, &size, err);
    if (r < 0)
        return r;
    _cleanup_(json_release) json_t *document =
        json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    r = message_read_text(document, "name", head->cluster,
                          sizeof(head->cluster), err);
    if (r == 0)
        r = message_read_text(document, "node", head->node, sizeof(head->node),
                              err);
    if (r < 0) {
        error_prefix(err, "%s is damaged", path);
        return r;
    }
    head->auth_slurm = json_is_true(json_object_get(document, "auth_slurm"));
    const char *wish = head->settings->name;
    if (*wish && strcmp(wish, head->cluster) != 0)
        return error_set(err, EINVAL,
                         "%s holds the cluster \"%s\", not \"%s\"; leave "
                         "--name out to go on with it, or give --state another "
                         "folder for a new cluster",
                         head->state, head->cluster, wish);
    return 0;
}

static void begin_cluster(struct head *head)
{
    const char *wish = head->settings->name;
    snprintf(head->cluster, sizeof(head->cluster), "%s",
             *wish ? wish : JOIN_CLUSTER_DEFAULT);
    snprintf(head->node, sizeof(head->node), "%s",
             join_name_valid(head->host) ? head->host : "head");
}

static int write_cluster(struct head *head, const char *path, struct error *err)
{
    _cleanup_(json_release) json_t *document =
        json_pack("{s:s, s:s, s:b}", "name", head->cluster, "node", head->node,
                  "auth_slurm", head->auth_slurm);
    _cleanup_(free_ptr) char *text =
        document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    if (!text)
        return error_set(err, ENOMEM, "out of memory");
    return secret_file_write(path, text, strlen(text), 0600, NULL, err);
}

/* munge may be needed; whether it is, cluster.json tells later. */
static bool needs_munge(const struct head *head)
{
    int wish = head->settings->auth;
    return wish == SETTINGS_AUTH_MUNGE ||
           (wish == SETTINGS_AUTH_AUTO && !programs_have_plugin("auth_slurm"));
}

static int check_auth(const struct head *head, struct error *err)
{
    if (!head->auth_slurm && needs_munge(head))
        return 0; /* has been looked for */
    if (!head->auth_slurm)
        return programs_check(true, head->settings->compute, true, err);
    int r = programs_check_auth(head->slurm, err);
    if (r < 0)
        error_prefix(err, "--auth slurm cannot be had here (--auth munge can)");
    return r;
}

static int find_cluster(struct head *head, struct error *err)
{
    char path[PATH_MAX];
    path_in(head, "cluster.json", path);
    int r = read_cluster(head, path, err);
    bool fresh = r == -ENOENT, auth_slurm = head->auth_slurm;
    if (r < 0 && !fresh)
        return r;
    if (fresh)
        begin_cluster(head);
    if (head->settings->auth != SETTINGS_AUTH_AUTO)
        head->auth_slurm = head->settings->auth == SETTINGS_AUTH_SLURM;
    r = check_auth(head, err);
    if (r == 0 && (fresh || head->auth_slurm != auth_slurm))
        r = write_cluster(head, path, err);
    return r;
}

/* ---- keys -----------------------------------------------------------------
 */

static int
make_key(const struct head *head, const char *path, struct error *err)
{
    uint8_t key[KEY_SIZE];
    if (getrandom(key, sizeof(key), 0) != sizeof(key))
        return error_errno(err, errno, "getting random bytes for a key");
    int r = secret_file_write(path, key, sizeof(key), 0400,
                              head->auth_slurm ? NULL : head->munge_user, err);
    explicit_bzero(key, sizeof(key));
    return r;
}

static int find_keys(struct head *head, struct error *err)
{
    char path[PATH_MAX];
    path_in(head, services_key_name(head->auth_slurm), path);
    int r = access(path, F_OK) == 0 ? 0 : make_key(head, path, err);
    if (r == 0) {
        path_in(head, "identity.pem", path);
        r = identity_load(path, &head->identity, err);
    }
    if (r == 0) {
        path_in(head, "tokens.json", path);
        r = token_store_open(path, &head->tokens, err);
    }
    if (r == 0) {
        path_in(head, "members.json", path);
        r = roster_open(path, &head->roster, err);
    }
    if (r == 0) {
        path_in(head, "users.json", path);
        r = users_open(path, &head->users, err);
    }
    return r;
}

int head_key_read(const struct head *head,
                  uint8_t ret_key[JOIN_KEY_SIZE_MAX],
                  size_t *ret_size,
                  struct error *err)
{
    char path[PATH_MAX];
    _cleanup_(free_ptr) char *bytes = NULL;
    path_in(head, services_key_name(head->auth_slurm), path);
    int r =
        secret_file_read(path, JOIN_KEY_SIZE_MAX, true, &bytes, ret_size, err);
    if (r < 0)
        return r;
    memcpy(ret_key, bytes, *ret_size);
    explicit_bzero(bytes, *ret_size);
    return 0;
}

int head_key_renew(struct head *head, struct error *err)
{
    char path[PATH_MAX];
    path_in(head, services_key_name(head->auth_slurm), path);
    return make_key(head, path, err);
}

/* ---- Slurm's files --------------------------------------------------------
 */

static int
make_slurm_state(const struct head *head, const char *path, struct error *err)
{
    int r = place_make(path, 0700, err);
    const struct passwd *user =
        head->slurm_user ? getpwnam(head->slurm_user) : NULL;
    if (r == 0 && user && chown(path, user->pw_uid, user->pw_gid) < 0)
        r = error_errno(err, errno, "giving %s to %s", path, head->slurm_user);
    return r;
}

/* What a job gets a processor that does not say: small enough that one for
 * each fits here. */
static uint32_t memory_per_cpu_mb(const struct inventory *inventory)
{
    uint64_t share = inventory->memory_mb / inventory->cpus;
    return share < MEMORY_PER_CPU_MB ? (uint32_t)share : MEMORY_PER_CPU_MB;
}

static int write_files(struct head *head, struct error *err)
{
    char state[PATH_MAX];
    _cleanup_(text_deinit) struct text gres = TEXT_INIT, cgroup = TEXT_INIT;
    path_in(head, SERVICES_CONTROLLER_STATE, state);
    head->fresh_state = access(state, F_OK) < 0;
    int r = make_slurm_state(head, state, err);
    if (r < 0)
        return r;
    const struct slurm_cluster cluster = {
        .name = head->cluster,
        .version = head->slurm,
        .head_host = head->host,
        .head_address = head->address,
        .slurm_user = head->slurm_user ? head->slurm_user : "root",
        .state = state,
        .munge_socket = SERVICES_MUNGE_SOCKET,
        .auth_slurm = head->auth_slurm,
        .confine_gpus = head->settings->confine_gpus,
        .partition = head->settings->partition,
        .nodes_max = head->settings->nodes_max,
        .home = *head->settings->home ? head->settings->home : NULL,
        .memory_per_cpu_mb = memory_per_cpu_mb(&head->inventory),
    };
    r = slurm_files_check_cluster(&cluster, err);
    if (r < 0)
        return r;
    slurm_files_slurm_conf(&cluster, &head->slurm_conf);
    slurm_files_cgroup_conf(&cluster, &cgroup);
    slurm_files_gres_conf(&head->inventory, &gres);
    slurm_files_node_conf(&head->inventory, head->slurm, &head->node_conf);
    const struct slurm_files files = {
        .slurm_conf = text_str(&head->slurm_conf),
        .cgroup_conf = text_str(&cgroup),
        .gres_conf = text_str(&gres),
    };
    if (!files.slurm_conf || !files.cgroup_conf || !files.gres_conf ||
        !text_str(&head->node_conf))
        return error_set(err, ENOMEM, "out of memory");
    r = slurm_files_write(SLURM_FILES_DIRECTORY, &files, err);
    return r < 0 ? r : 0;
}

static int check_confinement(const struct head *head, struct error *err)
{
    if (!head->settings->confine_gpus || !head->settings->compute)
        return 0;
    int r = confine_check(CONFINE_DIRECTORY, err);
    if (r < 0)
        error_prefix(err, "--confine-gpus cannot be had here");
    return r;
}

/* The first user; more are made with "gpu-watchdog user add". */
static int find_users(struct head *head, struct error *err)
{
    const char *name = head->settings->cluster_user;
    int r = 0;
    if (*name)
        r = users_add(&head->users, name, head->settings->home, err);
    if (r == -EEXIST)
        r = 0;
    return r < 0 ? r : users_apply(&head->users, err);
}

int head_setup(struct head *head, struct error *err)
{
    head->started_s = clock_realtime_ns() / NS_PER_S;
    int r = check_root(err);
    if (r == 0)
        r = programs_check(true, head->settings->compute, needs_munge(head),
                           err);
    if (r == 0)
        r = find_version(head, err);
    if (r == 0)
        r = check_confinement(head, err);
    if (r == 0)
        r = find_place(head, err);
    if (r == 0)
        r = find_cluster(head, err);
    head->slurm_user = user_if_there("slurm");
    head->munge_user = user_if_there("munge");
    if (r == 0)
        r = inventory_take("", &head->inventory, err);
    if (r == 0)
        r = find_keys(head, err);
    if (r == 0)
        r = write_files(head, err);
    if (r == 0)
        r = find_users(head, err);
    return r;
}

void head_setup_undo(struct head *head)
{
    users_close(&head->users);
    roster_close(&head->roster);
    token_store_close(head->tokens);
    identity_free(head->identity);
    inventory_deinit(&head->inventory);
    text_deinit(&head->node_conf);
    text_deinit(&head->slurm_conf);
    close_fd(&head->lock_fd);
}
