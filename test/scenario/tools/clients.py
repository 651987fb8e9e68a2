#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clients.py KIND PORT COUNT

COUNT clients at once of a kind that no server wants, on 127.0.0.1:PORT:

  idle    connect and say nothing
  drip    send a request byte by byte, one a second, and never end it
  half    send half a request, and no more
  long    send headers without an end, as fast as they are taken
  deaf    ask for everything again and again, and read no answer
  gone    send half a request and hang up; others take their place
  reset   ask for everything and hang up with a reset before it comes

Prints "there" when all of them are at it, and stays until every client has been
sent away, or as long as it is let (gone and reset: always). Then, or when it is
told to end (SIGTERM), one line says how the clients fared:

  refused R, answered STATUS..., still there N

where refused are those that were hung up on without an answer.
"""
import collections
import select
import signal
import socket
import struct
import sys
import time

HALF = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Word: "
WHOLE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class Client:
    def __init__(self, kind, port):
        self.kind = kind
        self.answer = b""
        self.sent = 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setblocking(False)
        if kind == "deaf":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if kind in ("half", "gone", "long"):
            self.send(HALF)
        if kind == "reset":
            self.send(WHOLE)

    def send(self, data):
        try:
            self.sent += self.socket.send(data)
        except OSError:
            pass  # Full, or hung up; reading tells which.

    def go_on(self):
        """What it does every second."""
        if self.kind == "drip":
            word = HALF + b"x" * 1000
            self.send(word[self.sent:self.sent + 1])
        elif self.kind == "long":
            self.send(b"x" * 4096)
        elif self.kind == "deaf":
            self.send(WHOLE * 20)

    def hang_up(self):
        if self.kind == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    def hear(self):
        """False when the server has hung up."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.answer += data
        return bool(data)

    def status(self):
        words = self.answer.split(None, 2)
        return words[1].decode() if len(words) > 1 else None


def tell(clients, left):
    answered = collections.Counter(
        c.status() for c in clients if c not in left and c.status())
    refused = sum(1 for c in clients if c not in left and not c.status())
    said = " ".join(f"{n}x{status}" for status, n in sorted(answered.items()))
    print(f"refused {refused}, answered {said or 'none'}, "
          f"still there {len(left)}", flush=True)


def listen(left, until):
    """Hears what the server says to those who listen, until that time."""
    ears = {} if not left or left[0].kind == "deaf" else {c.socket: c for c in left}
    while (pause := until - time.monotonic()) > 0:
        if not left or not ears:
            time.sleep(pause)
            continue
        for ear in select.select(list(ears), [], [], pause)[0]:
            client = ears[ear]
            if not client.hear():
                ears.pop(ear)
                left.remove(client)


def come_and_go(kind, port, count):
    clients = [Client(kind, port) for _ in range(count)]
    print("there", flush=True)
    while True:
        for i, client in enumerate(clients):
            client.hang_up()
            clients[i] = Client(kind, port)
        time.sleep(0.05)


def main():
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if kind in ("gone", "reset"):
        come_and_go(kind, port, count)
    clients = [Client(kind, port) for _ in range(count)]
    left = list(clients)
    print("there", flush=True)
    try:
        while left:
            for client in left:
                client.go_on()
            listen(left, time.monotonic() + (0.05 if kind == "long" else 1))
    finally:
        tell(clients, left)


main()
