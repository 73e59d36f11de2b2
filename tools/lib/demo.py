# SPDX-License-Identifier: MulanPSL-2.0
"""The body of tools/demo: one boot, firmware PXE → iPXE → kernel → root → lkp-bootstrap → job.

What is shown comes from the server's events, as any user of the API could show it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))

from lab import Lab, LabError, Machine, Server  # noqa: E402
from lab import accel, namespace, paths  # noqa: E402
from lab.server import fresh  # noqa: E402

HOST = "vm-2p8g-1"
JOB = """\
suite: hello
testbox: vm-2p8g
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: {os_mount}
runtime: 60
script: |
  echo "Hello from $(uname -n), $(uname -sr)"
  cat /proc/cmdline
  grep " / " /proc/mounts
  grep MemTotal /proc/meminfo
"""

# Event → how far the boot is (per cent, by what the stages usually take), and its words.
STAGES = {
    "dhcp.discover": (10, "firmware asks for an address"),
    "dhcp.ack": (12, "an address is leased"),
    "tftp.start": (13, None),
    "tftp.done": (14, None),
    "ipxe.dhcp": (20, "iPXE asks for an address"),
    "ipxe.script": (24, "iPXE reads boot.ipxe"),
    "boot.request": (25, "the machine asks what to boot"),
    "boot.hold": (25, "no job yet: held"),
    "boot.offer": (26, "a job is offered"),
    "file.start": (28, None),
    "file.done": (40, None),
    "initramfs.start": (45, "the initramfs begins"),
    "initramfs.root": (55, "the root image is there"),
    "initramfs.overlay": (56, "an overlay stands on it"),
    "initramfs.switch": (60, "the initramfs hands over"),
    "agent.hello": (75, "lkp-bootstrap says hello"),
    "job.setup": (80, "the job is set up"),
    "job.running": (85, "the job runs"),
    "job.post": (90, "the job has run"),
    "upload.start": (92, None),
    "upload.done": (95, None),
    "job.finished": (100, "the job is finished"),
}


class Progress:
    """Stages as lines; on a terminal, a bar below them."""

    WIDTH = 40

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.begin = time.monotonic()
        self.percent = 0
        self.lock = threading.Lock()

    def _bar(self):
        if not self.terminal:
            return
        done = self.percent * self.WIDTH // 100
        sys.stdout.write(f"\r\x1b[K  [{'#' * done}{'.' * (self.WIDTH - done)}] "
                         f"{self.percent:3d} %  {time.monotonic() - self.begin:5.1f} s")
        sys.stdout.flush()

    def line(self, text):
        with self.lock:
            if self.terminal:
                sys.stdout.write("\r\x1b[K")
            print(f"  {time.monotonic() - self.begin:6.1f} s  {text}", flush=True)
            self._bar()

    def stage(self, kind, words):
        percent = STAGES[kind][0]
        self.percent = max(self.percent, percent)
        self.line(f"{kind:17s} {words}")

    def tick(self):
        with self.lock:
            self._bar()

    def close(self):
        with self.lock:
            if self.terminal:
                sys.stdout.write("\r\x1b[K")
                sys.stdout.flush()


def event_words(event):
    """One line about an event, or None for those that a reader does not need."""
    kind = event["kind"]
    if kind not in STAGES:
        return None
    fields = event.get("fields") or {}
    words = STAGES[kind][1]
    name = os.path.basename(fields.get("file") or "")
    if words is not None:
        return f"{words}: {name}" if name else words
    size, seconds = fields.get("bytes"), fields.get("seconds")
    if not kind.endswith(".done") or size is None:
        return name or None
    if size < 1e6:
        return f"{name}: {size / 1e3:.1f} kB"
    rate = f", {size / 1e6 / seconds:.0f} MB/s" if seconds else ""
    return f"{name}: {size / 1e6:.1f} MB{rate}"


def follow(server, progress, stop):
    """Reads the stream of events until stop is set; begins again after a break."""
    last = None
    while not stop.is_set():
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = last
        request = urllib.request.Request(server.url + "/v1/events", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as stream:
                for raw in stream:
                    line = raw.decode("utf-8", "replace").rstrip("\r\n")
                    if line.startswith("id:"):
                        last = line[3:].strip()
                    elif line.startswith("data:"):
                        show(json.loads(line[5:]), progress)
                    if stop.is_set():
                        return
        except (OSError, ValueError):
            stop.wait(0.3)


def show(event, progress):
    words = event_words(event)
    if words:
        progress.stage(event["kind"], words)


def cci(server, *argv, check=True):
    """Runs the user's command; returns what it wrote and its exit status."""
    env = {**os.environ, "CCI_SERVER": server.url}
    done = subprocess.run([paths.program("cci", paths.RELEASE), *argv], env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if check and done.returncode != 0:
        raise LabError(f"cci {' '.join(argv)} ended with {done.returncode}")
    return done.stdout, done.returncode


def heading(text):
    print(f"\n== {text}", flush=True)


def boot_once(options, directory, outside):
    """The lab, the boot and the job; returns the exit status."""
    heading("lab: a network namespace, ccid, one virtual machine")
    lab = Lab()
    server = Server(lab, directory, build=paths.RELEASE)
    machine = Machine(lab, directory, options.firmware, name=HOST, memory=options.memory)
    server.add_host(HOST, machine.mac)
    with server.start():
        job_file = os.path.join(directory, "hello.yaml")
        with open(job_file, "w", encoding="utf-8") as file:
            file.write(JOB.replace("{os_mount}", options.os_mount))
        print(f"  job file {os.path.relpath(job_file)}; look inside with: "
              f"nsenter -t {outside} -n", flush=True)
        out, _ = cci(server, "submit", job_file)
        match = re.search(r"[\w-]+\.\d+", out)
        if not match:
            raise LabError(f"cci submit printed no job id: {out!r}")
        job = match.group(0)
        heading(f"cci submit hello.yaml: job {job}; power on ({options.firmware}, "
                f"{accel.choose()[1].split(',')[0]})")
        progress = Progress()
        with machine:
            document = watch(server, machine, job, progress, options.timeout)
            result = tell_result(server, job, document)
            try:
                machine.wait_end(60)        # it reboots; the demo's machine then stays off
            except LabError as error:
                print(error, file=sys.stderr)
                result = result or 2
        return result


def watch(server, machine, job, progress, timeout):
    """Powers on and shows the stages until the job has ended; returns its document."""
    stop = threading.Event()
    reader = threading.Thread(target=follow, args=(server, progress, stop), daemon=True)
    reader.start()
    machine.start()
    end = time.monotonic() + timeout
    try:
        while time.monotonic() < end:
            document = server.job(job)
            if document["state"] not in ("waiting", "queued", "active"):
                time.sleep(0.3)             # let the last events be shown
                return document
            if not machine.running():
                raise LabError(f"the machine ended before the job; its console:\n{machine.tail()}")
            progress.tick()
            time.sleep(0.25)
    finally:
        stop.set()
        progress.close()
    raise LabError(f"the job did not end in {timeout} s: {document}\n"
                   f"console:\n{machine.tail()}\nccid:\n{server.log_tail()}")


def tell_result(server, job, document):
    """Prints output and timeline; returns the exit status of cci wait."""
    heading(f"cci log {job}")
    print(cci(server, "log", job, check=False)[0].rstrip())
    heading(f"cci boot {job}")
    print(cci(server, "boot", job, check=False)[0].rstrip())
    heading("result")
    out, status = cci(server, "wait", job, check=False)
    print(out.rstrip())
    print(f"job {job}: {document['state']}, verdict {document.get('verdict')}; results in "
          f"{os.path.relpath(server.result_path(document))}", flush=True)
    return status


def parse():
    parser = argparse.ArgumentParser(
        prog="demo", description="Installs what is missing, builds, starts a lab in a network "
        "namespace, boots a virtual machine through firmware PXE, iPXE, kernel and root into a "
        "job, shows its progress, output and timeline. Safe to repeat; leaves build-release and "
        ".cache behind, nothing else.",
        epilog="exit status: 0 the job passed, 1 it failed or something did not come up, 2 usage; "
        "others as cci wait")
    parser.add_argument("--firmware", choices=["uefi", "bios"], default="uefi",
                        help="OVMF with its own PXE, or SeaBIOS with iPXE in its card (uefi)")
    parser.add_argument("--os-mount", choices=["initramfs", "http"], default="initramfs",
                        help="how the root comes: unpacked into memory, or as a squashfs over HTTP "
                        "below an overlay (initramfs)")
    parser.add_argument("--web", action="store_true", help="keep the lab for its web page")
    parser.add_argument("--memory", type=int, default=1024, metavar="MIB",
                        help="of the machine (1024)")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS",
                        help="until the job has ended (600)")
    options = parser.parse_args()
    if options.web:
        parser.error("--web: there is no web page yet")
    return options


def main():
    options = parse()
    try:
        namespace.probe()
        heading("build")
        paths.build_release()
        heading("what the machine boots")
        paths.prepare(lambda text: print(f"  {text}", flush=True))
        accel.choose()
        directory = fresh(os.path.join(paths.RELEASE, "demo"))
        outside = namespace.enter()
        return boot_once(options, directory, outside)
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
