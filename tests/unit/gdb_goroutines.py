"""gdb lists goroutines and shows the stack and a local variable of a parked one: in a live process, and in a core file.

usage: gdb_goroutines.py SUBJECT SCRIPT
"""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
subject, script = (os.path.abspath(path) for path in sys.argv[1:])
WAITERS = 5


def gdb(*arguments):
    """What gdb prints for the commands, one argument each."""
    words = ["gdb", "-q", "-batch", "-nx", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off"]
    return subprocess.run(words + list(arguments), capture_output=True, text=True, check=True).stdout


def commands(*lines):
    return [word for line in lines for word in ("-ex", line)]


LOOK = [f"source {script}", "info goroutines", "goroutine 4 bt", "goroutine 4 bt full", "goroutine 1 bt"]


def check(said, where):
    rows = re.findall(r"^ +(\d+) (running|parked|ready) +(chan receive)? +(\S+)", said, re.M)
    assert [int(row[0]) for row in rows] == list(range(1, WAITERS + 2)), (where, rows, said)
    assert rows[0][1] == "running" and rows[0][3] == "main", (where, rows)
    assert all(row[1:] == ("parked", "chan receive", "waiter") for row in rows[1:]), (where, rows)
    short, full = said.split("secret", 1)[0], said
    assert re.search(r"^#\d+ .*\bwait_with_a_local \(.*number=2\) at ", short, re.M), (where, said)
    assert re.search(r"^#\d+ .*\bwaiter \(.*\) at .*gdb_subject.c:\d+", short, re.M), (where, said)
    assert "secret = 4202" in full, (where, said)
    assert re.search(r"^#\d+ .*\ball_are_parked \(", said, re.M), (where, said)  # main's, on its thread


def core_of_the_kernel(folder):
    """Lets the subject die of a signal; whether this system writes a file named `core` where it stood."""
    os.remove(os.path.join(folder, "core"))
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as pattern:
        if pattern.read().strip() != "core":
            return False
    ended = subprocess.run([subject, "abort"], cwd=folder, stderr=subprocess.DEVNULL, preexec_fn=unlimited_core)
    assert ended.returncode == -signal.SIGABRT, ended
    return os.path.exists(os.path.join(folder, "core"))


def unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)


def main():
    # generate-core-file reads a mapping up to the first page that it may not read: guards must be mappings of their own.
    os.environ["GOROUTINE_GUARDS_BY_MAPPING"] = "1"
    if not shutil.which("gdb"):
        print("gdb is not installed")
        sys.exit(SKIPPED)
    if "1" not in gdb("-ex", "python print(1)"):
        print("this gdb has no Python")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        core = os.path.join(folder, "core")
        said = gdb(subject, *commands("set breakpoint pending on", "break all_are_parked", "run", *LOOK,
                                      f"generate-core-file {core}", "continue"))
        check(said, "live")
        assert "exited normally" in said, said  # nothing was changed
        check(gdb(subject, core, *commands(*LOOK)), "core")
        if core_of_the_kernel(folder):
            check(gdb(subject, os.path.join(folder, "core"), *commands(*LOOK)), "core of the kernel")


main()
