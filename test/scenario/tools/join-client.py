#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger at the head's door: speaks the join protocol, and lies in it.

usage: join-client.py HOST PORT TOKEN [OPTION]...
       join-client.py --forge pin|secret|id TOKEN
       join-client.py --listen PORT FILE
       join-client.py --relay PORT FILE HOST PORT
       join-client.py --replay FILE HOST PORT

  --set PATH=JSON   another value in the hello: inventory.cpus=99999
  --raw TEXT        send this instead of a hello
  --repeat N        so many times, each on a connection of its own
  --key FILE        certificate and key to show (openssl makes one else)

Prints what the head answers, a line a message. --forge prints the token with that
piece of it made anew, well formed. --listen plays the man in the middle: it takes
TLS on PORT with a key of its own and writes what it hears in messages to FILE.
--relay passes one connection on as it is and keeps the bytes of the client in FILE;
--replay sends them again, and prints how many bytes came back until the end.
"""
import base64
import json
import os
import secrets
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def checksum(text):
    weights = ((LETTERS.find(c) + 1) * (2 * i + 1) for i, c in enumerate(text))
    return LETTERS[sum(weights) % 32]


def encode(raw):
    return base64.b32encode(raw).decode().rstrip("=").lower()


def forge(piece, token):
    prefix, pin, ident, secret = token[:-1].lower().split("-")
    if piece == "pin":
        pin = encode(secrets.token_bytes(32))
    elif piece == "secret":
        secret = encode(secrets.token_bytes(16))
    else:
        ident = "".join(secrets.choice(LETTERS) for _ in range(6))
    text = "-".join((prefix, pin, ident, secret))
    return "GW" + text[2:] + checksum(text)


def make_key():
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stranger",
         "-keyout", path, "-out", path + ".crt"],
        check=True, capture_output=True)
    with open(path, "a") as both, open(path + ".crt") as certificate:
        both.write(certificate.read())
    return path


def hello(token):
    _, _, ident, secret = token[:-1].lower().split("-")
    raw = base64.b32decode(secret.upper() + "======")
    return {
        "type": "hello", "protocol": 1, "token": ident,
        "secret": base64.b64encode(raw).decode(), "name": "", "host": "stranger",
        "version": "0.1.0", "slurm": int(os.environ.get("SLURM_NUMBER", 0x160508)),
        "clock_ns": time.time_ns(), "nonce": "a" * 32,
        "slurmd_port": 6818, "srun_port": 60001,
        "inventory": {
            "cpus": 4, "sockets": 1, "cores_per_socket": 4, "threads_per_core": 1,
            "cpus_limited": False, "machine_memory_mb": 8000, "memory_mb": 7000,
            "memory_limited": False, "cgroup_visible": True, "gpu_source": "none",
            "gpu_note": "", "gpus": [],
        },
    }


def change(message, assignment):
    path, value = assignment.split("=", 1)
    *way, last = path.split(".")
    for step in way:
        message = message[step]
    message[last] = json.loads(value)


def read_answers(tls):
    received = b""
    while True:
        try:
            piece = tls.recv(65536)
        except (ssl.SSLError, OSError):
            piece = b""
        received += piece
        while len(received) >= 4:
            size = struct.unpack(">I", received[:4])[0]
            if len(received) < 4 + size:
                break
            answer = json.loads(received[4:4 + size])
            print(answer.get("type"), answer.get("text", ""), flush=True)
            received = received[4 + size:]
        if not piece:
            return


def talk(host, port, key, body):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(key)
    try:
        with socket.create_connection((host, port), timeout=10) as tcp, \
                context.wrap_socket(tcp) as tls:
            tls.sendall(struct.pack(">I", len(body)) + body)
            read_answers(tls)
    except (ssl.SSLError, OSError) as error:
        print("closed", error, flush=True)


def listen(port, path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_key())
    server = socket.create_server(("", port))
    with open(path, "wb", buffering=0) as heard:
        while True:
            tcp, _ = server.accept()
            try:
                with context.wrap_socket(tcp, server_side=True) as tls:
                    while piece := tls.recv(65536):
                        heard.write(piece)
            except (ssl.SSLError, OSError) as error:
                print("closed", error, flush=True)


def pump(source, target, keep=None):
    try:
        while piece := source.recv(65536):
            if keep:
                keep.write(piece)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(port, path, host, head_port):
    client, _ = socket.create_server(("127.0.0.1", port)).accept()
    head = socket.create_connection((host, head_port))
    with open(path, "wb", buffering=0) as keep:
        threading.Thread(target=pump, args=(head, client), daemon=True).start()
        pump(client, head, keep)


def replay(path, host, port):
    back = 0
    with socket.create_connection((host, port), timeout=10) as head:
        try:
            head.sendall(open(path, "rb").read())
            while piece := head.recv(65536):
                back += len(piece)
        except OSError as error:
            print(error)
    print("bytes that came back:", back)


def main(words):
    if words[0] == "--forge":
        print(forge(words[1], words[2]))
        return
    if words[0] == "--listen":
        listen(int(words[1]), words[2])
    if words[0] == "--relay":
        relay(int(words[1]), words[2], words[3], int(words[4]))
        return
    if words[0] == "--replay":
        replay(words[1], words[2], int(words[3]))
        return
    host, port, token, *options = words
    message, repeat, raw, key = hello(token), 1, None, None
    for name, value in zip(options[::2], options[1::2]):
        if name == "--set":
            change(message, value)
        elif name == "--repeat":
            repeat = int(value)
        elif name == "--raw":
            raw = value
        elif name == "--key":
            key = value
        else:
            sys.exit(__doc__)
    body = (raw if raw is not None else json.dumps(message)).encode()
    key = key or make_key()
    for _ in range(repeat):
        talk(host, int(port), key, body)


main(sys.argv[1:])
