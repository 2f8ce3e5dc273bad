#!/usr/bin/env python3
"""A full store: submits are refused in words, what runs is recorded, channels go on, and nothing is lost.

usage: full_store.py BUILD

Full means SQLite's page limit, so that it is the same for root; then a commit that fails as on a full disk; then a
disk that fails for good.
"""
import os, subprocess, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

PAGES = 300
ARGUMENT = "x" * 8000


def submit(node, function, argument):
    return node.goctl("submit", f"{node.plugin('trial')}:{function}", argument)


def must(result, status=0):
    assert result.returncode == status, result
    return result.stdout.strip()


def fill(node):
    """Delayed jobs until one is refused. Those that were taken."""
    taken = []
    while True:
        result = node.goctl("submit", f"{node.plugin('trial')}:echo", ARGUMENT, "--in", "1h")
        if result.returncode != 0:
            assert "is full" in result.stderr, result
            return taken
        taken.append(result.stdout.strip())
        assert len(taken) < 2 * PAGES, "the page limit was never met"


def check_refused(node):
    """Refused, and everything that needs no room goes on."""
    must(submit(node, "echo", ARGUMENT), 1)
    must(node.goctl("ping"))
    must(node.goctl("send", "values", "hello"))
    assert must(node.goctl("recv", "values")) == "hello"


def check_ends_are_kept(node, running):
    must(node.goctl("send", "go", "the end"))
    assert must(node.goctl("wait", running)) == "the end"


def check_after_restart(node, taken, running):
    assert node.stop() == 0
    node.start()
    assert must(node.goctl("wait", running)) == "the end"
    assert len([job for job in node.json_lines("jobs") if job["state"] == "scheduled"]) == len(taken)


def check_room_again(node):
    """With a larger limit it goes on; the checker refuses a directory in use and finds nothing wrong afterwards."""
    assert node.stop() == 0
    node.options = ()
    node.start()
    must(submit(node, "echo", ARGUMENT))
    check = subprocess.run([f"{node.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], text=True,
                           capture_output=True)
    assert check.returncode != 0 and "in use by process" in check.stdout, check
    assert node.stop() == 0
    must(subprocess.run([f"{node.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], text=True,
                        capture_output=True))


def full(build):
    with Node(build, "--pages-max", str(PAGES)) as node:
        must(node.goctl("make", "values", "--cap", "1"))
        must(node.goctl("make", "go", "--cap", "1"))
        running = must(submit(node, "receive", "go"))
        taken = fill(node)
        assert len(taken) > 10, taken
        check_refused(node)
        check_ends_are_kept(node, running)
        check_after_restart(node, taken, running)
        check_room_again(node)


def one_refused_commit(build):
    """As when the disk is full for a moment: one submit is refused, the next one is taken."""
    with Node(build) as node:
        node.kill()
        node.start(GOROUTINED_FAULTS="store-commit=1:ENOSPC")
        refused = submit(node, "echo", "a")
        must(refused, 1)
        while (result := submit(node, "echo", "b")).returncode != 0:
            assert "is full" in result.stderr, result
        assert must(node.goctl("wait", result.stdout.strip())) == "b"


def broken_disk(build):
    """EIO is final: the daemon ends with words, and a restart has what was acknowledged."""
    with Node(build) as node:
        job = must(submit(node, "echo", "kept"))
        must(node.goctl("wait", job))
        node.kill()
        node.start(GOROUTINED_FAULTS="store-commit=1:EIO")
        assert submit(node, "echo", "lost").returncode != 0
        assert node.process.wait(60) == 1
        assert "check the disk" in node.log(), node.log()
        node.start()
        assert must(node.goctl("wait", job)) == "kept"
        assert len(node.json_lines("jobs")) == 1


def main():
    for part in (full, one_refused_commit, broken_disk):
        part(sys.argv[1])


main()
