/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the messages of the join protocol as structs. What a stranger
 * says of himself is refused with a reason, or it is something that may go into
 * Slurm's files: then it is the same when it is written and read again.
 */
#include "fuzz.h"

#include "cluster/join-message.h"
#include "cluster/users.h"

#include <errno.h>

/* What a line of gres.conf or of --conf could be made longer with. */
static void check_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        fuzz_check(!strchr(" \t\r\n#=\"'\\%", *c));
}

static void check_inventory(const struct inventory *inventory)
{
    struct error err = {""};
    struct inventory again;
    uint64_t cpus = (uint64_t)inventory->sockets * inventory->cores_per_socket *
                    inventory->threads_per_core;
    fuzz_check(inventory->cpus > 0 && cpus == inventory->cpus);
    fuzz_check(inventory->memory_mb <= inventory->machine_memory_mb);
    for (size_t i = 0; i < inventory->gpus.count; i++) {
        check_plain(inventory->gpus.devices[i].type);
        check_plain(inventory->gpus.devices[i].file);
    }
    json_t *object = inventory_write(inventory);
    fuzz_check(object && inventory_read(object, &again, &err) == 0);
    fuzz_check(inventory_equal(inventory, &again, &err));
    inventory_deinit(&again);
    json_decref(object);
}

static void check_hello(const json_t *message)
{
    struct join_hello hello;
    struct error err = {""};
    int r = join_hello_read(message, &hello, &err);
    fuzz_check(r == 0 || err.text[0] != '\0');
    if (r == 0 && hello.protocol == JOIN_PROTOCOL) {
        fuzz_check(!*hello.name || join_name_valid(hello.name));
        check_inventory(&hello.inventory);
        struct join_hello again;
        json_t *written = join_hello_write(&hello);
        fuzz_check(written && join_hello_read(written, &again, &err) == 0);
        fuzz_check(strcmp(hello.name, again.name) == 0 &&
                   hello.clock_ns == again.clock_ns &&
                   hello.has_token == again.has_token);
        join_hello_deinit(&again);
        json_decref(written);
    }
    join_hello_deinit(&hello);
}

static void check_welcome(const json_t *message)
{
    struct join_welcome welcome;
    struct error err = {""};
    if (join_welcome_read(message, &welcome, &err) < 0) {
        fuzz_check(err.text[0] != '\0');
        return;
    }
    fuzz_check(join_name_valid(welcome.node));
    fuzz_check(welcome.key_size <= sizeof(welcome.key));
}

static void check_users(const json_t *message)
{
    struct users users;
    struct error err = {""};
    int r = users_read(json_object_get(message, "users"), &users, &err);
    fuzz_check(r == 0 || err.text[0] != '\0');
    for (size_t i = 0; r == 0 && i < users.count; i++)
        fuzz_check(users.users[i].uid >= 1000 &&
                   users.users[i].home[0] == '/' &&
                   users.users[i].name[0] != '-');
    users_close(&users);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *message;
    if (message_decode((const char *)data, size, &message, NULL) < 0)
        return 0;
    check_hello(message);
    check_welcome(message);
    check_users(message);
    json_decref(message);
    return 0;
}
