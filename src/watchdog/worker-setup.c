/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be known before a worker can ask to be let in: its state, the head
 * and how to tell that it is the head (from the token, or remembered), and what
 * this machine has to give.
 */
#include "watchdog/worker.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cluster/place.h"
#include "cluster/programs.h"
#include "cluster/secret-file.h"
#include "cluster/slurm-files.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

enum {
    TOKEN_FILE_MAX = 4096
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static void
path_in(const struct worker *worker, const char *name, char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/%s", worker->state, name);
}

/* ---- the token ------------------------------------------------------------
 */

static int take_token(struct worker *worker, char *text, struct error *err)
{
    text[strcspn(text, " \t\r\n")] = '\0';
    int r = token_parse(text, &worker->token, err);
    explicit_bzero(text, strlen(text));
    if (r < 0)
        return -EINVAL;
    worker->has_token = true;
    return 0;
}

static int read_token(struct worker *worker, FILE *file, struct error *err)
{
    char text[TOKEN_FILE_MAX] = "";
    if (!fgets(text, sizeof(text), file))
        return error_set(err, EINVAL, "there is no token to read");
    return take_token(worker, text, err);
}

/* From the second argument, --token-file, or standard input. */
static int find_token(struct worker *worker, struct error *err)
{
    const struct option_set *options = &worker->settings->options;
    const char *path = worker->settings->token_file;
    if (options->argument_count == 2)
        return take_token(worker, options->arguments[1], err);
    if (!*path)
        return 0;
    if (strcmp(path, "-") == 0)
        return read_token(worker, stdin, err);
    FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(err, errno, "%s", path);
    int r = read_token(worker, file, err);
    fclose(file);
    return r;
}

/* ---- membership -----------------------------------------------------------
 */

static int read_membership(struct worker *worker, struct error *err)
{
    char path[PATH_MAX], pin[PIN_SIZE * 2 + 1];
    _cleanup_(free_ptr) char *bytes = NULL;
    size_t size;
    path_in(worker, "membership.json", path);
    int r = secret_file_read(path, 65536, true, &bytes, &size, err);
    if (r < 0)
        return r;
    _cleanup_(json_release) json_t *document =
        json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    r = message_read_text(document, "head", worker->head, sizeof(worker->head),
                          err);
    if (r == 0)
        r = message_read_text(document, "pin", pin, sizeof(pin), err);
    if (r == 0 && pin_parse(pin, &worker->pin) < 0)
        r = error_set(err, EBADMSG, "pin: no SHA-256");
    if (r == 0)
        r = message_read_text(document, "node", worker->node,
                              sizeof(worker->node), err);
    if (r == 0)
        r = message_read_text(document, "cluster", worker->cluster,
                              sizeof(worker->cluster), err);
    if (r < 0)
        error_prefix(err, "%s is damaged", path);
    worker->member = r == 0;
    return r;
}

int worker_remember(const struct worker *worker, struct error *err)
{
    char path[PATH_MAX], pin[PIN_SIZE * 2 + 1];
    path_in(worker, "membership.json", path);
    pin_format(&worker->pin, pin);
    _cleanup_(json_release) json_t *document =
        json_pack("{s:s, s:s, s:s, s:s}", "head", worker->head, "pin", pin,
                  "node", worker->node, "cluster", worker->cluster);
    _cleanup_(free_ptr) char *text =
        document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    if (!text)
        return error_set(err, ENOMEM, "out of memory");
    return secret_file_write(path, text, strlen(text), 0600, NULL, err);
}

/* A token for another head than the one we are a member of means that the
 * person wants the other one. */
static int find_head(struct worker *worker, struct error *err)
{
    const struct option_set *options = &worker->settings->options;
    const char *address =
        options->argument_count > 0 ? options->arguments[0] : NULL;
    char words[JOIN_CLUSTER_WORDS_SIZE];
    int r = read_membership(worker, err);
    if (r < 0 && r != -ENOENT)
        return r;
    if (worker->has_token &&
        (!worker->member ||
         memcmp(&worker->pin, &worker->token.pin, sizeof(worker->pin)) != 0)) {
        if (worker->member)
            return error_set(err, EINVAL,
                             "this machine is node %s of %s; type "
                             "\"gpu-watchdog leave\" before it joins another",
                             worker->node,
                             join_cluster_words(worker->cluster, words));
        worker->pin = worker->token.pin;
    }
    if (!worker->member && !(worker->has_token && address))
        return error_set(err, EINVAL,
                         "join whom? Type \"gpu-watchdog token\" on the head, "
                         "and the line it prints here");
    if (!address)
        return 0;
    if (!strrchr(address, ':') || strlen(address) >= sizeof(worker->head))
        return error_set(err, EINVAL,
                         "\"%.80s\" is no HOST:PORT; the line that "
                         "\"gpu-watchdog token\" prints on the head has it",
                         address);
    snprintf(worker->head, sizeof(worker->head), "%s", address);
    return 0;
}

/* ---- this machine ---------------------------------------------------------
 */

static int check_root(struct error *err)
{
    if (geteuid() == 0)
        return 0;
    return error_set(err, EPERM,
                     "this needs root: it writes /etc/slurm, keeps a key, and "
                     "starts slurmd, which runs jobs as their users; put sudo "
                     "in front");
}

static int find_version(struct worker *worker, struct error *err)
{
    char line[128] = "";
    FILE *pipe = popen("slurmd -V", "re");
    if (!pipe)
        return error_errno(err, errno, "slurmd -V");
    char *said = fgets(line, sizeof(line), pipe);
    pclose(pipe);
    if (!said)
        return error_set(err, ENOEXEC, "\"slurmd -V\" says nothing");
    return slurm_version_parse(line, &worker->slurm, err);
}

static int find_state(struct worker *worker, struct error *err)
{
    char path[PATH_MAX];
    if (*worker->settings->state)
        snprintf(worker->state, sizeof(worker->state), "%s",
                 worker->settings->state);
    else
        place_state_default(worker->state, sizeof(worker->state));
    int r = place_make(worker->state, 0711, err);
    if (r < 0)
        return r;
    path_in(worker, "lock", path);
    worker->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (worker->lock_fd < 0)
        return error_errno(err, errno, "%s", path);
    if (flock(worker->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, EBUSY,
                         "a head or a worker runs on %s already; "
                         "\"gpu-watchdog status\" shows it",
                         worker->state);
    return 0;
}

int worker_setup(struct worker *worker, struct error *err)
{
    char path[PATH_MAX];
    int r = check_root(err);
    if (r == 0)
        r = find_token(worker, err);
    if (r == 0)
        r = programs_check(false, true, !programs_have_plugin("auth_slurm"),
                           err);
    if (r == 0)
        r = find_state(worker, err);
    if (r == 0)
        r = find_head(worker, err);
    if (r == 0)
        r = slurm_files_check(SLURM_FILES_DIRECTORY, err);
    if (r == 0)
        r = find_version(worker, err);
    /* Which of both it is to be, only the head knows. */
    worker->can_auth_slurm =
        r == 0 && programs_check_auth(worker->slurm, NULL) == 0;
    if (r == 0 && !worker->can_auth_slurm)
        r = programs_check(false, true, true, err);
    place_host(worker->host, sizeof(worker->host));
    worker->munge_user = getpwnam("munge") ? "munge" : NULL;
    if (r == 0)
        r = inventory_take("", &worker->inventory, err);
    path_in(worker, "identity.pem", path);
    if (r == 0)
        r = identity_load(path, &worker->identity, err);
    return r;
}

void worker_setup_undo(struct worker *worker)
{
    explicit_bzero(&worker->token, sizeof(worker->token));
    identity_free(worker->identity);
    inventory_deinit(&worker->inventory);
    close_fd(&worker->lock_fd);
}

int worker_key_write(const struct worker *worker,
                     const uint8_t *key,
                     size_t size,
                     bool *ret_changed,
                     struct error *err)
{
    char path[PATH_MAX];
    char *old = NULL;
    size_t old_size = 0;
    path_in(worker, services_key_name(worker->auth_slurm), path);
    int r =
        secret_file_read(path, JOIN_KEY_SIZE_MAX, true, &old, &old_size, err);
    *ret_changed = r < 0 || old_size != size || memcmp(old, key, size) != 0;
    if (old)
        explicit_bzero(old, old_size);
    free(old);
    if (!*ret_changed)
        return 0;
    return secret_file_write(path, key, size, 0400,
                             worker->auth_slurm ? NULL : worker->munge_user,
                             err);
}

void worker_forget(const struct worker *worker)
{
    static const char *const names[] = {"munge.key", "slurm.key",
                                        "membership.json", "identity.pem"};
    char path[PATH_MAX];
    for (size_t i = 0; i < array_size(names); i++) {
        path_in(worker, names[i], path);
        if (unlink(path) < 0 && errno != ENOENT)
            log_warning("%s: %s", path, strerror(errno));
    }
    if (worker->auth_slurm)
        unlink(SERVICES_SLURM_KEY);
    struct error err;
    if (slurm_files_remove(SLURM_FILES_DIRECTORY, &err) < 0)
        log_warning("%s", err.text);
}
