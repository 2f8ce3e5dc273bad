#!/usr/bin/env python3
"""A job that kills every host it gets is quarantined, with the reason; crashes are counted, and failures are not.

usage: poison.py BUILD
"""
import os, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

LIMITS = ["--limit=host_restart_max_ms=1"]


def submit(node, function, *more):
    result = node.goctl("submit", f"{node.plugin('trouble')}:{function}", *more)
    assert result.returncode == 0, result
    return result.stdout.strip()


def row(text, name):
    return next(line[len(name):].strip() for line in text.splitlines() if line.startswith(f"{name} "))


def check_quarantined(node, job, crashes, attempts):
    record = node.json("job", job)
    assert (record["state"], record["cause"]) == ("dead", "crash"), record
    assert (record["failures"], record["crashes"]) == (0, crashes), record
    assert record["text"].startswith(f"quarantined: {crashes} of its runs have ended their host; the last one: signal 11"), record
    assert "null_dereference" in record["text"], record
    shown = node.goctl("job", job).stdout
    assert (row(shown, "failures"), row(shown, "crashes")) == (f"0 of {attempts}", str(crashes)), shown
    assert job in [str(dead["job"]) for dead in node.json_lines("dead", "ls")]


def poison_is_quarantined(node, attempts, crashes):
    neighbour = submit(node, "patient", "--retries", "1")
    job = submit(node, "null", "--retries", str(attempts), "--backoff", "1ms")
    assert node.goctl("wait", job).returncode == 9
    check_quarantined(node, job, crashes, attempts)
    check_neighbour(node, neighbour)
    return job


def check_neighbour(node, job):
    record = node.json("job", job)
    assert record["state"] in ("ready", "running") and record["failures"] == record["crashes"] == 0, record
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6


def another_life_ends_the_same_way(node, job):
    assert node.goctl("dead", "retry", job).returncode == 0
    assert node.goctl("wait", job).returncode == 9
    check_quarantined(node, job, 3, 9)


def main():
    with Node(sys.argv[1], *LIMITS) as node:
        poison_is_quarantined(node, 2, 2)
        job = poison_is_quarantined(node, 9, 3)
        node.kill()
        node.start()
        check_quarantined(node, job, 3, 9)
        another_life_ends_the_same_way(node, job)
        assert node.stop() == 0
    with Node(sys.argv[1], *LIMITS, "--limit=crashes_max=5") as node:
        poison_is_quarantined(node, 9, 5)
        assert node.stop() == 0


main()
