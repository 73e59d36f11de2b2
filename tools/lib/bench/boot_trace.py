# SPDX-License-Identifier: MulanPSL-2.0
"""Who ran, from the kernel's own trace of a boot: pure reading of text, no machine."""

import re

_EVENT = re.compile(r"^\s*(.{1,16})-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): (\w+): ?(.*)$")
_SWITCH = re.compile(r"prev_comm=(.*) prev_pid=(\d+) prev_prio=.* ==> next_comm=(.*) next_pid=(\d+) ")
_FORK = re.compile(r"comm=(.*) pid=(\d+) child_comm=(.*) child_pid=(\d+)")
_EXEC = re.compile(r"filename=(\S+) pid=(\d+)")
_SYSCALL = re.compile(r"NR (-?\d+)")

# x86-64 numbers of calls that move data from or to network and disk, or wait for either.
MOVING = {0: "read", 1: "write", 7: "poll", 17: "pread64", 18: "pwrite64", 20: "writev", 40: "sendfile",
          42: "connect", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 232: "epoll_wait",
          271: "ppoll", 275: "splice", 285: "fallocate", 326: "copy_file_range"}
FSOPEN, MOVE_MOUNT = 430, 429


class Process:
    def __init__(self, pid, comm, parent=None):
        self.pid, self.comm, self.parent = pid, comm, parent
        self.program = None     # of its first exec
        self.cpu = 0.0          # seconds on the processor
        self.moving = 0.0       # of them in calls that move data
        self.call = None
        self.begin = self.end = None
        self.mounts = []        # seconds on the processor from fsopen to move_mount
        self.mount_begin = None

    def name(self):
        if self.pid == 1:
            return "systemd (PID 1)"
        if self.program:
            return self.program.rsplit("/", 1)[-1]
        if re.match(r"kworker|ksoftirqd|rcu|migration|kthread|kdevtmpfs|jbd2|scsi_|loop\d|khungtaskd",
                    self.comm):
            return f"[{re.split('[/:0-9]', self.comm)[0]}]"
        return self.comm


class Trace:
    """Processes of a trace, by pid."""

    def __init__(self, text):
        self.processes = {}
        self.modules = []
        self.running, self.since = None, None
        for line in text.splitlines():
            found = _EVENT.match(line)
            if found:
                comm, pid, stamp, event, rest = found.groups()
                self._take(comm.strip(), int(pid), float(stamp), event, rest)

    def _process(self, pid, comm, parent=None):
        if pid not in self.processes:
            self.processes[pid] = Process(pid, comm, parent)
        return self.processes[pid]

    def _charge(self, process, now):
        """Gives the running process the time since it was looked at last."""
        if self.running == process.pid and self.since is not None:
            spent = now - self.since
            process.cpu += spent
            if process.call in MOVING:
                process.moving += spent
        self.running, self.since = process.pid, now

    def _take(self, comm, pid, now, event, rest):
        if pid == 0 and event != "sched_switch":
            return
        if event == "sched_switch":
            found = _SWITCH.search(rest)
            previous = self._process(int(found.group(2)), found.group(1))
            self._charge(previous, now)
            following = self._process(int(found.group(4)), found.group(3))
            following.comm = found.group(3)
            if following.begin is None:
                following.begin = now
            self.running, self.since = following.pid, now
            return
        process = self._process(pid, comm)
        self._charge(process, now)
        if event == "sched_process_fork":
            found = _FORK.search(rest)
            self._process(int(found.group(4)), found.group(3), int(found.group(2)))
        elif event == "sched_process_exec":
            process.program = process.program or _EXEC.search(rest).group(1)
            process.call = None
        elif event == "sched_process_exit":
            process.end = now
        elif event == "module_load":
            self.modules.append((now, rest.split()[0], process.name()))
        elif event == "sys_enter":
            self._enter(process, int(_SYSCALL.search(rest).group(1)))
        elif event == "sys_exit":
            self._leave(process, int(_SYSCALL.search(rest).group(1)))

    @staticmethod
    def _enter(process, number):
        process.call = number
        if number == FSOPEN:
            process.mount_begin = process.cpu

    @staticmethod
    def _leave(process, number):
        process.call = None
        if number == MOVE_MOUNT and process.mount_begin is not None:
            process.mounts.append(process.cpu - process.mount_begin)
            process.mount_begin = None

    def by_program(self):
        """[(name, CPU s, number of processes)], the largest first."""
        sums = {}
        for process in self.processes.values():
            if process.pid == 0:
                continue
            row = sums.setdefault(process.name(), [0.0, 0])
            row[0] += process.cpu
            row[1] += 1
        return sorted(((n, c, k) for n, (c, k) in sums.items()), key=lambda row: -row[1])

    def of_program(self, name):
        """Processes that became that program, in the order of their pids."""
        return [p for _, p in sorted(self.processes.items())
                if p.program and p.program.rsplit("/", 1)[-1] == name]

    def children(self, process):
        return [p for p in self.processes.values() if p.parent == process.pid]
