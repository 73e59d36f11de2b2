#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""ccid as lkp-tests sees it: its reports by curl, GNU wget and busybox wget, one connection a request,
with queries as they are written there; and where Compass-CI's own server has a defect, ours has none.
The numbers are those of the list of such defects in docs/compass-ci.md."""

import http.client
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from test_machine import API, MAC, UPLOAD, Ccid, Machine, ask, get, run  # noqa: E402

from lab import namespace, tap  # noqa: E402
from lab.tap import equal  # noqa: E402

CGI = "/~lkp/cgi-bin"
STRANGER = "127.0.0.9"

# As lkp's own submit sends it: nulls, nested lists, lines in a line, under a type that it is not.
SUBMIT = {
    "#! jobs/hello.yaml": None, "suite": "hello", "testbox": "box", "tbox_group": "box",
    "os": "debian", "os_arch": "x86_64", "os_version": "bookworm", "os_mount": "initramfs",
    "my_email": "a@b.c", "my_name": "a", "my_token": "t", "my_account": "a", "timeout": 3600,
    "monitors": None, "kmsg": None, "SCHED_PORT": 3000, "runtime": 60,
    "need_kconfig": [{"A": "y"}, "B"], "pp": {"hello": {"nr": 1}},
    "job2sh": {"run_job": ["run_job()", "{", None, "\techo hello", "}\n\n"],
               "extract_stats": ["extract_stats()", ["{", ["\ttrue", None]], "}"],
               "define_files": ["define_files()", "{", "\ttrue", "}"]},
}

CLIENTS = {
    "curl": ["curl", "-sS", "--fail"],
    "wget": ["wget", "-q", "-O", "-"],
    "busybox wget": ["busybox", "wget", "-q", "-O", "-"],
}


def url(path, port=API):
    return f"http://127.0.0.1:{port}{path}"


def status(*argv):
    return int(run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *argv))


def submit():
    answer = json.loads(run("curl", "-sS", "-H", "Content-Type: application/x-www-form-urlencoded",
                            "--data-binary", json.dumps(SUBMIT), url("/submit_job")))
    equal(sorted(answer[0]), ["job_id", "job_state", "message", "result_root"])
    equal(answer[0]["message"], "")
    assert answer[0]["result_root"].startswith("/srv/result/hello/"), answer
    return answer[0]["job_id"]


def begin(machine):
    """A job that its machine has loaded."""
    job = submit()
    files = machine.load(machine.boot())
    return job, files


def attempt(job):
    return get(f"/v1/jobs/{job}")["attempts"][-1]


def report(client, job, what):
    return run(*CLIENTS[client], url(f"{CGI}/{what}&job_id={job}"))


def check_client(t, client, machine):
    with t.check(f"{client}: a whole run, request by request"):
        job, files = begin(machine)
        assert "job.cgz" in files, sorted(files)
        equal(report(client, job, "lkp-wtmp?tbox_name=box&tbox_state=running"
                     f"&mac={MAC.replace('-', ':')}&ip=127.0.0.1"), b"Done")
        equal(attempt(job)["state"], "setup")
        equal(report(client, job, "lkp-jobfile-append-var?job_file=/lkp/scheduled/job.yaml"
                     "&job_state=running"), b"Done")
        equal(attempt(job)["state"], "running")
        equal(report(client, job, "set-job-stage?job_stage=running&timeout=500"), b"Done")
        assert 480 <= attempt(job)["deadline"] <= 500, attempt(job)
        equal(run(*CLIENTS[client], url("/get_deadline?testbox=box"))[:2], b"49")
        equal(report(client, job, "lkp-jobfile-append-var?job_file=/lkp/scheduled/job.yaml"
                     "&job_state=post_run"), b"Done")
        load = "3.45%201.65%200.64%201/65%20407" if client == "curl" else "3.45 1.65 0.64 1/65 407"
        equal(report(client, job, f"lkp-jobfile-append-var?job_file=/a:b=c,d&loadavg={load}"
                     "&start_time=1795353322&end_time=1795353331&&"), b"Done")
        equal(report(client, job, "report_ssh_port?tbox_name=box&ssh_port=21000"), b"Done")
        equal(report(client, job, "lkp-jobfile-append-var?job_state=failed"), b"Done")
        equal(report(client, job, "lkp-post-run?job_file=/lkp/scheduled/job.yaml").strip(),
              b'"success"')
        equal(report(client, job, "lkp-wtmp?tbox_name=box&tbox_state=rebooting"), b"Done")
        document = get(f"/v1/jobs/{job}")
        equal([document["state"], document["verdict"]], ["finished", "fail"])


def check_upload(t, machine, directory):
    job, _ = begin(machine)
    root = get(f"/v1/jobs/{job}")["result_root"]
    source = os.path.join(directory, "boot-time")
    with open(source, "wb") as file:
        file.write(b"10.2 20.3\n")
    cookie = ["-H", f"Cookie: JOBID={job}"]

    def put(path, *more):
        return status(*cookie, "-H", "Expect: 100-continue", "-T", source, url(path, UPLOAD), *more)
    with t.check("PUT with a cookie and Expect, MKCOL, by curl's naming, in chunks"):
        equal(put(f"{root}/"), 201)
        equal(put(f"{root}/"), 201)                     # said again
        equal(status(*cookie, "-X", "MKCOL", url(f"{root}/sub/", UPLOAD)), 201)
        equal(status(*cookie, "-X", "MKCOL", url(f"{root}/sub/", UPLOAD)), 405)
        equal(put(f"{root}/sub/x"), 201)
        equal(put(f"{root}/made/on/the/way"), 201)      # parents that nobody made
        equal(put(f"{root}/a%25b"), 201)
        run("sh", "-c", f"curl -sSf -T - -H 'Cookie: JOBID={job}' {url(root, UPLOAD)}/stdout <{source}")
        for name in ("boot-time", "sub/x", "made/on/the/way", "a%b", "stdout"):
            with open(f"{directory}{root}/{name}", "rb") as file:
                equal(file.read(), b"10.2 20.3\n", name)
    with t.check("8: an upload is the job's machine's alone, below its own directory, by prefix"):
        equal(put(f"{root}x/f"), 403)
        equal(put(f"/result/other{root}/f"), 403)
        equal(put(f"{root}/f", "--interface", STRANGER), 403)
        equal(status("-T", source, url(f"{root}/f", UPLOAD)), 403)
    with t.check("8: a stranger neither judges a job nor ends it, and reads no file of the server"):
        for what in ("lkp-jobfile-append-var?job_state=failed", "lkp-post-run?x=y",
                     "set-job-stage?job_stage=running&timeout=9", "report-job-step?job_step=a"):
            equal(status("--interface", STRANGER, url(f"{CGI}/{what}&job_id={job}")), 403, what)
        equal(status("--interface", STRANGER, url(f"/job_initrd_tmpfs/{job}/job.cgz")), 403)
        equal(status("--interface", STRANGER, url(f"/renew_deadline?time=9&job_id={job}")), 403)
        equal(attempt(job)["state"], "booting")
        equal(status(url("/download?path=/etc/passwd")), 404)
        metrics = run("curl", "-sS", url("/metrics")).decode()
        foreign = [line for line in metrics.splitlines() if line.startswith("cci_api_foreign_total")]
        assert foreign and int(foreign[0].split()[1]) >= 6, foreign
    with t.check("24: a disturbed job, whose client sends no lkp-post-run, ends as its machine reboots"):
        report("curl", job, "lkp-jobfile-append-var?job_state=running")
        report("curl", job, "lkp-jobfile-append-var?job_state=disturbed")
        report("curl", job, "lkp-wtmp?tbox_state=rebooting")
        document = get(f"/v1/jobs/{job}")
        equal([document["state"], document["cause"]], ["finished", "disturbed"])
    with t.check("8: the right to upload ends with the job"):
        equal(put(f"{root}/late"), 403)


def check_defects(t, ccid, machine):
    with t.check("3: job.cgz is there again for iPXE's next try, and after ccid was killed"):
        job, files = begin(machine)
        again = run("wget", "-q", "-O", "-", url(f"/job_initrd_tmpfs/{job}/job.cgz"))
        equal(again, files["job.cgz"])
        ccid.kill()
        equal(run("wget", "-q", "-O", "-", url(f"/job_initrd_tmpfs/{job}/job.cgz")), again)
    with t.check("3: the machine asks again before it has begun: the same job, not the next one"):
        other = submit()
        script = machine.boot()
        # its kernel was fetched, but nothing has run: still the same attempt, or a new one of it
        assert f"/{job}/job.cgz" in script and f"/{other}/" not in script, script
    with t.check("26: a stage without its time is no error, and keeps who looks at it logged in"):
        report("curl", job, "lkp-jobfile-append-var?job_state=running")
        report("curl", job, "lkp-jobfile-append-var?job_state=post_run")
        equal(report("wget", job, "set-job-stage?job_stage=on_fail&timeout="), b"Done")
        assert attempt(job)["deadline"] > 35900, attempt(job)
    with t.check("a report without its job, or of one that is none, is answered like any"):
        for what in ("lkp-wtmp?tbox_state=running", "lkp-post-run?job_id=", "set-job-stage?job_id=x.1",
                     "lkp-jobfile-append-var?job_id=lab1.999&job_state=running",
                     "lkp-jobfile-append-var"):
            equal(status(url(f"{CGI}/{what}")), 200, what)
    with t.check("25, F12: what could not start is no result: load_disk_fail, reboot, tried again"):
        report("curl", job, "lkp-post-run?a=b")
        machine.load(machine.boot())
        report("busybox wget", other, "lkp-jobfile-append-var?job_state=load_disk_fail")
        report("busybox wget", other, "lkp-wtmp?tbox_state=rebooting")
        document = get(f"/v1/jobs/{other}")
        equal([document["state"], document["attempts"][0]["cause"]], ["queued", "load_disk_fail"])
    with t.check("cancel, in Compass-CI's shape, also of what runs"):
        answer = json.loads(run("curl", "-sS", "-d", json.dumps({"my_account": "a", "job_ids": [other]}),
                                url("/scheduler/cancel_jobs")))
        equal(answer["results"][0]["result"], "success")


def check_scripts(t, machine):
    """Defects of what a machine is told to boot."""
    with t.check("1: every line of every script that may fail is followed by a wait and a new try"):
        first = run("curl", "-sS", url("/boot.ipxe")).decode()
        assert " || " in first and "\nsleep " in first and "\ngoto again" in first, first
        equal(ask("PUT", "/v1/hosts/box", json.dumps({"rootfs_disk": ["/dev/vda", "/dev/vdb"]}))[0],
              200)
        job = submit()
        script = machine.boot()
        for line in script.splitlines():
            if line.split(" ")[0] in ("kernel", "initrd", "boot", "chain"):
                assert line.endswith(" || goto retry"), line
        retry = script.split("\n:retry\n")[1]
        assert "\nsleep " in retry and "\nchain " in retry, retry
    with t.check("5: disks are joined as they are split, by a comma, and no key is without a value"):
        line = next(line for line in script.splitlines() if line.startswith("kernel "))
        assert " rootfs_disk=/dev/vda,/dev/vdb " in line, line
        equal([word for word in line.split(" ") if word.endswith("=")], [])
    with t.check("7: a failing initramfs tells so: the attempt ends, the job pauses and counts it"):
        machine.take_job(machine.load(script)["job.cgz"])
        answer = ask("POST", f"/v1/attempts/{machine.attempt['attempt']}/report",
                     "stage=root&step=fetch&cause=absent&detail=404&uptime_ms=9000",
                     {"Authorization": f"Bearer {machine.attempt['token']}"})
        equal(answer[0], 200)
        equal([attempt(job)["state"], attempt(job)["cause"]], ["infra", "root.fetch.absent"])
        equal(get(f"/v1/jobs/{job}")["state"], "queued")
        script = run("curl", "-sS", url(f"/boot.ipxe/mac/{MAC}")).decode()
        assert "No job now" in script, script       # not the same failure again at once
        equal(ask("POST", f"/v1/jobs/{job}/cancel")[0], 200)


def check_kexec(t):
    with t.check("6: who asks for the next job for kexec is held like others, and no cluster hangs"):
        begin_at = time.monotonic()
        body = run("curl", "-sS", url(f"{CGI}/gpxelinux.cgi?mac={MAC}")).decode()
        assert "No job now" in body and time.monotonic() - begin_at > 1, body
        equal(run("curl", "-sS", url(f"{CGI}/lkp-cluster-sync?state=wait&job_id=lab1.1")).strip(),
              b"abort")
    with t.check("9: many reports go over one connection, and none of them is slow"):
        connection = http.client.HTTPConnection("127.0.0.1", API, timeout=10)
        connection.connect()
        first, slowest = connection.sock, 0.0
        for number in range(200):
            begin_at = time.monotonic()
            connection.request("GET", f"{CGI}/lkp-wtmp?tbox_name=box&tbox_state=n{number}")
            answer = connection.getresponse()
            equal([answer.status, answer.read()], [200, b"Done"])
            slowest = max(slowest, time.monotonic() - begin_at)
            assert connection.sock is first, "the connection was closed"
        connection.close()
        t.note(f"the slowest of 200 reports took {slowest * 1000:.1f} ms")
        assert slowest < 1, slowest


def check_idle(t):
    with t.check("2, 4: a machine nobody knows, and one without work, get a script that waits, no 500"):
        sock = socket.create_connection(("127.0.0.1", API))
        sock.sendall(b"GET /boot.ipxe/mac/52:54:00:AA:BB:CC?x=y HTTP/1.1\r\nHost: a\r\n\r\n")
        text = b""
        sock.settimeout(30)
        while b"chain" not in text:
            piece = sock.recv(65536)
            assert piece, text
            text += piece
        sock.close()
        assert text.startswith(b"HTTP/1.1 200") and b"#!ipxe" in text, text
        assert b"No job now" in text and b"sleep" in text, text
        equal(status(url("/v1/hosts/sched-lab1-52-54-00-aa-bb-cc")), 200)
    with t.check("registration, as its tools do it"):
        for method, path in (("PUT", "/set_host_mac?hostname=h1&mac=52-54-00-00-00-01"),
                             ("PUT", "/set_host2queues?host=h1&queues=a,b"),
                             ("PUT", "/del_host2queues?host=h1"),
                             ("PUT", "/scheduler/del_host_mac?mac=52-54-00-00-00-01")):
            equal(run("curl", "-sS", "-X", method, url(path)), b"Done", path)
        equal(json.loads(run("curl", "-sS", url("/get_testbox?testbox=h1")))["name"], "h1")
        equal(ask("GET", "/")[2][:24], b"LKP Alive! The time is 2")


def body(t):
    namespace.probe()
    directory = tempfile.mkdtemp(prefix="cci-compass-")
    try:
        namespace.enter()
        run("ip", "link", "set", "lo", "up")
        ccid = Ccid(sys.argv[1], directory)
        # a strange address may read, and report what is its own: it administers nothing
        with open(os.path.join(directory, "ccid.yaml"), "a", encoding="utf-8") as file:
            file.write("api: {open_to: [127.0.0.1]}\nboot: {hold: 2s}\n")
        try:
            ccid.start()
            equal(ask("PUT", f"/set_host_mac?hostname=box&mac={MAC}")[0], 200)
            machine = Machine(directory)
            for client in CLIENTS:
                check_client(t, client, machine)
            check_upload(t, machine, directory)
            check_defects(t, ccid, machine)
            check_scripts(t, machine)
            check_kexec(t)
            check_idle(t)
            with t.check("a clean end"):
                ccid.process.send_signal(signal.SIGTERM)
                equal(ccid.process.wait(timeout=20), 0)
        finally:
            if ccid.process.poll() is None:
                ccid.process.kill()
                ccid.process.wait()
            if t.n_failed:
                with open(ccid.log, encoding="utf-8") as log:
                    t.note(log.read()[-3000:])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    tap.main(body)
