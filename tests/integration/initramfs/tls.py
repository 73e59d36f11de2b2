# SPDX-License-Identifier: MulanPSL-2.0
"""A server's own certificate, which stands for its authority's too."""

import ssl
import subprocess
import tempfile


class Tls:
    """context for the server, certificate (PEM) for who is to trust it."""

    def __init__(self, name="IP:127.0.0.1"):
        with tempfile.TemporaryDirectory(prefix="cci-tls-") as work:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=cci test", "-addext", f"subjectAltName={name}",
                            "-keyout", f"{work}/key", "-out", f"{work}/certificate"],
                           check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(f"{work}/certificate", f"{work}/key")
            with open(f"{work}/certificate", encoding="ascii") as file:
                self.certificate = file.read()
