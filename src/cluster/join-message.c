/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing and reading the messages of the join protocol. The reader of HELLO
 * is the first thing that bytes of a stranger meet behind the frame; it has a
 * fuzz target.
 */
#include "cluster/join-message.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

bool join_name_valid(const char *name)
{
    static const char digits[] = "0123456789";
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(name);
    if (length == 0 || length >= JOIN_NAME_SIZE)
        return false;
    if (!strchr(digits, *name) && !strchr(letters, *name))
        return false;
    if (strspn(name, digits) == length)
        return false;
    for (const char *at = name; *at; at++)
        if (!strchr(digits, *at) && !strchr(letters, *at) &&
            !strchr("-_.", *at))
            return false;
    /* Words that Slurm takes for something else. */
    return strcasecmp(name, "ALL") != 0 && strcasecmp(name, "DEFAULT") != 0 &&
           strcasecmp(name, "localhost") != 0;
}

const char *join_cluster_words(const char *name,
                               char ret_words[JOIN_CLUSTER_WORDS_SIZE])
{
    bool named = *name && strcmp(name, JOIN_CLUSTER_DEFAULT) != 0;
    snprintf(ret_words, JOIN_CLUSTER_WORDS_SIZE, "the cluster%s%s",
             named ? " " : "", named ? name : "");
    return ret_words;
}

/* ---- HELLO ----------------------------------------------------------------
 */

json_t *join_hello_write(const struct join_hello *hello)
{
    json_t *inventory = inventory_write(&hello->inventory);
    json_t *message = json_pack(
        "{s:s, s:I, s:s, s:s, s:s, s:I, s:b, s:b, s:I, s:s, s:I, s:I, s:o}",
        "type", JOIN_HELLO, "protocol", (json_int_t)hello->protocol, "name",
        hello->name, "host", hello->host, "version", hello->version, "slurm",
        (json_int_t)hello->slurm, "auth_slurm", hello->auth_slurm,
        "confines_gpus", hello->confines_gpus, "clock_ns",
        (json_int_t)hello->clock_ns, "nonce", hello->nonce, "slurmd_port",
        (json_int_t)hello->slurmd_port, "srun_port",
        (json_int_t)hello->srun_port, "inventory", inventory);
    if (!message || !hello->has_token)
        return message;
    if (json_object_set_new(message, "token", json_string(hello->token_id)) <
            0 ||
        message_set_bytes(message, "secret", hello->token_secret,
                          sizeof(hello->token_secret)) < 0) {
        json_decref(message);
        return NULL;
    }
    return message;
}

static int
token_read(const json_t *message, struct join_hello *hello, struct error *err)
{
    hello->has_token = json_object_get(message, "token") != NULL;
    if (!hello->has_token)
        return 0;
    size_t size;
    int r = message_read_text(message, "token", hello->token_id,
                              sizeof(hello->token_id), err);
    if (r >= 0)
        r = message_read_bytes(message, "secret", hello->token_secret,
                               sizeof(hello->token_secret), &size, err);
    if (r >= 0 && (size != sizeof(hello->token_secret) ||
                   strlen(hello->token_id) != TOKEN_ID_LENGTH))
        r = error_set(err, EBADMSG, "token: of a wrong length");
    return r;
}

static int
numbers_read(const json_t *message, struct join_hello *hello, struct error *err)
{
    int64_t slurm;
    int r = message_read_number(message, "slurm", 1, UINT32_MAX, &slurm, err);
    if (r >= 0)
        r = message_read_number(message, "clock_ns", 0, INT64_MAX,
                                &hello->clock_ns, err);
    if (r >= 0)
        r = message_read_number(message, "slurmd_port", 0, 65535,
                                &hello->slurmd_port, err);
    if (r >= 0)
        r = message_read_number(message, "srun_port", 0, 65535,
                                &hello->srun_port, err);
    if (r >= 0)
        hello->slurm = (slurm_version)slurm;
    /* Who does not say cannot. */
    hello->auth_slurm = json_is_true(json_object_get(message, "auth_slurm"));
    hello->confines_gpus =
        json_is_true(json_object_get(message, "confines_gpus"));
    return r;
}

static int
texts_read(const json_t *message, struct join_hello *hello, struct error *err)
{
    int r = message_read_text(message, "name", hello->name, sizeof(hello->name),
                              err);
    if (r >= 0)
        r = message_read_text(message, "host", hello->host, sizeof(hello->host),
                              err);
    if (r >= 0)
        r = message_read_text(message, "version", hello->version,
                              sizeof(hello->version), err);
    if (r >= 0)
        r = message_read_text(message, "nonce", hello->nonce,
                              sizeof(hello->nonce), err);
    if (r >= 0 && *hello->name && !join_name_valid(hello->name))
        r = error_set(err, EBADMSG,
                      "\"%s\" cannot be the name of a node; take letters, "
                      "digits, '-', '_' and '.'",
                      hello->name);
    return r;
}

int join_hello_read(const json_t *message,
                    struct join_hello *ret_hello,
                    struct error *err)
{
    *ret_hello = (struct join_hello){.protocol = 0};
    int r = message_read_number(message, "protocol", 1, INT32_MAX,
                                &ret_hello->protocol, err);
    /* What follows may look different in another protocol. */
    if (r >= 0 && ret_hello->protocol != JOIN_PROTOCOL)
        return 0;
    if (r >= 0)
        r = token_read(message, ret_hello, err);
    if (r >= 0)
        r = numbers_read(message, ret_hello, err);
    if (r >= 0)
        r = texts_read(message, ret_hello, err);
    if (r >= 0)
        r = inventory_read(json_object_get(message, "inventory"),
                           &ret_hello->inventory, err);
    return r;
}

void join_hello_deinit(struct join_hello *hello)
{
    explicit_bzero(hello->token_secret, sizeof(hello->token_secret));
    inventory_deinit(&hello->inventory);
    hello->inventory = (struct inventory){.cpus = 0};
}

/* ---- WELCOME --------------------------------------------------------------
 */

json_t *join_welcome_write(const struct join_welcome *welcome)
{
    json_t *message = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:O?}", "type", JOIN_WELCOME,
        "node", welcome->node, "cluster", welcome->cluster, "address",
        welcome->address, "slurm_conf", welcome->slurm_conf, "beat_ms",
        (json_int_t)welcome->beat_ms, "auth_slurm", welcome->auth_slurm,
        "confine_gpus", welcome->confine_gpus, "users", welcome->users);
    if (message && message_set_bytes(message, "key", welcome->key,
                                     welcome->key_size) < 0) {
        json_decref(message);
        return NULL;
    }
    return message;
}

static int file_read(const json_t *message,
                     const char *key,
                     const char **ret_text,
                     struct error *err)
{
    const json_t *value = json_object_get(message, key);
    if (!json_is_string(value))
        return error_set(err, EBADMSG, "%s: missing", key);
    *ret_text = json_string_value(value);
    return 0;
}

int join_welcome_read(const json_t *message,
                      struct join_welcome *ret_welcome,
                      struct error *err)
{
    struct join_welcome *w = ret_welcome;
    *w = (struct join_welcome){.key_size = 0};
    int r = message_read_text(message, "node", w->node, sizeof(w->node), err);
    if (r >= 0)
        r = message_read_text(message, "cluster", w->cluster,
                              sizeof(w->cluster), err);
    if (r >= 0)
        r = message_read_text(message, "address", w->address,
                              sizeof(w->address), err);
    if (r >= 0)
        r = message_read_bytes(message, "key", w->key, sizeof(w->key),
                               &w->key_size, err);
    if (r >= 0)
        r = message_read_number(message, "beat_ms", 100, 3600 * 1000,
                                &w->beat_ms, err);
    if (r >= 0)
        r = file_read(message, "slurm_conf", &w->slurm_conf, err);
    if (r >= 0 && !join_name_valid(w->node))
        r = error_set(err, EBADMSG, "\"%s\" cannot be the name of a node",
                      w->node);
    w->users = json_object_get(message, "users");
    w->auth_slurm = json_is_true(json_object_get(message, "auth_slurm"));
    w->confine_gpus = json_is_true(json_object_get(message, "confine_gpus"));
    return r;
}

json_t *join_text_write(const char *type, const char *text)
{
    return json_pack("{s:s, s:s}", "type", type, "text", text);
}
