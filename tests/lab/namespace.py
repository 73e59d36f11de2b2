# SPDX-License-Identifier: MulanPSL-2.0
"""Network, mount and pid namespaces around the rest of this process.

They have no names: the kernel takes them away, with every process, device and mount in them, when
their first process ends, however it ends. So a failed, interrupted or killed test leaves nothing
behind, and no address, DHCP or ARP of the lab can reach the machine's own network.
"""

import ctypes
import os
import signal
import sys
import traceback

from .errors import NotPermitted

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
MS_BIND = 0x1000
MS_REC_PRIVATE = 0x4000 | 0x40000
PR_SET_PDEATHSIG = 1
_NEW = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID
SHOWN = "/mnt"      # exists everywhere; covered in our own mount namespace only

_libc = ctypes.CDLL(None, use_errno=True)
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise NotPermitted(f"{what}: {os.strerror(number)}")


def _mount(source, target, kind, flags):
    encode = [s.encode() if s else None for s in (source, target, kind)]
    _check(_libc.mount(*encode, ctypes.c_ulong(flags), None), f"mount {target}")


def bind(source, name):
    """Makes the directory source known under a short path of the lab's own, and returns that. ccid
    gives up all capabilities, also root's right to pass through others' directories: a tree in
    somebody's home would be closed to it."""
    target = f"{SHOWN}/{name}"
    if not os.path.ismount(SHOWN):
        _mount("lab", SHOWN, "tmpfs", MS_NOSUID_NODEV_NOEXEC)
        os.chmod(SHOWN, 0o755)
    os.makedirs(target, exist_ok=True)
    _mount(source, target, None, MS_BIND)
    return target


def _wait_for(child):
    """Waits for child, passing our signals to it and reaping others' orphans; returns its exit
    status."""
    def forward(number, _frame):
        try:
            os.kill(child, number)
        except ProcessLookupError:
            pass
    for number in _FORWARDED:
        signal.signal(number, forward)
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _leave(status):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if status >= 0 else 128 - status)


def probe():
    """Raises NotPermitted unless enter() would work; changes nothing."""
    if os.geteuid() != 0:
        raise NotPermitted("must be root to make a network namespace")
    if not os.path.exists("/dev/net/tun"):
        raise NotPermitted("/dev/net/tun is not there")
    child = os.fork()
    if child == 0:
        os._exit(0 if _libc.unshare(_NEW) == 0 else 1)
    if os.waitpid(child, 0)[1] != 0:
        raise NotPermitted("this machine does not let us make namespaces")


def enter():
    """Returns in a process that is alone in new namespaces; the caller stays outside, waits, and
    exits as it did. Raises NotPermitted where that is not allowed. Call it early, with no threads
    and nothing to clean up. Returns the number by which the outside knows the namespaces' first
    process (nsenter -t NUMBER -n)."""
    sys.stdout.flush()
    sys.stderr.flush()
    _check(_libc.unshare(_NEW), "unshare")
    ready, report = os.pipe()
    told, tell = os.pipe()
    first = os.fork()
    if first:
        os.close(report)
        os.write(tell, str(first).encode())
        trouble = os.read(ready, 4096).decode()
        if trouble:
            os.waitpid(first, 0)
            raise NotPermitted(trouble)
        _leave(_wait_for(first))
    os.close(ready)
    try:        # process 1: an init that reaps
        _die_with_parent()
        _mount("none", "/", None, MS_REC_PRIVATE)
        _mount("proc", "/proc", "proc", MS_NOSUID_NODEV_NOEXEC)
        _mount("sysfs", "/sys", "sysfs", MS_NOSUID_NODEV_NOEXEC)
    except NotPermitted as trouble:
        os.write(report, str(trouble).encode())
        os._exit(1)
    try:
        second = os.fork()
        os.close(report)
        if second:
            _leave(_wait_for(second))
        _die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGHUP, _stop)
        return int(os.read(told, 16))
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _stop(number, _frame):
    sys.exit(128 + number)
