#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The style checks refuse what they are there to refuse: each is shown a small tree that is right,
and the same tree with one thing wrong."""

import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab.tap import main  # noqa: E402

SPDX = "/* SPDX-License-Identifier: MulanPSL-2.0 */\n"
LAWS = """# Architecture

```layers
lib/base      -
lib/sys       lib/base
server/proto  lib/base
agent         lib/base lib/sys
cli           lib/base lib/sys
```

```libraries
sqlite3.h     lib/sys
jansson.h     lib/sys
```

```pure
rooms    lib/base server/proto
files    agent/step.c
headers  stddef.h string.h
```
"""
RIGHT = {
    "ARCHITECTURE.md": LAWS,
    ".clang-format": "# SPDX-License-Identifier: MulanPSL-2.0\nBasedOnStyle: LLVM\n",
    "lib/base/text.h": SPDX + "#pragma once\nint text_len(const char *text);\n",
    "lib/base/text.c": SPDX + '#include "lib/base/text.h"\n\n#include <string.h>\n\n'
                       "int text_len(const char *text) { return (int)strlen(text); }\n",
    "lib/sys/clock.h": SPDX + "#pragma once\nlong clock_now(void);\n",
    "lib/sys/clock.c": SPDX + '#include "lib/sys/clock.h"\n\n#include <time.h>\n\n'
                       "long clock_now(void) { return time(NULL); }\n",
    "agent/step.c": SPDX + '#include "lib/base/text.h"\n\n'
                    'int step(void) { return text_len("x"); }\n',
    "agent/main.c": SPDX + '#include "lib/sys/clock.h"\n\n'
                    "int main(void) { return clock_now() > 0; }\n",
    "tests/unit/test_text.c": SPDX + '#include "agent/none.h"\n',
    "agent/none.h": SPDX + "#pragma once\n",
}


def plant(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def compile_all(root):
    """Objects where meson would put them."""
    for folder, _, names in os.walk(root):
        for name in names:
            place = os.path.relpath(folder, root)
            if name.endswith(".c") and not place.startswith(("tests", "build")):
                to = os.path.join(root, "build", place, "libx.a.p")
                os.makedirs(to, exist_ok=True)
                subprocess.run(["cc", "-c", "-O1", "-I", root, "-o", os.path.join(to, name + ".o"),
                                os.path.join(folder, name)], check=True)


def run(tool, changes, removed=()):
    """(exit status, output) of a check over the right tree with some changes."""
    with tempfile.TemporaryDirectory() as root:
        plant(root, {**RIGHT, **changes})
        for name in removed:
            os.unlink(os.path.join(root, name))
        arguments = ["--check"] if tool == "format" else []
        if tool == "check-pure":
            compile_all(root)
            arguments = [os.path.join(root, "build")]
        done = subprocess.run([os.path.join(TOP, "tools", tool), "--root", root, *arguments],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def c(*lines):
    return SPDX + "\n".join(lines) + "\n"


LONG = "\n".join(["int f(int n) {"] + ["n++;"] * 80 + ["return n; }"])
# (what is wrong, tool, changed files, what the fault says)
WRONG = [
    ("a room includes one below it", "check-layers",
     {"lib/base/a.c": c('#include "lib/sys/clock.h"')}, "lib/base must not include lib/sys"),
    ("an upward include hidden by blanks", "check-layers",
     {"lib/base/a.c": c(' #  include "lib/sys/clock.h"')}, "lib/base must not include lib/sys"),
    ("programs include each other", "check-layers",
     {"cli/a.c": c('#include "agent/none.h"')}, "cli must not include agent"),
    ("a program includes a test", "check-layers",
     {"cli/a.c": c('#include "tests/support/t.h"'), "tests/support/t.h": c("#pragma once")},
     "cli must not include tests"),
    ("an include relative to its folder", "check-layers",
     {"lib/base/a.c": c('#include "text.h"')}, "no path from the root"),
    ("an include by way of ..", "check-layers",
     {"lib/base/a.c": c('#include "../base/text.h"')}, "no path from the root"),
    ("a library in the wrong room", "check-layers",
     {"agent/a.c": c("#include <sqlite3.h>")}, "<sqlite3.h> is only for lib/sys"),
    ("a pure room includes the clock", "check-layers",
     {"server/proto/a.c": c("#include <time.h>")}, "<time.h> has no place in a pure room"),
    ("a pure file of an impure room includes the clock", "check-layers",
     {"agent/step.c": c("#include <time.h>")}, "<time.h> has no place in a pure room"),
    ("a header without #pragma once", "check-layers",
     {"lib/base/text.h": c("int text_len(const char *text);")}, "#pragma once is missing"),
    ("the own header is not the first", "check-layers",
     {"lib/base/text.c": c("#include <string.h>", '#include "lib/base/text.h"')},
     "first include must be its own header"),
    ("a file in no room", "check-layers", {"lib/drawer/a.c": c("int a;")}, "lies in no room"),
    ("a file without a licence line", "check-spdx", {"cli/a.c": "int a;\n"}, "cli/a.c:1"),
    ("a licence line of another licence", "check-spdx",
     {"cli/a.c": "/* SPDX-License-Identifier: MIT */\n"}, "cli/a.c:1"),
    ("a script without a licence line", "check-spdx", {"tools/a": "#!/bin/sh\nexit\n"}, "tools/a:1"),
    ("an empty file", "check-spdx", {"lib/meson.build": ""}, "lib/meson.build:1"),
    ("a function too long", "check-size", {"cli/a.c": c(LONG)}, "f has 82 lines, at most 80"),
    ("bad layout", "format", {"cli/a.c": c("int   a  ;")}, "cli/a.c:2"),
    ("a pure room asks the clock", "check-pure",
     {"lib/base/a.c": c("#include <time.h>", "long a(void) { return time(0); }")}, "calls time"),
    ("a pure room opens a file", "check-pure",
     {"lib/base/a.c": c("#include <fcntl.h>", 'int a(void) { return open("/", 0); }')},
     "calls open"),
    ("a pure room reads the environment", "check-pure",
     {"lib/base/a.c": c("#include <stdlib.h>", 'char *a(void) { return getenv("A"); }')},
     "calls getenv"),
    ("a pure room prints", "check-pure",
     {"lib/base/a.c": c("#include <stdio.h>", 'void a(void) { puts("a"); }')}, "calls puts"),
    ("a pure room calls an impure one", "check-pure",
     {"lib/base/a.c": c('#include "lib/sys/clock.h"', "long a(void) { return clock_now(); }")},
     "calls clock_now"),
    ("a pure file of an impure room asks the clock", "check-pure",
     {"agent/step.c": c("#include <time.h>", "long a(void) { return time(0); }")}, "calls time"),
    ("a pure room remembers", "check-pure",
     {"lib/base/a.c": c("static int n;", "int a(void) { return n++; }")},
     "n is a variable that changes"),
    ("a pure room remembers with an initial value", "check-pure",
     {"lib/base/a.c": c("static int n = 5;", "int a(void) { return n++; }")},
     "n is a variable that changes"),
    ("a pure room logs loudly", "check-pure",
     {"lib/base/a.c": c("void log_error(const char *);", 'void a(void) { log_error("x"); }')},
     "log_error"),
]
TOOLS = sorted({tool for _, tool, _, _ in WRONG})


def body(tap):
    for tool in TOOLS:
        with tap.check(f"{tool}: a tree that is right passes"):
            status, output = run(tool, {})
            assert status == 0 and output == "", output
    for name, tool, changes, says in WRONG:
        with tap.check(f"{tool}: {name}"):
            status, output = run(tool, changes)
            assert status == 1, f"exit status {status}"
            assert says in output, output
    with tap.check("check-pure: an object that is not built"):
        with tempfile.TemporaryDirectory() as root:
            plant(root, RIGHT)
            done = subprocess.run([os.path.join(TOP, "tools", "check-pure"), "--root", root, root],
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 1 and "has no object" in done.stdout, done.stdout
    for tool in TOOLS:
        with tap.check(f"{tool}: a tree with nothing to look at is no success"):
            with tempfile.TemporaryDirectory() as root:
                plant(root, {"ARCHITECTURE.md": LAWS})
                arguments = {"check-pure": [root], "format": ["--check"]}.get(tool, [])
                done = subprocess.run([os.path.join(TOP, "tools", tool), "--root", root,
                                       *arguments], capture_output=True, text=True, check=False)
                assert done.returncode == 1, done.stdout
        with tap.check(f"{tool}: --help and wrong usage"):
            path = os.path.join(TOP, "tools", tool)
            helped = subprocess.run([path, "--help"], capture_output=True, text=True, check=False)
            assert helped.returncode == 0 and "exit status" in helped.stdout
            wrong = subprocess.run([path, "--nonsense"], capture_output=True, check=False)
            assert wrong.returncode == 2


def every_tool(tap):
    folder = os.path.join(TOP, "tools")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        with tap.check(f"tools/{name}: --help"):
            done = subprocess.run([path, "--help"], capture_output=True, text=True, check=False,
                                  timeout=60, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stderr
            assert "usage: " in done.stdout and "exit status" in done.stdout, done.stdout


def new_module(tap):
    build = "# SPDX-License-Identifier: MulanPSL-2.0\nbase_sources = files(\n  'text.c',\n)\n"
    units = "unit_tests = {}\nunit_tests += {'base/text': base_dep}\n\nforeach x : y\n"
    with tempfile.TemporaryDirectory() as root:
        plant(root, {**RIGHT, "lib/base/meson.build": build, "tests/unit/meson.build": units,
                     "tests/support/test.h": c("#pragma once")})
        command = [os.path.join(TOP, "tools", "new-module"), "--root", root, "lib/base"]

        def run_it(name):
            return subprocess.run([*command, name], capture_output=True, text=True,
                                  check=False).returncode

        def text(name):
            with open(os.path.join(root, name), encoding="utf-8") as file:
                return file.read()

        with tap.check("new-module: writes the pair, the test and their lines"):
            assert run_it("queue") == 0
            assert '#include "lib/base/queue.h"' in text("lib/base/queue.c")
            assert "#pragma once" in text("lib/base/queue.h")
            assert '#include "lib/base/queue.h"' in text("tests/unit/base/test_queue.c")
            assert "  'queue.c',\n)" in text("lib/base/meson.build")
            assert "{'base/queue': base_dep}\n\nforeach" in text("tests/unit/meson.build")
        with tap.check("new-module: what it writes passes the checks"):
            for tool in ("check-layers", "check-spdx"):
                done = subprocess.run([os.path.join(TOP, "tools", tool), "--root", root],
                                      capture_output=True, text=True, check=False)
                faults = [f for f in done.stdout.splitlines() if "queue" in f]
                assert not faults, faults
        with tap.check("new-module: overwrites nothing, and knows its rooms"):
            assert run_it("queue") == 1
            command[-1] = "lib/drawer"
            assert run_it("other") == 1


def all_of_it(tap):
    body(tap)
    every_tool(tap)
    new_module(tap)


if __name__ == "__main__":
    main(all_of_it)
