/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending and receiving collector messages. A message with more descriptors
 * than the one we have room for arrives marked as truncated, and the kernel
 * closes the rest; it counts as nonsense.
 */
#include "source/collector-protocol.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

union fd_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int collector_send(int channel,
                   const struct collector_message *message,
                   int fd,
                   struct error *err)
{
    struct collector_message copy = *message;
    struct iovec piece = {.iov_base = &copy, .iov_len = sizeof(copy)};
    struct msghdr packet = {.msg_iov = &piece, .msg_iovlen = 1};
    union fd_control control = {.bytes = {0}};
    if (fd >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    ssize_t n;
    do
        n = sendmsg(channel, &packet, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? error_errno(err, errno, "collector's channel") : 0;
}

/* The descriptor that came with PACKET, or -1. */
static int take_passed_fd(struct msghdr *packet)
{
    int fd = -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header;
         header = CMSG_NXTHDR(packet, header))
        if (header->cmsg_level == SOL_SOCKET &&
            header->cmsg_type == SCM_RIGHTS &&
            header->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

int collector_receive(int channel,
                      struct collector_message *ret_message,
                      int *ret_fd,
                      struct error *err)
{
    struct collector_message message;
    struct iovec piece = {.iov_base = &message, .iov_len = sizeof(message)};
    union fd_control control;
    struct msghdr packet = {.msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t n;
    do
        n = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(err, errno, "collector's channel");
    if (n == 0)
        return 0;
    _cleanup_(close_fd) int fd = take_passed_fd(&packet);
    if (n != sizeof(message) || packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
        message.kind == 0 || message.kind >= COLLECTOR_MESSAGE_END)
        return error_set(err, EPROTO, "collector's channel: not a message");
    *ret_message = message;
    *ret_fd = take_fd(fd);
    return 1;
}
