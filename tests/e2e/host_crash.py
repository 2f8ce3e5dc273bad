#!/usr/bin/env python3
"""Plugin code that kills its host or will not end: the record is true, daemon and neighbours are unharmed. Rows G103, G106
and G161 of tests/guide/ROWS.md, between processes.

usage: host_crash.py BUILD
"""
import os, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

# function, cause of the job's end, words that its record must hold
ENDINGS = [
    ("null", "crash", ["SIGSEGV", "address (nil)", "goroutine", "null_dereference", "trouble.c:"]),
    ("abort", "crash", ["SIGABRT", "call_abort", "plugins/trouble.c:"]),
    ("exit", "crash", ["exit(3) was called by plugin code", "call_exit"]),
    ("overflow", "crash", ["stack overflow", "65536 bytes", "recurse", "plugins/trouble.c:38"]),
    ("panic", "panic", ["something went wrong"]),
    ("member_panics", "panic", ["a member went wrong", "[panic of goroutine", "panics_in_group"]),
    ("forgotten_panics", "panic", ["a member went wrong", "panics_in_group"]),
    ("deadlock", "deadlock", ["all goroutines are asleep - deadlock!", "chan receive"]),
    ("fails", "error", ["no such thing as x"]),
]


def submit(node, function, *more):
    result = node.goctl("submit", f"{node.plugin('trouble')}:{function}", *more)
    assert result.returncode == 0, result
    return result.stdout.strip()


def wait_for_output(node, job, text):
    """Until the kept output of a job holds `text`: at the latest when it has ended."""
    ended = False
    while text not in node.goctl("logs", job).stdout:
        record = node.json("job", job)
        assert not ended, record
        ended = record["state"] not in ("scheduled", "ready", "running")


def last_job(node, function):
    jobs = [job for job in node.json_lines("jobs") if job["function"] == function]
    return node.json("job", str(jobs[-1]["job"]))


def patient_neighbour(node):
    job = submit(node, "patient")
    wait_for_output(node, job, "waiting")
    return job


def check_neighbour(node, job):
    """It runs, or waits to run again, without having lost an attempt; and it still ends in order."""
    record = node.json("job", job)
    assert record["state"] in ("ready", "running") and record["failures"] == 0, record
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6, node.json("job", job)


def check_ending(node, function, cause, words):
    neighbour = patient_neighbour(node)
    result = node.goctl("submit", f"{node.plugin('trouble')}:{function}", "x", "--wait", "--retries", "1")
    assert result.returncode == 9, (function, result)
    record = last_job(node, function)
    assert (record["state"], record["cause"]) == ("failed", cause), record
    for word in words:
        assert word in record["text"], (function, word, record["text"])
    assert node.process.poll() is None
    assert node.goctl("ping").returncode == 0
    check_neighbour(node, neighbour)


def check_hog_with_lock(node):
    """A job that ignores its context, holds a named lock and spins is gone within limit and grace, its lock handed on."""
    neighbour = patient_neighbour(node)
    hog = submit(node, "hold", "guard", "--retries", "1", "--limit", "2s", "--grace", "200ms")
    wait_for_output(node, hog, "holding")
    after = submit(node, "next", "guard")
    assert node.goctl("wait", hog).returncode == 9
    record = node.json("job", hog)
    assert (record["state"], record["cause"]) == ("failed", "timeout"), record
    result = node.goctl("wait", after)
    assert (result.returncode, result.stdout.strip()) == (0, "owner died"), result
    check_neighbour(node, neighbour)


def check_stubborn(node):
    """A job that waits for ever and ignores its context is unwound at the end of its grace."""
    neighbour = patient_neighbour(node)
    job = submit(node, "stubborn", "--retries", "1")
    wait_for_output(node, job, "waiting")
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6, node.json("job", job)
    check_neighbour(node, neighbour)


def main():
    with Node(sys.argv[1]) as node:
        for ending in ENDINGS:
            check_ending(node, *ending)
        check_hog_with_lock(node)
        check_stubborn(node)
        assert node.stop() == 0


main()
