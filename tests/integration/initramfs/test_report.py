#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""cci-init report: what the server is told of a boot that failed, and of one that did not."""

import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../.."))

from box import HTTPS, main, make_image, make_root, run, run_checks  # noqa: E402
from lab.tap import equal  # noqa: E402
from rig import Fetch, true  # noqa: E402
from tls import Tls  # noqa: E402


def attempt_of(server):
    return f"server={server.url}\njob=lab1.3\nattempt=17\ntoken=t0ken\nhost=vm\n"


def a_failure_is_reported(tap):
    with Fetch(404, retry=0) as f:
        f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
        f.fetch().must_fail("status")
        f.state.post_faults = [503]
        f.box.verb("report").must_do()
        equal(len(f.state.posts), 2, "tries")
        path, token, fields = f.state.posts[1]
        equal((path, token), ("/v1/attempts/17/report", "Bearer t0ken"), "where, and as whom")
        told = dict(fields)
        equal((told["stage"], told["step"], told["cause"]), ("initramfs", "fetch", "status"), "what")
        true("404 (not found)" in told["detail"] and int(told["uptime_ms"]) > 0, told)
        true("cci: fetch: " in told["journal"], "what fetch said is not in the journal")


def a_unit_that_systemd_failed_is_reported(tap):
    with Fetch() as f:
        f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
        f.box.verb("report").must_do()
        equal(dict(f.state.posts[0][2])["step"], "systemd", "step")


def a_report_without_an_attempt(tap):
    with Fetch() as f:
        run("ip", "link", "add", "cci0", "address", "52:54:00:12:34:56",
            "type", "veth", "peer", "cci1", "address", "52:54:00:12:34:57")
        run("mount", "-t", "sysfs", "sysfs", f.box.path("sys"))
        f.box.plan(kind="http", url=f"{f.server.url}/x", server=f.server.url)
        f.box.verb("report").must_do()
        path, token, _ = f.state.posts[0]
        true(path in [f"/v1/boots/52:54:00:12:34:5{end}/report" for end in "67"], path)
        equal(token, None, "token")
        true(len(dict(f.state.posts[0][2])["journal"]) > 0, "no journal")
        run("ip", "link", "del", "cci0")
    with Fetch() as f:
        said = f.box.verb("report").must_do().said
        true("nobody to report to" in said, said)


def a_report_that_is_refused(tap):
    with Fetch() as f:
        f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
        f.state.post_faults = [410]
        equal(f.box.verb("report").status, 1, "exit status")
        equal(len(f.state.posts), 1, "tries")


def prepare_root(f):
    """What the server of f has is an image that can be mounted, and the plan says so."""
    work = tempfile.mkdtemp(prefix="cci-image-")
    make_root(f"{work}/tree")
    make_image("squashfs", f"{work}/tree", f"{work}/image")
    with open(f"{work}/image", "rb") as file:
        f.state.data = file.read()
    shutil.rmtree(work)
    f.box.plan(kind="http", url=f"{f.server.url}/root.img", size=len(f.state.data))


def boot_well(f):
    """The verbs of a boot over HTTP, one after the other; returns the fields that it told."""
    prepare_root(f)
    f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
    for verb in ["fetch", "layers", "deploy"]:
        f.box.verb(verb).must_do()
    end = time.monotonic() + 5
    while not f.state.posts and time.monotonic() < end:
        time.sleep(0.02)
    return f.state.posts[0][2]


def a_good_boot_tells_its_stages(tap):
    with Fetch() as f:
        fields = boot_well(f)
        equal([v for k, v in fields if k == "stage"], ["start", "root", "overlay", "switch"], "stages")
        times = [int(v) for k, v in fields if k == "uptime_ms"]
        equal(times, sorted(times), "times")
        true("panic" not in dict(fields), "a panic that never was")


PANIC = {"dmesg-efi_pstore-170000000001001": "Panic#1 Part1\n<0>[9.2] Kernel panic - not syncing: x\n",
         "dmesg-efi_pstore-170000000002001": "Panic#1 Part2\n<4>[9.1] before\n",
         "dmesg-efi_pstore-170000000003001.enc.z": "not to be read",
         "console-ramoops-0": "not a dump"}


def with_panic(f):
    """An earlier kernel's dump; the host's own pstore is not seen."""
    run("mount", "-t", "tmpfs", "cci-pstore", f.box.path("sys/fs/pstore"))
    for name, text in PANIC.items():
        f.box.write(f"sys/fs/pstore/{name}", text)
        os.utime(f.box.path(f"sys/fs/pstore/{name}"), (1700000000, 1700000000))
    f.box.write("lkp/scheduled/attempt", attempt_of(f.server))


def left(f):
    return sorted(os.listdir(f.box.path("sys/fs/pstore")))


def a_panic_comes_with_a_failure(tap):
    with Fetch(404, retry=0) as f:
        with_panic(f)
        f.fetch().must_fail("status")
        f.state.post_faults = [503]
        f.box.verb("report").must_do()
        told = dict(f.state.posts[1][2])
        equal(told["panic"], "Panic, as the kernel saved it:\n<4>[9.1] before\n"
              "<0>[9.2] Kernel panic - not syncing: x\n", "panic")
        equal(left(f), sorted(n for n in PANIC if ".enc" in n or "console" in n), "what is left")


def a_panic_comes_with_the_stages(tap):
    with Fetch() as f:
        with_panic(f)
        true("not syncing: x" in dict(boot_well(f))["panic"], "the panic")
        equal(len(left(f)), 2, "what is left")


def a_panic_stays_until_it_is_taken(tap):
    with Fetch(404, retry=0) as f:
        with_panic(f)
        f.state.post_faults = [410]
        equal(f.box.verb("report").status, 1, "exit status")
        true("panic" in dict(f.state.posts[0][2]), "it was told")
        equal(left(f), sorted(PANIC), "what is left")


def a_large_panic_is_told_by_its_end(tap):
    with Fetch() as f:
        with_panic(f)
        f.box.write("sys/fs/pstore/dmesg-ramoops-0", "Panic#1 Part1\n" + 12000 * "words\n" + "the end\n")
        f.box.verb("report").must_do()
        panic = dict(f.state.posts[0][2])["panic"]
        true(48000 < len(panic) <= 48 << 10, len(panic))
        equal((panic[:6], panic[-8:]), ("words\n", "the end\n"), "begin, end")


def tls_failure(tap):
    with Fetch(404, retry=0, tls=Tls()) as f:
        f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
        f.fetch().must_fail("status")
        f.state.post_faults = [503]
        f.box.verb("report").must_do()
        equal(len(f.state.posts), 2, "tries")
        path, token, fields = f.state.posts[1]
        equal((path, token), ("/v1/attempts/17/report", "Bearer t0ken"), "where, and as whom")
        equal(dict(fields)["cause"], "status", "what")


def tls_stages(tap):
    with Fetch(tls=Tls()) as f:
        fields = boot_well(f)
        equal([v for k, v in fields if k == "stage"], ["start", "root", "overlay", "switch"], "stages")


def tls_stages_are_not_waited_for(tap):
    """A stranger is told nothing, and the boot goes on."""
    with Fetch(tls=Tls()) as f:
        f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
        prepare_root(f)
        f.fetch().must_do()
        f.box.write("etc/cci/ca.pem", Tls().certificate)
        begin = time.monotonic()
        for verb in ["layers", "deploy"]:
            f.box.verb(verb).must_do()
        true(time.monotonic() - begin < 10, "it took too long")
        equal(f.state.posts, [], "what was told")


def tls_report_to(f, why):
    """A report by https that cannot be made: no second try, and its words."""
    f.box.write("lkp/scheduled/attempt", attempt_of(f.server))
    begin = time.monotonic()
    result = f.box.verb("report")
    equal(result.status, 1, "exit status")
    true(why in result.said, result.said)
    true(time.monotonic() - begin < 10, "it was tried again and again")
    equal(f.state.posts, [], "what was told")
    return result


def tls_of_a_stranger(tap):
    with Fetch(tls=Tls()) as f:
        f.box.write("etc/cci/ca.pem", Tls().certificate)
        equal(tls_report_to(f, "certificate").cause, "tls", "cause")


def https_in_an_image_without(tap):
    with Fetch(tls=Tls()) as f:
        os.unlink(f.box.path("usr/bin/cci-init-https"))
        equal(tls_report_to(f, "build it with cci_https=yes").cause, "refused", "cause")


CHECKS = [
    ("a failure is reported, again after 503", a_failure_is_reported),
    ("a unit that systemd failed is reported", a_unit_that_systemd_failed_is_reported),
    ("a report without an attempt", a_report_without_an_attempt),
    ("a refused report is not repeated", a_report_that_is_refused),
    ("a good boot tells its stages", a_good_boot_tells_its_stages),
    ("a panic of an earlier kernel comes with a failure", a_panic_comes_with_a_failure),
    ("a panic comes with a good boot's stages", a_panic_comes_with_the_stages),
    ("a panic stays until the server has taken it", a_panic_stays_until_it_is_taken),
    ("a large panic is told by its end", a_large_panic_is_told_by_its_end),
    ("https: a failure is reported, again after 503", tls_failure),
    ("https: a good boot tells its stages", tls_stages),
    ("https: a stranger does not hold up a good boot", tls_stages_are_not_waited_for),
    ("https: a stranger is told nothing", tls_of_a_stranger),
    ("https: refused by name where it is not built in", https_in_an_image_without),
]

main(run_checks(CHECKS, lambda name: os.path.exists(HTTPS) or not name.startswith("https: ")))
