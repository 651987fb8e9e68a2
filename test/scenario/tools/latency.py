#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""latency.py PORT PID COUNT [LIMIT_MS]

Asks the exporter on 127.0.0.1:PORT for /metrics, /healthz and a native page in
turn, COUNT requests, half of them on a kept connection and half on new ones, and
fails when one is not answered in full within LIMIT_MS (100).

A machine that runs tests is a busy machine. The time that the exporter (process
PID) and this program were ready to run and waited for a processor is the fault of
neither; the kernel counts it in /proc/PID/schedstat, and it is taken off.
"""
import http.client
import os
import sys
import time

PATHS = ["/metrics", "/healthz", "/metrics/nodes"]


def waited_ms(pids):
    total_ns = 0
    for pid in pids:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            total_ns += int(file.read().split()[1])
    return total_ns / 1e6


def ask(connection, path, pids):
    waited_before_ms = waited_ms(pids)
    begun = time.monotonic()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (time.monotonic() - begun) * 1000
    # A native page without a series is empty.
    if answer.status != 200 or not (body or path.startswith("/metrics/")):
        sys.exit(f"latency: {path} was answered with {answer.status}")
    return took_ms, took_ms - (waited_ms(pids) - waited_before_ms)


def main():
    port, pid, count = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    limit_ms = float(sys.argv[4]) if len(sys.argv) > 4 else 100
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    slowest = (0.0, 0.0)
    for i in range(count):
        connection = kept
        if i % 2:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        took = ask(connection, PATHS[i % len(PATHS)], (pid, os.getpid()))
        slowest = max(slowest, took, key=lambda pair: pair[1])
        if connection is not kept:
            connection.close()
    print(f"latency: {count} requests, the slowest took {slowest[0]:.1f} ms, "
          f"of which {slowest[1]:.1f} ms with a processor at hand")
    if slowest[1] > limit_ms:
        sys.exit(f"latency: more than {limit_ms:.0f} ms")


main()
