#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""dracut-module under each dracut it is written for: module-setup.sh runs with exactly the functions
and variables which that dracut gives a module; whatever else it calls is noted down and fails. What
differs between the versions stands in dracut-module/VERSIONS.md."""

import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab.tap import equal, main  # noqa: E402

# What dracut-init.sh, dracut-functions.sh and dracut-logger.sh define for modules. Those of 055 are
# in 057 and 059 as well; the later ones added are not to be used.
LOGGER = "dfatal derror dwarn dwarning dinfo ddebug dtrace".split()
INIT = """
is_func require_binaries require_any_binary dracut_need_initqueue dracut_module_included
dracut_no_switch_root dracut_module_path inst_dir inst inst_simple inst_symlink inst_multiple
dracut_install dracut_instmods inst_library inst_binary inst_script inst_fsck_help optional_hostonly
mark_hostonly rev_lib_symlinks inst_rule_programs inst_rule_group_owner inst_rule_initqueue inst_rules
inst_rules_wildcard prepare_udev_rules inst_hook inst_any inst_libdir_file instmods find_binary
""".split()
VERSIONS = {"055": [], "057": ["build_ld_cache"], "059": ["build_ld_cache"]}

# Directories of modules.d that ours depend on; the numbers are of no account.
MODULES = ["00dash", "00systemd", "01systemd-initrd", "40network", "95udev-rules",
           "98dracut-systemd", "99base", "90cci", "99zcci-lean"]

# Programs that dracut itself needs while it runs.
PROGRAMS = ["rm", "ln", "mkdir", "find", "sed", "sort", "grep", "readelf", "cat", "head"]

HARNESS = r"""
command_not_found_handle() { echo "unknown $1" >> "$noted"; return 127; }
for name in $functions; do
    eval "$name() { echo \"$name \$*\" >> \"\$called\"; }"
done
find_binary() { echo "find_binary $*" >> "$called"; [[ -e $1 ]]; }
require_binaries() { echo "require_binaries $*" >> "$called"; for f; do [[ -e $f ]] || return 1; done; }
dracut_module_included() { [[ " $included " == *" $1 "* ]]; }
set -o pipefail
. "$moddir/module-setup.sh"
"$@"
status=$?
exit $status
"""


class Run:
    """One function of one module, under one dracut."""

    def __init__(self, version, module, function, **settings):
        with tempfile.TemporaryDirectory() as scratch:
            base, programs, tools = (f"{scratch}/{n}" for n in ("dracut", "programs", "bin"))
            for name in MODULES:
                os.makedirs(f"{base}/modules.d/{name}")
            for directory in (programs, tools, f"{scratch}/initdir"):
                os.mkdir(directory)
            for name in ("cci-generator", "cci-init", "cci-init-https"):
                open(f"{programs}/{name}", "w", encoding="ascii").close()
                os.chmod(f"{programs}/{name}", 0o755)
            for name in PROGRAMS:
                path = next((f"{d}/{name}" for d in ("/usr/bin", "/bin")
                             if os.path.exists(f"{d}/{name}")), None)
                if path:
                    os.symlink(path, f"{tools}/{name}")
            environment = {
                "PATH": tools, "functions": " ".join(LOGGER + INIT + VERSIONS[version]),
                "noted": f"{scratch}/noted", "called": f"{scratch}/called",
                "dracutbasedir": base, "moddir": f"{TOP}/dracut-module/{module}",
                "initdir": f"{scratch}/initdir", "cci_programs": programs,
                "systemdutildir": "/usr/lib/systemd",
                "systemdsystemunitdir": "/usr/lib/systemd/system", "included": "", **settings}
            done = subprocess.run(["/bin/bash", "--norc", "-c", HARNESS, "-", function],
                                  env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                  check=False)
            self.status, self.output = done.returncode, done.stdout.split()
            self.unknown, self.calls = self._lines(f"{scratch}/noted"), self._lines(
                f"{scratch}/called")
            equal(self.unknown, [], f"what {function} of {module} calls that {version} has not")

    @staticmethod
    def _lines(path):
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def calls_of(self, function, word):
        return [c for c in self.calls if c.split()[0] == function and word in c]


LEAN = {"dracutmodules": "dash systemd systemd-initrd base udev-rules cci"}
FULL = {"dracutmodules": "all"}


def check_version(check, version):
    with check.check(f"{version}: the module is taken only when it is asked for"):
        equal(Run(version, "90cci", "check").status, 255, "status of check")
        equal(Run(version, "90cci", "check", cci_programs="/nowhere").status, 1,
              "status without programs")
        equal(Run(version, "99zcci-lean", "check").status, 255, "status of check")
    with check.check(f"{version}: it depends on modules that are there"):
        known = {name[2:] for name in MODULES}
        for life in (LEAN, FULL):
            depends = Run(version, "90cci", "depends", **life).output
            equal(set(depends) - known, set(), "unknown modules")
        equal("zcci-lean" in Run(version, "90cci", "depends", **LEAN).output, True, "lean")
        equal({"dracut-systemd", "network"} <= set(depends), True, "full")
    with check.check(f"{version}: the kernel's modules are asked for by instmods"):
        run = Run(version, "90cci", "installkernel", **LEAN)
        equal(bool(run.calls_of("instmods", "overlay")), True, "overlay")
    with check.check(f"{version}: the lean life brings networkd"):
        run = Run(version, "90cci", "install", **LEAN)
        equal(run.status, 0, "status of install")
        equal(bool(run.calls_of("inst_multiple", "systemd-networkd")), True, "networkd")
        equal(bool(run.calls_of("inst_binary", "system-generators/cci-generator")), True,
              "generator")
        equal(run.calls_of("inst_hook", ""), [], "hooks")
    with check.check(f"{version}: the full life has one hook, and dracut's network"):
        run = Run(version, "90cci", "install", included="network dracut-systemd", **FULL)
        equal(len(run.calls_of("inst_hook", "cmdline 10 ")), 1, "hooks")
        equal(run.calls_of("inst_multiple", "systemd-networkd"), [], "networkd")
    with check.check(f"{version}: a shell and https can be had"):
        run = Run(version, "90cci", "install", cci_shell="yes", cci_https="yes", **LEAN)
        equal(run.status, 0, "status of install")
        equal(bool(run.calls_of("inst_binary", "cci-init-https")), True, "https")
        equal(bool(run.calls_of("inst_multiple", "sulogin")), True, "shell")
    with check.check(f"{version}: what trims the lean image needs nothing of dracut"):
        run = Run(version, "99zcci-lean", "install", **LEAN)
        equal((run.status, run.calls), (0, []), "status and calls")


def body(check):
    for version in VERSIONS:
        check_version(check, version)
    with check.check("a function that a dracut has not is noticed"):
        try:
            Run("055", "90cci", "build_ld_cache")
        except AssertionError:
            return
        raise AssertionError("build_ld_cache of 057 went through under 055")


if __name__ == "__main__":
    main(body)
