/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands to a running exporter, over a socket that only root can open: one
 * word goes in, one sentence comes back. Who connects and says nothing is hung
 * up on at the next connection; nobody else waits for them.
 */
#include "exporter/exporter.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WORD_SIZE = 32,
    ANSWER_SIZE = 256,
    TIMEOUT_S = 10
};

struct control {
    struct loop *loop;
    char *path;
    int fd;
    struct loop_source *listening;
    int client_fd; /* -1: none */
    struct loop_source *client;
    void (*command)(void *context,
                    const char *word,
                    char *ret_answer,
                    size_t size);
    void *context;
};

static int
address_of(const char *path, struct sockaddr_un *ret_address, struct error *err)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(ret_address->sun_path))
        return error_set(err, EINVAL, "%s: too long for a socket", path);
    strcpy(ret_address->sun_path, path);
    return 0;
}

/* ---- the exporter's side ------------------------------------------------- */

static void hang_up(struct control *control)
{
    control->client = loop_source_free(control->client);
    close_fd(&control->client_fd);
    control->client_fd = -1;
}

static void on_word(void *context, uint32_t events)
{
    struct control *control = context;
    char word[WORD_SIZE], answer[ANSWER_SIZE];
    (void)events;
    ssize_t size = recv(control->client_fd, word, sizeof(word) - 1, 0);
    if (size > 0) {
        word[size] = '\0';
        word[strcspn(word, "\n")] = '\0';
        control->command(control->context, word, answer, sizeof(answer));
        send(control->client_fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    hang_up(control);
}

static void on_connection(void *context, uint32_t events)
{
    struct control *control = context;
    struct error err;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    hang_up(control);
    control->client_fd = fd;
    if (loop_add_fd(control->loop, fd, EPOLLIN, on_word, control,
                    &control->client, &err) < 0)
        hang_up(control);
}

/* The folder of PATH, if it is not there. */
static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = '\0';
    mkdir(folder, 0755); /* what fails shows when the socket is made */
}

static int listen_at(struct control *control, struct error *err)
{
    struct sockaddr_un address;
    int r = address_of(control->path, &address, err);
    if (r < 0)
        return r;
    make_folder(control->path);
    control->fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0)
        return error_errno(err, errno, "%s", control->path);
    unlink(control->path); /* of an exporter that was killed */
    mode_t mask = umask(0177);
    r = bind(control->fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (r < 0 || listen(control->fd, 4) < 0)
        return error_errno(err, errno, "%s", control->path);
    return loop_add_fd(control->loop, control->fd, EPOLLIN, on_connection,
                       control, &control->listening, err);
}

int control_new(struct loop *loop,
                const char *path,
                void (*command)(void *context,
                                const char *word,
                                char *ret_answer,
                                size_t size),
                void *context,
                struct control **ret_control,
                struct error *err)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return error_errno(err, ENOMEM, "control");
    *control = (struct control){.loop = loop,
                                .path = strdup(path),
                                .fd = -1,
                                .client_fd = -1,
                                .command = command,
                                .context = context};
    int r = control->path ? listen_at(control, err)
                          : error_errno(err, ENOMEM, "control");
    if (r < 0) {
        control_free(control);
        return r;
    }
    *ret_control = control;
    return 0;
}

struct control *control_free(struct control *control)
{
    if (!control)
        return NULL;
    hang_up(control);
    if (control->listening)
        unlink(control->path);
    loop_source_free(control->listening);
    close_fd(&control->fd);
    free(control->path);
    free(control);
    return NULL;
}

/* ---- the command's side -------------------------------------------------- */

static int ask(const char *path,
               const char *word,
               char *ret_answer,
               size_t size,
               struct error *err)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct sockaddr_un address;
    int r = address_of(path, &address, err);
    if (r < 0)
        return r;
    _cleanup_(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_errno(
            err, errno, "no gpu-exporter listens at %s (are you root?)", path);
    if (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0)
        return error_errno(err, errno, "%s", path);
    ssize_t got = recv(fd, ret_answer, size - 1, 0);
    if (got <= 0)
        return error_set(err, EIO, "%s: gpu-exporter gives no answer", path);
    ret_answer[got] = '\0';
    return 0;
}

int control_main(const struct settings *settings, const char *word)
{
    char answer[ANSWER_SIZE];
    struct error err;
    if (ask(settings->control, word, answer, sizeof(answer), &err) < 0) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    printf("%s\n", answer);
    return strncmp(answer, "failed", 6) == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
