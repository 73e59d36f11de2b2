# SPDX-License-Identifier: MulanPSL-2.0
"""A BMC: OpenIPMI's ipmi_sim, which speaks IPMI over lanplus and keeps a machine's power in a file."""

import contextlib
import os
import subprocess

PORT = 9623
USER, PASSWORD = "cci", "secret-7"

CONFIG = """\
name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{directory}/chassis"
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
CHIPS = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""
# ipmi_sim calls it as `get power` and `set power 0`
CHASSIS = """#!/bin/sh
echo "$*" >>{directory}/chassis.log
case "$1 $2" in
'get power') echo "power:$(cat {directory}/power)" ;;
'set power') echo "$3" >{directory}/power ;;
esac
"""


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def read_power(directory):
    with open(f"{directory}/power", encoding="utf-8") as file:
        return file.read().strip()


@contextlib.contextmanager
def running(directory):
    """It runs in the present network namespace; directory/power says "1" or "0"."""
    write(f"{directory}/lan.conf", CONFIG.format(directory=directory, port=PORT, user=USER,
                                                 password=PASSWORD))
    write(f"{directory}/chips", CHIPS)
    write(f"{directory}/chassis", CHASSIS.format(directory=directory), 0o755)
    write(f"{directory}/power", "0\n")
    write(f"{directory}/bmc-password", PASSWORD + "\n", 0o600)
    with open(f"{directory}/bmc.log", "wb") as log:
        process = subprocess.Popen(["ipmi_sim", "-c", f"{directory}/lan.conf", "-f",
                                    f"{directory}/chips", "-s", f"{directory}/bmc-state", "-n"],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()
