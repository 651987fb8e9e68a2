/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GPU exporters of a large cluster, played by one process on loopback:
 * whatever node the path names, it answers with the page of a real gpu-exporter
 * (FILE), to which it adds the job that bench-recording gave to that node.
 * Every tenth job holds its last GPU idle. The figures of a GPU that move in
 * real life are others in each answer. One thread; connections are kept.
 *
 * usage: bench-exporters PORT FILE
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GPUS = 8,
    FIRST_JOB = 1000,
    PAGE_MAX = 4 << 20,
    MOVING_MAX = 16 * GPUS
};

static char page[PAGE_MAX];
static size_t page_size;

/* Where the figures that move stand in the page, two digits each. */
static size_t moving[MOVING_MAX], moving_count;

/* Read FILE with each value of those figures made "50". */
static void read_page(FILE *file)
{
    static const char *const names[] = {
        "DCGM_FI_DEV_GPU_UTIL{", "DCGM_FI_DEV_POWER_USAGE{",
        "DCGM_FI_DEV_GPU_TEMP{", "DCGM_FI_DEV_SM_CLOCK{",
        "DCGM_FI_DEV_MEM_COPY_UTIL{"};
    static char line[8192];
    while (fgets(line, sizeof(line), file)) {
        char *value = strrchr(line, ' ');
        for (size_t i = 0; value && i < sizeof(names) / sizeof(*names); i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0 &&
                moving_count < MOVING_MAX) {
                strcpy(value, " 50\n");
                moving[moving_count++] = page_size + (size_t)(value + 1 - line);
                break;
            }
        size_t size = strlen(line);
        if (page_size + size > sizeof(page))
            return;
        memcpy(page + page_size, line, size);
        page_size += size;
    }
}

static void move_figures(void)
{
    for (size_t i = 0; i < moving_count; i++) {
        int figure = 30 + rand() % 60;
        page[moving[i]] = (char)('0' + figure / 10);
        page[moving[i] + 1] = (char)('0' + figure % 10);
    }
}

static size_t add_jobs(char *out, size_t room, unsigned int node)
{
    size_t size = 0;
    if (node % 10 == 9)
        return 0; /* free */
    for (int gpu = 0; gpu < GPUS && size < room; gpu++) {
        bool idle = node % 100 < 10 && gpu == GPUS - 1;
        size += (size_t)snprintf(
            out + size, room - size,
            "slurm_gpu_job_info{gpu=\"%d\",job_id=\"%u\",user=\"user%u\"} 1\n"
            "slurm_gpu_job_allocated{gpu=\"%d\",job_id=\"%u\"} 1\n"
            "slurm_gpu_job_processes{gpu=\"%d\",job_id=\"%u\"} %d\n"
            "slurm_gpu_held_idle{gpu=\"%d\",job_id=\"%u\"} %d\n",
            gpu, FIRST_JOB + node, node % 500, gpu, FIRST_JOB + node, gpu,
            FIRST_JOB + node, !idle, gpu, FIRST_JOB + node, idle);
    }
    return size < room ? size : room;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* A request is one segment: its sender is libcurl on loopback. */
static bool answer(int fd)
{
    static char request[8192], jobs[16384], head[256];
    ssize_t got = recv(fd, request, sizeof(request) - 1, 0);
    if (got <= 0)
        return false;
    request[got] = '\0';
    const char *name = strstr(request, "/n");
    size_t size =
        add_jobs(jobs, sizeof(jobs), name ? (unsigned int)atoi(name + 2) : 0);
    move_figures();
    int head_size = snprintf(head, sizeof(head),
                             "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             page_size + size);
    return send_all(fd, head, (size_t)head_size) &&
           send_all(fd, page, page_size) && send_all(fd, jobs, size);
}

static int listen_on(int port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4096)) {
        perror("bench-exporters: listen");
        exit(1);
    }
    return fd;
}

static void take(int loop, int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char *argv[])
{
    FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: bench-exporters PORT FILE\n");
        return 2;
    }
    read_page(file);
    fclose(file);
    int listener = listen_on(atoi(argv[1])), loop = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event ready[256];
        int count = epoll_wait(loop, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener)
                take(loop, listener);
            else if (!answer(fd))
                close(fd);
        }
    }
}
