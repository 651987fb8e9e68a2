/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks between this machine and the others: addresses, ports in both
 * directions, the clock, the key.
 */
#include "watchdog/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/listening.h"
#include "cluster/place.h"
#include "cluster/services.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECT_MS = 2000,
    COMMAND_SECONDS = 8,
    EXPORTER_PORT = 9341,
    CLOCK_BEARABLE_S = 5
};

/* ---- connecting ---------------------------------------------------------- */

static int finish_connecting(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int reason = 0;
    socklen_t size = sizeof(reason);
    if (poll(&poll_fd, 1, CONNECT_MS) <= 0)
        return -ETIMEDOUT;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size);
    return -reason;
}

/* A connection, or why there is none; waits CONNECT_MS at most, but for the
 * resolver. */
static int connect_tcp(const char *host, uint16_t port)
{
    char service[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    int fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 ? -errno : 0;
    if (r == 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        r = errno == EINPROGRESS ? finish_connecting(fd) : -errno;
    freeaddrinfo(found);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

static const char *connect_reason(int code)
{
    switch (-code) {
    case ECONNREFUSED:
        return "nothing listens there; the machine itself answers";
    case ETIMEDOUT:
        return "no answer: a firewall drops it, or the machine is off";
    case EINVAL:
    case EACCES:
        return "this machine's own routes or rules forbid it";
    case EADDRNOTAVAIL:
        return "the name has no address";
    default:
        return strerror(-code);
    }
}

static bool check_port(struct doctor *doctor,
                       const char *host,
                       uint16_t port,
                       const char *of)
{
    int fd = connect_tcp(host, port);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    char next[160];
    snprintf(next, sizeof(next),
             "start gpu-watchdog there, or let TCP %u through; which way it "
             "takes: ip route get %s",
             port, host);
    doctor_tell(doctor, DOCTOR_WRONG, next, "%s at %s port %u: %s", of, host,
                port, connect_reason(fd));
    return false;
}

/* The head's own slurmd among them. */
static void check_nodes_ports(struct doctor *doctor)
{
    const json_t *nodes = json_object_get(doctor->status, "nodes");
    size_t good = 0, count = json_array_size(nodes);
    for (size_t i = 0; i < count; i++) {
        char of[128];
        const json_t *node = json_array_get(nodes, i);
        snprintf(of, sizeof(of), "slurmd of node %s",
                 doctor_json_text(node, "name"));
        good += check_port(doctor, doctor_json_text(node, "address"),
                           SLURMD_PORT, of);
    }
    if (count > 0 && good == count)
        doctor_tell(doctor, DOCTOR_GOOD, "",
                    "slurmd of %s nodes answers here (port %d)",
                    count > 1 ? "all" : "the", SLURMD_PORT);
}

void doctor_check_ports(struct doctor *doctor)
{
    const char *trouble = doctor_json_text(doctor->status, "trouble");
    if (doctor->role == DOCTOR_NOBODY || !*doctor->head)
        return;
    doctor->slurm_port =
        check_port(doctor, doctor->head, SLURMCTLD_PORT, "slurmctld");
    bool join = doctor->role != DOCTOR_WORKER || doctor->join_port == 0 ||
                check_port(doctor, doctor->head, doctor->join_port,
                           "gpu-watchdog of the head");
    if (doctor->slurm_port && join)
        doctor_tell(doctor, DOCTOR_GOOD, "", "the head answers at %s",
                    doctor->head);
    if (doctor->role == DOCTOR_HEAD)
        check_nodes_ports(doctor);
    else if (doctor->status && *trouble &&
             !json_is_true(json_object_get(doctor->status, "connected")))
        doctor_tell(doctor, DOCTOR_WRONG, "gpu-watchdog doctor on the head",
                    "the head does not keep the connection: %s", trouble);
}

/* ---- addresses ----------------------------------------------------------- */

static bool address_is_ours(const char *address)
{
    struct ifaddrs *list = NULL;
    bool ours = false;
    if (getifaddrs(&list) < 0)
        return true;
    for (const struct ifaddrs *i = list; i && !ours; i = i->ifa_next) {
        char text[NI_MAXHOST];
        if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET &&
                             i->ifa_addr->sa_family != AF_INET6))
            continue;
        socklen_t size = i->ifa_addr->sa_family == AF_INET
                             ? sizeof(struct sockaddr_in)
                             : 28; /* struct sockaddr_in6 */
        ours = getnameinfo(i->ifa_addr, size, text, sizeof(text), NULL, 0,
                           NI_NUMERICHOST) == 0 &&
               strcmp(text, address) == 0;
    }
    freeifaddrs(list);
    return ours;
}

/* Slurm looks addresses up as if those of an interface that is down were none.
 */
static bool only_loopback(void)
{
    struct ifaddrs *list = NULL;
    bool only = true;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *i = list; i && only; i = i->ifa_next)
        only = !i->ifa_addr || i->ifa_flags & IFF_LOOPBACK ||
               !(i->ifa_flags & IFF_UP) ||
               (i->ifa_addr->sa_family != AF_INET &&
                i->ifa_addr->sa_family != AF_INET6);
    freeifaddrs(list);
    return only;
}

void doctor_check_address(struct doctor *doctor)
{
    char own[64], name[256], address[256] = "";
    struct error err;
    const char *conf = text_str(&doctor->slurm_conf);
    if (only_loopback() || place_address("", own, sizeof(own), &err) < 0) {
        doctor_tell(doctor, DOCTOR_WRONG,
                    "ip -brief address; bring a network up",
                    "this machine has no address but loopback: nobody can "
                    "reach it, and slurmctld and srun hang");
        return;
    }
    if (doctor->role == DOCTOR_HEAD && conf &&
        doctor_controller(conf, name, address, sizeof(name)) &&
        !address_is_ours(address))
        doctor_tell(doctor, DOCTOR_WRONG,
                    "end \"gpu-watchdog head\" and start it again (with "
                    "--address if it is behind NAT)",
                    "slurm.conf tells the nodes that the head is at %s, which "
                    "is no address of this machine; it has %s",
                    address, own);
    else
        doctor_tell(doctor, DOCTOR_GOOD, "", "%s", own);
}

/* Called with the node's own line of scontrol; see doctor-slurm.c. */
void doctor_check_record(struct doctor *doctor)
{
    char name[64] = "", address[128] = "";
    const char *line = text_str(&doctor->nodes);
    if (doctor->role != DOCTOR_WORKER || !line ||
        !doctor_field(line, "NodeName", name, sizeof(name)) ||
        !doctor_field(line, "NodeAddr", address, sizeof(address)) ||
        strcmp(name, doctor->node) != 0)
        return;
    bool connected = json_is_true(json_object_get(doctor->status, "connected"));
    if (address_is_ours(address))
        doctor_tell(doctor, DOCTOR_GOOD, "",
                    "Slurm has this node at %s, and that is its address",
                    address);
    else if (connected)
        doctor_tell(doctor, DOCTOR_WRONG,
                    "join over a network where machines see each other's own "
                    "addresses (a VPN, a private network)",
                    "Slurm reaches this node at %s, which is no address of it: "
                    "NAT lies between; jobs cannot start here",
                    address);
    else
        doctor_tell(doctor, DOCTOR_WRONG,
                    "gpu-watchdog join (it tells the head the new address)",
                    "Slurm has this node at the stale address %s, which it "
                    "does not have any more (or NAT lies between)",
                    address);
}

/* ---- the clock ----------------------------------------------------------- */

/* The head's exporter tells the time to everybody, whatever the key. */
static int64_t head_time_s(const struct doctor *doctor)
{
    static const char request[] =
        "HEAD / HTTP/1.1\r\nHost: head\r\nConnection: close\r\n\r\n";
    char answer[2048];
    size_t size = 0;
    _cleanup_(close_fd) int fd = connect_tcp(doctor->head, EXPORTER_PORT);
    if (fd < 0 || write(fd, request, strlen(request)) < 0)
        return -1;
    while (size + 1 < sizeof(answer)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&poll_fd, 1, CONNECT_MS) > 0
                        ? read(fd, answer + size, sizeof(answer) - 1 - size)
                        : 0;
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    answer[size] = '\0';
    return doctor_http_date_s(answer);
}

void doctor_check_clock(struct doctor *doctor)
{
    if (doctor->role != DOCTOR_WORKER || !*doctor->head)
        return;
    int64_t head_s = head_time_s(doctor);
    int64_t own_s = clock_realtime_ns() / NS_PER_S;
    long long off_s = (long long)(own_s - head_s);
    long long size_s = off_s < 0 ? -off_s : off_s;
    doctor->clock_differs = head_s >= 0 && size_s > CLOCK_BEARABLE_S;
    if (head_s < 0)
        doctor_tell(doctor, DOCTOR_NOTE, "",
                    "the head's exporter (port %d) does not tell the time, so "
                    "the clocks were not compared",
                    EXPORTER_PORT);
    else if (doctor->clock_differs)
        doctor_tell(doctor, DOCTOR_WRONG,
                    "timedatectl set-ntp true, on both; a pod's clock is its "
                    "host's: rent another",
                    "this clock is %lld s %s the head's; munge takes that for "
                    "forged or expired, and jobs do not start",
                    size_s, off_s < 0 ? "behind" : "ahead of");
    else
        doctor_tell(doctor, DOCTOR_GOOD, "", "as the head's, within %d s",
                    CLOCK_BEARABLE_S);
}

/* ---- the key ------------------------------------------------------------- */

/* A credential made and read by our own munged. */
static bool munged_works(struct doctor *doctor)
{
    static const char *const encode[] = {"munge", "-n", "-S",
                                         SERVICES_MUNGE_SOCKET, NULL};
    static const char *const decode[] = {"unmunge", "-S", SERVICES_MUNGE_SOCKET,
                                         "-n", NULL};
    _cleanup_(text_deinit) struct text credential = TEXT_INIT, said = TEXT_INIT;
    int r = doctor_run(encode, NULL, COMMAND_SECONDS, &credential);
    if (r == 0)
        r = doctor_run(decode, &credential, COMMAND_SECONDS, &said);
    if (r == 0)
        return true;
    const char *text = text_str(r == -ETIME || said.size ? &said : &credential);
    doctor_tell(doctor, DOCTOR_WRONG,
                "gpu-watchdog status; what munged says is in the log",
                "munged of this machine does not work: %.200s",
                text && *text ? text : "it does not answer");
    return false;
}

static void tell_refused(struct doctor *doctor, const char *said)
{
    char line[200];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(said, "\n"), said);
    if (doctor->clock_differs)
        doctor_tell(doctor, DOCTOR_WRONG, "set the clock first",
                    "slurmctld refuses us (\"%s\"), as it must with clocks "
                    "that differ",
                    line);
    else
        doctor_tell(doctor, DOCTOR_WRONG,
                    "end gpu-watchdog here and start it again: it gets the key "
                    "anew; if that does not help: gpu-watchdog leave, and join",
                    "slurmctld answers but takes nothing from us (\"%s\"): "
                    "munged here has another key than the head's",
                    line);
}

/* Slurm's own question needs the right key in both directions. */
void doctor_check_key(struct doctor *doctor)
{
    const char *one = doctor->role == DOCTOR_WORKER ? doctor->node : NULL;
    const char *const arguments[] = {"scontrol", "--oneliner", "show",
                                     "node",     one,          NULL};
    if (doctor->role == DOCTOR_NOBODY ||
        !listening_unix(SERVICES_MUNGE_SOCKET) || !munged_works(doctor) ||
        !doctor->slurm_port)
        return;
    _cleanup_(text_deinit) struct text said = TEXT_INIT;
    int r = doctor_run(arguments, NULL, COMMAND_SECONDS, &said);
    const char *text = text_str(&said) ? text_str(&said) : "";
    if (r == 0 && strncmp(text, "NodeName=", 9) == 0)
        text_add_bytes(&doctor->nodes, text, strlen(text));
    if (r == 0 || strstr(text, "not found"))
        doctor_tell(doctor, DOCTOR_GOOD, "",
                    "a credential of ours is good, here and at the head");
    else if (r == -ETIME)
        doctor_tell(doctor, DOCTOR_WRONG, "gpu-watchdog doctor on the head",
                    "slurmctld does not answer within %d s", COMMAND_SECONDS);
    else
        tell_refused(doctor, text);
    if (strstr(text, "not found"))
        doctor_tell(doctor, DOCTOR_WRONG,
                    "end gpu-watchdog here and start it again",
                    "Slurm does not know node %s: its state was lost, or the "
                    "node was deleted",
                    doctor->node);
}
