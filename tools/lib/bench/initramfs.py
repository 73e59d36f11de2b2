# SPDX-License-Identifier: MulanPSL-2.0
"""bench initramfs: ours beside stock dracut's, from PID 1 to switch-root, on one kernel and one root."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import bars
import boot_trace
import image
import machine
from lab import LabError, NotPermitted, namespace, paths

SUMMARY = "the way to a root: CPU, processes, size, beside stock dracut's"
PROFILED = ("lean-http", "lean-disk")   # the variants that bars look into
TOP_ROWS = 14
GENERATOR_RUNS = 200


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="bench initramfs", description="Boots each variant under qemu -icount up to switch-root, "
        "where an instruction is a nanosecond, and holds what it measured against the bars.",
        epilog="variants: " + "; ".join(f"{n}: {v['what']}" for n, v in image.VARIANTS.items()) +
        ". exit status: 0 every bar is met, 1 one is missed or could not be measured, 2 usage")
    parser.add_argument("--json", action="store_true", help="numbers for a program")
    parser.add_argument("--repeat", type=int, default=1, metavar="N",
                        help="boots of each variant; the worst counts (1)")
    parser.add_argument("--variant", action="append", choices=list(image.VARIANTS), metavar="NAME",
                        help="only this one (more than once: these)")
    parser.add_argument("--no-profile", action="store_true",
                        help="no second boot that looks into ours; their bars are not measured")
    options = parser.parse_args(argv)
    if options.repeat < 1:
        parser.error("--repeat: at least 1")
    return options


def boot(things, network, variant, picture, **kwargs):
    about = image.VARIANTS[variant]
    if about["root"] == "http":
        options, line = network.options(), about["line"].format(url=network.url)
    else:
        options = ["-nic", "none", "-drive", f"file={things.disk},format=raw,if=virtio,snapshot=on"]
        line = about["line"]
    return machine.boot(things.kernel, [things.probe, picture["path"]], line, options, **kwargs)


def own_time(read):
    """What a traced boot tells of our own programs, in seconds."""
    services = read.of_program("cci-init")
    generators = read.of_program("cci-generator")
    if not services or not generators:
        raise machine.BootError("the trace shows no cci-init or no cci-generator")
    helpers = read.of_program("modprobe")
    layers = max(services, key=lambda p: len(p.mounts))
    # a modprobe that the kernel starts for a service's mount counts as that service's
    forks = [len(read.children(p)) + sum(p.begin <= h.begin <= p.end and h.parent != p.pid
                                         for h in helpers) for p in services]
    return {
        "generator": max(p.cpu for p in generators),
        "own": sum(p.cpu - p.moving for p in services),
        "moving": sum(p.moving for p in services),
        "forks": max(forks),
        "overlay": sum(layers.mounts[-2:]),     # its tmpfs and itself
        "by_program": [{"name": n, "cpu": c, "processes": k}
                       for n, c, k in read.by_program()[:TOP_ROWS]],
    }


def generator_on_host(line):
    """The shortest wall time of cci-generator's life on this machine, fork and exec included, s."""
    program = os.path.join(paths.RELEASE, "initramfs", "cci-generator")
    times = []
    with tempfile.TemporaryDirectory() as top:
        for name in ("etc", "dev", "units"):
            os.mkdir(os.path.join(top, name))
        for path in ("etc/initrd-release", "dev/kmsg"):
            with open(os.path.join(top, path), "w", encoding="ascii"):
                pass
        env = {"SYSTEMD_PROC_CMDLINE": line, "SYSTEMD_IN_INITRD": "1", "CCI_GENERATOR_ROOT": top}
        units = os.path.join(top, "units")
        for _ in range(GENERATOR_RUNS):
            begin = time.perf_counter()
            subprocess.run([program, units, units, units], env=env, check=True)
            times.append(time.perf_counter() - begin)
    return min(times)      # the others are what else runs here


def measure(things, pictures, network, options):
    measured = {}
    for variant, picture in pictures.items():
        runs = []
        for i in range(options.repeat):
            tell(f"{variant}, boot {i + 1} of {options.repeat}")
            run = boot(things, network, variant, picture)
            del run["trace"]
            runs.append(run)
        measured[variant] = {"image": {k: v for k, v in picture.items() if k != "path"}, "runs": runs}
        if variant in PROFILED and not options.no_profile:
            tell(f"{variant}, looking into it")
            run = boot(things, network, variant, picture, trace=True)
            measured[variant]["profile"] = own_time(boot_trace.Trace(run["trace"]))
    return measured


def spread(runs, key, form):
    values = sorted(run[key] for run in runs)
    low, high = format(values[0], form), format(values[-1], form)
    return low if low == high else f"{low}..{high}"


def show_variants(measured):
    print(f"\n{'variant':<12}{'CPU s':>12}{'processes':>12}{'elapsed s':>14}{'files':>8}"
          f"{'unpacked MB':>13}{'zstd MB':>9}")
    for name, about in measured.items():
        size = about["image"]
        print(f"{name:<12}{spread(about['runs'], 'cpu', '.2f'):>12}"
              f"{spread(about['runs'], 'processes', 'd'):>12}"
              f"{spread(about['runs'], 'elapsed', '.2f'):>14}{size['files']:>8}"
              f"{size['unpacked'] / 1e6:>13.2f}{size['zstd'] / 1e6:>9.2f}")


def show_bars(rows):
    print(f"\n{'bar':<32}{'variant':<11}{'limit':>9}{'measured':>11}  {'met':<5}{'of stock':>9}")
    for row in rows:
        digits = 0 if isinstance(row["limit"], int) else 2
        limit = f"{row['limit']:.{1 if digits else 0}f} {row['unit']}".strip()
        got = "-" if row["value"] is None else f"{row['value']:.{digits}f} {row['unit']}".strip()
        met = {None: "-", True: "yes", False: "NO"}[row["met"]]
        stock = "" if row["of_stock"] is None else f"{row['of_stock'] * 100:.0f} %"
        print(f"{row['what']:<32}{row['variant']:<11}{limit:>9}{got:>11}  {met:<5}{stock:>9}")


def show_gain(measured):
    for name, about in measured.items():
        profile = about.get("profile")
        if not profile:
            continue
        idle = about["runs"][0]["elapsed"] - about["runs"][0]["cpu"]
        print(f"\nleft to gain in {name}: {idle:.2f} s of waiting (link, lease, disk), "
              f"{profile['moving'] * 1e3:.0f} ms of moving the image, and")
        for row in profile["by_program"]:
            print(f"  {row['name']:<34}{row['cpu'] * 1e3:>8.1f} ms in {row['processes']}")


def show(result):
    print(f"kernel {result['kernel']}, root {result['root_bytes'] / 1e6:.1f} MB squashfs zstd, "
          f"cci-generator on this machine {result['generator_on_host'] * 1e3:.2f} ms")
    show_variants(result["variants"])
    show_bars(result["bars"])
    show_gain(result["variants"])


def run(options):
    chosen = options.variant or list(image.VARIANTS)
    things = image.Things(tell)
    pictures = {name: things.initramfs(name) for name in image.VARIANTS if name in chosen}
    namespace.enter()
    with machine.Network(things.root) as network:
        measured = measure(things, pictures, network, options)
        line = image.VARIANTS["lean-http"]["line"].format(url=network.url)
    result = {
        "kernel": things.version,
        "root_bytes": os.path.getsize(things.root),
        "generator_on_host": generator_on_host(line),
        "variants": measured,
        "bars": bars.judge(measured),
    }
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        show(result)
    return 1 if any(row["met"] is False for row in result["bars"]) else 0


def main(argv):
    options = parse(argv)
    lacking = [n for n in ("dracut", "qemu-system-x86_64", "mkfs.ext4", "mksquashfs", "zstd", "cpio")
               if not shutil.which(n)]
    if lacking:
        tell(f"lacking {', '.join(lacking)}: run tools/deps")
        return 1
    try:
        namespace.probe()
        return run(options)
    except (LabError, NotPermitted, machine.BootError, RuntimeError) as trouble:
        tell(trouble)
        return 1
