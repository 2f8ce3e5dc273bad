"""debugger.py PROGRAM SCRIPT: what gdb shows of the goroutines of g153_debugger.c, live and in a core."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
program, script = (os.path.abspath(path) for path in sys.argv[1:])
LOOK = [f"source {script}", "info goroutines", "goroutine 4 bt", "goroutine 4 bt full"]


def gdb(arguments, *commands):
    words = ["gdb", "-q", "-batch", "-nx", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off"]
    words += arguments + [word for command in commands for word in ("-ex", command)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def check_goroutines(said):
    rows = re.findall(r"^ +(\d+) (running|parked|ready) +(chan receive)? +(\S+)", said, re.M)
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4, 5, 6], said
    assert rows[0][1] == "running" and rows[0][3] == "main", said
    assert all(row[1:] == ("parked", "chan receive", "waiter") for row in rows[1:]), said
    assert re.search(r"^#\d+ .*\bwait_with_a_local \(.*number=2\)", said, re.M), said
    assert re.search(r"^#\d+ .*\bwaiter \(.*\) at .*g153_debugger.c:\d+", said, re.M), said
    assert "secret = 4202" in said, said


def check_break(said):
    assert re.search(r"^Thread .* hit Breakpoint .*\bwait_with_a_local \(.*number=3\)", said, re.M), said
    assert re.search(r"^ +5 running +\S*waiter", said, re.M), said
    assert re.search(r"^#\d+ .*\bwaiter \(", said, re.M), said


def main():
    # generate-core-file reads a mapping up to the first page that it may not read: guards must be mappings of their own.
    os.environ["GOROUTINE_GUARDS_BY_MAPPING"] = "1"
    if not shutil.which("gdb") or "1" not in gdb([], "python print(1)"):
        print("there is no gdb with Python")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        core = f"{folder}/core"
        said = gdb([program], "break all_are_parked", "run", *LOOK, f"generate-core-file {core}", "continue")
        check_goroutines(said)
        assert "exited normally" in said, said  # looking has changed nothing
        check_goroutines(gdb([program, core], *LOOK))
    check_break(gdb([program], "break wait_with_a_local if number == 3", "run", f"source {script}",
                    "info goroutines", "bt", "kill"))


main()
