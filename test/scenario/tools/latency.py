#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""latency.py [--ca FILE] [--user NAME:PASSWORD] PORT PID COUNT

Asks the exporter on 127.0.0.1:PORT for /metrics, /healthz and a native page in
turn, COUNT requests, half of them on a kept connection and half on new ones, and
fails when one is not answered in full within 100 ms. With a file of certificates
to trust it asks by https, and a new connection pays its handshake.

A machine that runs tests is a busy machine. The time that the exporter (process
PID) and this program were ready to run and waited for a processor is the fault of
neither; the kernel counts it in /proc/PID/schedstat, and it is taken off.
"""
import argparse
import base64
import functools
import http.client
import os
import ssl
import time

PATHS = ["/metrics", "/healthz", "/metrics/nodes"]
LIMIT_MS = 100


def waited_ms(pids):
    total_ns = 0
    for pid in pids:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            total_ns += int(file.read().split()[1])
    return total_ns / 1e6


def ask(connection, path, headers, pids):
    waited_before_ms = waited_ms(pids)
    begun = time.monotonic()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (time.monotonic() - begun) * 1000
    # A native page without a series is empty.
    if answer.status != 200 or not (body or path.startswith("/metrics/")):
        raise SystemExit(f"latency: {path} was answered with {answer.status}")
    return took_ms, took_ms - (waited_ms(pids) - waited_before_ms)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca")
    parser.add_argument("--user")
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("count", type=int)
    return parser.parse_args()


def main():
    args = arguments()
    connect = http.client.HTTPConnection
    headers = {}
    if args.ca:
        trust = ssl.create_default_context(cafile=args.ca)
        connect = functools.partial(http.client.HTTPSConnection, context=trust)
    if args.user:
        word = base64.b64encode(args.user.encode()).decode()
        headers["Authorization"] = f"Basic {word}"
    kept = connect("127.0.0.1", args.port, timeout=10)
    slowest = (0.0, 0.0)
    for i in range(args.count):
        connection = kept
        if i % 2:
            connection = connect("127.0.0.1", args.port, timeout=10)
        took = ask(connection, PATHS[i % len(PATHS)], headers,
                   (args.pid, os.getpid()))
        slowest = max(slowest, took, key=lambda pair: pair[1])
        if connection is not kept:
            connection.close()
    print(f"latency: {args.count} requests, the slowest took {slowest[0]:.1f} ms, "
          f"of which {slowest[1]:.1f} ms with a processor at hand")
    if slowest[1] > LIMIT_MS:
        raise SystemExit(f"latency: more than {LIMIT_MS} ms")


main()
