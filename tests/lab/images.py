# SPDX-License-Identifier: MulanPSL-2.0
"""Building an initramfs with dracut and our modules straight from the source tree: nothing is
installed on this machine."""

import os
import shutil
import subprocess

BASE = "/usr/lib/dracut"
LEAN = ["-m", "dash systemd systemd-initrd base udev-rules cci"]


def dracut(top, modules, generator, init, arguments, settings=None, kernel="0.0-none"):
    """Builds top/image; top is an empty directory. Returns the finished process."""
    base, programs = os.path.join(top, "base"), os.path.join(top, "programs")
    os.makedirs(os.path.join(base, "modules.d"))
    os.makedirs(programs)
    os.makedirs(os.path.join(top, "conf"))
    for name in os.listdir(BASE):
        if name != "modules.d":
            os.symlink(os.path.join(BASE, name), os.path.join(base, name))
    for folder in (os.path.join(BASE, "modules.d"), modules):
        for name in os.listdir(folder):
            link = os.path.join(base, "modules.d", name)
            if os.path.isdir(os.path.join(folder, name)) and not os.path.lexists(link):
                os.symlink(os.path.join(os.path.abspath(folder), name), link)
    shutil.copy(generator, os.path.join(programs, "cci-generator"))
    shutil.copy(init, os.path.join(programs, "cci-init"))
    if os.path.exists(init + "-https"):
        shutil.copy(init + "-https", programs)
    env = dict(os.environ, dracutbasedir=base, cci_programs=programs, **(settings or {}))
    return subprocess.run(
        ["dracut", "--no-hostonly", "--no-hostonly-cmdline", "--force", "--no-early-microcode",
         "--conf", "/dev/null", "--confdir", os.path.join(top, "conf"), "--tmpdir", top] +
        arguments + [os.path.join(top, "image"), kernel],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=300)
