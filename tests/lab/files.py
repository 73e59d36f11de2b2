# SPDX-License-Identifier: MulanPSL-2.0
"""A web server with one image, for guests whose network is qemu's own."""

import http.server
import os
import shutil
import threading
import urllib.parse

GATEWAY = "10.0.2.2"    # what such a guest calls this side's loopback


class Files(http.server.ThreadingHTTPServer):
    """An image at /root.img, anything else 404; remembers what was asked and what was posted."""

    daemon_threads = True

    def __init__(self, image, address=GATEWAY, listen="127.0.0.1", tls=None):
        """tls: a server's ssl.SSLContext; then it speaks https."""
        self.image, self.asked, self.posted = image, [], []
        super().__init__((listen, 0), _Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://{address}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reports(self):
        """The posted forms that tell of a failure, as dictionaries."""
        return [{key: values[-1] for key, values in form.items()} for path, form in self.posted
                if path.endswith("/report") and "cause" in form]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path != "/root.img":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(os.path.getsize(self.server.image)))
        self.end_headers()
        with open(self.server.image, "rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.posted.append((self.path, urllib.parse.parse_qs(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass
