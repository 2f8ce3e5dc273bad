#!/usr/bin/env python3
"""A time limit ends the work, whatever code of the plugin does: its process is gone, its neighbours lose no attempt, the
next attempt begins.

usage: time_limits.py BUILD
"""
import os, select, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

LIMITS = ["--limit=unwind_ms=100", "--limit=drain_ms=300", "--limit=host_restart_max_ms=1"]
ENDLESS = ["spin_said", "read_for_ever", "deaf", "shrug", "defer_for_ever", "leave_reader", "wait_for_child"]


def submit(node, function, *more):
    result = node.goctl("submit", f"{node.plugin('trouble')}:{function}", *more)
    assert result.returncode == 0, result
    return result.stdout.strip()


def output_with(node, job, word):
    """The word behind `word` in the kept output of a job, as soon as it is there, at the latest when the job has ended."""
    ended = False
    while True:
        words = node.goctl("logs", job).stdout.split()
        if word in words[:-1]:
            return words[words.index(word) + 1]
        assert not ended, node.json("job", job)
        ended = node.json("job", job)["state"] not in ("ready", "running")


def until_ended(processes):
    """They are pidfds: readable when it has ended."""
    for process in processes:
        select.select([process], [], [])
        os.close(process)


def processes_of(node, job, function):
    """Those that do the work, and have not ended yet."""
    words, found = ["pid", "child"] if function == "wait_for_child" else ["pid"], []
    for word in words:
        try:
            found.append(os.pidfd_open(int(output_with(node, job, word))))
        except ProcessLookupError:
            pass
    return found


def patient_neighbour(node):
    job = submit(node, "patient")
    while node.json("job", job)["state"] != "running":
        pass
    return job


def work_ends_with_its_limit(node, function):
    neighbour = patient_neighbour(node)
    job = submit(node, function, "--retries", "1", "--limit", "1500ms", "--grace", "50ms")
    processes = processes_of(node, job, function)
    assert node.goctl("wait", job).returncode == 9
    record = node.json("job", job)
    assert (record["state"], record["cause"], record["failures"], record["crashes"]) == ("failed", "timeout", 1, 0), record
    until_ended(processes)
    check_neighbour(node, neighbour)


def check_neighbour(node, job):
    record = node.json("job", job)
    assert record["state"] in ("ready", "running") and record["failures"] == record["crashes"] == 0, record
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6, node.json("job", job)


def work_ends_with_its_cancel(node, function):
    job = submit(node, function, "--grace", "50ms")
    processes = processes_of(node, job, function)
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6
    until_ended(processes)


def each_attempt_has_the_limit(node):
    job = submit(node, "read_for_ever", "--retries", "2", "--backoff", "1ms", "--limit", "300ms", "--grace", "50ms")
    assert node.goctl("wait", job).returncode == 9
    record = node.json("job", job)
    assert (record["state"], record["cause"], record["failures"], record["crashes"]) == ("dead", "timeout", 2, 0), record


def main():
    with Node(sys.argv[1], *LIMITS) as node:
        for function in ENDLESS:
            work_ends_with_its_limit(node, function)
        for function in ("read_for_ever", "deaf", "wait_for_child"):
            work_ends_with_its_cancel(node, function)
        each_attempt_has_the_limit(node)
        assert node.stop() == 0


main()
