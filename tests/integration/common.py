# SPDX-License-Identifier: MulanPSL-2.0
"""What the integration tests share: a lab that stands, and a job whose result is known."""

import hashlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from lab import Lab  # noqa: E402
from lab import namespace, paths  # noqa: E402
from lab.server import fresh  # noqa: E402
from lab.tap import equal  # noqa: E402

MIB = 1 << 20
RESULT_SIZE = 50 * MIB

# The result is made in the guest by seq, and here by ourselves: numbers, one a line.
FIRST = 1000000000
LINE = 11


def result_digest():
    digest = hashlib.sha256()
    left, number = RESULT_SIZE, FIRST
    while left:
        count = min(100000, -(-left // LINE))
        text = "".join(f"{n}\n" for n in range(number, number + count)).encode()[:left]
        digest.update(text)
        left -= len(text)
        number += count
    return digest.hexdigest()


def job(host, marks=("one", "two"), pause=0):
    """A job that prints known lines, rests if told to, and leaves 50 MiB of known content."""
    last = FIRST + RESULT_SIZE // LINE + 1
    return f"""\
suite: integration
testbox: {host}
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: initramfs
runtime: 300
script: |
  echo "mark {marks[0]}: job on $(uname -s)"
  sleep {pause}
  seq {FIRST} {last} | head -c {RESULT_SIZE} >"$RESULT_ROOT/blob"
  echo "mark {marks[1]}: $(wc -c <"$RESULT_ROOT/blob") bytes"
"""


def expected_output(marks=("one", "two")):
    return f"mark {marks[0]}: job on Linux\nmark {marks[1]}: {RESULT_SIZE} bytes\n"


def stand(tap, name, prepare=paths.prepare):
    """Everything a lab needs, and the lab; returns (lab, an empty directory of the test's own)."""
    namespace.probe()
    prepare(tap.note)
    directory = fresh(os.path.join(paths.BUILD, "integration", name))
    namespace.enter()
    return Lab(), directory


def check_result(server, document, digest):
    """The blob in the results tree is byte for byte what the job made."""
    path = os.path.join(server.result_path(document), "blob")
    equal(os.path.getsize(path), RESULT_SIZE, "size of the uploaded file")
    with open(path, "rb") as file:
        equal(hashlib.sha256(file.read()).hexdigest(), digest, "digest of the uploaded file")


def check_output(server, document, marks=("one", "two")):
    """The job's output, in the results tree and through the API, is what the script printed."""
    expected = expected_output(marks)
    with open(os.path.join(server.result_path(document), "output"), encoding="utf-8") as file:
        equal(file.read(), expected, "output in the results tree")
    with server.open(f"/v1/jobs/{document['id']}/log") as answer:
        equal(answer.read().decode(), expected, "output through the API")


def check_clean(server, machine):
    """The machine ended by itself, and ccid stops without a complaint."""
    machine.wait_end(90)
    equal(server.sanitizer_reports(), [], "reports of the sanitizers")


def cci(server, *argv):
    """The user's command, without a terminal: (exit status, standard output, standard error)."""
    done = subprocess.run([paths.program("cci"), *argv], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                          env={**os.environ, "CCI_SERVER": server.url}, check=False)
    return done.returncode, done.stdout, done.stderr
