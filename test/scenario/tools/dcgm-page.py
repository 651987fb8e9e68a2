#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dcgm-page.py PORT

Answers GET /ADDRESS on 127.0.0.1:PORT with the page of the GPU exporter at
ADDRESS:9400, less all that NVIDIA's dcgm-exporter does not have: the figures of the
GPUs stay, whose they are goes."""
import http.server
import sys
import urllib.request


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = f"http://{self.path.strip('/')}:9400/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().splitlines(keepends=True)
        body = b"".join(line for line in lines if line.startswith(b"DCGM_FI_"))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
