# SPDX-License-Identifier: MulanPSL-2.0
"""A ccid in the lab: its configuration, its processes, its API."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import namespace, paths
from .errors import LabError

PORTS = (3000, 8000, 8800, 3080)


class Server:
    """One ccid with its own state below directory. Its log is directory/ccid.log, over all of its
    lives. srv: what it serves as /os and /initrd; lease: how long an address is."""

    def __init__(self, lab, directory, build=None, hold="45s", srv=paths.SRV, lease="1h"):
        self.lab = lab
        self.directory = directory
        self.srv = srv
        self.build = build
        self.hold = hold
        self.lease = lease
        self.process = None
        self.log = os.path.join(directory, "ccid.log")
        self.config = os.path.join(directory, "ccid.yaml")
        self.results = os.path.join(directory, "result")
        self.url = f"http://{lab.ADDRESS}:3000"
        os.makedirs(os.path.join(directory, "hosts.d"), exist_ok=True)
        for name in ("state", "result"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        self._write_config()

    def _write_config(self):
        for name in ("kernel", "upload-files"):
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        srv, own = namespace.bind(self.srv, "srv"), namespace.bind(self.directory, "own")
        tftp = namespace.bind(paths.TFTP, "tftp")
        roots = {"/os": f"{srv}/os", "/initrd": f"{srv}/initrd",
                 "/kernel": f"{own}/kernel", "/upload-files": f"{own}/upload-files"}
        files = "".join(f"  {url}: {path}\n" for url, path in roots.items())
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""\
listen:
  interfaces: [{self.lab.BRIDGE}]
  api: [3000]
  files: [8000, 8800]
  upload: [3080]
  workers: 2
state: {own}/state
results: {own}/result
results_free: 0
files:
{files}dhcp:
  mode: full
  subnets:
    - {{net: {self.lab.NETWORK}, range: {self.lab.RANGE}, lease: {self.lease}}}
tftp: {{root: {tftp}}}
boot:
  hold: {self.hold}
lab: lab1
hosts: {own}/hosts.d
api: {{open_to: [127.0.0.0/8, "::1", {self.lab.ADDRESS}/32]}}
""")

    def add_host(self, name, mac):
        """Writes a host file; before start, or followed by a reload."""
        with open(os.path.join(self.directory, "hosts.d", f"{name}.yaml"), "w",
                  encoding="utf-8") as file:
            file.write(f"mac_addr: [\"{mac}\"]\n")

    def start(self, timeout=20):
        """Starts ccid and waits until it is healthy."""
        program = paths.program("ccid", self.build)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise LabError(f"ccid exited {self.process.returncode}:\n{self.log_tail()}")
            try:
                with self.open("/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.02)
        raise LabError(f"ccid does not answer after {timeout} s:\n{self.log_tail()}")

    def reload(self, timeout=10):
        """SIGHUP, and until it was read."""
        with open(self.log, "rb") as file:
            before = file.read().count(b"reload")
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with open(self.log, "rb") as file:
                if file.read().count(b"reload") > before:
                    return
            time.sleep(0.02)
        raise LabError(f"ccid does not reload:\n{self.log_tail()}")

    def log_tail(self, lines=40):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(f"  | {line}" for line in file.readlines()[-lines:])

    # --- HTTP ---

    def open(self, path, data=None, method=None, headers=None, timeout=30):
        request = urllib.request.Request(self.url + path, data=data, method=method,
                                         headers=headers or {})
        return urllib.request.urlopen(request, timeout=timeout)

    def get(self, path, timeout=30):
        """GET of a JSON document."""
        with self.open(path, timeout=timeout) as answer:
            return json.load(answer)

    def submit(self, job):
        """Submits a job (YAML or JSON text); returns its id."""
        try:
            with self.open("/v1/jobs", job.encode(), "POST",
                           {"Content-Type": "application/yaml"}) as answer:
                return json.load(answer)["id"]
        except urllib.error.HTTPError as error:
            raise LabError(f"submit: {error.code} {error.read().decode()}") from None

    def job(self, job):
        return self.get(f"/v1/jobs/{job}")

    def events(self, job):
        """The events of a job so far, oldest first."""
        with self.open(f"/v1/jobs/{job}/events", headers={"Accept": "application/json"}) as answer:
            return parse_events(answer.read().decode())

    def wait_event(self, job, kind, timeout, name=None):
        """Waits for an event of the job (about the file called name, if given); returns it."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for event in self.events(job):
                if event["kind"] == kind and (name is None or name in json.dumps(event)):
                    return event
            time.sleep(0.02)
        raise LabError(f"no {kind} of job {job} in {timeout} s; seen: "
                       f"{[e['kind'] for e in self.events(job)]}\n{self.log_tail()}")

    def wait_job(self, job, timeout, states=("finished", "cancelled", "timeout", "error", "expired",
                                             "skipped")):
        """Waits until the job is in one of states; returns its document. A server that is away for
        a while is no failure."""
        end = time.monotonic() + timeout
        document = None
        while time.monotonic() < end:
            try:
                document = self.job(job)
                if document["state"] in states:
                    return document
            except OSError:
                pass
            time.sleep(0.1)
        raise LabError(f"job {job} not {'/'.join(states)} after {timeout} s: {document}\n"
                       f"{self.log_tail()}")

    def result_path(self, document):
        """The directory of a job's results on this machine."""
        return os.path.join(self.results, document["result_root"].split("/result/", 1)[1])

    # --- its processes ---

    def pids(self):
        """Main and workers: every living process that runs our ccid."""
        program = os.path.realpath(paths.program("ccid", self.build))
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/exe") == program:
                    found.append(int(entry))
            except OSError:
                pass        # ended, or a zombie
        return sorted(found)

    def kill(self):
        """SIGKILL of main: the workers must go by themselves, and the ports be free. Returns the
        seconds until all were gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        begin = time.monotonic()
        while self.pids():
            if time.monotonic() - begin > 5:
                raise LabError(f"ccid was killed, but {self.pids()} still run")
            time.sleep(0.01)
        gone = time.monotonic() - begin
        for port in PORTS:
            check_free(self.lab.ADDRESS, port)
        return gone

    def stop(self, timeout=15):
        """SIGTERM; a clean end is expected."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise LabError(f"ccid did not stop in {timeout} s:\n{self.log_tail()}") from None
        if status != 0:
            raise LabError(f"ccid ended with {status} on SIGTERM:\n{self.log_tail()}")

    def sanitizer_reports(self):
        """What a sanitizer build complained about."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return re.findall(r"^.*(?:ERROR: \w+Sanitizer|runtime error:).*$",
                              file.read(), re.MULTILINE)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.process is not None:
            self.process.kill()


def parse_events(text):
    """Events as a list: from a JSON document, or JSON lines."""
    try:
        document = json.loads(text)
        return document["events"] if isinstance(document, dict) else document
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def check_free(address, port):
    """Raises LabError unless a new server could listen there."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
            sock.listen()
        except OSError as error:
            raise LabError(f"port {port} is not free: {error.strerror}") from None


def fresh(directory):
    """An empty directory of this name."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    return directory
