#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""plain-proxy.py PORT BEHIND

Hands GET requests for 127.0.0.1:PORT to 127.0.0.1:BEHIND without their Accept
header, as a client would ask that knows the plain text format only."""
import http.client
import http.server
import sys


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        behind = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=10)
        behind.request("GET", self.path)
        answer = behind.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Proxy).serve_forever()
